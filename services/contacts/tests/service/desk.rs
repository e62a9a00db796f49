//! What the tests call the service with.

use std::collections::HashMap;

use audit::Origin;
use contacts::app::App;
use contacts::domain::Actor;
use db::test_support::TestDb;
use kernel::{PageSeal, Role, Subject};
use proto::contacts::v1::attribute_service_client::AttributeServiceClient;
use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::contacts::v1::list_service_client::ListServiceClient;
use proto::contacts::v1::search_service_client::SearchServiceClient;
use proto::contacts::v1::{
    AttributeDefinition, AttributeType, AttributeValue, Contact, ContactProfile,
    CreateAttributeDefinitionRequest, CreateContactRequest, GetContactRequest, ResolveContactRequest,
    ResolveContactResponse, SetContactAttributesRequest,
};
use testkit::{Client, Engine, Suite};
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::elsewhere::Elsewhere;

pub(crate) type Contacts = ContactServiceClient<Client>;
pub(crate) type Lists = ListServiceClient<Client>;
pub(crate) type Attributes = AttributeServiceClient<Client>;
pub(crate) type Searches = SearchServiceClient<Client>;

/// A suite of this service, between others that know nothing; it does not limit how often a test calls.
pub(crate) async fn suite(engine: Engine) -> Suite {
    suite_among(engine, &Elsewhere::default()).await
}

/// The same, between these others.
pub(crate) async fn suite_among(engine: Engine, elsewhere: &Elsewhere) -> Suite {
    Suite::of(std::iter::once(contacts::unit()).chain(elsewhere.units()))
        .on(engine)
        .configured(|config| {
            config.limits.calls_per_person = 0;
            config.limits.person_per_second = 0;
            config.limits.org_per_second = 0;
            config.limits.unary_in_flight = 1_000;
        })
        .start()
        .await
}

/// A client of `acme`'s agent Ana.
pub(crate) fn agent(suite: &Suite) -> Contacts {
    client(suite, "acme", "ana", Role::Agent)
}

pub(crate) fn client(suite: &Suite, org: &str, subject: &str, role: Role) -> Contacts {
    ContactServiceClient::new(suite.client(org, subject, role))
}

/// The lists, as `acme`'s Ana sees them.
pub(crate) fn lists(suite: &Suite) -> Lists {
    ListServiceClient::new(suite.client("acme", "ana", Role::Agent))
}

/// The attributes, as an admin of `acme` sees them.
pub(crate) fn attributes(suite: &Suite) -> Attributes {
    AttributeServiceClient::new(suite.client("acme", "admin", Role::Admin))
}

/// Searches of `acme`'s Ana.
pub(crate) fn searches(suite: &Suite) -> Searches {
    SearchServiceClient::new(suite.client("acme", "ana", Role::Agent))
}

/// Defines an attribute; a choice may be `gold` or `basic`.
pub(crate) async fn define(
    attributes: &mut Attributes,
    key: &str,
    of: AttributeType,
) -> Result<AttributeDefinition, Status> {
    let choices = if of == AttributeType::Choice { texts(&["gold", "basic"]) } else { Vec::new() };
    let request = CreateAttributeDefinitionRequest {
        key: key.to_owned(),
        r#type: of.into(),
        choices,
        ..CreateAttributeDefinitionRequest::default()
    };
    Ok(attributes.create_attribute_definition(request).await?.into_inner().definition.unwrap())
}

pub(crate) fn value(key: &str, value: Value) -> AttributeValue {
    AttributeValue { key: key.to_owned(), value: Some(value) }
}

/// Sets attributes of a contact.
pub(crate) async fn set(
    attributes: &mut Attributes,
    contact: &Contact,
    values: Vec<AttributeValue>,
) -> Result<Contact, Status> {
    let request = SetContactAttributesRequest {
        contact_id: contact.contact_id.clone(),
        set: values,
        ..SetContactAttributesRequest::default()
    };
    Ok(attributes.set_contact_attributes(request).await?.into_inner().contact.unwrap())
}

/// The use cases themselves on a test's database.
pub(crate) fn app(db: &TestDb) -> App {
    App::new(db.db.clone(), db.clock.clone(), PageSeal::new(&[7; 32]))
}

/// Where what the tests do comes from.
pub(crate) fn origin() -> Origin {
    Origin::system("contacts", "test")
}

/// Who does what the tests do.
pub(crate) fn by() -> Actor {
    Actor { subject: Subject::parse("ana").unwrap(), role: Role::Agent, display_name: "Ana".to_owned() }
}

pub(crate) fn named(display_name: &str) -> ContactProfile {
    ContactProfile { display_name: display_name.to_owned(), ..ContactProfile::default() }
}

pub(crate) fn texts(of: &[&str]) -> Vec<String> {
    of.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) async fn create(contacts: &mut Contacts, profile: ContactProfile) -> Result<Contact, Status> {
    let request = CreateContactRequest { profile: Some(profile), ..CreateContactRequest::default() };
    Ok(contacts.create_contact(request).await?.into_inner().contact.unwrap())
}

pub(crate) async fn get(contacts: &mut Contacts, contact_id: &str) -> Result<Contact, Status> {
    let request = GetContactRequest { contact_id: contact_id.to_owned() };
    Ok(contacts.get_contact(request).await?.into_inner().contact.unwrap())
}

pub(crate) fn resolve_request(channel: &str, address: &str) -> ResolveContactRequest {
    ResolveContactRequest {
        channel: channel.to_owned(),
        address: address.to_owned(),
        display_name: String::new(),
    }
}

pub(crate) async fn resolve(
    contacts: &mut Contacts,
    channel: &str,
    address: &str,
) -> Result<ResolveContactResponse, Status> {
    Ok(contacts.resolve_contact(resolve_request(channel, address)).await?.into_inner())
}

/// The addresses of a contact as `channel:address`, in the order of the answer.
pub(crate) fn identities(contact: &Contact) -> Vec<String> {
    contact.identities.iter().map(|identity| format!("{}:{}", identity.channel, identity.address)).collect()
}

/// Code, reason and metadata of a refusal.
pub(crate) fn refusal(status: &Status) -> (Code, String, HashMap<String, String>) {
    let info = status.get_details_error_info().unwrap_or_else(|| panic!("without ErrorInfo: {status:?}"));
    assert_eq!(info.domain, "backchannel.dev");
    (status.code(), info.reason, info.metadata)
}

/// The fields that a refusal names.
pub(crate) fn broken_fields(status: &Status) -> Vec<String> {
    assert_eq!(refusal(status).0, Code::InvalidArgument, "{status:?}");
    let violations = status.get_details_bad_request().map(|bad| bad.field_violations);
    violations.into_iter().flatten().map(|violation| violation.field).collect()
}
