//! What is kept for retries, and for how long.

use std::error::Error;
use std::time::Duration;

use db::test_support::org;
use db::{Db, Migrations, Retry, both_databases};
use kernel::Subject;
use runtime::Worker;
use tonic::service::Routes;

use crate::support::{start, unit};

static MIGRATIONS: Migrations = Migrations { sets: &[&db::RETRY_KEYS] };

/// The answer to one and the same request: the first value ever given.
async fn answer(db: &Db, request_id: uuid::Uuid, value: u8) -> u8 {
    let retry = Retry {
        caller: Subject::parse("ana").unwrap(),
        method: "create",
        request_id: Some(request_id),
        digest: [1; 32],
    };
    let acme = org("acme");
    let work = db.write_once(&acme, retry, move |_| {
        Box::pin(async move { Ok::<_, Box<dyn Error + Send + Sync>>(value) })
    });
    work.await.unwrap()
}

// P5
both_databases!(answers_are_forgotten_after_a_day_by_a_worker, MIGRATIONS, |db| async move {
    let request_id = db.clock.new_id();
    assert_eq!((answer(&db, request_id, 1).await, answer(&db, request_id, 2).await), (1, 1));
    db.hand.advance(db::KEPT + Duration::from_secs(1));
    let forgetting = Worker::forget_answers(db.db.clone());
    let process = start(vec![unit(Duration::ZERO, Routes::default(), vec![forgetting])], |_| ()).await;
    let patience = std::time::Instant::now() + Duration::from_secs(20);
    while answer(&db, request_id, 3).await == 1 {
        assert!(std::time::Instant::now() < patience, "still remembered");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(process.running.stop().await);
});
