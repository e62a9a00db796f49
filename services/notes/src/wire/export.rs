//! The history of a conversation as a file, between the contract and the domain.

use kernel::Timestamp;
use proto::common::v1::Actor;
use proto::notes::v1 as pb;
use proto::notes::v1::export_conversation_response::Frame;
use proto::routing::v1 as routing;
use rpc::Fault;
use rpc::convert::{id_of, proto_time, role_of, time_of};

use crate::app::export::Piece;
use crate::app::timeline::{Content, Entry as Found};
use crate::domain::export::history::{
    Assigned, Customer, Deletion, Direction, Entry, Event, HandedOver, Happening, Heading, Identity, Inside,
    Message, Noted, Whisper, Writer,
};
use crate::domain::export::{Edition, Format, Order, Profile};
use crate::domain::internal_message::{InternalMessage, Person};
use crate::domain::{Author, Handoff, Mark, Note, NoteKind, Urgency};

/// Which file is asked for.
///
/// # Errors
/// INVALID_FIELD.
pub fn order(request: &pb::ExportConversationRequest) -> Result<Order, Fault> {
    let format = match request.format() {
        pb::ExportFormat::Pdf => Format::Pdf,
        pb::ExportFormat::Json => Format::Json,
        pb::ExportFormat::Unspecified => return Err(Fault::invalid("format", "is required")),
    };
    let profile = match request.profile() {
        pb::ExportProfile::Unspecified | pb::ExportProfile::CustomerSafe => Profile::CustomerSafe,
        pb::ExportProfile::WithNotes => Profile::WithNotes,
        pb::ExportProfile::Full => Profile::Full,
    };
    Ok(Order { conversation_id: id_of("conversation_id", &request.conversation_id)?, format, profile })
}

/// A piece for the wire.
pub fn piece(piece: Piece) -> pb::ExportConversationResponse {
    let frame = match piece {
        Piece::Opened { order, edition } => Frame::Opened(opened(order, edition)),
        Piece::Chunk(chunk) => Frame::Chunk(chunk),
        Piece::Finished { size, sha256, entries, unshown } => {
            let count = |number| i64::try_from(number).unwrap_or(i64::MAX);
            Frame::Finished(pb::ConversationExportFinished {
                size_bytes: count(size),
                sha256: sha256.iter().map(|byte| format!("{byte:02x}")).collect(),
                entry_count: count(entries),
                unshown_character_count: count(unshown),
            })
        }
    };
    pb::ExportConversationResponse { frame: Some(frame) }
}

fn opened(order: Order, edition: Edition) -> pb::ConversationExportOpened {
    pb::ConversationExportOpened {
        file_name: order.file_name(),
        content_type: order.format.content_type().to_owned(),
        format: match order.format {
            Format::Pdf => pb::ExportFormat::Pdf,
            Format::Json => pb::ExportFormat::Json,
        }
        .into(),
        profile: match order.profile {
            Profile::CustomerSafe => pb::ExportProfile::CustomerSafe,
            Profile::WithNotes => pb::ExportProfile::WithNotes,
            Profile::Full => pb::ExportProfile::Full,
        }
        .into(),
        export_time: Some(proto_time(edition.export_time)),
    }
}

/// What a file says about a conversation.
///
/// # Errors
/// INTERNAL if routing says something that is none.
pub fn heading(it: routing::Conversation, customer: String) -> Result<Heading, Fault> {
    let priority = match it.priority() {
        routing::Priority::Low => "LOW",
        routing::Priority::Normal | routing::Priority::Unspecified => "NORMAL",
        routing::Priority::High => "HIGH",
        routing::Priority::Urgent => "URGENT",
    };
    Ok(Heading {
        conversation_id: id_of::<kernel::ConversationId>("conversation_id", &it.conversation_id)
            .map_err(Fault::internal)?
            .as_uuid(),
        resolved: it.status() == routing::ConversationStatus::Resolved,
        create_time: maybe_time(it.create_time)?.unwrap_or(Timestamp::from_micros(0)),
        resolve_time: maybe_time(it.resolve_time)?,
        inside: Some(Inside { priority, tags: it.tags, assignee: it.assignee.map(assigned) }),
        subject: it.subject,
        source: it.source,
        channel: it.channel,
        external_id: it.external_id,
        customer: Customer { contact_id: it.contact_id, display_name: customer },
    })
}

/// An entry of a timeline as files have it, with everything that it says.
///
/// # Errors
/// INTERNAL if routing says something that is none.
pub fn entry(found: Found) -> Result<Entry, Fault> {
    let time = found.place.time;
    Ok(match found.content {
        Content::Message(message) => Entry::Message(written(*message, time)?),
        Content::Event(event) => Entry::Event(happened(*event, time)?),
        Content::Note(note) => Entry::Note(Box::new(noted(*note))),
        Content::InternalMessage(message) => Entry::InternalMessage(whispered(*message)),
    })
}

