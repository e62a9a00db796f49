//! Whose turn it is, and what waits for what.

use std::sync::Arc;
use std::time::Duration;

use notifications::app::dispatch::{Pace, dispatch};
use notifications::domain::delivery::{Body, Channel, DeliveryState, Job, NewDelivery, Outcome, Why};
use notifications::store::MIGRATIONS;
use notifications::store::deliveries::rewrite;
use tokio_util::sync::CancellationToken;

use super::lists::origin;
use super::{
    ACME, Post, UMBRELLA, again, claim, email, get, ids, new, pace, queue, queue_some, round, sent, settle,
    state, unreachable,
};
use crate::store::app;
use crate::support::PATIENCE;

// D7
db::both_databases!(
    a_noisy_organization_does_not_hold_up_anothers_single_delivery,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        // 10,000 that wait: half of them to one endpoint, half to 500 devices.
        let noisy = |n: usize| match n % 2 {
            0 => new(&app, "endpoint", ""),
            _ => new(&app, &format!("endpoint-{}", n % 1_000), ""),
        };
        queue(&app, &ACME, (0..10_000).map(noisy).collect()).await;
        let first = claim(&app, Channel::Webhook, 32).await;
        assert_eq!(first.deliveries.len(), 32, "alone, it has every place");
        let single = queue_some(&app, &UMBRELLA, 1, "quiet", "").await;
        let next = app.claim_deliveries(Channel::Webhook, pace(), first.turn.clone(), 32).await.unwrap();
        assert!(ids(&next).contains(&single[0]), "it goes out in the next batch");
        // And with one place alone it is its turn after at most one other.
        let another = queue_some(&app, &UMBRELLA, 1, "quiet", "").await;
        let one = app.claim_deliveries(Channel::Webhook, pace(), next.turn.clone(), 1).await.unwrap();
        let other = app.claim_deliveries(Channel::Webhook, pace(), one.turn.clone(), 1).await.unwrap();
        assert!([ids(&one), ids(&other)].concat().contains(&another[0]));
    }
);

// D7
db::both_databases!(many_noisy_organizations_take_turns, MIGRATIONS, |db| async move {
    let app = app(&db);
    let orgs: Vec<_> = (0..7).map(|n| db::test_support::org(&format!("org-{n}"))).collect();
    for org in &orgs {
        queue_some(&app, org, 20, "endpoint", "").await;
    }
    let (mut turn, mut served) = (None, Vec::new());
    for _ in 0..14 {
        let batch = app.claim_deliveries(Channel::Webhook, pace(), turn, 1).await.unwrap();
        served.extend(batch.deliveries.iter().map(|one| one.job.org.clone()));
        turn = batch.turn;
    }
    assert!(orgs.iter().all(|org| served.iter().filter(|it| *it == org).count() == 2), "{served:?}");
});

// D7
db::both_databases!(a_destination_gets_four_at_once, MIGRATIONS, |db| async move {
    let app = app(&db);
    queue_some(&app, &ACME, 10, "endpoint", "").await;
    let first = claim(&app, Channel::Webhook, 32).await;
    assert_eq!(first.deliveries.len(), 4);
    assert!(claim(&app, Channel::Webhook, 32).await.deliveries.is_empty());
    assert!(settle(&app, &first, &first.deliveries[0], Outcome::Sent).await);
    assert_eq!(claim(&app, Channel::Webhook, 32).await.deliveries.len(), 1);
});

// D7
db::both_databases!(channels_have_places_of_their_own, MIGRATIONS, |db| async move {
    let app = app(&db);
    let webhooks = queue_some(&app, &ACME, 1, "endpoint", "").await;
    let emails = queue(&app, &ACME, vec![email(&app, "ana")]).await;
    assert_eq!(ids(&claim(&app, Channel::Email, 32).await), emails);
    assert!(claim(&app, Channel::Fcm, 32).await.deliveries.is_empty());
    assert_eq!(ids(&claim(&app, Channel::Webhook, 32).await), webhooks);
});

// D8
db::both_databases!(
    of_one_object_each_waits_for_the_one_before_and_for_no_other,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        let (one, other) = ("conversation-1", "conversation-2");
        let first =
            queue(&app, &ACME, vec![new(&app, "a", one), new(&app, "a", one), new(&app, "a", other)]).await;
        let later = queue(&app, &ACME, vec![new(&app, "a", one), new(&app, "b", one)]).await;
        assert!(get(&app, first[1]).await.0.behind && get(&app, later[0]).await.0.behind);
        let failing = |job: &Job| {
            if job.delivery_id == first[0] { again() } else { Outcome::Sent }
        };
        let mut carried = round(&app, failing).await;
        carried.sort_unstable();
        assert_eq!(carried, [first[0], first[2], later[1]], "the first of each object, to each destination");
        assert!(
            round(&app, sent).await.is_empty(),
            "it is not its turn while the one before waits for another attempt"
        );
        db.hand.advance(Duration::from_secs(6));
        assert_eq!(round(&app, sent).await, [first[0]]);
        assert_eq!(round(&app, sent).await, [first[1]]);
        assert_eq!(round(&app, sent).await, [later[0]]);
    }
);

