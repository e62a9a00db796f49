//! Merges that meet other writers at a certain moment. On SQLite there is one writer, and so no such moment.

use std::time::Duration;

use contacts::store::MIGRATIONS;
use db::{Db, DbError, Target};
use futures::future::join;
use kernel::{Clock, OrgId};
use proto::contacts::v1::*;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::merge_desk::{Desk, merge_request};

/// Somebody who has rows locked, seen from beside the service.
struct Lock {
    db: Db,
    held: JoinHandle<Result<(), DbError>>,
    let_go: oneshot::Sender<()>,
}

impl Lock {
    /// Locks what the statement reads; nobody does on SQLite.
    async fn of(desk: &Desk, sql: &'static str) -> Option<Self> {
        let url = desk.suite.database_url()?;
        let target = Target::Postgres { url, schema: "contacts".to_owned(), connections: 2 };
        let db = Db::open(target, &MIGRATIONS, Clock::system()).await.unwrap();
        let ((has_it, it_has), (let_go, wait)) = (oneshot::channel(), oneshot::channel());
        let beside = db.clone();
        let held = tokio::spawn(async move {
            let acme = acme();
            let hold = beside.write(&acme, move |tx| {
                Box::pin(async move {
                    tx.query(sql).execute(tx).await?;
                    has_it.send(()).unwrap();
                    wait.await.unwrap();
                    Ok::<_, DbError>(())
                })
            });
            hold.await
        });
        it_has.await.unwrap();
        Some(Self { db, held, let_go })
    }

    /// Waits until so many others wait for a lock. Whoever waits for too long is refused, so that it does not wait for ever.
    async fn waited_for(&self, by: i64) {
        let acme = acme();
        for _ in 0..20 {
            let waiting = self.db.read(&acme, |tx| {
                Box::pin(async move {
                    const SQL: &str = "SELECT COUNT(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock' AND $1 <> ''";
                    tx.query(SQL).fetch_value::<i64>(tx).await
                })
            });
            if waiting.await.unwrap() >= by {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn let_go(self) {
        self.let_go.send(()).unwrap();
        self.held.await.unwrap().unwrap();
        self.db.close().await;
    }
}

fn acme() -> OrgId {
    OrgId::parse("acme").unwrap()
}

fn add(list: &ContactList, contact: &Contact) -> AddListMembersRequest {
    AddListMembersRequest { list_id: list.list_id.clone(), contact_ids: vec![contact.contact_id.clone()] }
}

testkit::on_both_databases! {
    // C6 C3
    async fn whoever_comes_to_a_list_while_the_other_is_merged_into_them_is_on_it_and_counted_once(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let list = desk.list("fair", &[&from]).await;
        let Some(lock) = Lock::of(&desk, "SELECT list_id FROM lists WHERE org_id = $1 FOR UPDATE").await else {
            return;
        };
        let (mut lists, mut merges) = (desk.lists.clone(), desk.merges.clone());
        let (add, merge) = (add(&list, &into), merge_request(&from, &into));
        let added = tokio::spawn(async move { lists.add_list_members(add).await });
        lock.waited_for(1).await;
        let merged = tokio::spawn(async move { merges.merge_contacts(merge).await });
        lock.waited_for(2).await;
        lock.let_go().await;
        let (added, merged) = join(added, merged).await;
        added.unwrap().unwrap();
        let merge = merged.unwrap().unwrap().into_inner().merge.unwrap();
        assert_eq!(desk.lists_of(&into.contact_id).await, [("fair".to_owned(), 1)]);
        desk.unmerge(&merge.merge_id).await.unwrap();
        for contact in [&from, &into] {
            assert_eq!(desk.lists_of(&contact.contact_id).await, [("fair".to_owned(), 2)], "what was answered is done");
        }
    }

    // C6 C3
    async fn a_contact_who_is_merged_at_that_moment_comes_to_a_list_as_who_stands_for_them(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let list = desk.list("fair", &[]).await;
        let sql = "SELECT address FROM identities WHERE org_id = $1 FOR UPDATE";
        let Some(lock) = Lock::of(&desk, sql).await else { return };
        let (mut lists, mut merges) = (desk.lists.clone(), desk.merges.clone());
        let (add, merge) = (add(&list, &from), merge_request(&from, &into));
        let merged = tokio::spawn(async move { merges.merge_contacts(merge).await });
        lock.waited_for(1).await;
        let added = tokio::spawn(async move { lists.add_list_members(add).await });
        lock.waited_for(2).await;
        lock.let_go().await;
        merged.await.unwrap().unwrap();
        let list = added.await.unwrap().unwrap().into_inner().list.unwrap();
        assert_eq!(list.member_count, 1);
        assert_eq!(desk.lists_of(&into.contact_id).await, [("fair".to_owned(), 1)]);
    }
}
