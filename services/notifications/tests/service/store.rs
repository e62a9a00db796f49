//! The store and what the wire cannot reach: retention, the poller's view, replicas. The same on both databases.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use audit::Origin;
use db::DbError;
use db::test_support::{TestDb, org, replica};
use egress::{Egress, EgressSettings};
use kernel::{Clock, EventId, OrgId, PageSeal, Subject, Timestamp};
use notifications::app::forget::forget_undecided;
use notifications::app::notify::Applied;
use notifications::app::people::People;
use notifications::app::{App, Owner};
use notifications::config::{NotificationsConfig, PushConfig};
use notifications::domain::{Cursor, Event, Head, NotificationType, Reason, Sequence};
use notifications::error::Error;
use notifications::peers::admins::Admins;
use notifications::peers::people::Directory;
use notifications::peers::push::PushServices;
use notifications::store::retention::Due;
use notifications::store::{MIGRATIONS, entries, heads, plans};
use outbox::Wake;
use rpc::{DevKey, Peer, ServiceTokens, Switchboard};

const DAY: Duration = Duration::from_secs(86_400);

static ACME: LazyLock<OrgId> = LazyLock::new(|| org("acme"));

pub(crate) fn app(db: &TestDb) -> App {
    let egress = Egress::new(&EgressSettings::default()).unwrap();
    App {
        db: db.db.clone(),
        clock: db.clock.clone(),
        seal: PageSeal::new(&[7; 32]),
        wake: Wake::local(),
        listeners: Default::default(),
        streams_end: Default::default(),
        retention: NotificationsConfig::default().retention(),
        people: People::new(Directory::new(nobody(&db.clock)), db.clock.clone()),
        push_services: PushServices::open(&PushConfig::default(), None, &egress, &db.clock).unwrap(),
        egress,
        admins: Admins::new(nobody(&db.clock)),
        webhook_notices: Default::default(),
        sends_email: false,
        wanting_excerpts: Default::default(),
    }
}

/// A peer that never answers.
fn nobody(clock: &Clock) -> Peer {
    let folder = tempfile::tempdir().unwrap();
    let signer = DevKey::load_or_make(folder.path(), clock.clone()).unwrap().signer();
    let tokens = ServiceTokens::new(signer, subject("notifications"), clock.clone());
    Peer::local(Switchboard::new(), tokens)
}

fn origin() -> Origin {
    Origin::system("notes", "test")
}

fn subject(name: &str) -> Subject {
    Subject::parse(name).unwrap()
}

fn owner(name: &str) -> Owner {
    Owner { org: ACME.clone(), subject: subject(name) }
}

fn event(clock: &Clock, recipients: &[&str]) -> Event {
    Event {
        event_id: clock.new_id().into(),
        kind: NotificationType::Mentioned,
        recipients: recipients.iter().map(|name| subject(name)).collect(),
        reason: Reason::parse("because").unwrap(),
        conversation_id: None,
        note_id: None,
        actor: None,
        occur_time: clock.now(),
        excerpt: None,
    }
}

async fn tell(app: &App, events: usize, recipients: &[&str]) {
    let events = (0..events).map(|_| event(&app.clock, recipients)).collect();
    app.notify(&ACME, origin(), events).await.unwrap();
}

async fn head(app: &App, name: &'static str) -> Head {
    app.db.read(&ACME, move |tx| Box::pin(async move { heads::get(tx, &subject(name)).await })).await.unwrap()
}

async fn kept(app: &App, name: &'static str) -> Vec<i64> {
    let read = app.db.read(&ACME, move |tx| {
        Box::pin(async move { entries::after(tx, &subject(name), Sequence::START, 1_000).await })
    });
    read.await.unwrap().entries.iter().map(|entry| entry.sequence.number()).collect()
}

fn due(now: Timestamp) -> Due {
    Due { read_before: now.minus(30 * DAY), created_before: now.minus(180 * DAY) }
}

