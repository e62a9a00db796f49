//! What admins see and do.

use std::time::Duration;

use audit::Origin;
use db::test_support::TestDb;
use kernel::{OrgId, PageSize, Role, Subject};
use notifications::app::App;
use notifications::app::deliveries::{ListDeliveries, Retried};
use notifications::domain::delivery::{Channel, DeliveryId, DeliveryState, Outcome, Why};
use notifications::error::Error;
use notifications::store::MIGRATIONS;
use notifications::store::delivery_list::DeliveryFilter;
use notifications::store::destinations;

use super::{ACME, UMBRELLA, claim, email, new, queue, queue_some, round, sent, settle};
use crate::store::app;

pub(super) fn origin() -> Origin {
    Origin::new(&Subject::parse("root").unwrap(), Role::Admin, "test")
}

async fn list(app: &App, org: &OrgId, filter: DeliveryFilter) -> Vec<DeliveryId> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let (filter, size) = (filter.clone(), PageSize::of(3).unwrap());
        let page =
            app.list_deliveries(ListDeliveries { org: org.clone(), filter, size, page_token }).await.unwrap();
        assert!(page.deliveries.len() <= 3);
        all.extend(page.deliveries.into_iter().map(|it| it.delivery_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

/// Ten deliveries: five emails, to two people, and five webhooks, of which one was refused.
async fn ten(db: &TestDb, app: &App) -> (Vec<DeliveryId>, Vec<DeliveryId>) {
    let emails =
        queue(app, &ACME, (0..5).map(|n| email(app, if n < 2 { "ana" } else { "ben" })).collect()).await;
    let webhooks = queue_some(app, &ACME, 5, "endpoint", "").await;
    queue_some(app, &UMBRELLA, 1, "endpoint", "").await;
    let batch = claim(app, Channel::Webhook, 2).await;
    for one in batch.deliveries.iter().filter(|one| one.job.org == *ACME) {
        settle(app, &batch, one, Outcome::Refused(Why::from("no"))).await;
    }
    db.hand.advance(Duration::from_secs(1));
    (emails, webhooks)
}

// D7 P7
db::both_databases!(deliveries_are_listed_newest_first_by_every_filter, MIGRATIONS, |db| async move {
    let app = app(&db);
    let (emails, webhooks) = ten(&db, &app).await;
    let newest_first = |ids: &[DeliveryId]| ids.iter().rev().copied().collect::<Vec<_>>();
    let all = [emails.clone(), webhooks.clone()].concat();
    let any = DeliveryFilter::default;
    assert_eq!(list(&app, &ACME, any()).await, newest_first(&all));
    let failed = DeliveryFilter { state: Some(DeliveryState::Failed), ..any() };
    assert_eq!(list(&app, &ACME, failed).await, newest_first(&webhooks[..1]));
    let channel = DeliveryFilter { channel: Some(Channel::Email), ..any() };
    assert_eq!(list(&app, &ACME, channel).await, newest_first(&emails));
    let bens = DeliveryFilter { subject: Some(Subject::parse("ben").unwrap()), ..any() };
    assert_eq!(list(&app, &ACME, bens.clone()).await, newest_first(&emails[2..]));
    let endpoint = DeliveryFilter { destination: Some("endpoint".to_owned()), ..any() };
    assert_eq!(list(&app, &ACME, endpoint.clone()).await, newest_first(&webhooks));
    let waiting = DeliveryFilter { state: Some(DeliveryState::Waiting), ..endpoint };
    assert_eq!(list(&app, &ACME, waiting).await, newest_first(&webhooks[1..]));
    let none = DeliveryFilter { channel: Some(Channel::Webhook), ..bens };
    assert!(list(&app, &ACME, none).await.is_empty());
});

// P1 P7
db::both_databases!(another_organizations_deliveries_and_tokens_are_nobodys, MIGRATIONS, |db| async move {
    let app = app(&db);
    let (_, webhooks) = ten(&db, &app).await;
    let foreign = app.get_delivery(&UMBRELLA, webhooks[0]).await;
    assert!(matches!(foreign, Err(Error::NoSuchDelivery)));
    assert!(matches!(app.retry_delivery(&UMBRELLA, origin(), webhooks[0]).await, Err(Error::NoSuchDelivery)));
    let page = |org: &OrgId, filter: DeliveryFilter, page_token: String| {
        let size = PageSize::of(1).unwrap();
        app.list_deliveries(ListDeliveries { org: org.clone(), filter, size, page_token })
    };
    let token = page(&ACME, DeliveryFilter::default(), String::new()).await.unwrap().next_page_token;
    let emails = DeliveryFilter { channel: Some(Channel::Email), ..DeliveryFilter::default() };
    for (org, filter) in [(&*UMBRELLA, DeliveryFilter::default()), (&*ACME, emails)] {
        assert!(matches!(page(org, filter, token.clone()).await, Err(Error::ForeignPageToken)));
    }
});

// D7 P10
db::both_databases!(dead_letters_are_retried_by_filter_and_leave_records, MIGRATIONS, |db| async move {
    let app = app(&db);
    let dead = queue_some(&app, &ACME, 230, "endpoint", "").await;
    let other = queue_some(&app, &ACME, 1, "other", "").await;
    while !round(&app, |_| Outcome::Refused(Why::from("no"))).await.is_empty() {}
    let filter = || DeliveryFilter { destination: Some("endpoint".to_owned()), ..DeliveryFilter::default() };
    let retry = || app.retry_deliveries(&ACME, origin(), filter());
    assert_eq!(retry().await.unwrap(), Retried { count: 200, more: true });
    assert_eq!(retry().await.unwrap(), Retried { count: 30, more: false });
    assert_eq!(retry().await.unwrap(), Retried { count: 0, more: false });
    let failed = DeliveryFilter { state: Some(DeliveryState::Failed), ..DeliveryFilter::default() };
    assert_eq!(list(&app, &ACME, failed).await, other);
    let mut carried = Vec::new();
    loop {
        let round = round(&app, sent).await;
        if round.is_empty() {
            break;
        }
        carried.extend(round);
    }
    carried.sort_unstable();
    assert_eq!(carried, dead);
    let records = db.read(&ACME, |tx| {
        Box::pin(async move {
            let sql = "SELECT COUNT(*) FROM audit_queue WHERE org_id = $1 AND action = 'delivery.retry'";
            tx.query(sql).fetch_value::<i64>(tx).await
        })
    });
    assert_eq!(records.await.unwrap(), 230, "one each");
});

// D8
db::both_databases!(a_lane_that_is_retried_as_a_whole_keeps_its_order, MIGRATIONS, |db| async move {
    let app = app(&db);
    let mut lane = Vec::new();
    for _ in 0..3 {
        lane.extend(queue(&app, &ACME, vec![new(&app, "a", "object"), new(&app, "a", "object")]).await);
        while !round(&app, |_| Outcome::Refused(Why::from("no"))).await.is_empty() {}
        // The queue is idle and forgotten: what comes next is behind what is kept of it all the same.
        db.hand.advance(Duration::from_secs(1));
        let now = db.clock.now();
        let forget = db.write_system(move |tx| Box::pin(destinations::remove_idle(tx, now, 10)));
        assert_eq!(forget.await.unwrap(), 1);
    }
    app.retry_deliveries(&ACME, origin(), DeliveryFilter::default()).await.unwrap();
    for id in lane {
        assert_eq!(round(&app, sent).await, [id]);
    }
});
