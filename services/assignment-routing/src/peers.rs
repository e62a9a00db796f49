//! What routing asks other services, with the caller's own token.

use std::time::Duration;

use kernel::{ContactId, OrgId};
use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::contacts::v1::{Contact, GetContactRequest, GetContactResponse, ResolveContactRequest};
use rpc::{Call, Fault, Peer};
use tonic::{Code, Response, Status};

use crate::domain::facts::{Attribute, ContactFacts};

/// How long workflows wait for what they want to know of a contact.
const PATIENCE: Duration = Duration::from_secs(2);

/// A customer, as workflows need to know them.
#[derive(Debug, Clone)]
pub struct KnownContact {
    /// The contact.
    pub id: ContactId,
    /// Who the address was of before merges that stand, and will be of again; the contact, where there are none.
    pub first: ContactId,
    /// What conditions may ask of them.
    pub facts: ContactFacts,
    /// Whether what they write calls nobody.
    pub blocked: bool,
}

/// Asks contacts who owns an address, which makes the contact if nobody does. Never from inside a transaction.
///
/// # Errors
/// The peer's refusal, as our caller is to see it.
pub async fn resolve_contact(
    contacts: &Peer,
    call: &Call,
    channel: &str,
    address: &str,
    display_name: &str,
) -> Result<KnownContact, Fault> {
    let request = ResolveContactRequest {
        channel: channel.to_owned(),
        address: address.to_owned(),
        display_name: display_name.to_owned(),
    };
    let answer = ContactServiceClient::new(contacts.on_behalf(call)).resolve_contact(request).await;
    let answer = answer.map_err(|status| match status.code() {
        // The only thing in the question that contacts may find fault with is the address.
        Code::InvalidArgument => Fault::invalid("contact_address", "is not an address of this channel"),
        _ => Fault::from_peer(status),
    })?;
    let answer = answer.into_inner();
    let contact = answer.contact.ok_or_else(|| Fault::internal("contacts resolved an address to nobody"))?;
    let known = known(contact)?;
    match answer.first_contact_id.as_str() {
        "" => Ok(known),
        first => Ok(KnownContact { first: id_of(first)?, ..known }),
    }
}

fn id_of(text: &str) -> Result<ContactId, Fault> {
    rpc::convert::id_of("contact_id", text)
        .map_err(|_| Fault::internal("contacts named a contact by an id that is none"))
}

fn known(contact: Contact) -> Result<KnownContact, Fault> {
    let attributes = contact.attributes.into_iter().filter_map(|it| {
        let value = match it.value? {
            Value::Number(number) => Attribute::Number(number),
            Value::Boolean(yes) => Attribute::Boolean(yes),
            Value::Text(text) | Value::Date(text) | Value::Link(text) | Value::Choice(text) => {
                Attribute::Text(text)
            }
        };
        Some((it.key, value))
    });
    let facts = ContactFacts {
        tags: contact.tags.into_iter().collect(),
        language: contact.language,
        attributes: attributes.collect(),
    };
    let id = id_of(&contact.contact_id)?;
    Ok(KnownContact { id, first: id, facts, blocked: contact.blocked })
}

/// Asks contacts who this is, and whether what they write calls nobody. Never from inside a transaction.
///
/// # Errors
/// The peer's refusal, as our caller is to see it. None: they are not there any more.
pub async fn find_contact(
    contacts: &Peer,
    call: &Call,
    id: ContactId,
) -> Result<Option<KnownContact>, Fault> {
    found(ContactServiceClient::new(contacts.on_behalf(call)).get_contact(question(id)).await)
}

/// Asks contacts what workflows want to know of a contact, for nobody but the organization. Never from inside a transaction.
///
/// # Errors
/// The peer's refusal. One who is not there any more has no tags, no language and no attributes.
pub async fn find_facts(contacts: &Peer, org: &OrgId, id: ContactId) -> Result<ContactFacts, Fault> {
    let answer =
        ContactServiceClient::new(contacts.as_service(org, PATIENCE)).get_contact(question(id)).await;
    Ok(found(answer)?.map(|known| known.facts).unwrap_or_default())
}

fn question(id: ContactId) -> GetContactRequest {
    GetContactRequest { contact_id: id.to_string() }
}

fn found(answer: Result<Response<GetContactResponse>, Status>) -> Result<Option<KnownContact>, Fault> {
    match answer {
        Ok(answer) => answer.into_inner().contact.map(known).transpose(),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(Fault::from_peer(status)),
    }
}
