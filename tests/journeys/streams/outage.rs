//! Fault 3: the database is away, and nothing else happens on a stream that would notice.

use std::time::Duration;

use db::Engine;
use futures::future::join_all;
use kernel::Role;
use proto::common::v1::ClosingReason;
use tokio::time::Instant;

use super::expired::reason;
use crate::cast::{customer_writes, message};
use crate::raw::{self, Values, request};
use crate::world::{ORG, World};

/// Streams that read the database. Who is at a conversation is known without it, and nobody is there.
const READING: [&str; 3] = [
    "/backchannel.notes.v1.NoteWatchService/WatchNotes",
    "/backchannel.notifications.v1.NotificationService/Subscribe",
    "/backchannel.routing.v1.InboxWatchService/WatchInbox",
];

/// By then they have ended, or never will.
const ENDED: Duration = Duration::from_secs(90);

// Fault 3, P14
#[test]
fn streams_on_which_nothing_happens_end_and_say_so_when_the_database_is_away() {
    testkit::run(async {
        let world = World::one_process(Engine::Postgres).await;
        let recorded = customer_writes(&world, message("airline", "e-1", 0, "hello")).await;
        let conversation = recorded.conversation.unwrap().conversation_id;
        let values = Values::from([("conversation_id", conversation)]);
        let token = world.token(ORG, "ana", Role::Supervisor);
        let mut open = Vec::new();
        for path in READING {
            let method = proto::method(path).unwrap();
            let mut stream = raw::open(&world, &token, method, request(method, &values)).await.unwrap();
            assert!(stream.message().await.unwrap().is_some(), "{path} is open");
            open.push(raw::drain(stream, method, ENDED));
        }
        world.suite().database().go_away().await;
        let ended = tokio::time::timeout(ENDED, join_all(open)).await.expect("they end");
        for (path, answer) in READING.into_iter().zip(ended) {
            assert!(answer.status.is_none(), "{path}: {:?}", answer.status);
            let last = answer.messages.last().map(|last| reason(proto::method(path).unwrap(), last));
            assert_eq!(last, Some(Some(ClosingReason::Unavailable.into())), "{path}");
        }
        world.suite().database().come_back().await;
        for path in READING {
            let begin = Instant::now();
            loop {
                let method = proto::method(path).unwrap();
                let said = request(method, &values);
                let answer = raw::listen(&world, &token, method, said, Duration::from_secs(1)).await;
                let last = answer.messages.last().map(|last| reason(method, last));
                if answer.status.is_none() && last == Some(Some(ClosingReason::Unspecified.into())) {
                    break;
                }
                assert!(begin.elapsed() < ENDED, "{path} does not open again: {:?}", answer.status);
            }
        }
        world.stop().await;
    });
}
