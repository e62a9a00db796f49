//! The trail is read by actor, object, action and time, page by page, sealed or not.

use std::time::Duration;

use audit::{Event, Filter, Record};
use db::both_databases;
use db::test_support::{TestDb, org};
use kernel::Subject;

use crate::support::{MIGRATIONS, origin, record, record_all, seal};

async fn list(db: &TestDb, of: &str, filter: Filter, before: Option<uuid::Uuid>, limit: i64) -> Vec<Record> {
    let of = org(of);
    let read = db.read(&of, move |tx| Box::pin(async move { audit::list(tx, &filter, before, limit).await }));
    read.await.unwrap()
}

fn objects(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| record.object_id.as_str()).collect()
}

// P10
both_databases!(a_record_says_who_did_what_on_which_object_from_which_request, MIGRATIONS, |db| async move {
    let request = db.clock.new_id();
    let from =
        origin("ana").of_request(Some(request)).traced(Some("0af7651916cd43dd8448eb211c80319c".into()));
    let events = [Event::new("note.create", "n-1"), Event::new("note.delete", "n-2")];
    db.write(&org("acme"), move |tx| Box::pin(async move { audit::record(tx, &from, &events).await }))
        .await
        .unwrap();
    for sealed in [false, true] {
        let records = list(&db, "acme", Filter::default(), None, 10).await;
        assert_eq!(objects(&records), ["n-2", "n-1"], "newest first");
        let first = &records[1];
        assert_eq!(
            (first.org_id.as_str(), first.actor_subject.as_str(), first.actor_role.as_str()),
            ("acme", "ana", "agent")
        );
        assert_eq!((first.action.as_str(), first.object_kind.as_str()), ("note.create", "note"));
        assert_eq!(first.method, "/backchannel.notes.v1.NoteService/CreateNote");
        assert_eq!(first.request_id, Some(request));
        assert_eq!(first.trace_id.as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(first.time(), db.clock.now());
        assert_eq!((first.sequence, first.hash.is_some()), (i64::from(sealed), sealed));
        seal(&db).await;
    }
    assert!(
        list(&db, "globex", Filter::default(), None, 10).await.is_empty(),
        "other organizations see nothing of it"
    );
});

// P10
both_databases!(every_filter_leaves_what_fits, MIGRATIONS, |db| async move {
    let start = db.clock.now();
    record(&db, "acme", 0..2).await;
    db.hand.advance(Duration::from_secs(60));
    let other = [Event::new("contact.update", "0"), Event::new("contact.tag", "1")];
    let acme = org("acme");
    let write =
        db.write(&acme, move |tx| Box::pin(async move { audit::record(tx, &origin("ben"), &other).await }));
    write.await.unwrap();
    let later = db.clock.now();
    for _ in 0..2 {
        let fits = async |filter: Filter| list(&db, "acme", filter, None, 10).await.len();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(fits(Filter::default()).await, 4);
        assert_eq!(
            fits(Filter { actor: Some(Subject::parse("ben").unwrap()), ..Filter::default() }).await,
            2
        );
        assert_eq!(fits(Filter { object_kind: text("note"), ..Filter::default() }).await, 2);
        let object = Filter { object_kind: text("note"), object_id: text("0"), ..Filter::default() };
        assert_eq!(fits(object).await, 1, "not the contact of the same id");
        assert_eq!(fits(Filter { action: text("contact.tag"), ..Filter::default() }).await, 1);
        assert_eq!(fits(Filter { start: Some(later), ..Filter::default() }).await, 2);
        assert_eq!(fits(Filter { end: Some(later), ..Filter::default() }).await, 2);
        assert_eq!(fits(Filter { start: Some(start), end: Some(start), ..Filter::default() }).await, 0);
        let just_after = start.plus(Duration::from_micros(1));
        assert_eq!(
            fits(Filter { end: Some(just_after), ..Filter::default() }).await,
            2,
            "the end is not in it"
        );
        assert_eq!(fits(Filter { start: Some(just_after), ..Filter::default() }).await, 2);
        let both = Filter {
            actor: Some(Subject::parse("ben").unwrap()),
            action: text("note.create"),
            ..Filter::default()
        };
        assert_eq!(fits(both).await, 0, "all that is set must fit");
        seal(&db).await;
    }
});

// P7 P10
both_databases!(pages_miss_nothing_while_records_are_sealed_and_come_in, MIGRATIONS, |db| async move {
    for id in 0..25_usize {
        record_all(&db, "acme", vec![Event::new("note.create", id)]).await;
        if id == 12 {
            seal(&db).await;
        }
    }
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = list(&db, "acme", Filter::default(), before, 4).await;
        // Between two pages the sealer moves what waits, and more is done.
        seal(&db).await;
        record(&db, "acme", 100..101).await;
        let Some(last) = page.last() else { break };
        before = Some(last.event_id);
        seen.extend(page.into_iter().map(|record| record.object_id));
    }
    let expected: Vec<String> = (0..25).rev().map(|id| id.to_string()).collect();
    assert_eq!(seen, expected);
});
