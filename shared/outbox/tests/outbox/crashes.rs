//! Exactly once in effect, whatever happens to a relay. Rows 6 and 9 of the faults that must not break it.
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use db::test_support::{TestDb, replica};
use db::{BoxFuture, Db, DbError, Engine, both_databases};
use kernel::{EventId, OrgId};
use outbox::{Deliver, Outbox, Outcome, Outgoing, RelaySettings, Sweep, Undelivered, first_time};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

/// Applies events as a consumer does: inbox and effect in one transaction.
struct Applying {
    db: Db,
    effects: Arc<Mutex<Vec<EventId>>>,
    /// Of every so many batches one is applied, and its answer never arrives.
    silent_every: usize,
    batches: AtomicUsize,
    silenced: Arc<Notify>,
}

impl Deliver for Applying {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let (answers, ids) =
                (vec![Outcome::Done; batch.len()], batch.iter().map(|e| e.event_id).collect());
            apply(&self.db, org, ids, &self.effects).await.unwrap();
            if self.batches.fetch_add(1, Ordering::SeqCst) % self.silent_every == self.silent_every - 1 {
                self.silenced.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(answers)
        })
    }
}

async fn apply(
    db: &Db,
    org: &OrgId,
    ids: Vec<EventId>,
    effects: &Arc<Mutex<Vec<EventId>>>,
) -> Result<(), DbError> {
    let effects = Arc::clone(effects);
    db.write(org, move |tx| {
        Box::pin(async move {
            let new = first_time(tx, &ids).await?;
            tx.after_commit(move || effects.lock().unwrap().extend(new));
            Ok(())
        })
    })
    .await
}

// Row 6
both_databases!(a_relay_killed_between_send_and_mark_has_no_second_effect, MIGRATIONS, |db| async move {
    const EVENTS: usize = 10_000;
    let outbox = Outbox::new();
    let (effects, silenced) = (Arc::<Mutex<Vec<EventId>>>::default(), Arc::new(Notify::new()));
    record(&db, &outbox, (0..EVENTS).map(|_| event(&db, None)).collect()).await;
    let mut kills = 0;
    while left(&db).await > 0 {
        let peer = Applying {
            db: db.db.clone(),
            effects: Arc::clone(&effects),
            silent_every: 2,
            batches: AtomicUsize::new(0),
            silenced: Arc::clone(&silenced),
        };
        let settings = RelaySettings { batch: 50, ..RelaySettings::default() };
        let relay = relay_on(&db, &db, &outbox, Arc::new(peer), settings);
        tokio::select! {
            () = silenced.notified() => kills += 1,
            () = until("the outbox is empty", || async { left(&db).await == 0 }) => {}
        }
        relay.kill().await;
        // PostgreSQL may have other relays, so that a dead one's claims have to run out; a SQLite file has one.
        if db.engine() == Engine::Postgres {
            db.hand.advance(RelaySettings::default().lease);
        }
    }
    let mut effects = effects.lock().unwrap().clone();
    assert_eq!(effects.len(), EVENTS, "missing or twice, after {kills} kills");
    effects.sort_unstable();
    effects.dedup();
    assert_eq!(effects.len(), EVENTS);
    assert!(kills >= 90, "only {kills} kills");
});

both_databases!(two_relays_share_the_work_and_neither_repeats_the_other, MIGRATIONS, |db| async move {
    const EVENTS: usize = 2_000;
    let (outbox, one, two) = (Outbox::new(), Consumer::willing(), Consumer::willing());
    let other = another_process(&db).await;
    let first = relay(&db, &outbox, one.clone());
    let second = relay_on(&other, &db, &outbox, two.clone(), RelaySettings::default());
    // Both have begun: on SQLite the start of a relay frees all claims.
    tokio::time::sleep(Duration::from_millis(300)).await;
    for _ in 0..20 {
        record(&db, &outbox, (0..EVENTS / 20).map(|_| event(&db, None)).collect()).await;
    }
    until("the outbox is empty", || async { left(&db).await == 0 }).await;
    let mut seen = [one.seen(), two.seen()].concat();
    assert_eq!(seen.len(), EVENTS, "delivered twice or not at all");
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), EVENTS);
    first.drain().await;
    second.drain().await;
});

