//! Attributes and their definitions.

use std::collections::BTreeSet;

use kernel::{Malformed, PageSize};
use proto::contacts::v1 as pb;
use proto::contacts::v1::attribute_value::Value as PbValue;
use rpc::convert::{etag, expected_version, id_of, proto_time};
use rpc::{Call, Fault, update_mask};

use super::Broken;
use crate::app::{
    DefineAttribute, DefinitionPage, DeleteDefinition, ListDefinitions, SetAttributes, UpdateDefinition,
};
use crate::domain::{
    Asked, Attribute, AttributeChange, Choices, Date, Definition, DefinitionChange, Key, Line, Link, Misfit,
    Number, Value, ValueType,
};

pub(crate) fn define(
    call: &Call,
    request: &pb::CreateAttributeDefinitionRequest,
) -> Result<DefineAttribute, Fault> {
    let retry = runtime::retry(call, &request.request_id, request)?;
    let value_type = value_type(request.r#type())?;
    let mut broken = Broken::default();
    let key = broken.read("key", &request.key, Key::parse);
    let display_name = broken.read("display_name", &request.display_name, Line::parse).unwrap_or_default();
    let description = broken.read("description", &request.description, Line::parse).unwrap_or_default();
    let choices = broken.read_all("choices", &request.choices, Line::parse);
    broken.refuse()?;
    let choices = Choices::of(value_type, choices)?;
    let key = key.ok_or_else(|| Fault::internal("a key is missing and nothing is broken"))?;
    Ok(DefineAttribute { key, display_name, description, value_type, choices, retry })
}

/// The key of a definition that is asked for. A text that is none is the key of no definition.
pub(crate) fn key(text: &str) -> Result<Key, Fault> {
    Key::parse(text).map_err(|_| Fault::not_found())
}

pub(crate) fn update(
    call: &Call,
    request: &pb::UpdateAttributeDefinitionRequest,
) -> Result<UpdateDefinition, Fault> {
    let retry = runtime::retry(call, &request.request_id, request)?;
    let known = [
        ("display_name", !request.display_name.is_empty()),
        ("description", !request.description.is_empty()),
        ("choices", !request.choices.is_empty()),
        ("archived", request.archived),
    ];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    let mut broken = Broken::default();
    let mut change = DefinitionChange::default();
    if paths.has("display_name") {
        change.display_name = broken.read("display_name", &request.display_name, Line::parse);
    }
    if paths.has("description") {
        change.description = broken.read("description", &request.description, Line::parse);
    }
    if paths.has("choices") {
        change.choices = Some(broken.read_all("choices", &request.choices, Line::parse));
    }
    change.archived = paths.has("archived").then_some(request.archived);
    broken.refuse()?;
    let version = expected_version(&request.etag);
    Ok(UpdateDefinition { key: key(&request.key)?, change, version, retry })
}

pub(crate) fn delete(request: &pb::DeleteAttributeDefinitionRequest) -> Result<DeleteDefinition, Fault> {
    let (with_values, version) = (request.delete_values, expected_version(&request.etag));
    Ok(DeleteDefinition { key: key(&request.key)?, with_values, version })
}

pub(crate) fn list(request: pb::ListAttributeDefinitionsRequest) -> Result<ListDefinitions, Fault> {
    let (with_archived, page_size) = (request.include_archived, PageSize::of(request.page_size)?);
    Ok(ListDefinitions { with_archived, page_size, page_token: request.page_token })
}

pub(crate) fn set(request: &pb::SetContactAttributesRequest) -> Result<SetAttributes, Fault> {
    let contact_id = id_of("contact_id", &request.contact_id)?;
    let mut broken = Broken::default();
    let set = each(&request.set);
    let clear = broken.read_all("clear", &request.clear, Key::parse);
    broken.refuse_with("set", &set)?;
    let version = expected_version(&request.etag);
    Ok(SetAttributes { contact_id, change: AttributeChange { set, clear }, version })
}

/// The attributes of a field that are some; what is wrong with the others is in `broken`.
pub(crate) fn all(broken: &mut Broken, field: &str, values: &[pb::AttributeValue]) -> Vec<Attribute> {
    let asked = each(values);
    broken.misfits(field, &asked);
    asked.into_iter().flatten().collect()
}

/// Each attribute, or what is wrong with it; each key may be there once.
pub(crate) fn each(values: &[pb::AttributeValue]) -> Vec<Asked> {
    let mut named = BTreeSet::new();
    let mut read = |(index, said): (usize, &pb::AttributeValue)| {
        let misfit = |part| move |malformed| vec![Misfit { index, part, malformed }];
        let key = Key::parse(&said.key).and_then(|key| match named.insert(key.clone()) {
            true => Ok(key),
            false => Err(Malformed::new("may be there once")),
        });
        let value = said.value.as_ref().map(value);
        let value = value.unwrap_or_else(|| Err(Malformed::new("is required")));
        match (key.map_err(misfit("key")), value.map_err(misfit("value"))) {
            (Ok(key), Ok(value)) => Ok(Attribute { key, value }),
            (key, value) => Err([key.err(), value.err()].into_iter().flatten().flatten().collect()),
        }
    };
    values.iter().enumerate().map(&mut read).collect()
}

fn value(said: &PbValue) -> Result<Value, Malformed> {
    match said {
        PbValue::Text(text) if proto::is_blank(text) => {
            Err(Malformed::new("must have text: clear the key to have none"))
        }
        PbValue::Text(text) => Line::parse(text).map(Value::Text),
        PbValue::Number(number) => Number::new(*number).map(Value::Number),
        PbValue::Boolean(yes) => Ok(Value::Boolean(*yes)),
        PbValue::Date(day) => Date::parse(day).map(Value::Date),
        PbValue::Link(link) => Link::parse(link).map(Value::Link),
        PbValue::Choice(choice) => Line::parse(choice).map(Value::Choice),
    }
}

pub(crate) fn attribute(attribute: Attribute) -> pb::AttributeValue {
    let value = match attribute.value {
        Value::Text(text) => PbValue::Text(text.as_str().to_owned()),
        Value::Number(number) => PbValue::Number(number.get()),
        Value::Boolean(yes) => PbValue::Boolean(yes),
        Value::Date(day) => PbValue::Date(day.as_str().to_owned()),
        Value::Link(link) => PbValue::Link(link.as_str().to_owned()),
        Value::Choice(choice) => PbValue::Choice(choice.as_str().to_owned()),
    };
    pb::AttributeValue { key: attribute.key.as_str().to_owned(), value: Some(value) }
}

fn value_type(said: pb::AttributeType) -> Result<ValueType, Fault> {
    match said {
        pb::AttributeType::Unspecified => Err(Fault::invalid("type", "is required")),
        pb::AttributeType::Text => Ok(ValueType::Text),
        pb::AttributeType::Number => Ok(ValueType::Number),
        pb::AttributeType::Boolean => Ok(ValueType::Boolean),
        pb::AttributeType::Date => Ok(ValueType::Date),
        pb::AttributeType::Link => Ok(ValueType::Link),
        pb::AttributeType::Choice => Ok(ValueType::Choice),
    }
}

fn proto_type(value_type: ValueType) -> pb::AttributeType {
    match value_type {
        ValueType::Text => pb::AttributeType::Text,
        ValueType::Number => pb::AttributeType::Number,
        ValueType::Boolean => pb::AttributeType::Boolean,
        ValueType::Date => pb::AttributeType::Date,
        ValueType::Link => pb::AttributeType::Link,
        ValueType::Choice => pb::AttributeType::Choice,
    }
}

pub(crate) fn definition(definition: Definition) -> pb::AttributeDefinition {
    let choices = definition.choices.as_slice().iter();
    pb::AttributeDefinition {
        key: definition.key.as_str().to_owned(),
        etag: etag(definition.version),
        display_name: definition.display_name.as_str().to_owned(),
        description: definition.description.as_str().to_owned(),
        r#type: proto_type(definition.value_type).into(),
        choices: choices.map(|choice| choice.as_str().to_owned()).collect(),
        archived: definition.archived,
        create_time: Some(proto_time(definition.create_time)),
        update_time: Some(proto_time(definition.update_time)),
    }
}

pub(crate) fn definition_page(page: DefinitionPage) -> pb::ListAttributeDefinitionsResponse {
    pb::ListAttributeDefinitionsResponse {
        definitions: page.definitions.into_iter().map(definition).collect(),
        next_page_token: page.next_page_token,
    }
}
