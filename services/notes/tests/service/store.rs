//! What every database must do for the store, and the write that benchmarks use.

use std::collections::HashSet;
use std::time::Duration;

use audit::Origin;
use db::test_support::{TestDb, org};
use db::{BoxFuture, DbError, Retry, Tx, both_databases};
use kernel::{ConversationId, NoteId, Role, Subject, Timestamp};
use notes::MIGRATIONS;
use notes::app::{Draft, NewNote, create_note};
use notes::domain::{Author, Body, Directory, Kind, Note, Outcome, Place, Resolved, handles_in};
use notes::error::Error;
use notes::store::lists::{After, Shelf, list_unpinned};
use notes::store::notes::{find_note, insert_note, lock_note, update_note};
use notes::store::people::{insert_people, list_people};
use notes::store::revisions::{keep_revision, list_revisions};
use outbox::Outbox;

fn ana() -> Author {
    person("ana", Role::Agent)
}

fn person(subject: &str, role: Role) -> Author {
    Author { subject: Subject::parse(subject).unwrap(), role, display_name: format!("{subject} of acme") }
}

fn note(db: &TestDb, conversation_id: ConversationId, text: &str) -> Note {
    Note {
        note_id: db.clock.new_id().into(),
        place: on(db, conversation_id),
        reply: None,
        author: ana(),
        body: Body::parse(text.to_owned()).unwrap(),
        mentions: vec![notes::domain::Mention {
            handle: handles_in("@bob").unwrap().remove(0),
            kind: Some(Kind::Agent),
            outcome: Outcome::Notified(vec![Subject::parse("bob").unwrap()]),
        }],
        revision: 1,
        version: 1,
        create_time: db.clock.now(),
        update_time: db.clock.now(),
        pin: None,
        deletion: None,
        handoff: None,
    }
}

fn on(db: &TestDb, conversation_id: ConversationId) -> Place {
    Place::Conversation { conversation_id, contact_id: db.clock.new_id().into() }
}

/// All notes of a shelf in the order in which they were written.
fn written(tx: &mut Tx, shelf: Shelf, after: After, limit: i64) -> BoxFuture<'_, Result<Vec<Note>, DbError>> {
    Box::pin(list_unpinned(tx, shelf, Timestamp::from_micros(i64::MIN), after, limit))
}

async fn insert(db: &TestDb, note: &Note) {
    let note = note.clone();
    db.write(&org("acme"), move |tx| Box::pin(async move { insert_note(tx, &note).await })).await.unwrap();
}

async fn found(db: &TestDb, of: &str, id: NoteId) -> Option<Note> {
    db.read(&org(of), move |tx| Box::pin(find_note(tx, id))).await.unwrap()
}

both_databases!(a_stored_note_comes_back_whole_and_only_to_its_organization, MIGRATIONS, |db| async move {
    let note = note(&db, db.clock.new_id().into(), "text ✓");
    insert(&db, &note).await;
    assert_eq!(found(&db, "acme", note.note_id).await, Some(note.clone()));
    assert_eq!(found(&db, "globex", note.note_id).await, None);
    let (id, place) = (note.note_id, note.place);
    for shelf in [Shelf::Conversation(place.conversation_id().unwrap()), Shelf::Contact(place.contact_id())] {
        let globex = org("globex");
        let foreign = db.read(&globex, move |tx| Box::pin(written(tx, shelf, After::START, 10)));
        assert!(foreign.await.unwrap().is_empty());
    }
    let locked = db.write(&org("globex"), move |tx| Box::pin(lock_note(tx, id))).await.unwrap();
    assert_eq!(locked, None);
});

both_databases!(notes_of_one_moment_are_listed_by_id_and_none_twice, MIGRATIONS, |db| async move {
    let conversation: ConversationId = db.clock.new_id().into();
    let mut notes = Vec::new();
    for n in 0..6 {
        if n % 3 == 0 {
            db.hand.advance(Duration::from_millis(1));
        }
        let note = note(&db, conversation, &n.to_string());
        insert(&db, &note).await;
        notes.push(note);
    }
    insert(&db, &note(&db, db.clock.new_id().into(), "elsewhere")).await;
    let (mut listed, mut after) = (Vec::new(), After::START);
    loop {
        let page = db
            .read(&org("acme"), move |tx| Box::pin(written(tx, Shelf::Conversation(conversation), after, 2)))
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = After::note(last);
        listed.extend(page);
    }
    assert_eq!(listed, notes);
});

