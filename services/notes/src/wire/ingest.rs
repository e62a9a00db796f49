//! Notes that other services write.

use kernel::{Role, Subject};
use proto::common::v1::{EventDisposition, EventOutcome};
use proto::notes::v1 as pb;
use proto::notes::v1::ingested_handoff::Receiver;
use proto::notes::v1::ingested_note::Author as Writer;
use rpc::Fault;
use rpc::convert::{id_of, role_of, time_of};

use super::handoff::urgency;
use crate::app::ingest::{Ingested, Taken};
use crate::domain::internal_message::Person;
use crate::domain::{Author, Body, Handle, Handoff, HandoffTexts, Place, handles_in};

/// The notes of a batch.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn notes(all: Vec<pb::IngestedNote>) -> Result<Vec<Ingested>, Fault> {
    all.into_iter().map(note).collect()
}

fn note(it: pb::IngestedNote) -> Result<Ingested, Fault> {
    let time = it.occur_time.ok_or_else(|| Fault::invalid("notes.occur_time", "is required"))?;
    let body = Body::parse(it.body)?;
    // Whoever wrote it has long had their answer: names that are too many are not a reason to lose what they wrote.
    let handles = handles_in(body.as_str()).unwrap_or_default();
    Ok(Ingested {
        event: id_of("notes.event_id", &it.event_id)?,
        place: Place::Conversation {
            conversation_id: id_of("notes.conversation_id", &it.conversation_id)?,
            contact_id: id_of("notes.contact_id", &it.contact_id)?,
        },
        author: author(it.author.ok_or_else(|| Fault::invalid("notes.author", "is required"))?)?,
        time: time_of("notes.occur_time", &time)?,
        body,
        handles,
        handoff: it.handoff.map(handoff).transpose()?,
    })
}

fn author(it: Writer) -> Result<Author, Fault> {
    match it {
        Writer::Person(person) => {
            let role = match person.role() {
                proto::common::v1::Role::Unspecified => Role::Agent,
                said => role_of("notes.person.role", said.into())?,
            };
            let Person { subject, display_name } = self::person(person)?;
            Ok(Author { subject, role, display_name })
        }
        Writer::Workflow(workflow) => Ok(Author {
            subject: id_of("notes.workflow.workflow_id", &format!("workflow:{}", workflow.workflow_id))?,
            role: Role::Service,
            display_name: format!("workflow {}", workflow.name),
        }),
    }
}

fn person(it: pb::NotePerson) -> Result<Person, Fault> {
    let subject: Subject = id_of("notes.person.subject", &it.subject)?;
    let display_name = if it.display_name.is_empty() { subject.to_string() } else { it.display_name };
    Ok(Person { subject, display_name })
}

fn handoff(it: pb::IngestedHandoff) -> Result<Handoff, Fault> {
    let urgency = urgency(it.urgency());
    let (receiver, team) = match it.receiver {
        Some(Receiver::Person(person)) => (self::person(person)?, None),
        Some(Receiver::TeamHandle(team)) => {
            let wrong = || Fault::invalid("notes.handoff.team_handle", "must be the handle of a team");
            let team = Handle::parse(&team).ok_or_else(wrong)?;
            (Handoff::stand_in(&team)?, Some(team))
        }
        None => return Err(Fault::invalid("notes.handoff.receiver", "is required")),
    };
    let due_time = it.due_time.map(|due| time_of("notes.handoff.due_time", &due)).transpose()?;
    let texts = HandoffTexts::parse(it.steps_taken, it.expected_outcome)?;
    Ok(Handoff { receiver, team, urgency, due_time, texts, acknowledgement: None })
}

/// What became of each.
pub fn outcomes(ids: Vec<String>, taken: Vec<Taken>) -> Vec<EventOutcome> {
    let outcome = |(event_id, taken): (String, Taken)| {
        let disposition = match taken {
            Taken::Now => EventDisposition::Applied,
            Taken::Before | Taken::Erased => EventDisposition::Duplicate,
        };
        EventOutcome { event_id, disposition: disposition.into(), reason: String::new() }
    };
    ids.into_iter().zip(taken).map(outcome).collect()
}
