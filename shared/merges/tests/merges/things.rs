//! A service with nothing but things, each of a contact.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use audit::Origin;
use db::test_support::{TestDb, org};
use db::{BoxFuture, DbError, MigrationSet, Migrations, Step, Tx, rows};
use kernel::{ContactId, MergeId, OrgId};
use merges::{Follower, Heard, Rows, What, hold_home, remember};
use proto::common::v1::EventDisposition;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

static THINGS: MigrationSet = MigrationSet {
    name: "things",
    steps: &[Step {
        name: "0001_things",
        sqlite: "CREATE TABLE things (org_id TEXT NOT NULL, thing_id BLOB NOT NULL, contact_id BLOB NOT NULL,
            PRIMARY KEY (org_id, thing_id)) STRICT;",
        postgres:
            "CREATE TABLE things (org_id TEXT NOT NULL, thing_id UUID NOT NULL, contact_id UUID NOT NULL,
            PRIMARY KEY (org_id, thing_id));",
    }],
    work_tables: &[],
};

pub(crate) static MIGRATIONS: Migrations =
    Migrations { sets: &[&audit::TABLES, &outbox::TABLES, &merges::TABLES, &THINGS] };

/// Whose the shop is.
pub(crate) static ACME: LazyLock<OrgId> = LazyLock::new(|| org("acme"));

/// Things that one transaction moves.
pub(crate) const AT_ONCE: u16 = 10;

#[derive(Clone, Copy)]
pub(crate) struct Things;

impl Rows for Things {
    fn action(&self) -> &'static str {
        "thing.move"
    }

    fn at_once(&self) -> u16 {
        AT_ONCE
    }

    fn list<'t>(
        &'t self,
        tx: &'t mut Tx,
        contact: ContactId,
        limit: i64,
    ) -> BoxFuture<'t, Result<Vec<Uuid>, DbError>> {
        const SQL: &str =
            "SELECT thing_id FROM things WHERE org_id = $1 AND contact_id = $2 ORDER BY thing_id LIMIT $3";
        Box::pin(tx.query(SQL).bind(contact).bind(limit).fetch_values(tx))
    }

    fn give<'t>(
        &'t self,
        tx: &'t mut Tx,
        ids: &'t [Uuid],
        from: ContactId,
        to: ContactId,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        assert!(ids.len() <= usize::from(AT_ONCE), "no transaction moves more");
        let sql = format!(
            "UPDATE things SET contact_id = $3 WHERE org_id = $1 AND contact_id = $2 AND thing_id IN (VALUES {})",
            rows(4, ids.len(), 1)
        );
        let query = tx.query_dynamic(sql).bind(from).bind(to).bind_all(ids.iter().copied());
        Box::pin(async move { query.execute(tx).await.map(drop) })
    }
}

/// The service with its database.
pub(crate) struct Shop {
    pub(crate) db: TestDb,
    pub(crate) follower: Follower,
}

impl Shop {
    pub(crate) fn of(db: TestDb) -> Self {
        let follower = Follower::new("shop", db.db.clone(), Things);
        Self { db, follower }
    }

    pub(crate) fn contacts<const N: usize>(&self) -> [ContactId; N] {
        std::array::from_fn(|_| self.db.clock.new_id().into())
    }

    /// An event of contacts.
    pub(crate) fn heard(&self, what: What, merge: MergeId, from: ContactId, into: ContactId) -> Heard {
        Heard { event: self.db.clock.new_id().into(), what, merge, from, into }
    }

    /// Tells of a merge; gives its id.
    pub(crate) async fn merge(&self, from: ContactId, into: ContactId) -> MergeId {
        let merge = self.db.clock.new_id().into();
        self.tell(self.heard(What::Merged, merge, from, into)).await;
        merge
    }

    pub(crate) async fn unmerge(&self, merge: MergeId, from: ContactId, into: ContactId) {
        self.tell(self.heard(What::Unmerged, merge, from, into)).await;
    }

    pub(crate) async fn tell(&self, heard: Heard) -> EventDisposition {
        let origin = Origin::system("contacts", "test");
        let outcomes = self.follower.apply(&ACME, origin, vec![heard]).await.unwrap();
        assert_eq!(outcomes.len(), 1);
        outcomes[0].disposition()
    }

    /// Puts things under a contact as somebody does who knows of no merge.
    pub(crate) async fn put(&self, contact: ContactId, count: usize) {
        let ids: Vec<Uuid> = (0..count).map(|_| self.db.clock.new_id()).collect();
        let write = self.db.write(&ACME, move |tx| Box::pin(async move { insert(tx, contact, &ids).await }));
        write.await.unwrap();
    }

    /// Puts one thing under a contact as a service does.
    pub(crate) async fn put_late(&self, contact: ContactId) {
        let id = self.db.clock.new_id();
        let write = self.db.write(&ACME, move |tx| {
            Box::pin(async move {
                let home = hold_home(tx, contact).await?;
                insert(tx, home.contact_id, &[id]).await?;
                remember(tx, &home.merges, &[id]).await
            })
        });
        write.await.unwrap();
    }

    /// Like [`Shop::put_late`], and does not commit before it is let.
    pub(crate) fn put_slowly(&self, contact: ContactId) -> Slowly {
        let (id, db) = (self.db.clock.new_id(), self.db.db.clone());
        let ((has_it, it_has), (finish, wait)) = (oneshot::channel(), oneshot::channel());
        let written = tokio::spawn(async move {
            let write = db.write(&ACME, move |tx| {
                Box::pin(async move {
                    let home = hold_home(tx, contact).await?;
                    has_it.send(()).unwrap();
                    wait.await.unwrap();
                    insert(tx, home.contact_id, &[id]).await?;
                    remember(tx, &home.merges, &[id]).await
                })
            });
            write.await.unwrap();
        });
        Slowly { it_has, finish, written }
    }

    /// Lets everything move that is due; tells in how many rounds.
    pub(crate) async fn settle(&self) -> usize {
        let mut rounds = 0;
        while self.follower.round().await.unwrap() {
            rounds += 1;
            assert!(rounds < 1_000, "it never ends");
        }
        rounds
    }

    /// How many things these contacts have.
    pub(crate) async fn count<const N: usize>(&self, of: [ContactId; N]) -> [i64; N] {
        let read = self.db.read(&ACME, |tx| {
            Box::pin(async move {
                const SQL: &str =
                    "SELECT contact_id, COUNT(*) FROM things WHERE org_id = $1 GROUP BY contact_id";
                tx.query(SQL).fetch_all::<(ContactId, i64)>(tx).await
            })
        });
        let counts: BTreeMap<ContactId, i64> = read.await.unwrap().into_iter().collect();
        of.map(|contact| counts.get(&contact).copied().unwrap_or(0))
    }
}

/// Somebody who is writing.
pub(crate) struct Slowly {
    /// That it knows under whom.
    pub(crate) it_has: oneshot::Receiver<()>,
    /// Lets it go on.
    pub(crate) finish: oneshot::Sender<()>,
    pub(crate) written: JoinHandle<()>,
}

async fn insert(tx: &mut Tx, contact: ContactId, ids: &[Uuid]) -> Result<(), DbError> {
    for ids in ids.chunks(500) {
        let sql = format!(
            "INSERT INTO things (org_id, thing_id, contact_id) VALUES {}",
            db::org_rows(ids.len(), 2)
        );
        let query = ids.iter().fold(tx.query_dynamic(sql), |query, id| query.bind(*id).bind(contact));
        query.execute(tx).await?;
    }
    Ok(())
}
