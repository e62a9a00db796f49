//! What routing has of a conversation's timeline.

use kernel::{ContactId, ConversationId, EventId, PageSize};
use proto::routing::v1 as pb;
use proto::routing::v1::history_service_client::HistoryServiceClient;
use rpc::convert::{id_of, proto_time, time_of};
use rpc::{Call, Fault};

use super::{Peers, refused};
use crate::domain::timeline::{Kind, Order, Place};
use crate::error::Error;

/// Which stretch of a conversation's history.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Whose history.
    pub conversation_id: ConversationId,
    /// In which direction.
    pub order: Order,
    /// Behind which place.
    pub after: Option<Place>,
    /// How many entries of each kind, at most.
    pub size: PageSize,
}

/// A stretch of a conversation's history.
pub struct History {
    /// The conversation's contact.
    pub contact_id: ContactId,
    /// What was said.
    pub messages: Part<pb::Message>,
    /// What happened.
    pub events: Part<pb::HistoryEvent>,
}

/// A part of it, in its order.
pub struct Part<T> {
    /// What there is, each at its place.
    pub items: Vec<(Place, T)>,
    /// There are no more behind them.
    pub ended: bool,
}

impl Peers {
    /// What routing knows of a conversation's timeline: makes sure that there is one and that the caller may see it.
    ///
    /// # Errors
    /// [`Error::Routing`]: NOT_FOUND if there is none, or that routing does not answer (in time).
    pub async fn history(&self, call: &Call, asked: Asked) -> Result<History, Error> {
        let mut routing = HistoryServiceClient::new(self.routing.on_behalf(call));
        let answer = routing.get_history(request(asked)).await.map_err(refused)?.into_inner();
        read(answer)
            .map_err(|_| Error::Routing(Fault::internal("routing answers with a history in no order")))
    }
}

fn request(asked: Asked) -> pb::GetHistoryRequest {
    let Asked { conversation_id, order, after, size } = asked;
    let direction = match order {
        Order::OldestFirst => pb::HistoryOrder::OldestFirst,
        Order::NewestFirst => pb::HistoryOrder::NewestFirst,
    };
    let behind = |kind| {
        let edge = order.edge(kind, Some(after?));
        Some(pb::HistoryPosition { time: Some(proto_time(edge.time)), id: edge.id.to_string() })
    };
    pb::GetHistoryRequest {
        conversation_id: conversation_id.to_string(),
        order: direction.into(),
        messages_after: behind(Kind::Message),
        events_after: behind(Kind::Event),
        page_size: i32::try_from(size.get()).unwrap_or(i32::MAX),
    }
}

fn read(answer: pb::GetHistoryResponse) -> Result<History, Fault> {
    let messages = answer.messages.into_iter().map(|it| {
        let place = place(Kind::Message, it.create_time.as_ref(), &it.message_id)?;
        Ok((place, it))
    });
    let events = answer.events.into_iter().map(|it| {
        let place = place(Kind::Event, it.event_time.as_ref(), &it.event_id)?;
        Ok((place, it))
    });
    Ok(History {
        contact_id: id_of("contact_id", &answer.contact_id)?,
        messages: part(messages.collect::<Result<_, Fault>>()?, answer.more_messages)?,
        events: part(events.collect::<Result<_, Fault>>()?, answer.more_events)?,
    })
}

fn place(kind: Kind, time: Option<&prost_types::Timestamp>, id: &str) -> Result<Place, Fault> {
    let time = time.ok_or_else(|| Fault::invalid("time", "is missing"))?;
    let id: EventId = id_of("id", id)?;
    Ok(Place { time: time_of("time", time)?, kind, id: id.as_uuid() })
}

/// Where there are more, there is one: else a page would never end.
fn part<T>(items: Vec<(Place, T)>, more: bool) -> Result<Part<T>, Fault> {
    if more && items.is_empty() {
        return Err(Fault::invalid("more", "is said of nothing"));
    }
    Ok(Part { items, ended: !more })
}
