//! What is kept of deliveries, and for how long.

use std::time::Duration;

use notifications::domain::delivery::{Channel, DeliveryState};
use notifications::error::Error;
use notifications::store::MIGRATIONS;
use notifications::store::destinations::{self, Queue};

use super::lists::origin;
use super::{ACME, claim, email, get, new, queue, queue_some, round, sent, state};
use crate::store::app;

const DAY: Duration = Duration::from_secs(86_400);

// D7
db::both_databases!(what_is_done_goes_after_a_week_with_its_attempts, MIGRATIONS, |db| async move {
    let app = app(&db);
    let id = queue_some(&app, &ACME, 1, "a", "").await[0];
    round(&app, sent).await;
    db.hand.advance(DAY * 6);
    assert_eq!(app.forget_deliveries(db.clock.now()).await.unwrap(), 0);
    db.hand.advance(DAY * 2);
    assert_eq!(app.forget_deliveries(db.clock.now()).await.unwrap(), 1);
    assert!(matches!(app.get_delivery(&ACME, id).await, Err(Error::NoSuchDelivery)));
    let left = db.read_system(|tx| {
        Box::pin(
            async move { tx.query("SELECT COUNT(*) FROM delivery_attempts").fetch_value::<i64>(tx).await },
        )
    });
    assert_eq!(left.await.unwrap(), 0);
    let queue = Queue { channel: Channel::Webhook, destination: "a".to_owned() };
    let known = db.read(&ACME, move |tx| Box::pin(async move { destinations::find(tx, &queue).await }));
    assert_eq!(known.await.unwrap(), None, "the queue is forgotten as well");
    // And begins anew.
    queue_some(&app, &ACME, 2, "a", "object").await;
    assert_eq!((round(&app, sent).await.len(), round(&app, sent).await.len()), (1, 1));
});

// D7: a channel that nobody configured any more.
db::both_databases!(what_nobody_carries_for_a_week_is_given_up, MIGRATIONS, |db| async move {
    let app = app(&db);
    let mail = queue(&app, &ACME, vec![email(&app, "ana")]).await[0];
    let lane = queue(&app, &ACME, vec![new(&app, "a", "object"), new(&app, "a", "object")]).await;
    let claimed = claim(&app, Channel::Webhook, 1).await;
    assert_eq!(claimed.deliveries.len(), 1);
    db.hand.advance(DAY * 8);
    app.forget_deliveries(db.clock.now()).await.unwrap();
    let (delivery, _) = get(&app, mail).await;
    assert_eq!(delivery.state, DeliveryState::Failed);
    assert_eq!(delivery.last_error.as_deref(), Some("nobody carried it for a week"));
    assert_eq!(
        state(&app, lane[0]).await,
        DeliveryState::Waiting,
        "it was claimed: who claimed it may yet say"
    );
    // An admin may have it tried for another week.
    app.retry_delivery(&ACME, origin(), mail).await.unwrap();
    app.forget_deliveries(db.clock.now()).await.unwrap();
    assert_eq!(state(&app, mail).await, DeliveryState::Waiting);
    assert_eq!(claim(&app, Channel::Email, 32).await.deliveries.len(), 1);
});
