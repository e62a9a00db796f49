//! What is delivered, when, and in which order.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::*;
use db::{DbError, both_databases};
use outbox::{Outbox, Outcome, RelaySettings, Undelivered, dead_letters, retry_dead};
use uuid::Uuid;

both_databases!(an_event_is_delivered_as_soon_as_its_transaction_commits, MIGRATIONS, |db| async move {
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    // Nothing but the wake-up can be as quick.
    let settings = RelaySettings { poll: SOON * 10, ..RelaySettings::default() };
    let relay = relay_on(&db, &db, &outbox, peer.clone(), settings);
    let mut waits = Vec::new();
    for _ in 0..20 {
        let event = event(&db, None);
        let id = event.event_id;
        record(&db, &outbox, vec![event]).await;
        let recorded = Instant::now();
        while peer.times(id) == 0 {
            assert!(recorded.elapsed() < SOON, "never delivered");
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        waits.push(recorded.elapsed());
    }
    waits.sort_unstable();
    println!("commit to delivery: median {:?}, worst {:?}", waits[10], waits[19]);
    until("the outbox is empty", || async { left(&db).await == 0 }).await;
    relay.drain().await;
});

both_databases!(an_event_of_a_rolled_back_transaction_is_never_delivered, MIGRATIONS, |db| async move {
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    let relay = relay(&db, &outbox, peer.clone());
    let (recorder, lost) = (outbox.clone(), vec![event(&db, None)]);
    let rolled_back: Result<(), DbError> = db
        .write(&acme(), move |tx| {
            Box::pin(async move {
                recorder.record(tx, &lost).await?;
                Err(DbError::NoRow)
            })
        })
        .await;
    assert_eq!(rolled_back, Err(DbError::NoRow));
    let kept = event(&db, None);
    let id = kept.event_id;
    record(&db, &outbox, vec![kept]).await;
    until("the kept one arrives", || async { peer.times(id) == 1 }).await;
    assert_eq!(peer.seen(), [id]);
    relay.drain().await;
});

both_databases!(events_of_one_key_arrive_in_order_even_when_one_is_refused, MIGRATIONS, |db| async move {
    let outbox = Outbox::new();
    let events: Vec<_> = (0..6).map(|_| event(&db, Some(Uuid::nil()))).collect();
    let ids: Vec<_> = events.iter().map(|event| event.event_id).collect();
    let (third, refusals) = (ids[2], Mutex::new(0));
    let peer = Consumer::answering(move |event| {
        let mut refusals = refusals.lock().unwrap();
        if event.event_id == third && *refusals < 2 {
            *refusals += 1;
            return Ok(Outcome::Refused { reason: "NOT_YET".to_owned() });
        }
        Ok(Outcome::Done)
    });
    record(&db, &outbox, events).await;
    let _time = TimeFlies::with(&db.hand);
    let relay = relay(&db, &outbox, peer.clone());
    until("all are done", || async { left(&db).await == 0 }).await;
    assert_eq!(peer.seen(), [ids[0], ids[1], ids[2], ids[2], ids[2], ids[3], ids[4], ids[5]]);
    relay.drain().await;
});

both_databases!(a_poison_event_becomes_a_dead_letter_and_the_others_pass_it, MIGRATIONS, |db| async move {
    let outbox = Outbox::new();
    let key = Some(Uuid::nil());
    let poison = event(&db, key);
    let poison_id = poison.event_id;
    let healed = Arc::new(AtomicBool::new(false));
    let heals = Arc::clone(&healed);
    let peer = Consumer::answering(move |event| {
        if event.event_id == poison_id && !heals.load(Ordering::SeqCst) {
            // The call as a whole: the relay has to find out which one it is.
            return Err(Undelivered::Refused("INVALID_ARGUMENT".to_owned()));
        }
        Ok(Outcome::Done)
    });
    let follower = event(&db, key);
    let follower_id = follower.event_id;
    let mut events = vec![poison, follower];
    events.extend((0..20).map(|_| event(&db, None)));
    record(&db, &outbox, events).await;
    let relay = relay(&db, &outbox, peer.clone());
    until("the unrelated ones pass at once", || async { left(&db).await == 2 }).await;
    assert_eq!(peer.times(follower_id), 0, "the follower of the poison event waits");
    let time = TimeFlies::with(&db.hand);
    until("the follower passes the dead letter", || async { peer.times(follower_id) == 1 }).await;
    drop(time);

    let dead = db.read(&acme(), |tx| Box::pin(dead_letters(tx, 0, 10))).await.unwrap();
    assert_eq!(dead.iter().map(|letter| letter.event_id).collect::<Vec<_>>(), [poison_id]);
    assert_eq!((dead[0].attempts, dead[0].last_error.as_deref()), (12, Some("INVALID_ARGUMENT")));
    let foreign =
        db.read(&db::test_support::org("other"), |tx| Box::pin(dead_letters(tx, 0, 10))).await.unwrap();
    assert_eq!(foreign, []);

    healed.store(true, Ordering::SeqCst);
    let revived = db.write(&acme(), move |tx| Box::pin(retry_dead(tx, poison_id))).await;
    assert_eq!(revived, Ok(true));
    outbox.ring();
    until("the dead letter is delivered after all", || async { left(&db).await == 0 }).await;
    relay.drain().await;
});

both_databases!(an_unreachable_peer_delays_events_and_loses_none, MIGRATIONS, |db| async move {
    let outbox = Outbox::new();
    let up = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&up);
    let peer = Consumer::answering(move |_| match answers.load(Ordering::SeqCst) {
        true => Ok(Outcome::Done),
        false => Err(Undelivered::Unreachable("UNAVAILABLE".to_owned())),
    });
    let event = event(&db, None);
    let id = event.event_id;
    record(&db, &outbox, vec![event]).await;
    let time = TimeFlies::with(&db.hand);
    let relay = relay(&db, &outbox, peer.clone());
    until("some attempts are made", || async { peer.times(id) >= 3 }).await;
    assert_eq!(left(&db).await, 1);
    let dead = db.read(&acme(), |tx| Box::pin(dead_letters(tx, 0, 10))).await.unwrap();
    assert_eq!(dead, []);
    up.store(true, Ordering::SeqCst);
    until("it arrives once the peer is back", || async { left(&db).await == 0 }).await;
    drop(time);
    relay.drain().await;
});

