//! A process that ends between sending and marking, and two that want the same.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db::BoxFuture;
use db::test_support::replica;
use notifications::app::App;
use notifications::app::deliver::Carrier;
use notifications::app::dispatch::dispatch;
use notifications::domain::attempt::Ending;
use notifications::domain::delivery::{Channel, DeliveryId, DeliveryState, Job, Outcome};
use notifications::error::Error;
use notifications::store::MIGRATIONS;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::{ACME, UMBRELLA, claim, get, ids, pace, queue_some, settle, state};
use crate::store::app;
use crate::support::PATIENCE;

// D7
db::both_databases!(
    what_a_process_left_is_carried_by_another_and_its_late_word_is_not_heard,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        let all = queue_some(&app, &ACME, 1, "a", "").await;
        let lost = claim(&app, Channel::Webhook, 1).await;
        db.hand.advance(Duration::from_secs(59));
        assert!(claim(&app, Channel::Webhook, 1).await.deliveries.is_empty(), "the claim holds");
        db.hand.advance(Duration::from_secs(2));
        let other = claim(&app, Channel::Webhook, 1).await;
        assert_eq!(ids(&other), all, "the same delivery, with the same id");
        let late = Outcome::Refused("late".into());
        assert!(!settle(&app, &lost, &lost.deliveries[0], late).await, "fenced off");
        assert_eq!(state(&app, all[0]).await, DeliveryState::Waiting);
        assert!(settle(&app, &other, &other.deliveries[0], Outcome::Sent).await);
        let (delivery, attempts) = get(&app, all[0]).await;
        assert_eq!((delivery.state, delivery.attempt), (DeliveryState::Sent, 2));
        let endings: Vec<Ending> = attempts.iter().map(|it| it.ending).collect();
        assert_eq!(endings, [Ending::Sent, Ending::Refused], "each attempt is on record, the late one too");
    }
);

/// Takes everything, and lets the process end between sending and marking.
struct Trap {
    carried: Mutex<HashMap<DeliveryId, usize>>,
    left: AtomicUsize,
    sprung: Semaphore,
}

impl Trap {
    fn new() -> Self {
        Self { carried: Mutex::default(), left: AtomicUsize::new(0), sprung: Semaphore::new(0) }
    }

    fn carried(&self) -> HashMap<DeliveryId, usize> {
        self.carried.lock().unwrap().clone()
    }
}

impl Carrier for Trap {
    fn carry(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            *self.carried.lock().unwrap().entry(job.delivery_id).or_insert(0) += 1;
            // The last of each life never comes back: it was sent, and nobody writes it down.
            if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
            {
                return Outcome::Sent;
            }
            self.sprung.add_permits(1);
            std::future::pending().await
        })
    }
}

/// How many lives: few usually, as many as in faults.md if asked for.
fn lives() -> usize {
    if std::env::var("BACKCHANNEL_TEST_FAULTS").is_ok_and(|wanted| wanted == "full") { 100 } else { 12 }
}

