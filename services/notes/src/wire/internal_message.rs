//! Internal messages.

use db::Retry;
use kernel::{ConversationId, PageSize, Subject};
use proto::common::v1::Actor;
use proto::notes::v1 as pb;
use rpc::convert::{id_of, optional_id_of, proto_role, proto_time};
use rpc::{Call, Fault};

use super::note::author;
use crate::app::internal_messages::list::{InternalPage, InternalPageRequest};
use crate::app::internal_messages::send::{NewInternalMessage, To};
use crate::app::internal_messages::unread::Unread;
use crate::domain::Body;
use crate::domain::internal_message::{InternalMessage, InternalThread, Member};

/// Reads a request to write a message, and the key of its retries.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn new_message(
    call: &Call,
    request: pb::SendInternalMessageRequest,
) -> Result<(NewInternalMessage, Retry), Fault> {
    use pb::send_internal_message_request::To as Said;
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let conversation_id = id_of("conversation_id", &request.conversation_id)?;
    let to = match request.to {
        None => To::Unsaid,
        Some(Said::RecipientAgentId(id)) => To::Person(id_of("recipient_agent_id", &id)?),
        Some(Said::InternalThreadId(id)) => To::Thread(id_of("internal_thread_id", &id)?),
    };
    let origin = runtime::origin(call).of_request(retry.request_id);
    let (author, body) = (author(&call.caller), Body::parse(request.body)?);
    Ok((NewInternalMessage { conversation_id, author, body, to, origin }, retry))
}

/// Reads a request for a page of messages.
///
/// # Errors
/// INVALID_ARGUMENT naming the field.
pub fn page(request: pb::ListInternalMessagesRequest) -> Result<InternalPageRequest, Fault> {
    Ok(InternalPageRequest {
        conversation_id: id_of("conversation_id", &request.conversation_id)?,
        thread: optional_id_of("internal_thread_id", &request.internal_thread_id)?,
        size: PageSize::of(request.page_size)?,
        token: request.page_token,
    })
}

/// A page for the wire, as `reader` sees it.
pub fn listed(page: InternalPage, reader: &Subject) -> pb::ListInternalMessagesResponse {
    pb::ListInternalMessagesResponse {
        messages: page.messages.into_iter().map(message).collect(),
        threads: page.threads.into_iter().map(|it| thread(it, reader)).collect(),
        next_page_token: page.next_token,
    }
}

/// A message for the wire.
pub fn message(it: InternalMessage) -> pb::InternalMessage {
    pb::InternalMessage {
        internal_message_id: it.message_id.to_string(),
        internal_thread_id: it.thread_id.to_string(),
        conversation_id: it.conversation_id.to_string(),
        author: Some(Actor {
            subject: it.author.subject.into(),
            role: proto_role(it.author.role).into(),
            display_name: it.author.display_name,
        }),
        body: it.body.into(),
        create_time: Some(proto_time(it.create_time)),
    }
}

/// A thread for the wire, as `reader` sees it.
pub fn thread(it: InternalThread, reader: &Subject) -> pb::InternalThread {
    pb::InternalThread {
        unread_count: narrow(it.unread_by(reader)),
        internal_thread_id: it.thread_id.to_string(),
        conversation_id: it.conversation_id.to_string(),
        agent_subject: it.agent_subject.into(),
        people: it.people.into_iter().map(member).collect(),
        last_message_time: Some(proto_time(it.last_message_time)),
        create_time: Some(proto_time(it.create_time)),
    }
}

/// What is unread after the cursor moved.
pub fn marked(unread: Unread) -> pb::MarkInternalMessagesReadResponse {
    pb::MarkInternalMessagesReadResponse {
        unread_count: narrow(unread.conversation),
        total_unread_count: unread.total,
    }
}

/// What is unread: in total, and of each conversation.
pub fn counted((total, counts): (i64, Vec<(ConversationId, i64)>)) -> pb::GetInternalUnreadCountsResponse {
    let count = |(id, unread): (ConversationId, i64)| pb::InternalUnreadCount {
        conversation_id: id.to_string(),
        unread_count: narrow(unread),
    };
    let conversations = counts.into_iter().map(count).collect();
    pb::GetInternalUnreadCountsResponse { total_unread_count: total, conversations }
}

fn member(it: Member) -> pb::InternalThreadPerson {
    pb::InternalThreadPerson { subject: it.person.subject.into(), display_name: it.person.display_name }
}

fn narrow(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