// D7 D8
db::both_databases!(a_dead_letter_lets_the_next_of_its_object_go, MIGRATIONS, |db| async move {
    let app = app(&db);
    let all = queue_some(&app, &ACME, 3, "a", "conversation").await;
    assert_eq!(round(&app, |_| Outcome::Refused(Why::from("no"))).await, [all[0]]);
    assert_eq!(state(&app, all[0]).await, DeliveryState::Failed);
    // Retried, it waits for the one that came forward, and goes before the one that did not.
    app.retry_delivery(&ACME, origin(), all[0]).await.unwrap();
    assert_eq!(round(&app, sent).await, [all[1]]);
    assert_eq!(round(&app, sent).await, [all[0]]);
    assert_eq!(round(&app, sent).await, [all[2]]);
});

// D7
db::both_databases!(
    a_host_that_does_not_answer_makes_its_other_deliveries_wait,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        queue_some(&app, &ACME, 20, "down", "").await;
        assert_eq!(round(&app, |_| unreachable(None)).await.len(), 4);
        assert!(round(&app, sent).await.is_empty(), "16 are due and wait");
        // What is new waits as well; another host does not.
        queue_some(&app, &ACME, 1, "down", "").await;
        let elsewhere = queue_some(&app, &ACME, 1, "up", "").await;
        assert_eq!(round(&app, sent).await, elsewhere);
        // It is asked with one delivery alone, and once it answers gets what it had.
        db.hand.advance(Duration::from_secs(60));
        assert_eq!(round(&app, |_| unreachable(None)).await.len(), 1);
        db.hand.advance(Duration::from_secs(600));
        assert_eq!(round(&app, sent).await.len(), 1);
        assert_eq!(round(&app, sent).await.len(), 4);
    }
);

// D7
db::both_databases!(a_host_that_asks_for_time_gets_it, MIGRATIONS, |db| async move {
    let app = app(&db);
    queue_some(&app, &ACME, 5, "busy", "").await;
    let until = db.clock.now().plus(Duration::from_secs(7_200));
    assert_eq!(round(&app, |_| unreachable(Some(until))).await.len(), 4);
    db.hand.advance(Duration::from_secs(7_190));
    assert!(round(&app, sent).await.is_empty());
    db.hand.advance(Duration::from_secs(11));
    assert_eq!(round(&app, sent).await.len(), 1);
});

// D7: one full mailbox is nobody else's.
db::both_databases!(a_delivery_that_fails_for_itself_holds_up_no_other, MIGRATIONS, |db| async move {
    let app = app(&db);
    queue_some(&app, &ACME, 6, "a", "").await;
    assert_eq!(round(&app, |_| again()).await.len(), 4);
    assert_eq!(round(&app, sent).await.len(), 2);
});

db::both_databases!(a_bundle_grows_until_it_is_begun, MIGRATIONS, |db| async move {
    let app = app(&db);
    let later = db.clock.now().plus(Duration::from_secs(300));
    let id = queue_some(&app, &ACME, 1, "a", "").await[0];
    let grow = || {
        let grow = app.db.write(&ACME, move |tx| {
            Box::pin(async move { rewrite(tx, id, &Body::of(&"more"), later).await })
        });
        async { grow.await.unwrap() }
    };
    assert!(grow().await);
    assert!(claim(&app, Channel::Webhook, 32).await.deliveries.is_empty());
    db.hand.advance(Duration::from_secs(300));
    let batch = claim(&app, Channel::Webhook, 32).await;
    assert_eq!(batch.deliveries[0].job.body, Body::of(&"more"));
    assert!(!grow().await, "it is under way");
});

// D7
db::both_databases!(
    what_is_queued_is_carried_at_once_and_what_is_not_due_waits,
    MIGRATIONS,
    |db| async move {
        let app = Arc::new(app(&db));
        let post = Arc::new(Post::default());
        let stop = CancellationToken::new();
        // A poll that never comes: only wake-ups, and the times at which something is due.
        let slow = Pace { poll: Duration::from_secs(3_600), ..pace() };
        let working =
            tokio::spawn(dispatch(Arc::clone(&app), Channel::Webhook, post.clone(), slow, stop.clone()));
        let soon =
            NewDelivery { due_time: db.clock.now().plus(Duration::from_secs(60)), ..new(&app, "a", "") };
        let soon = queue(&app, &ACME, vec![soon]).await;
        let now = queue_some(&app, &ACME, 40, "a", "").await;
        let carried = |many: usize| {
            let post = Arc::clone(&post);
            async move {
                while post.taken().len() < many {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        };
        tokio::time::timeout(PATIENCE, carried(40)).await.expect("they are carried");
        assert!(!post.taken().contains(&soon[0]));
        db.hand.advance(Duration::from_secs(60));
        // Another one, so that the loop looks: its sleep is of real time, which the fake clock does not move.
        queue_some(&app, &ACME, 1, "b", "").await;
        tokio::time::timeout(PATIENCE, carried(42)).await.expect("it is carried when it is due");
        stop.cancel();
        working.await.unwrap();
        let mut taken = post.taken();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 42, "each once");
        assert_eq!(state(&app, now[39]).await, DeliveryState::Sent);
    }
);