db::both_databases!(heads_grow_by_what_is_asked_and_begin_at_zero, MIGRATIONS, |db| async move {
    let grow = |by: &[(&str, i64)]| {
        let by: Vec<(Subject, i64)> = by.iter().map(|(name, by)| (subject(name), *by)).collect();
        db.write(&ACME, move |tx| {
            Box::pin(async move {
                let growth: BTreeMap<&Subject, i64> = by.iter().map(|(subject, by)| (subject, *by)).collect();
                let now = tx.now().await?;
                heads::grow(tx, &growth, now).await
            })
        })
    };
    let ends = grow(&[("ana", 2), ("ben", 1)]).await.unwrap();
    assert_eq!((ends[&subject("ana")].number(), ends[&subject("ben")].number()), (2, 1));
    let ends = grow(&[("ana", 3)]).await.unwrap();
    assert_eq!((ends[&subject("ana")].number(), ends.len()), (5, 1));
    assert!(grow(&[]).await.unwrap().is_empty());
});

// D6
db::both_databases!(
    the_feed_that_waits_for_longest_is_planned_first_whatever_enters_meanwhile,
    MIGRATIONS,
    |db| async move {
        let app = app(&db);
        let next = || db.read_system(|tx| Box::pin(plans::list_behind(tx, "", 1, 10)));
        let planned = |name: &'static str, through: i64| {
            db.write(&ACME, move |tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    plans::move_through(tx, &[(subject(name), Sequence::new(through))], now).await
                })
            })
        };
        let is_next = async |name| {
            let next: Result<Vec<_>, DbError> = next().await;
            assert_eq!(next.unwrap(), [(ACME.clone(), subject(name))]);
        };
        for (name, entries) in [("zoe", 2), ("ana", 1), ("zoe", 1)] {
            tell(&app, entries, &[name]).await;
            db.hand.advance(Duration::from_secs(1));
        }
        is_next("zoe").await;
        // Not all of it: the rest waits anew.
        planned("zoe", 1).await.unwrap();
        is_next("ana").await;
        planned("ana", 1).await.unwrap();
        db.hand.advance(Duration::from_secs(1));
        tell(&app, 1, &["ana"]).await;
        is_next("zoe").await;
    }
);

db::both_databases!(a_transaction_that_fails_leaves_no_gap, MIGRATIONS, |db| async move {
    let app = app(&db);
    tell(&app, 1, &["ana"]).await;
    let failed: Result<(), Error> = db
        .write(&ACME, move |tx| {
            Box::pin(async move {
                let ana = subject("ana");
                let now = tx.now().await?;
                heads::grow(tx, &BTreeMap::from([(&ana, 5)]), now).await?;
                Err(Error::NoSuchNotification)
            })
        })
        .await;
    assert!(failed.is_err());
    tell(&app, 1, &["ana"]).await;
    assert_eq!(kept(&app, "ana").await, [1, 2]);
});

// D1: the inbox forgets after a week, feeds do not.
db::both_databases!(an_event_is_known_for_as_long_as_it_is_in_a_feed, MIGRATIONS, |db| async move {
    let app = app(&db);
    let event = event(&app.clock, &["ana"]);
    assert_eq!(app.notify(&ACME, origin(), vec![event.clone()]).await.unwrap(), [Applied::Now]);
    db.hand.advance(8 * DAY);
    outbox::Sweep::new(db.db.clone()).once().await.unwrap();
    assert_eq!(app.notify(&ACME, origin(), vec![event]).await.unwrap(), [Applied::Before]);
    assert_eq!(kept(&app, "ana").await, [1]);
});

db::both_databases!(a_tenants_transaction_sees_only_its_own_feeds, MIGRATIONS, |db| async move {
    let app = app(&db);
    let one = event(&app.clock, &["ana"]);
    app.notify(&org("umbrella"), origin(), vec![one.clone()]).await.unwrap();
    assert_eq!(head(&app, "ana").await, Head::EMPTY);
    let ids: Vec<EventId> = vec![one.event_id];
    let known = db.read(&ACME, move |tx| Box::pin(async move { entries::known_events(tx, &ids).await }));
    assert!(known.await.unwrap().is_empty());
});