// D7: faults.md row 6, for deliveries.
db::both_databases!(a_process_killed_between_send_and_mark_loses_nothing, MIGRATIONS, |db| async move {
    let app = Arc::new(app(&db));
    let trap = Arc::new(Trap::new());
    let (mut all, each) = (Vec::new(), 40);
    for life in 0..lives() {
        for _ in 0..each / 4 {
            all.extend(queue_some(&app, &ACME, 4, &format!("endpoint-{}", all.len() % 11), "").await);
        }
        trap.left.store((life * 7) % each, Ordering::SeqCst);
        trap.sprung.forget_permits(usize::MAX);
        let (work, carrier) = (Arc::clone(&app), Arc::clone(&trap));
        let working =
            tokio::spawn(dispatch(work, Channel::Webhook, carrier, pace(), CancellationToken::new()));
        let sprung =
            tokio::time::timeout(PATIENCE, trap.sprung.acquire()).await.expect("something is sent").unwrap();
        sprung.forget();
        // As by kill -9: nothing is written down any more, and what was claimed is free when the claims end.
        working.abort();
        assert!(working.await.unwrap_err().is_cancelled());
        db.hand.advance(Duration::from_secs(61));
    }
    trap.left.store(usize::MAX, Ordering::SeqCst);
    let stop = CancellationToken::new();
    let (work, carrier) = (Arc::clone(&app), Arc::clone(&trap));
    let working = tokio::spawn(dispatch(work, Channel::Webhook, carrier, pace(), stop.clone()));
    let done = async {
        for look in 1_u32.. {
            if waiting(&app).await == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            // A claim that was accepted before the last end may have been committed behind it, in the time of now.
            if look.is_multiple_of(100) {
                db.hand.advance(Duration::from_secs(61));
            }
        }
    };
    tokio::time::timeout(PATIENCE, done).await.expect("the rest is carried");
    stop.cancel();
    working.await.unwrap();
    let carried = trap.carried();
    assert!(all.iter().all(|id| carried.contains_key(id)), "none is missing");
    for id in &all {
        let (delivery, attempts) = get(&app, *id).await;
        assert_eq!(delivery.state, DeliveryState::Sent);
        assert_eq!(attempts.len(), usize::try_from(delivery.attempt).unwrap());
        assert!(carried[id] <= attempts.len(), "none is carried without a record of it");
        assert!(attempts.iter().any(|it| it.ending == Ending::Sent), "one is known to have been taken");
    }
});

async fn waiting(app: &App) -> usize {
    use notifications::app::deliveries::ListDeliveries;
    use notifications::store::delivery_list::DeliveryFilter;
    let filter = DeliveryFilter { state: Some(DeliveryState::Waiting), ..DeliveryFilter::default() };
    let size = kernel::PageSize::of(200).unwrap();
    let list = ListDeliveries { org: ACME.clone(), filter, size, page_token: String::new() };
    app.list_deliveries(list).await.unwrap().deliveries.len()
}

/// Tries again while the database is busy, as two processes on one file make it.
async fn patiently<T, F: Future<Output = Result<T, Error>>>(ask: impl Fn() -> F) -> T {
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(Error::Db(error)) if error.is_transient() => {}
            Err(error) => panic!("{error}"),
        }
    }
}

// D7
db::both_databases!(of_two_replicas_one_carries_each_delivery, MIGRATIONS, |db| async move {
    let one = app(&db);
    let two = App { db: replica(&db, &MIGRATIONS).await, ..app(&db) };
    let mut all = Vec::new();
    for n in 0..60 {
        all.extend(queue_some(&one, &ACME, 4, &format!("endpoint-{}", n % 9), "").await);
        all.extend(queue_some(&one, &UMBRELLA, 2, "endpoint", if n % 2 == 0 { "object" } else { "" }).await);
    }
    let carried: Arc<Mutex<HashMap<DeliveryId, usize>>> = Arc::default();
    let work = |app: App| {
        let (carried, all) = (Arc::clone(&carried), all.len());
        async move {
            let mut turn = None;
            while carried.lock().unwrap().len() < all {
                let batch =
                    patiently(|| app.claim_deliveries(Channel::Webhook, pace(), turn.clone(), 7)).await;
                for claimed in &batch.deliveries {
                    *carried.lock().unwrap().entry(claimed.job.delivery_id).or_insert(0) += 1;
                    tokio::task::yield_now().await;
                    let held = patiently(|| app.settle(batch.fence, claimed, &Outcome::Sent)).await;
                    assert!(held, "nobody took it away");
                }
                turn = batch.turn;
                if batch.deliveries.is_empty() {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            }
            app.db
        }
    };
    let both = async { tokio::join!(tokio::spawn(work(one)), tokio::spawn(work(two))) };
    let (_, second) = tokio::time::timeout(2 * PATIENCE, both).await.expect("all are carried");
    assert!(carried.lock().unwrap().values().all(|times| *times == 1), "none twice");
    second.unwrap().close().await;
});
