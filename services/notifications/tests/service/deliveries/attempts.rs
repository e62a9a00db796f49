//! What is tried again, how often, and what is written down of it.

use std::time::Duration;

use notifications::domain::attempt::Ending;
use notifications::domain::backoff::SCHEDULE;
use notifications::domain::delivery::{Channel, DeliveryState, Job, Outcome, Why};
use notifications::error::Error;
use notifications::store::MIGRATIONS;
use notifications::store::destinations::{self, Queue};

use super::lists::origin;
use super::{ACME, again, claim, get, queue_some, round, sent, settle, state, unreachable};
use crate::store::app;

// D7
db::both_databases!(
    eight_attempts_make_a_dead_letter_and_an_admin_begins_anew,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        let id = queue_some(&app, &ACME, 1, "a", "").await[0];
        for (tries, wait) in SCHEDULE.iter().enumerate() {
            assert_eq!(round(&app, |_| again()).await, [id], "attempt {}", tries + 1);
            db.hand.advance(*wait - Duration::from_secs(1));
            assert!(round(&app, sent).await.is_empty(), "not before {wait:?}");
            db.hand.advance(Duration::from_secs(1) + *wait / 5);
        }
        assert_eq!(round(&app, |_| again()).await, [id]);
        let (delivery, attempts) = get(&app, id).await;
        assert_eq!((delivery.state, delivery.attempt), (DeliveryState::Failed, 8));
        assert_eq!(delivery.last_error.as_deref(), Some("not this time"));
        let numbers: Vec<i64> = attempts.iter().map(|it| it.attempt).collect();
        assert_eq!(numbers, [8, 7, 6, 5, 4, 3, 2, 1]);
        assert!(
            attempts
                .iter()
                .all(|it| it.ending == Ending::Failed && it.code == Some(451) && it.end_time.is_some())
        );
        db.hand.advance(Duration::from_secs(86_400));
        assert!(round(&app, sent).await.is_empty(), "given up");

        let retried = app.retry_delivery(&ACME, origin(), id).await.unwrap();
        assert_eq!((retried.state, retried.attempt), (DeliveryState::Waiting, 8));
        assert_eq!(round(&app, |_| again()).await, [id], "at once");
        assert_eq!(state(&app, id).await, DeliveryState::Waiting, "with all its attempts");
        db.hand.advance(Duration::from_secs(6));
        assert_eq!(round(&app, sent).await, [id]);
        let (delivery, attempts) = get(&app, id).await;
        assert_eq!((delivery.state, delivery.last_error, attempts.len()), (DeliveryState::Sent, None, 10));
    }
);

// D7
db::both_databases!(a_refusal_is_final_and_a_skip_no_failure, MIGRATIONS, |db| async move {
    let app = app(&db);
    for (outcome, expected, ending) in [
        (
            Outcome::Refused(Why::from("no such mailbox").with_code(550_i64)),
            DeliveryState::Failed,
            Ending::Refused,
        ),
        (Outcome::Skipped(Why::from("read")), DeliveryState::Skipped, Ending::Skipped),
        (Outcome::Gone(Why::from("410").with_code(410_i64)), DeliveryState::Skipped, Ending::Gone),
    ] {
        let id = queue_some(&app, &ACME, 1, "a", "").await[0];
        assert_eq!(round(&app, |_| outcome.clone()).await, [id]);
        let (delivery, attempts) = get(&app, id).await;
        assert_eq!((delivery.state, attempts[0].ending), (expected, ending));
        assert!(delivery.done_time.is_some());
    }
});

// D6
db::both_databases!(quiet_hours_use_up_no_attempt, MIGRATIONS, |db| async move {
    let app = app(&db);
    let id = queue_some(&app, &ACME, 1, "a", "").await[0];
    for _ in 0..20 {
        let until = db.clock.now().plus(Duration::from_secs(3_600));
        let quiet = |_: &Job| Outcome::Postponed { why: Why::from("QUIET"), until };
        assert_eq!(round(&app, quiet).await, [id]);
        db.hand.advance(Duration::from_secs(3_599));
        assert!(round(&app, sent).await.is_empty());
        db.hand.advance(Duration::from_secs(1));
    }
    assert_eq!(round(&app, sent).await, [id]);
    let (delivery, attempts) = get(&app, id).await;
    assert_eq!((delivery.state, attempts[1].ending), (DeliveryState::Sent, Ending::Postponed));
});

// D7: what is retried before it is dead, or after it was sent, stays as it is.
db::both_databases!(only_a_dead_letter_is_retried, MIGRATIONS, |db| async move {
    let app = app(&db);
    let ids = queue_some(&app, &ACME, 2, "a", "").await;
    let batch = claim(&app, Channel::Webhook, 1).await;
    let under_way = app.retry_delivery(&ACME, origin(), batch.deliveries[0].job.delivery_id).await.unwrap();
    assert_eq!((under_way.state, under_way.attempt), (DeliveryState::Waiting, 1));
    assert!(settle(&app, &batch, &batch.deliveries[0], Outcome::Sent).await, "its claim still holds");
    let done = app.retry_delivery(&ACME, origin(), batch.deliveries[0].job.delivery_id).await.unwrap();
    assert_eq!(done.state, DeliveryState::Sent);
    assert_eq!(round(&app, sent).await, ids[1..]);
    let absent = app.retry_delivery(&ACME, origin(), app.clock.new_id().into()).await;
    assert!(matches!(absent, Err(Error::NoSuchDelivery)));
});

// D7
db::both_databases!(
    one_that_is_begun_again_and_again_without_an_end_is_given_up,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        let id = queue_some(&app, &ACME, 1, "a", "").await[0];
        for attempt in 1..=9 {
            let batch = claim(&app, Channel::Webhook, 1).await;
            assert_eq!(batch.deliveries[0].job.attempt, attempt);
            assert_eq!(notifications::domain::backoff::is_hopeless(batch.deliveries[0].tries), attempt > 8);
            db.hand.advance(Duration::from_secs(61));
        }
        let (_, attempts) = get(&app, id).await;
        assert!(
            attempts.iter().all(|it| it.ending == Ending::Started && it.end_time.is_none()),
            "each is on record"
        );
    }
);

// D8
db::both_databases!(
    since_when_an_endpoint_fails_is_known_until_it_takes_something,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        let queue = Queue { channel: Channel::Webhook, destination: "a".to_owned() };
        let standing = || {
            let queue = queue.clone();
            let read =
                app.db.read(&ACME, move |tx| Box::pin(async move { destinations::find(tx, &queue).await }));
            async { read.await.unwrap().unwrap() }
        };
        queue_some(&app, &ACME, 1, "a", "").await;
        let began = db.clock.now();
        round(&app, |_| unreachable(None)).await;
        db.hand.advance(Duration::from_secs(60));
        round(&app, |_| again()).await;
        assert_eq!((standing().await.failing_since, standing().await.failures), (Some(began), 0));
        db.hand.advance(Duration::from_secs(600));
        round(&app, sent).await;
        assert_eq!(standing().await.failing_since, None);
    }
);