both_databases!(a_replaced_text_is_kept_with_who_wrote_it_and_when, MIGRATIONS, |db| async move {
    let first = note(&db, db.clock.new_id().into(), "first");
    insert(&db, &first).await;
    let root = person("root", Role::Admin);
    for (revision, text) in [(2, "second"), (3, "third")] {
        db.hand.advance(Duration::from_secs(1));
        let body = Body::parse(text.to_owned()).unwrap();
        let next = Note { body, revision, version: revision, update_time: db.clock.now(), ..first.clone() };
        let editor = root.clone();
        db.write(&org("acme"), move |tx| {
            Box::pin(async move {
                lock_note(tx, next.note_id).await?.ok_or(DbError::NoRow)?;
                keep_revision(tx, next.note_id).await?;
                update_note(tx, &next, &editor).await
            })
        })
        .await
        .unwrap();
    }
    let id = first.note_id;
    let kept = db.read(&org("acme"), move |tx| Box::pin(list_revisions(tx, id, 0, 10))).await.unwrap();
    let at = |seconds| first.create_time.plus(Duration::from_secs(seconds));
    let kept: Vec<(i64, &str, &str, Timestamp)> = kept
        .iter()
        .map(|kept| (kept.revision, kept.actor.subject.as_str(), kept.body.as_str(), kept.write_time))
        .collect();
    assert_eq!(
        kept,
        [(1, "ana", "first", at(0)), (2, "root", "second", at(1)), (3, "root", "third", at(2))],
        "the present text is the last one"
    );
    let one = db.read(&org("acme"), move |tx| Box::pin(list_revisions(tx, id, 1, 1))).await.unwrap();
    assert_eq!(one.iter().map(|kept| kept.revision).collect::<Vec<_>>(), [2]);
    assert_eq!(found(&db, "acme", id).await.unwrap().body.as_str(), "third");
    let foreign = db.read(&org("globex"), move |tx| Box::pin(list_revisions(tx, id, 0, 10))).await.unwrap();
    assert!(foreign.is_empty());
});

both_databases!(who_was_told_is_remembered_for_each_note, MIGRATIONS, |db| async move {
    let (one, other) =
        (note(&db, db.clock.new_id().into(), "one"), note(&db, db.clock.new_id().into(), "other"));
    insert(&db, &one).await;
    insert(&db, &other).await;
    let people: Vec<Subject> = (0..2_500).map(|n| Subject::parse(&format!("p{n}")).unwrap()).collect();
    let (id, told, now) = (one.note_id, people.clone(), db.clock.now());
    db.write(&org("acme"), move |tx| Box::pin(async move { insert_people(tx, id, &told, now).await }))
        .await
        .unwrap();
    for (note, expected) in [(one.note_id, people.into_iter().collect()), (other.note_id, HashSet::new())] {
        let told = db.read(&org("acme"), move |tx| Box::pin(list_people(tx, note))).await.unwrap();
        assert_eq!(told, expected);
    }
});

both_databases!(the_write_of_a_note_without_grpc_is_the_same_write, MIGRATIONS, |db| async move {
    let bob = Resolved { kind: Kind::Agent, people: vec![Subject::parse("bob").unwrap()] };
    let directory = Directory::from([(handles_in("@bob").unwrap().remove(0), bob)]);
    let new = |text: &str| NewNote {
        place: on(&db, ConversationId::from_uuid(db.clock.new_id())),
        reply: None,
        author: ana(),
        body: Body::parse(text.to_owned()).unwrap(),
        handles: handles_in(text).unwrap(),
        handoff: None,
        origin: Origin::new(&ana().subject, Role::Agent, "CreateNote"),
    };
    let retry = Retry {
        caller: ana().subject,
        method: "/backchannel.notes.v1.NoteService/CreateNote",
        request_id: Some(db.clock.new_id()),
        digest: [7; 32],
    };
    let outbox = Outbox::new();
    let record = |text, retry| {
        let draft = Draft::new(&db.clock, new(text), &directory);
        let (db, outbox) = (db.db.clone(), outbox.clone());
        async move { create_note::record(&db, &outbox, &org("acme"), retry, draft).await }
    };
    let first = record("@bob look", retry.clone()).await.unwrap();
    assert_eq!(record("@bob look", retry.clone()).await.unwrap(), first);
    assert_eq!(found(&db, "acme", first.note_id).await, Some(first));
    let reused = record("@bob other", Retry { digest: [8; 32], ..retry.clone() }).await;
    assert!(matches!(reused, Err(Error::Reused { request_id }) if request_id == retry.request_id));
    let events: i64 = db
        .read(&org("acme"), |tx| {
            Box::pin(async move {
                tx.query("SELECT COUNT(*) FROM outbox WHERE org_id = $1").fetch_value::<i64>(tx).await
            })
        })
        .await
        .unwrap();
    assert_eq!(events, 4, "told to notifications; the note and the mention to routing; the note to contacts");
});
