//! D3: what a person does with notifications on one device, the others learn.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::*;
use proto::notifications::v1 as pb;
use proto::notifications::v1::subscribe_response::Frame;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use testkit::{Engine, Suite};

/// The next frame about what the person did, and its resume token.
async fn read_state(stream: &mut Stream) -> (pb::ReadState, String) {
    loop {
        let frame = frame(stream).await.expect("the stream goes on");
        match frame.frame {
            Some(Frame::ReadState(state)) => return (state, frame.resume_token),
            Some(Frame::Heartbeat(_)) => {}
            other => panic!("not what the person did but {other:?}"),
        }
    }
}

/// The places that changed.
fn places(state: &pb::ReadState) -> Vec<i64> {
    state.changed.iter().map(|changed| changed.sequence).collect()
}

async fn told(suite: &Suite, events: usize) {
    let mut ingest = ingest(suite, "acme");
    for batch in (0..events).collect::<Vec<_>>().chunks(100) {
        notify(&mut ingest, batch.iter().map(|_| mention(&["ana"])).collect()).await;
    }
}

testkit::on_both_databases! {
    // D3
    async fn what_is_read_on_the_laptop_is_read_on_the_phone_at_once(engine) {
        let suite = builder(engine).configured(|config| poll_ms(config, 60_000)).start().await;
        told(&suite, 3).await;
        let mut laptop = person(&suite, "acme", "ana");
        let mut phone = opened(&mut person(&suite, "acme", "ana"), from_now()).await;
        let mut other = opened(&mut person(&suite, "acme", "ben"), from_now()).await;
        let entries = list(&mut laptop).await;
        let id = |sequence: usize| entries[3 - sequence].notification_id.as_str();

        read(&mut laptop, &[id(2)]).await;
        let (state, _) = read_state(&mut phone).await;
        assert_eq!((state.unread_count, places(&state)), (2, vec![2]));
        assert!(state.changed[0].read_time.is_some() && state.changed[0].notification_id == id(2));

        archive(&mut laptop, id(1)).await.unwrap();
        let (state, _) = read_state(&mut phone).await;
        assert_eq!((state.unread_count, places(&state)), (1, vec![1]));
        assert!(state.changed[0].archive_time.is_some() && state.changed[0].read_time.is_none());

        let until = suite.clock().now().plus(Duration::from_secs(3_600));
        snooze(&mut laptop, id(2), until).await.unwrap();
        let (state, _) = read_state(&mut phone).await;
        assert_eq!((state.unread_count, places(&state)), (1, vec![2]));
        assert!(state.changed[0].snooze_until_time.is_some() && state.changed[0].read_time.is_none());

        // What changes nothing is told to nobody, and nothing of it to anybody else.
        archive(&mut laptop, id(1)).await.unwrap();
        read_all(&mut laptop, 0).await;
        let (state, _) = read_state(&mut phone).await;
        assert_eq!((state.unread_count, places(&state)), (0, vec![1, 3]));
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ben"])]).await;
        assert_eq!(entry(&mut other).await.0.sequence, 1, "the first frame after the opening one");
    }

    // D3
    async fn a_phone_that_was_away_learns_each_change_once_as_it_is_now(engine) {
        let suite = suite(engine).await;
        told(&suite, 4).await;
        let (mut laptop, mut phone) = (person(&suite, "acme", "ana"), person(&suite, "acme", "ana"));
        let first = opened(&mut phone, from_now()).await;
        let mut again = opened(&mut phone, from_now()).await;
        let entries = list(&mut laptop).await;
        let id = |sequence: usize| entries[4 - sequence].notification_id.as_str();
        read(&mut laptop, &[id(4)]).await;
        let (_, token) = read_state(&mut again).await;
        drop((first, again));

        let until = suite.clock().now().plus(Duration::from_secs(3_600));
        read(&mut laptop, &[id(1), id(2)]).await;
        snooze(&mut laptop, id(1), until).await.unwrap();
        archive(&mut laptop, id(3)).await.unwrap();
        told(&suite, 1).await;
        let mut phone = opened(&mut phone, resume(&token)).await;
        assert_eq!(entry(&mut phone).await.0.sequence, 5);
        let (state, _) = read_state(&mut phone).await;
        assert_eq!((state.unread_count, places(&state)), (1, vec![2, 1, 3]), "in the order in which it was done last");
        let [read, snoozed, archived] = state.changed.as_slice() else { panic!("{state:?}") };
        assert!(read.read_time.is_some() && snoozed.read_time.is_none() && snoozed.snooze_until_time.is_some());
        assert!(archived.archive_time.is_some());
    }

    // D3
    async fn a_change_of_many_comes_in_parts_and_a_cut_between_them_loses_none(engine) {
        let suite = suite(engine).await;
        told(&suite, 200).await;
        let mut ana = person(&suite, "acme", "ana");
        let mut stream = opened(&mut ana, from_now()).await;
        assert_eq!(read_all(&mut person(&suite, "acme", "ana"), 0).await, 0);
        let mut seen = Vec::new();
        while seen.len() < 200 {
            let (state, token) = read_state(&mut stream).await;
            assert!(state.unread_count == 0 && state.changed.len() <= 64, "{} at once", state.changed.len());
            seen.extend(places(&state));
            stream = opened(&mut ana, resume(&token)).await;
        }
        assert_eq!(seen, (1..=200).collect::<Vec<i64>>());
    }

    // D9, D3
    async fn a_device_learns_that_retention_took_unread_ones(engine) {
        let suite = builder(engine).with_fake_clock(NEW_YEAR).start().await;
        told(&suite, 2).await;
        let mut stream = opened(&mut person(&suite, "acme", "ana"), from_now()).await;
        suite.hand().advance(Duration::from_secs(200 * 86_400));
        forget_due(&suite).await;
        let (state, _) = read_state(&mut stream).await;
        assert_eq!((state.unread_count, state.changed.len()), (0, 0));
    }
}

