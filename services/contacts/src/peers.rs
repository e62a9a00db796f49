//! What this service asks others for the panel, as the person for whom it works.
//!
//! Notes asks back for a contact without notes (`GetContact`), which asks nobody: nobody waits for one another. While a peer is
//! asked, no transaction is open.

pub(crate) mod erasure;

use kernel::ContactId;
use proto::notes::v1::contact_note_service_client::ContactNoteServiceClient;
use proto::notes::v1::{ListContactNotesRequest, Note};
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::{Conversation, ConversationSort, InboxView, ListConversationsRequest};
use rpc::{Call, Peer};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::domain::{Missing, Shown};

/// The peer that keeps conversations.
pub(crate) const ROUTING: &str = "routing";
/// The peer that keeps notes.
pub(crate) const NOTES: &str = "notes";

/// The services that are asked.
#[derive(Clone)]
pub struct Peers {
    routing: Peer,
    notes: Peer,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers").finish_non_exhaustive()
    }
}

impl Peers {
    /// Questions go to these services.
    pub fn new(routing: Peer, notes: Peer) -> Self {
        Self { routing, notes }
    }

    /// The conversations with a contact in every status, latest activity first, at most `size`.
    ///
    /// # Errors
    /// Why they cannot be shown.
    pub(crate) async fn conversations(
        &self,
        call: &Call,
        contact: ContactId,
        size: i32,
    ) -> Result<Shown<Conversation>, Missing> {
        let mut routing = ConversationServiceClient::new(self.routing.on_behalf(&in_part(call)));
        let request = ListConversationsRequest {
            view: InboxView::Any.into(),
            sort: ConversationSort::LastActivity.into(),
            contact_id: contact.to_string(),
            page_size: size,
            ..ListConversationsRequest::default()
        };
        let answer = routing.list_conversations(request).await.map_err(|status| missing(ROUTING, &status))?;
        let answer = answer.into_inner();
        let entries = answer.entries.into_iter().filter_map(|entry| entry.conversation).collect();
        Ok(Shown { entries, more: !answer.next_page_token.is_empty() })
    }

    /// The notes on a contact, pinned ones first, at most `size`.
    ///
    /// # Errors
    /// Why they cannot be shown.
    pub(crate) async fn notes(
        &self,
        call: &Call,
        contact: ContactId,
        size: i32,
    ) -> Result<Shown<Note>, Missing> {
        let mut notes = ContactNoteServiceClient::new(self.notes.on_behalf(&in_part(call)));
        let request = ListContactNotesRequest {
            contact_id: contact.to_string(),
            page_size: size,
            ..ListContactNotesRequest::default()
        };
        let answer = notes.list_contact_notes(request).await.map_err(|status| missing(NOTES, &status))?;
        let answer = answer.into_inner();
        Ok(Shown { entries: answer.notes, more: !answer.next_page_token.is_empty() })
    }
}

/// The same call with three quarters of the time it has left: the last one is for the answer without what did not come.
fn in_part(call: &Call) -> Call {
    let mut part = call.clone();
    part.deadline = Instant::now() + call.remaining() * 3 / 4;
    part
}

fn missing(peer: &'static str, status: &Status) -> Missing {
    let missing = match status.code() {
        Code::Unavailable => Missing::Unreachable,
        Code::DeadlineExceeded | Code::Cancelled => Missing::TooSlow,
        Code::ResourceExhausted => Missing::Overloaded,
        Code::PermissionDenied | Code::Unauthenticated => Missing::NotPermitted,
        _ => Missing::Failed,
    };
    tracing::warn!(peer, code = ?status.code(), "a section of a panel is not there");
    missing
}
