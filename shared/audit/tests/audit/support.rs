//! What the tests record, and how they look at it.

use audit::{Event, Finding, Head, Origin, Sealer, TABLES, Walk};
use db::test_support::org;
use db::{Db, DbError, Migrations};
use kernel::{Role, Subject};

pub(crate) const SERVICE: &str = "notes";

pub(crate) static MIGRATIONS: Migrations = Migrations { sets: &[&TABLES] };

pub(crate) fn origin(subject: &str) -> Origin {
    Origin::new(
        &Subject::parse(subject).unwrap(),
        Role::Agent,
        "/backchannel.notes.v1.NoteService/CreateNote",
    )
}

/// Records one note of Ana's for each id, each in a transaction of its own.
pub(crate) async fn record(db: &Db, to: &str, ids: impl IntoIterator<Item = usize>) {
    for id in ids {
        record_all(db, to, vec![Event::new("note.create", id)]).await;
    }
}

/// Records events in one transaction.
pub(crate) async fn record_all(db: &Db, to: &str, events: Vec<Event>) {
    let to = org(to);
    let write =
        db.write(&to, move |tx| Box::pin(async move { audit::record(tx, &origin("ana"), &events).await }));
    write.await.unwrap();
}

pub(crate) async fn seal(db: &Db) -> usize {
    Sealer::new(SERVICE, db.clone()).seal_all().await.unwrap()
}

/// Walks the whole chain; tells what was found, and where it ends.
pub(crate) async fn verify(db: &Db, of: &str, known: Option<Head>) -> (Finding, Option<Head>) {
    let of = org(of);
    let mut walk = db.read(&of, move |tx| Walk::begin(tx, SERVICE, known)).await.unwrap();
    loop {
        let (next, found) = db.read(&of, move |tx| walk.step(tx)).await.unwrap();
        if let Some(found) = found {
            return (found, next.head());
        }
        walk = next;
    }
}

pub(crate) async fn intact(db: &Db, of: &str) -> Head {
    let (found, head) = verify(db, of, None).await;
    assert_eq!(found, Finding::Intact, "{of}");
    head.expect("a head")
}

/// What somebody does who can write to the database; tells how many rows it changed.
pub(crate) async fn tamper(db: &Db, sql: &str) -> u64 {
    let sql = sql.to_owned();
    db.write_system(move |tx| Box::pin(async move { tx.query_dynamic(sql).execute(tx).await }))
        .await
        .map_err(|error: DbError| error)
        .unwrap()
}
