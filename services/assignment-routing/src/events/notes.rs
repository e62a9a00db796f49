//! What the notes service writes down for us: handoffs, and notes of workflows. This is all that routing has to do with notes: it sends
//! them, and cannot read one.

use futures::future::BoxFuture;
use kernel::{ContactId, ConversationId, EventId, OrgId, Timestamp, WorkflowId};
use outbox::{Deliver, Event, Outcome, Outgoing, Undelivered};
use prost::Message;
use proto::notes::v1 as pb;
use proto::notes::v1::ingest_service_client::IngestServiceClient;
use proto::notes::v1::ingested_handoff::Receiver as Said;
use rpc::Peer;
use rpc::convert::{proto_role, proto_time};
use runtime::DELIVERY;

use crate::domain::agent::Person;
use crate::domain::conversation::Conversation;
use crate::domain::handoff::{Handoff, Urgency};
use crate::domain::message::Author;

/// The peer that keeps notes, in the outbox.
pub const NOTES: &str = "notes";

/// Bytes of notes in one call, unless one alone has more: below what a service takes in one message.
const CALL_BYTES: usize = 160 * 1024;

/// Who writes a note.
#[derive(Debug, Clone)]
pub enum Writer {
    /// A person.
    Person(Author),
    /// A workflow.
    Workflow {
        /// The workflow.
        id: WorkflowId,
        /// What it is called.
        name: String,
    },
}

/// To whom a conversation is handed over.
#[derive(Debug, Clone)]
pub enum Receiver {
    /// An agent.
    Person(Person),
    /// A team, by its handle.
    Team(String),
}

/// A note on a conversation, to be written by the notes service. It has no `Debug`: what it says is private.
#[derive(Clone)]
pub struct WrittenNote {
    /// The event, which is the id of the note.
    pub event: EventId,
    /// The conversation.
    pub conversation: ConversationId,
    /// With whom the conversation began.
    pub contact: ContactId,
    /// When it was written.
    pub time: Timestamp,
    /// Who wrote it.
    pub writer: Writer,
    /// Markdown.
    pub body: String,
    /// What makes it a handoff, and to whom.
    handoff: Option<pb::IngestedHandoff>,
}

impl WrittenNote {
    /// A plain note on this conversation.
    #[must_use]
    pub fn plain(it: &Conversation, event: EventId, writer: Writer, body: String, time: Timestamp) -> Self {
        let contact = it.first_contact.unwrap_or(it.contact);
        Self { event, conversation: it.id, contact, time, writer, body, handoff: None }
    }

    /// The note with which this conversation is handed over.
    #[must_use]
    pub fn handoff(
        it: &Conversation,
        event: EventId,
        by: Author,
        handoff: &Handoff,
        to: Receiver,
        time: Timestamp,
    ) -> Self {
        let receiver = match to {
            Receiver::Person(person) => Said::Person(pb::NotePerson {
                display_name: person.name().to_owned(),
                subject: person.subject.into(),
                ..pb::NotePerson::default()
            }),
            Receiver::Team(handle) => Said::TeamHandle(handle),
        };
        let said = pb::IngestedHandoff {
            receiver: Some(receiver),
            steps_taken: handoff.steps_taken.clone(),
            expected_outcome: handoff.expected_outcome.clone(),
            urgency: urgency(handoff.urgency).into(),
            due_time: handoff.due_time.map(proto_time),
        };
        let plain = Self::plain(it, event, Writer::Person(by), handoff.summary.clone(), time);
        Self { handoff: Some(said), ..plain }
    }

    /// The outbox event, under its conversation: notes on one arrive in order, and go with it when it is erased.
    #[must_use]
    pub fn event(self) -> Event {
        let kind = if self.handoff.is_some() { "handoff_note" } else { "note" };
        let author = match self.writer {
            Writer::Person(person) => pb::ingested_note::Author::Person(pb::NotePerson {
                role: proto_role(person.role).into(),
                subject: person.subject.into(),
                display_name: person.display_name,
            }),
            Writer::Workflow { id, name } => {
                pb::ingested_note::Author::Workflow(pb::NoteWorkflow { workflow_id: id.to_string(), name })
            }
        };
        let message = pb::IngestedNote {
            event_id: self.event.to_string(),
            conversation_id: self.conversation.to_string(),
            contact_id: self.contact.to_string(),
            occur_time: Some(proto_time(self.time)),
            author: Some(author),
            body: self.body,
            handoff: self.handoff,
        };
        let key = Some(self.conversation.as_uuid());
        Event { event_id: self.event, target: NOTES, kind, payload: message.encode_to_vec(), key }
    }
}

fn urgency(it: Urgency) -> pb::HandoffUrgency {
    match it {
        Urgency::Low => pb::HandoffUrgency::Low,
        Urgency::Normal => pb::HandoffUrgency::Normal,
        Urgency::High => pb::HandoffUrgency::High,
        Urgency::Urgent => pb::HandoffUrgency::Urgent,
    }
}

/// Delivers to the notes service: one outcome a note, in as many calls as their size needs.
pub struct ToNotes(Peer);

impl ToNotes {
    /// A deliverer to this peer.
    #[must_use]
    pub fn new(peer: Peer) -> Self {
        Self(peer)
    }
}

impl Deliver for ToNotes {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let mut client = IngestServiceClient::new(self.0.as_service(org, DELIVERY));
            let mut outcomes = Vec::with_capacity(batch.len());
            // A call that fails has all of them sent again: those that were written before are known by their ids.
            for part in parts(&batch) {
                let answer = client.write_notes(pb::WriteNotesRequest { notes: runtime::recorded(part)? });
                let told = answer.await.map(|answer| answer.into_inner().outcomes);
                outcomes.extend(runtime::delivered(part.len(), told)?);
            }
            Ok(outcomes)
        })
    }
}

/// The batch in stretches that fit into a call each.
fn parts(batch: &[Outgoing]) -> Vec<&[Outgoing]> {
    let mut bytes = batch.first().map_or(0, |first| first.payload.len());
    let fits = |_: &Outgoing, next: &Outgoing| {
        bytes += next.payload.len();
        let fits = bytes <= CALL_BYTES;
        if !fits {
            bytes = next.payload.len();
        }
        fits
    };
    batch.chunk_by(fits).collect()
}
