//! Messages.

use proto::common::v1::Actor;
use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::{optional_id_of, proto_role, time_of};

use super::conversation::conversation;
use super::time;
use crate::app::record_message::{NewMessage, Recorded};
use crate::domain::message::{Author, Direction, Message};
use crate::store::conversations::Key;

/// A message to be recorded.
///
/// # Errors
/// INVALID_FIELD where neither our id nor the channel's names the conversation, or a value cannot be read.
pub fn new_message(it: pb::RecordMessageRequest) -> Result<NewMessage, Fault> {
    let direction = match it.direction() {
        pb::Direction::Inbound => Direction::Inbound,
        pb::Direction::Outbound => Direction::Outbound,
        pb::Direction::Unspecified => return Err(Fault::invalid("direction", "is needed")),
    };
    let conversation = match optional_id_of("conversation_id", &it.conversation_id)? {
        Some(id) => Key::Id(id),
        None if it.conversation_external_id.is_empty() => {
            return Err(Fault::invalid(
                "conversation_external_id",
                "is needed unless conversation_id is given",
            ));
        }
        None => Key::External(it.conversation_external_id.clone()),
    };
    Ok(NewMessage {
        channel: it.channel,
        external_id: it.external_id,
        direction,
        conversation,
        conversation_external_id: it.conversation_external_id,
        contact_address: it.contact_address,
        contact_display_name: it.contact_display_name,
        source: it.source,
        subject: it.subject,
        tags: it.tags.into_iter().collect(),
        text: it.text,
        sent_time: it.sent_time.map(|sent| time_of("sent_time", &sent)).transpose()?,
    })
}

/// What became of a message.
#[must_use]
pub fn recorded(it: Recorded) -> pb::RecordMessageResponse {
    pb::RecordMessageResponse {
        message: Some(message(it.message, true)),
        conversation: Some(conversation(it.conversation, true)),
        duplicate: it.duplicate,
        conversation_created: it.created,
    }
}

/// A message, for people `inside` or for a contact, who learns of an author only the name.
#[must_use]
pub fn message(it: Message, inside: bool) -> pb::Message {
    let direction = match it.direction {
        Direction::Inbound => pb::Direction::Inbound,
        Direction::Outbound => pb::Direction::Outbound,
    };
    pb::Message {
        message_id: it.id.to_string(),
        conversation_id: it.conversation.to_string(),
        position: it.position,
        direction: direction.into(),
        external_id: it.external_id,
        text: it.text,
        author: it.author.map(|author| actor(author, inside)),
        sent_time: time(it.sent_time),
        create_time: time(it.create_time),
    }
}

fn actor(it: Author, inside: bool) -> Actor {
    if !inside {
        return Actor { display_name: it.display_name, ..Actor::default() };
    }
    Actor { subject: it.subject.to_string(), role: proto_role(it.role).into(), display_name: it.display_name }
}