// D3: what the poller sees.
db::both_databases!(the_poller_finds_every_organizations_feeds_that_grew, MIGRATIONS, |db| async move {
    let app = app(&db);
    tell(&app, 2, &["ana"]).await;
    db.hand.advance(DAY);
    let since = db.clock.now();
    app.notify(&org("umbrella"), origin(), vec![event(&app.clock, &["ben"])]).await.unwrap();
    let moved =
        db.read_system(move |tx| Box::pin(async move { heads::moved_since(tx, since).await })).await.unwrap();
    assert_eq!(
        moved,
        [heads::Moved {
            org_id: org("umbrella"),
            subject: subject("ben"),
            sequence: Sequence::new(1),
            handlings: 0
        }]
    );
    let asked = [(org("acme"), subject("ana")), (org("umbrella"), subject("ana"))];
    let all =
        db.read_system(move |tx| Box::pin(async move { heads::list_of(tx, &asked).await })).await.unwrap();
    let ana = heads::Moved {
        org_id: org("acme"),
        subject: subject("ana"),
        sequence: Sequence::new(2),
        handlings: 0,
    };
    assert_eq!(all, [ana]);
});

// D9
db::both_databases!(read_entries_go_after_30_days_and_all_after_180, MIGRATIONS, |db| async move {
    let app = app(&db);
    tell(&app, 4, &["ana", "ben"]).await;
    app.mark_all_read(owner("ana"), Sequence::new(2)).await.unwrap();
    db.hand.advance(29 * DAY);
    assert_eq!(forget_undecided(&db.db, due(db.clock.now())).await.unwrap(), 0);
    db.hand.advance(2 * DAY);
    assert_eq!(forget_undecided(&db.db, due(db.clock.now())).await.unwrap(), 2);
    assert_eq!((kept(&app, "ana").await, kept(&app, "ben").await), (vec![3, 4], vec![1, 2, 3, 4]));
    assert_eq!(app.unread_count(owner("ana")).await.unwrap().unread, 2);
    db.hand.advance(150 * DAY);
    assert_eq!(forget_undecided(&db.db, due(db.clock.now())).await.unwrap(), 6);
    let count = app.unread_count(owner("ben")).await.unwrap();
    assert_eq!((count.unread, count.sequence), (0, Sequence::new(4)));
    // The sequence goes on where it was.
    tell(&app, 1, &["ben"]).await;
    assert_eq!(kept(&app, "ben").await, [5]);
});

// P14
db::both_databases!(retention_moves_the_mark_behind_which_a_feed_is_complete, MIGRATIONS, |db| async move {
    let app = app(&db);
    tell(&app, 5, &["ana"]).await;
    let third = db.read(&ACME, move |tx| {
        Box::pin(async move { entries::after(tx, &subject("ana"), Sequence::new(2), 1).await })
    });
    let third = third.await.unwrap().entries[0].notification_id;
    app.mark_read(owner("ana"), vec![third]).await.unwrap();
    db.hand.advance(31 * DAY);
    forget_undecided(&db.db, due(db.clock.now())).await.unwrap();
    assert_eq!(kept(&app, "ana").await, [1, 2, 4, 5]);
    let head = head(&app, "ana").await;
    assert_eq!(head.forgotten_through, Sequence::new(3));
    let behind =
        |after| Cursor { after: Sequence::new(after), sparse_through: Sequence::START, handled: None };
    assert!(behind(2).has_missed_something(head) && !behind(3).has_missed_something(head));
    assert!(!Cursor::earliest(head).has_missed_something(head));
});

db::both_databases!(batches_of_two_replicas_at_once_leave_no_gap, MIGRATIONS, |db| async move {
    let one = app(&db);
    let two = App { db: replica(&db, &MIGRATIONS).await, ..app(&db) };
    let rounds = |app: App, people: [&'static str; 3]| async move {
        for _ in 0..30 {
            let mut events: Vec<Event> = (0..4).map(|n| event(&app.clock, &people[..n % 3 + 1])).collect();
            while let Err(error) = app.notify(&ACME, origin(), events.clone()).await {
                assert!(matches!(&error, Error::Db(error) if error.is_transient()), "{error}");
                events.rotate_left(1);
            }
        }
        app.db
    };
    let (_, second) = tokio::join!(
        tokio::spawn(rounds(one, ["ana", "ben", "cleo"])),
        tokio::spawn(rounds(two, ["cleo", "ana", "ben"])),
    );
    let app = app(&db);
    for name in ["ana", "ben", "cleo"] {
        let end = head(&app, name).await.sequence.number();
        assert_eq!(kept(&app, name).await, (1..=end).collect::<Vec<i64>>());
    }
    second.unwrap().close().await;
});
