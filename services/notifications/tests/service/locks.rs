//! Who waits for whom: what one transaction has read, another does not change behind its back.

use std::collections::BTreeSet;
use std::time::Duration;

use db::test_support::{self, TestDb, org};
use db::{BoxFuture, Db, DbError, Engine, Tx};
use notifications::app::enqueue::enqueue;
use notifications::app::webhooks::take;
use notifications::domain::delivery::{Body, Channel, NewDelivery};
use notifications::domain::settings::{EmailContent, Settings};
use notifications::domain::webhook::{Terms, Webhook, WebhookState};
use notifications::domain::webhook_event::{EventType, WebhookEvent};
use notifications::domain::webhook_secret::{Secret, Secrets};
use notifications::store::destinations::Queue;
use notifications::store::{MIGRATIONS, destinations, excerpts, plans, settings, webhooks};
use outbox::Wake;
use serde_json::json;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than any statement here takes that waits for nobody.
const LONG: Duration = Duration::from_millis(500);

/// A transaction of acme's under way.
fn begin<R, F>(db: &Db, doing: F) -> JoinHandle<Result<R, DbError>>
where
    R: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<R, DbError>> + Send + 'static,
{
    let db = db.clone();
    tokio::spawn(async move { db.write(&org("acme"), doing).await })
}

/// Does something in a transaction that stays open until what this gives is dropped.
async fn hold<R, F>(db: &Db, doing: F) -> oneshot::Sender<()>
where
    R: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<R, DbError>> + Send + 'static,
{
    let ((done, did), (open, end)) = (oneshot::channel(), oneshot::channel());
    begin(db, move |tx| {
        Box::pin(async move {
            let result = doing(tx).await?;
            let _nobody_waits = done.send(());
            let _ended = end.await;
            Ok(result)
        })
    });
    did.await.unwrap();
    open
}

async fn waits<R>(transaction: &mut JoinHandle<Result<R, DbError>>) -> bool {
    timeout(LONG, transaction).await.is_err()
}

fn webhook(db: &TestDb) -> Webhook {
    let now = db.clock.now();
    Webhook {
        webhook_id: db.clock.new_id().into(),
        version: 1,
        terms: Terms {
            url: "https://hook.invalid/".to_owned(),
            description: String::new(),
            event_types: BTreeSet::from([EventType::ConversationResolved]),
            include_private: false,
        },
        state: WebhookState::Paused,
        secrets: Secrets::new(Secret::of([1; 32])),
        failing_since: None,
        create_time: now,
        update_time: now,
    }
}

// D4
db::both_databases!(who_decides_against_excerpts_waits_for_who_keeps_one, MIGRATIONS, |db| async move {
    let now = db.clock.now();
    let decide = |content, version| {
        let decided = Settings { email_content: content, ..Settings::default() };
        begin(&db.db, move |tx| Box::pin(settings::save_settings(tx, decided, version, now)))
    };
    assert!(decide(EmailContent::Excerpt, 0).await.unwrap().unwrap());
    let keeping = hold(&db.db, |tx| Box::pin(excerpts::wanted(tx))).await;
    let mut decided = decide(EmailContent::None, 1);
    assert!(waits(&mut decided).await);
    drop(keeping);
    assert!(decided.await.unwrap().unwrap());
});

// D8
db::both_databases!(
    who_enables_a_webhook_waits_for_who_takes_an_event_while_it_is_paused,
    MIGRATIONS,
    |db| async move {
        let (paused, now, conversation) = (webhook(&db), db.clock.now(), db.clock.new_id());
        let id = paused.webhook_id;
        begin(&db.db, move |tx| Box::pin(async move { webhooks::insert(tx, &paused).await }))
            .await
            .unwrap()
            .unwrap();
        let event = WebhookEvent {
            event_id: db.clock.new_id().into(),
            kind: EventType::ConversationResolved,
            object: conversation,
            conversation: Some(conversation.into()),
            contact: None,
            occur_time: now,
            data: json!({}),
            private_text: None,
        };
        let taking =
            hold(&db.db, move |tx| Box::pin(async move { take(tx, &Wake::local(), &[event], now).await }))
                .await;
        let mut enabling = begin(&db.db, move |tx| Box::pin(webhooks::lock(tx, id)));
        assert!(waits(&mut enabling).await);
        drop(taking);
        assert_eq!(enabling.await.unwrap().unwrap().map(|webhook| webhook.webhook_id), Some(id));
    }
);

// D6, D7: on SQLite there is one writer.
#[test]
fn queues_are_locked_in_their_order_by_who_plans() {
    test_support::run(Engine::Postgres, &MIGRATIONS, |db| async move {
        let clock = db.clock.clone();
        let new = |destination: &str| NewDelivery {
            delivery_id: clock.new_id().into(),
            channel: Channel::WebPush,
            subject: None,
            destination: destination.to_owned(),
            lane: String::new(),
            body: Body::of(&"what"),
            due_time: clock.now(),
        };
        let queue =
            |destination: &str| Queue { channel: Channel::WebPush, destination: destination.to_owned() };
        let (b, a) = (new("b"), new("a"));
        let ids = vec![b.delivery_id, a.delivery_id];
        // The last one is the first in the table.
        for delivery in [b, a] {
            let queued = begin(&db.db, move |tx| {
                Box::pin(async move { enqueue(tx, &Wake::local(), vec![delivery]).await })
            });
            queued.await.unwrap().unwrap();
        }
        let (first, last) = (queue("a"), queue("b"));
        let busy = hold(&db.db, move |tx| {
            Box::pin(async move { destinations::lock_all(tx, &BTreeSet::from([first])).await })
        });
        let busy = busy.await;
        let mut planning = begin(&db.db, move |tx| Box::pin(async move { plans::hold_open(tx, &ids).await }));
        assert!(waits(&mut planning).await, "for the first queue");
        let mut free = begin(&db.db, move |tx| {
            Box::pin(async move { destinations::lock_all(tx, &BTreeSet::from([last])).await })
        });
        assert!(!waits(&mut free).await, "the last one is not locked before the first");
        drop(busy);
        assert_eq!(planning.await.unwrap().unwrap().len(), 2);
    });
}
