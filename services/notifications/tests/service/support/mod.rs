//! What the tests of this service share: a suite of it, events to send, streams to read.

pub(crate) mod routing;

use std::time::Duration;

use kernel::{Clock, Role, Timestamp};
use proto::common::v1::stream_start::Start;
use proto::common::v1::{EventDisposition, EventOutcome, StreamStart};
use proto::notifications::v1 as pb;
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::notifications::v1::subscribe_response::Frame;
use rpc::convert::proto_time;
use testkit::{Bearer, Client, Engine, Suite};
use tonic::{Code, Status, Streaming};

pub(crate) type Ingest = IngestServiceClient<Client>;
pub(crate) type Notifications = NotificationServiceClient<Client>;
pub(crate) type Stream = Streaming<pb::SubscribeResponse>;

/// Longer than anything here takes, shorter than a person waits for a test that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// 2026-01-01T00:00:00Z.
pub(crate) const NEW_YEAR: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// This service alone, without the limit of calls per second, of which tests make many.
pub(crate) async fn suite(engine: Engine) -> Suite {
    builder(engine).start().await
}

pub(crate) async fn suite_at_new_year(engine: Engine) -> Suite {
    builder(engine).with_fake_clock(NEW_YEAR).start().await
}

pub(crate) fn builder(engine: Engine) -> testkit::Builder {
    builder_beside(engine, &routing::Routing::default())
}

/// This service beside a stand-in for routing.
pub(crate) fn builder_beside(engine: Engine, routing: &routing::Routing) -> testkit::Builder {
    Suite::of([notifications::unit(), routing.unit()]).on(engine).configured(|config| {
        config.limits.calls_per_person = 0;
        config.limits.person_per_second = 0;
        config.limits.org_per_second = 0;
    })
}

/// The service looks for feeds that moved so seldom.
pub(crate) fn poll_ms(config: &mut runtime::Config, milliseconds: u64) {
    config.notifications = serde_json::from_value(serde_json::json!({ "poll_ms": milliseconds })).unwrap();
}

/// Another process on the same PostgreSQL, with NATS at this address between them or without.
pub(crate) async fn beside(suite: &Suite, nats: Option<String>) -> Suite {
    let (database, data) = (suite.database_url().unwrap(), suite.data().to_owned());
    let there = builder(Engine::Postgres).on(Engine::Sqlite).configured(move |config| {
        config.database = Some(runtime::Secret::new(database));
        config.data = data;
        config.nats = nats.map(runtime::Secret::new);
    });
    there.start().await
}

/// The tables of a suite, as another process sees them.
pub(crate) async fn tables(suite: &Suite) -> db::Db {
    let target = match suite.database_url() {
        Some(url) => db::Target::postgres(url, "notifications"),
        None => db::Target::sqlite(suite.data().join("notifications.db")),
    };
    db::Db::open(target, &notifications::store::MIGRATIONS, suite.clock().clone()).await.unwrap()
}

/// Retention as it runs now and then, from another process and with no patience.
pub(crate) async fn forget_due(suite: &Suite) {
    let db = tables(suite).await;
    let configured = notifications::domain::settings::Retention::default();
    notifications::app::forget::forget(&db, configured, suite.clock().now()).await.unwrap();
    db.close().await;
}

pub(crate) fn ingest(suite: &Suite, org: &str) -> Ingest {
    IngestServiceClient::new(suite.client(org, "notes", Role::Service))
}

pub(crate) fn person(suite: &Suite, org: &str, subject: &str) -> Notifications {
    NotificationServiceClient::new(suite.client(org, subject, Role::Agent))
}

pub(crate) fn with_token(suite: &Suite, token: &str) -> Notifications {
    NotificationServiceClient::new(Client::new(suite.channel(), Bearer::new(token)))
}

/// An event of a new id.
pub(crate) fn event(kind: pb::NotificationType, recipients: &[&str]) -> pb::NotificationEvent {
    let clock = Clock::system();
    pb::NotificationEvent {
        event_id: clock.new_id().to_string(),
        r#type: kind.into(),
        recipient_subjects: recipients.iter().map(|subject| (*subject).to_owned()).collect(),
        reason: "Eve mentioned you".to_owned(),
        conversation_id: clock.new_id().to_string(),
        note_id: String::new(),
        actor: None,
        occur_time: Some(proto_time(clock.now())),
        private_excerpt: String::new(),
    }
}

pub(crate) fn mention(recipients: &[&str]) -> pb::NotificationEvent {
    event(pb::NotificationType::Mentioned, recipients)
}

/// Sends events; the outcome of each.
pub(crate) async fn notify(ingest: &mut Ingest, events: Vec<pb::NotificationEvent>) -> Vec<EventOutcome> {
    notify_patiently(ingest, events).await.0
}

