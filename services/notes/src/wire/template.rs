//! Templates for notes.

use db::Retry;
use proto::notes::v1 as pb;
use rpc::convert::{etag, id_of, proto_time};
use rpc::{Call, Fault, update_mask};

use crate::app::TemplateChange;
use crate::domain::{Field, Filling, Template, TemplateText, Value, template_name};
use crate::error::Error;

/// Reads a request to make a template, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn new_template(
    call: &Call,
    request: pb::CreateNoteTemplateRequest,
) -> Result<(String, TemplateText, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let name = template_name(request.name)?;
    let text = TemplateText::parse(request.body, fields(request.fields)).map_err(Error::Misfit)?;
    Ok((name, text, retry))
}

/// Reads what a request changes of a template, and the key of its retries. Without a mask, what is set changes.
///
/// # Errors
/// INVALID_ARGUMENT naming the field, or the path of the update mask.
pub fn change(call: &Call, request: pb::UpdateNoteTemplateRequest) -> Result<(TemplateChange, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let known = [
        ("name", !request.name.is_empty()),
        ("body", !request.body.is_empty()),
        ("fields", !request.fields.is_empty()),
    ];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    let change = TemplateChange {
        name: paths.take("name", request.name).map(template_name).transpose()?,
        body: paths.take("body", request.body),
        fields: paths.take("fields", request.fields).map(fields),
    };
    Ok((change, retry))
}

/// Reads a template as somebody filled it in.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn filling(filling: pb::NoteTemplateFilling) -> Result<Filling, Fault> {
    let template_id = id_of("template.note_template_id", &filling.note_template_id)?;
    let values = filling.values.into_iter().map(|pb::NoteTemplateValue { key, value }| Value {
        key,
        // What nobody sees is no value, as spaces are none.
        value: if proto::is_blank(&value) { String::new() } else { value },
    });
    Ok(Filling { template_id, values: values.collect() })
}

fn fields(fields: Vec<pb::NoteTemplateField>) -> Vec<Field> {
    let field =
        |field: pb::NoteTemplateField| Field { key: field.key, label: field.label, required: field.required };
    fields.into_iter().map(field).collect()
}

/// A template for the wire.
pub fn template(template: Template) -> pb::NoteTemplate {
    let field = |field: &Field| pb::NoteTemplateField {
        key: field.key.clone(),
        label: field.label.clone(),
        required: field.required,
    };
    pb::NoteTemplate {
        note_template_id: template.id.to_string(),
        etag: etag(template.version),
        name: template.name,
        body: template.text.body().to_owned(),
        fields: template.text.fields().iter().map(field).collect(),
        create_time: Some(proto_time(template.create_time)),
        update_time: Some(proto_time(template.update_time)),
    }
}