fn written(message: routing::Message, time: Timestamp) -> Result<Message, Fault> {
    let direction = match message.direction() {
        routing::Direction::Outbound => Direction::Outbound,
        routing::Direction::Inbound | routing::Direction::Unspecified => Direction::Inbound,
    };
    Ok(Message {
        message_id: message.message_id,
        time,
        sent_time: maybe_time(message.sent_time)?,
        direction,
        author: message.author.map(actor).transpose()?,
        text: message.text,
    })
}

fn happened(event: routing::HistoryEvent, time: Timestamp) -> Result<Event, Fault> {
    let previous_assignee = event.previous_assignee.clone().map(assigned);
    let what = match event.r#type() {
        routing::HistoryEventType::Assigned => {
            Happening::Assigned { assignee: assigned(event.assignee.unwrap_or_default()), previous_assignee }
        }
        routing::HistoryEventType::Unassigned => Happening::Unassigned { previous_assignee },
        routing::HistoryEventType::Queued => {
            Happening::Queued { team_handle: event.team_handle, previous_assignee }
        }
        routing::HistoryEventType::Resolved => Happening::Resolved,
        routing::HistoryEventType::Reopened => Happening::Reopened,
        routing::HistoryEventType::Snoozed => {
            Happening::Snoozed { until: maybe_time(event.snooze_until_time)? }
        }
        routing::HistoryEventType::SlaWarned => Happening::SlaWarned {
            metric: metric(event.sla_metric()),
            assignee: event.assignee.map(assigned),
        },
        routing::HistoryEventType::SlaBreached => Happening::SlaBreached {
            metric: metric(event.sla_metric()),
            assignee: event.assignee.map(assigned),
        },
        routing::HistoryEventType::Unspecified => {
            return Err(Fault::internal("routing tells of an event that is none"));
        }
    };
    Ok(Event { event_id: event.event_id, time, actor: event.actor.map(actor).transpose()?, what })
}

fn metric(it: routing::SlaMetric) -> &'static str {
    match it {
        routing::SlaMetric::FirstResponse => "FIRST_RESPONSE",
        routing::SlaMetric::NextResponse => "NEXT_RESPONSE",
        routing::SlaMetric::Resolution => "RESOLUTION",
        routing::SlaMetric::Unspecified => "",
    }
}

fn noted(note: Note) -> Noted {
    Noted {
        note_id: note.note_id.as_uuid(),
        time: note.create_time,
        update_time: note.update_time,
        revision: note.revision,
        author: writer(note.author),
        reply_to: note.reply.map(|reply| reply.to.as_uuid()),
        pinned: note.pin.is_some(),
        deletion: note.deletion.map(|Mark { by, time }| Deletion { by: writer(by), time }),
        handoff: note.handoff.map(handed_over),
        body: note.body.into(),
        on_contact: note.place.kind() == NoteKind::Contact,
    }
}

fn handed_over(handoff: Handoff) -> HandedOver {
    let Person { subject, display_name } = handoff.receiver;
    let (steps_taken, expected_outcome) = handoff.texts.into_parts();
    HandedOver {
        receiver: Assigned { subject: subject.to_string(), display_name },
        steps_taken,
        expected_outcome,
        urgency: match handoff.urgency {
            Urgency::Low => "LOW",
            Urgency::Normal => "NORMAL",
            Urgency::High => "HIGH",
            Urgency::Urgent => "URGENT",
        },
        due_time: handoff.due_time,
        acknowledge_time: handoff.acknowledgement.map(|it| it.time),
    }
}

fn whispered(message: InternalMessage) -> Whisper {
    Whisper {
        internal_message_id: message.message_id.as_uuid(),
        internal_thread_id: message.thread_id.as_uuid(),
        time: message.create_time,
        author: writer(message.author),
        body: message.body.into(),
    }
}

fn writer(author: Author) -> Writer {
    let identity = Identity { subject: author.subject.to_string(), role: author.role };
    Writer { display_name: author.display_name, identity: Some(identity) }
}

fn actor(actor: Actor) -> Result<Writer, Fault> {
    let role = role_of("role", actor.role).map_err(Fault::internal)?;
    let identity = Identity { subject: actor.subject, role };
    Ok(Writer { display_name: actor.display_name, identity: Some(identity) })
}

fn assigned(person: routing::Person) -> Assigned {
    let display_name = if person.display_name.is_empty() { person.username } else { person.display_name };
    Assigned { subject: person.subject, display_name }
}

fn maybe_time(time: Option<prost_types::Timestamp>) -> Result<Option<Timestamp>, Fault> {
    time.map(|time| time_of("time", &time)).transpose().map_err(Fault::internal)
}
