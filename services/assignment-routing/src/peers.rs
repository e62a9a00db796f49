//! What routing asks other services, with the caller's own token.

use std::collections::BTreeSet;

use kernel::ContactId;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::contacts::v1::{GetContactRequest, ResolveContactRequest};
use rpc::{Call, Fault, Peer};

/// A customer, as workflows need to know them.
#[derive(Debug, Clone)]
pub struct KnownContact {
    /// The contact.
    pub id: ContactId,
    /// The tags they carry.
    pub tags: BTreeSet<String>,
    /// Their language, a BCP 47 tag; empty: not known.
    pub language: String,
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
        tonic::Code::InvalidArgument => {
            Fault::invalid("contact_address", "is not an address of this channel")
        }
        _ => Fault::from_peer(status),
    })?;
    let contact = answer
        .into_inner()
        .contact
        .ok_or_else(|| Fault::internal("contacts resolved an address to nobody"))?;
    Ok(KnownContact {
        id: rpc::convert::id_of("contact_id", &contact.contact_id)
            .map_err(|_| Fault::internal("contacts named a contact by an id that is none"))?,
        tags: contact.tags.into_iter().collect(),
        language: contact.language,
        blocked: contact.blocked,
    })
}

/// Asks contacts whether what this contact writes calls nobody. Never from inside a transaction.
///
/// # Errors
/// The peer's refusal, as our caller is to see it. One who is not there any more is not blocked.
pub async fn is_blocked(contacts: &Peer, call: &Call, id: ContactId) -> Result<bool, Fault> {
    let request = GetContactRequest { contact_id: id.to_string() };
    match ContactServiceClient::new(contacts.on_behalf(call)).get_contact(request).await {
        Ok(answer) => Ok(answer.into_inner().contact.is_some_and(|contact| contact.blocked)),
        Err(status) if status.code() == tonic::Code::NotFound => Ok(false),
        Err(status) => Err(Fault::from_peer(status)),
    }
}