// D3, fault 7: two processes on one database, without NATS between them.
#[test]
fn what_is_read_by_way_of_another_process_is_learned_without_any_wake_up() {
    testkit::run(async {
        let here = suite(Engine::Postgres).await;
        let there = beside(&here, None).await;
        told(&here, 1).await;
        let mut phone = opened(&mut person(&here, "acme", "ana"), from_now()).await;
        read_all(&mut person(&there, "acme", "ana"), 0).await;
        let (state, _) = read_state(&mut phone).await;
        assert_eq!((state.unread_count, places(&state)), (0, vec![1]));
    });
}

/// How a device shows a notification: read, archived, snoozed.
type Shown = (bool, bool, bool);

/// What a device shows.
#[derive(Debug, Default, PartialEq, Eq)]
struct Screen(BTreeMap<i64, Shown>);

impl Screen {
    fn take(&mut self, frame: Frame) {
        match frame {
            Frame::Notification(it) => {
                let shown =
                    (it.read_time.is_some(), it.archive_time.is_some(), it.snooze_until_time.is_some());
                self.0.insert(it.sequence, shown);
            }
            Frame::ReadState(state) => {
                for it in state.changed {
                    let shown =
                        (it.read_time.is_some(), it.archive_time.is_some(), it.snooze_until_time.is_some());
                    if let Some(known) = self.0.get_mut(&it.sequence) {
                        *known = shown;
                    }
                }
            }
            Frame::Opened(_) | Frame::Heartbeat(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The laptop: does this and that with entries while more come.
async fn work(suite: &Suite, rounds: usize) {
    let mut rng = StdRng::seed_from_u64(7);
    let mut laptop = person(suite, "acme", "ana");
    for _ in 0..rounds {
        told(suite, rng.random_range(1..4)).await;
        let entries = list_of(&mut laptop, everything()).await;
        let one = &entries[rng.random_range(0..entries.len())];
        match rng.random_range(0..8) {
            0 => {
                read_all(&mut laptop, one.sequence).await;
            }
            1 | 2 => {
                archive(&mut laptop, &one.notification_id).await.unwrap();
            }
            3 | 4 => {
                let until = suite.clock().now().plus(Duration::from_secs(3_600));
                snooze(&mut laptop, &one.notification_id, until).await.unwrap();
            }
            _ => {
                read(&mut laptop, &[&one.notification_id]).await;
            }
        }
    }
}

fn everything() -> pb::ListNotificationsRequest {
    pb::ListNotificationsRequest {
        include_archived: true,
        include_snoozed: true,
        page_size: 200,
        ..Default::default()
    }
}

testkit::on_both_databases! {
    // D3, fault 12
    async fn whatever_is_cut_wherever_a_phone_ends_with_what_the_laptop_did(engine) {
        let suite = std::sync::Arc::new(suite(engine).await);
        let working = { let suite = suite.clone(); tokio::spawn(async move { work(&suite, 60).await }) };
        let (mut screen, mut start, mut rng) = (Screen::default(), earliest(), StdRng::seed_from_u64(3));
        let mut phone = person(&suite, "acme", "ana");
        let mut cuts = 0;
        // Cut while the laptop works, and once more afterwards.
        let mut last = false;
        while !last {
            last = working.is_finished();
            let mut stream = subscribe(&mut phone, start.clone()).await.unwrap();
            let frames = if last { usize::MAX } else { rng.random_range(1..12) };
            for _ in 0..frames {
                let next = tokio::time::timeout(Duration::from_millis(500), stream.message()).await;
                let Ok(next) = next else { break };
                let next = next.unwrap().expect("the server does not end it");
                start = resume(&next.resume_token);
                screen.take(next.frame.unwrap());
            }
            cuts += 1;
        }
        working.await.unwrap();
        let (entries, _) = all_pages(&mut phone, everything()).await;
        let shown = |it: &pb::Notification| (it.read_time.is_some(), it.archive_time.is_some(), it.snooze_until_time.is_some());
        let expected = Screen(entries.iter().map(|it| (it.sequence, shown(it))).collect());
        assert!(expected.0.len() > 60 && cuts > 3, "{cuts} cuts");
        assert_eq!(screen, expected);
    }
}
