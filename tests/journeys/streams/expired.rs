//! Fault 24: the token with which a stream was opened ends.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use kernel::Role;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor};
use proto::common::v1::ClosingReason;

use crate::assigners::figure;
use crate::cast::{assigned, customer_writes, message, route, team};
use crate::raw::{Values, listen, pool, request};
use crate::world::{ORG, World, in_every_shape};

/// Within so long after the end of its token a stream is closed.
const CLOSED: Duration = Duration::from_secs(60);

/// Streams that go on until somebody ends them; the others are files, whose ends are in the tests of their services.
const LIVE: [&str; 4] = [
    "/backchannel.notes.v1.NoteWatchService/WatchNotes",
    "/backchannel.notifications.v1.NotificationService/Subscribe",
    "/backchannel.routing.v1.InboxWatchService/WatchInbox",
    "/backchannel.routing.v1.PresenceService/WatchPresence",
];

/// What an RPC's stream is made of.
fn output(method: &proto::Method) -> MessageDescriptor {
    let service = pool().get_service_by_name(method.service).expect("a service");
    service.methods().find(|rpc| rpc.name() == method.name).expect("an RPC").output()
}

/// Whether an RPC's stream says that it is open, and gives a sign of life when nothing happens: then it goes on.
fn is_live(method: &proto::Method) -> bool {
    let has = |name: &str| {
        output(method).fields().any(|field| match field.kind() {
            Kind::Message(inner) => inner.full_name() == format!("backchannel.common.v1.{name}"),
            _ => false,
        })
    };
    method.server_streaming && has("StreamOpened") && has("StreamHeartbeat")
}

/// Why the server ended the stream, in its last frame.
pub(super) fn reason(method: &proto::Method, last: &[u8]) -> Option<i32> {
    let frame = DynamicMessage::decode(output(method), last).expect("a frame");
    let closing = frame.get_field_by_name("closing")?.as_message()?.clone();
    closing.get_field_by_name("reason")?.as_enum_number()
}

// Fault 24
#[test]
fn every_stream_that_goes_on_is_known_here() {
    let live: BTreeSet<&str> =
        proto::METHODS.iter().filter(|method| is_live(method)).map(|method| method.path).collect();
    assert_eq!(live, BTreeSet::from(LIVE));
}

in_every_shape! {
    // Fault 24, P14
    async fn every_stream_ends_with_its_token_and_says_so(world: World) {
        let team = team(&world, "flights", &["ana"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "e-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let values = Values::from([("conversation_id", conversation.conversation_id.clone())]);
        // As many as a person may have open, of as many people.
        let people = figure(4, 100);
        let token = |person: usize| {
            let subject = if person == 0 { "ana".to_owned() } else { format!("ana-{person}") };
            world.short_token(ORG, &subject, Role::Supervisor, Duration::from_secs(5))
        };
        let calls = (0..people).flat_map(|person| {
            let (world, values, token) = (&world, &values, token(person));
            LIVE.map(move |path| {
                let token = token.clone();
                async move {
                    let method = proto::method(path).unwrap();
                    let answer = listen(world, &token, method, request(method, values), CLOSED).await;
                    let last = answer.messages.last().map(|last| reason(method, last));
                    (path, last, answer.status)
                }
            })
        });
        for (path, last, status) in join_all(calls).await {
            assert!(status.is_none(), "{path}: {status:?}");
            assert_eq!(last, Some(Some(ClosingReason::TokenExpired.into())), "{path}");
        }
        world.stop().await;
    }
}
