//! The part of notes in the erasure of a contact (P12): conversations and contacts are buried, so that nothing more is written about
//! them; then everything about them goes, table by table. Every step is a short transaction which counts what it removes, and can be
//! repeated.

use audit::{Event, Origin};
use db::{DbError, Tx};
use erasure::{ErasureId, Kind, Removed};
use kernel::{ContactId, OrgId};
use rpc::Caller;
use uuid::Uuid;

use super::App;
use super::watch::wake;
use crate::domain::watch::Target;
use crate::error::Error;
use crate::store;

/// Rows removed in one transaction.
const ROWS: i64 = 500;

/// Transactions of one call.
const STEPS: usize = 20;

/// Pages of SQLite's index that are merged in one transaction.
const PAGES: i64 = 1_000;

/// How far the service's part in an erasure is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whether nothing is left.
    pub done: bool,
    /// What was removed, in all calls together.
    pub removed: Vec<Removed>,
}

impl App {
    /// Removes what is about these conversations or contacts, as much as one call may.
    ///
    /// # Errors
    /// [`Error::Database`]; what was removed before stays so.
    pub async fn erase(
        &self,
        caller: &Caller,
        origin: Origin,
        erasure: ErasureId,
        kind: Kind,
        ids: Vec<Uuid>,
    ) -> Result<Progress, Error> {
        let org = &caller.org;
        self.bury(org, erasure, kind, ids.clone()).await?;
        let mut done = false;
        for _ in 0..STEPS {
            let (ids, origin) = (ids.clone(), origin.clone());
            let step = self.db.write(org, move |tx| Box::pin(step(tx, erasure, kind, ids, origin)));
            match step.await {
                Ok(true) => {}
                Ok(false) => {
                    done = true;
                    break;
                }
                // Somebody was editing a note that was about to go; what they added is seen by the next step.
                Err(Error::Database(DbError::ForeignKey)) => {}
                Err(error) => return Err(error),
            }
        }
        if done {
            for id in &ids {
                // Who follows it is told that it is gone.
                wake(&self.wake, org, watched(kind, *id));
            }
            if kind == Kind::Contact {
                self.merge_index().await?;
            }
        }
        let removed = self.db.read(org, move |tx| Box::pin(erasure::removed(tx, erasure)));
        Ok(Progress { done, removed: removed.await? })
    }

    /// In a transaction of its own: what was begun before is there for the next one to see.
    async fn bury(&self, org: &OrgId, erasure: ErasureId, kind: Kind, ids: Vec<Uuid>) -> Result<(), Error> {
        let asked = ids.clone();
        let known = self.db.read(org, move |tx| Box::pin(erasure::list_buried(tx, kind, &asked))).await?;
        if ids.iter().all(|id| known.contains(id)) {
            return Ok(());
        }
        let bury = self.db.write(org, move |tx| {
            Box::pin(async move {
                erasure::bury(tx, erasure, kind, &ids).await?;
                // What webhooks were not told yet: it may say what a note said.
                outbox::withdraw(tx, announce::TARGET, &ids).await?;
                Ok(())
            })
        });
        bury.await
    }

    /// The last step of an erasure: the words of its notes leave SQLite's index. In a very large one, where this takes longer than a
    /// call may, the rest goes in the background ([`merge_index`](super::merge_index)).
    async fn merge_index(&self) -> Result<(), Error> {
        for _ in 0..STEPS {
            let merge = self
                .db
                .write_system(|tx| Box::pin(async move { store::erasure::merge_index(tx, PAGES).await }));
            if !merge.await.map_err(Error::Database)? {
                break;
            }
        }
        Ok(())
    }
}

/// Where the notes of what is erased are followed.
fn watched(kind: Kind, id: Uuid) -> Target {
    match kind {
        Kind::Contact => Target::Contact(id.into()),
        Kind::Conversation => Target::Conversation(id.into()),
    }
}

/// Removes some of what there is; tells whether there was anything.
async fn step(
    tx: &mut Tx,
    erasure: ErasureId,
    kind: Kind,
    ids: Vec<Uuid>,
    origin: Origin,
) -> Result<bool, Error> {
    let contacts: Vec<ContactId> = ids.into_iter().map(ContactId::from).collect();
    if kind == Kind::Contact && merges::anything_returning(tx, &contacts).await? {
        // Their notes seem to be about another, or the other way round: to be asked again once they are back.
        return Err(DbError::Busy.into());
    }
    for part in store::erasure::parts(kind) {
        let gone = store::erasure::remove(tx, erasure, kind, part, ROWS).await?;
        if gone == 0 {
            continue;
        }
        if let Some(of) = part.kind {
            erasure::count(tx, erasure, &[(of, gone)]).await?;
        }
        audit::record(tx, &origin, &[Event::new("erasure.remove", erasure)]).await?;
        return Ok(true);
    }
    Ok(false)
}
