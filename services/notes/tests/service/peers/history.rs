//! Routing's side of timelines: what was said in a conversation, and what happened to it.

use kernel::{Clock, Timestamp};
use proto::routing::v1::history_service_server::HistoryService;
use proto::routing::v1::*;
use rpc::Fault;
use rpc::convert::{proto_time, time_of};
use tonic::{Request, Response, Status};

use super::Peers;

/// What is known of one conversation.
#[derive(Default)]
pub(super) struct Record {
    messages: Vec<Message>,
    events: Vec<HistoryEvent>,
}

impl Peers {
    /// The customer of a conversation writes now; gives the message's id.
    pub(crate) fn says(&self, conversation: &str, text: &str) -> String {
        let clock = Clock::system();
        let message = Message {
            message_id: clock.new_id().to_string(),
            conversation_id: conversation.to_owned(),
            text: text.to_owned(),
            direction: Direction::Inbound.into(),
            create_time: Some(proto_time(clock.now())),
            ..Message::default()
        };
        let id = message.message_id.clone();
        self.0.lock().unwrap().history.entry(conversation.to_owned()).or_default().messages.push(message);
        id
    }

    /// Something happens to a conversation now; gives the event's id.
    pub(crate) fn happens(&self, conversation: &str, kind: HistoryEventType) -> String {
        let clock = Clock::system();
        let event = HistoryEvent {
            event_id: clock.new_id().to_string(),
            conversation_id: conversation.to_owned(),
            r#type: kind.into(),
            event_time: Some(proto_time(clock.now())),
            ..HistoryEvent::default()
        };
        let id = event.event_id.clone();
        self.0.lock().unwrap().history.entry(conversation.to_owned()).or_default().events.push(event);
        id
    }
}

#[tonic::async_trait]
impl HistoryService for Peers {
    async fn get_history(
        &self,
        request: Request<GetHistoryRequest>,
    ) -> Result<Response<GetHistoryResponse>, Status> {
        let org = self.answer("GetHistory", &request, |state| state.routing).await?;
        let it = request.into_inner();
        let state = self.0.lock().unwrap();
        let contact_id = state.conversations.get(&(org, it.conversation_id.clone())).cloned();
        let contact_id = contact_id.ok_or_else(Fault::not_found)?;
        let none = Record::default();
        let record = state.history.get(&it.conversation_id).unwrap_or(&none);
        let newest_first = it.order() == HistoryOrder::NewestFirst;
        let size = usize::try_from(it.page_size).unwrap();
        let (messages, more_messages) =
            behind(&record.messages, newest_first, it.messages_after, size, |it| {
                (time(it.create_time.as_ref()), it.message_id.clone())
            });
        let (messages, more_messages) = of_one_answer(messages, more_messages);
        let (events, more_events) = behind(&record.events, newest_first, it.events_after, size, |it| {
            (time(it.event_time.as_ref()), it.event_id.clone())
        });
        Ok(Response::new(GetHistoryResponse { messages, more_messages, events, more_events, contact_id }))
    }
}

/// Messages end at 2 MiB of text, and there is at least one.
fn of_one_answer(mut messages: Vec<Message>, more: bool) -> (Vec<Message>, bool) {
    let mut bytes = 0;
    let fits = messages.iter().take_while(|message| {
        bytes += message.text.len();
        bytes <= 2 << 20
    });
    let count = fits.count().max(1);
    let cut = messages.len() > count;
    messages.truncate(count);
    (messages, more || cut)
}

fn time(time: Option<&prost_types::Timestamp>) -> Timestamp {
    time_of("time", time.unwrap()).unwrap()
}

/// What stands behind a place in this direction, at most so many, and whether there is more.
fn behind<T: Clone>(
    all: &[T],
    newest_first: bool,
    after: Option<HistoryPosition>,
    size: usize,
    place: impl Fn(&T) -> (Timestamp, String),
) -> (Vec<T>, bool) {
    let after = after.map(|after| (time(after.time.as_ref()), after.id));
    let mut found: Vec<T> = all.to_vec();
    found.sort_by_key(&place);
    if newest_first {
        found.reverse();
    }
    found.retain(|it| match &after {
        None => true,
        Some(after) if newest_first => place(it) < *after,
        Some(after) => place(it) > *after,
    });
    let more = found.len() > size;
    found.truncate(size);
    (found, more)
}