both_databases!(a_backlog_leaves_in_batches_that_fit_a_message, MIGRATIONS, |db| async move {
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    let mut events: Vec<_> = (0..250).map(|_| event(&db, None)).collect();
    for event in &mut events[..30] {
        event.payload = vec![7; 50 * 1024];
    }
    record(&db, &outbox, events).await;
    let relay = relay(&db, &outbox, peer.clone());
    until("all are done", || async { left(&db).await == 0 }).await;
    let batches = peer.batches();
    assert_eq!(batches.iter().sum::<usize>(), 250);
    assert!(batches.iter().all(|size| *size <= 100), "{batches:?}");
    assert!(batches[..8].iter().all(|size| *size <= 73), "at most three of 50 KiB in a call: {batches:?}");
    relay.drain().await;
});

both_databases!(a_relay_asked_to_stop_delivers_what_is_due_first, MIGRATIONS, |db| async move {
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    record(&db, &outbox, (0..1_000).map(|_| event(&db, None)).collect()).await;
    let relay = relay(&db, &outbox, peer.clone());
    relay.drain().await;
    assert_eq!(peer.seen().len(), 1_000);
    assert_eq!(left(&db).await, 0);
});

both_databases!(a_lane_that_panics_is_started_again_and_loses_nothing, MIGRATIONS, |db| async move {
    let outbox = Outbox::new();
    let fallen = AtomicBool::new(false);
    let peer = Consumer::answering(move |_| {
        assert!(fallen.swap(true, Ordering::SeqCst), "this peer's lane falls over once");
        Ok(Outcome::Done)
    });
    let _hurry = TimeFlies::with(&db.hand);
    let relay = relay(&db, &outbox, peer.clone());
    let events = vec![event(&db, None), event(&db, Some(Uuid::nil()))];
    let ids: Vec<_> = events.iter().map(|event| event.event_id).collect();
    record(&db, &outbox, events).await;
    until("the outbox is empty", || async { left(&db).await == 0 }).await;
    assert!(ids.iter().all(|id| peer.times(*id) >= 1));
    relay.drain().await;
});