/// Sends events; as the relay does, tries again while the service says that it is busy, and tells how often it was.
pub(crate) async fn notify_patiently(
    ingest: &mut Ingest,
    events: Vec<pb::NotificationEvent>,
) -> (Vec<EventOutcome>, usize) {
    let mut busy = 0;
    loop {
        match ingest.notify(pb::NotifyRequest { events: events.clone() }).await {
            Ok(answer) => return (answer.into_inner().outcomes, busy),
            Err(status) if status.code() == Code::Unavailable => busy += 1,
            Err(status) => panic!("not notified: {status:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn dispositions(outcomes: &[EventOutcome]) -> Vec<EventDisposition> {
    outcomes.iter().map(EventOutcome::disposition).collect()
}

/// Everything a person's list shows by default.
pub(crate) async fn list(person: &mut Notifications) -> Vec<pb::Notification> {
    list_of(person, pb::ListNotificationsRequest { page_size: 200, ..Default::default() }).await
}

pub(crate) async fn list_of(
    person: &mut Notifications,
    request: pb::ListNotificationsRequest,
) -> Vec<pb::Notification> {
    person.list_notifications(request).await.unwrap().into_inner().notifications
}

/// Every page's entries, and how many pages there were.
pub(crate) async fn all_pages(
    person: &mut Notifications,
    mut request: pb::ListNotificationsRequest,
) -> (Vec<pb::Notification>, usize) {
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let page = person.list_notifications(request.clone()).await.unwrap().into_inner();
        all.extend(page.notifications);
        pages += 1;
        if page.next_page_token.is_empty() {
            return (all, pages);
        }
        request.page_token = page.next_page_token;
    }
}

pub(crate) fn sequences(entries: &[pb::Notification]) -> Vec<i64> {
    entries.iter().map(|entry| entry.sequence).collect()
}

/// Unread entries, and the end of the feed.
pub(crate) async fn count(person: &mut Notifications) -> (i64, i64) {
    let count = person.get_unread_count(pb::GetUnreadCountRequest {}).await.unwrap().into_inner();
    (count.unread_count, count.latest_sequence)
}

pub(crate) async fn read(person: &mut Notifications, ids: &[&str]) -> i64 {
    let notification_ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let request = pb::MarkNotificationsReadRequest { notification_ids };
    person.mark_notifications_read(request).await.unwrap().into_inner().unread_count
}

pub(crate) async fn read_all(person: &mut Notifications, up_to_sequence: i64) -> i64 {
    let request = pb::MarkAllNotificationsReadRequest { up_to_sequence };
    person.mark_all_notifications_read(request).await.unwrap().into_inner().unread_count
}

pub(crate) async fn archive(person: &mut Notifications, id: &str) -> Result<pb::Notification, Status> {
    let request = pb::ArchiveNotificationRequest { notification_id: id.to_owned() };
    person.archive_notification(request).await.map(|answer| answer.into_inner().notification.unwrap())
}

pub(crate) async fn snooze(
    person: &mut Notifications,
    id: &str,
    until: Timestamp,
) -> Result<pb::Notification, Status> {
    let (notification_id, snooze_until_time) = (id.to_owned(), Some(proto_time(until)));
    let request = pb::SnoozeNotificationRequest { notification_id, snooze_until_time };
    person.snooze_notification(request).await.map(|answer| answer.into_inner().notification.unwrap())
}

pub(crate) fn from_now() -> Start {
    Start::FromNow(())
}

pub(crate) fn earliest() -> Start {
    Start::Earliest(())
}

pub(crate) fn resume(token: &str) -> Start {
    Start::ResumeToken(token.to_owned())
}

pub(crate) async fn subscribe(person: &mut Notifications, start: Start) -> Result<Stream, Status> {
    let start = Some(StreamStart { start: Some(start) });
    person.subscribe(pb::SubscribeRequest { start }).await.map(tonic::Response::into_inner)
}

/// A stream whose opening frame was read.
pub(crate) async fn opened(person: &mut Notifications, start: Start) -> Stream {
    let mut stream = subscribe(person, start).await.unwrap();
    let first = frame(&mut stream).await.unwrap();
    assert!(matches!(first.frame, Some(Frame::Opened(_))), "{first:?}");
    assert!(!first.resume_token.is_empty());
    stream
}

/// The next frame; none at the end.
pub(crate) async fn frame(stream: &mut Stream) -> Option<pb::SubscribeResponse> {
    tokio::time::timeout(PATIENCE, stream.message()).await.expect("a frame comes").unwrap()
}

/// The next entry and its resume token, whatever heartbeats come before.
pub(crate) async fn entry(stream: &mut Stream) -> (pb::Notification, String) {
    loop {
        let frame = frame(stream).await.expect("the stream goes on");
        match frame.frame {
            Some(Frame::Notification(entry)) => return (entry, frame.resume_token),
            Some(Frame::Heartbeat(_) | Frame::ReadState(_)) => {}
            other => panic!("no entry but {other:?}"),
        }
    }
}

/// The sequence numbers of the next entries.
pub(crate) async fn take(stream: &mut Stream, entries: usize) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(entries);
    for _ in 0..entries {
        numbers.push(entry(stream).await.0.sequence);
    }
    numbers
}

/// How many of something: with `BACKCHANNEL_TEST_FAULTS=full` the figure of the fault table, which takes long; otherwise a few.
pub(crate) fn figure(few: usize, full: usize) -> usize {
    let wanted = std::env::var("BACKCHANNEL_TEST_FAULTS");
    if wanted.is_ok_and(|wanted| wanted == "full") { full } else { few }
}
