//! What the tests call the service with.

use std::collections::HashMap;

use contacts::app::App;
use db::test_support::TestDb;
use kernel::{PageSeal, Role};
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::contacts::v1::{
    Contact, ContactProfile, CreateContactRequest, GetContactRequest, ResolveContactRequest,
    ResolveContactResponse,
};
use testkit::{Client, Engine, Suite};
use tonic::{Code, Status};
use tonic_types::StatusExt;

pub(crate) type Contacts = ContactServiceClient<Client>;

/// A suite of this service alone, which does not limit how often a test calls.
pub(crate) async fn suite(engine: Engine) -> Suite {
    Suite::of([contacts::unit()])
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

/// The use cases themselves on a test's database.
pub(crate) fn app(db: &TestDb) -> App {
    App::new(db.db.clone(), db.clock.clone(), PageSeal::new(&[7; 32]))
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