both_databases!(two_relays_keep_the_order_of_each_key, MIGRATIONS, |db| async move {
    const KEYS: usize = 8;
    let (outbox, peer) = (Outbox::new(), Consumer::willing());
    let other = another_process(&db).await;
    let first = relay(&db, &outbox, peer.clone());
    let second = relay_on(&other, &db, &outbox, peer.clone(), RelaySettings::default());
    tokio::time::sleep(Duration::from_millis(300)).await;
    let keys: Vec<_> = (0..KEYS).map(|_| db.clock.new_id()).collect();
    let mut recorded = HashMap::<Uuid, Vec<EventId>>::new();
    for _ in 0..50 {
        let events: Vec<_> = keys.iter().map(|key| event(&db, Some(*key))).collect();
        for (key, event) in keys.iter().zip(&events) {
            recorded.entry(*key).or_default().push(event.event_id);
        }
        record(&db, &outbox, events).await;
    }
    until("the outbox is empty", || async { left(&db).await == 0 }).await;
    let seen = peer.seen();
    for (key, recorded) in recorded {
        let of_key: Vec<_> = seen.iter().copied().filter(|id| recorded.contains(id)).collect();
        assert_eq!(of_key, recorded, "key {key}");
    }
    first.drain().await;
    second.drain().await;
});

/// Blocks its first call until told to go on.
struct Frozen {
    entered: Arc<Notify>,
    thaw: Arc<Semaphore>,
}

impl Deliver for Frozen {
    fn deliver<'a>(
        &'a self,
        _org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            self.entered.notify_one();
            self.thaw.acquire().await.unwrap().forget();
            Ok(vec![Outcome::Done; batch.len()])
        })
    }
}

// Row 9, for the relay
both_databases!(a_relay_that_froze_is_fenced_off, MIGRATIONS, |db| async move {
    let outbox = Outbox::new();
    let (entered, thaw) = (Arc::new(Notify::new()), Arc::new(Semaphore::new(0)));
    record(&db, &outbox, vec![event(&db, None)]).await;
    let frozen = Frozen { entered: Arc::clone(&entered), thaw: Arc::clone(&thaw) };
    let slow = RelaySettings { call: SOON, lease: SOON * 2, ..RelaySettings::default() };
    let first = relay_on(&db, &db, &outbox, Arc::new(frozen), slow);
    entered.notified().await;

    // The lease runs out, another relay takes the event, and its consumer wants it later.
    db.hand.advance(SOON * 2);
    let refusing = Consumer::answering(|_| Ok(Outcome::Refused { reason: "LATER".to_owned() }));
    let other = another_process(&db).await;
    let second = relay_on(&other, &db, &outbox, refusing.clone(), RelaySettings::default());
    until("the other relay has it", || async { refusing.seen().len() == 1 }).await;
    second.drain().await;

    thaw.add_permits(10);
    first.stop.cancel();
    first.task.await.unwrap();
    assert_eq!(left(&db).await, 1, "the frozen relay marked what was no longer its own");
});

async fn another_process(db: &TestDb) -> Db {
    match db.engine() {
        Engine::Postgres => replica(db, &MIGRATIONS).await,
        Engine::Sqlite => db.db.clone(),
    }
}

both_databases!(the_inbox_forgets_after_a_week, MIGRATIONS, |db| async move {
    let effects = Arc::<Mutex<Vec<EventId>>>::default();
    let id = EventId::from(db.clock.new_id());
    apply(&db, &acme(), vec![id], &effects).await.unwrap();
    db.hand.advance(outbox::REMEMBERED - Duration::from_secs(1));
    assert_eq!(Sweep::new(db.db.clone()).once().await, Ok(0));
    apply(&db, &acme(), vec![id], &effects).await.unwrap();
    assert_eq!(effects.lock().unwrap().len(), 1, "a repeat within the week");
    db.hand.advance(Duration::from_secs(2));
    assert_eq!(Sweep::new(db.db.clone()).once().await, Ok(1));
});

both_databases!(one_organizations_inbox_knows_nothing_of_anothers, MIGRATIONS, |db| async move {
    let effects = Arc::<Mutex<Vec<EventId>>>::default();
    let id = EventId::from(db.clock.new_id());
    apply(&db, &acme(), vec![id], &effects).await.unwrap();
    apply(&db, &db::test_support::org("other"), vec![id], &effects).await.unwrap();
    assert_eq!(effects.lock().unwrap().len(), 2);
});
