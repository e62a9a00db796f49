//! The part of notifications in the erasure of a contact (P12): conversations are buried, so that nobody is told anything more about
//! them; then what people were told goes, feed by feed. Every step is a short transaction which counts what it removes, and can be
//! repeated.

use audit::{Event, Origin};
use db::Tx;
use erasure::{ErasureId, Kind, Removed};
use kernel::{ConversationId, OrgId};
use uuid::Uuid;

use super::App;
use crate::domain::Sequence;
use crate::error::Error;
use crate::store::{self, heads};

/// Entries removed from one feed in one transaction.
const ENTRIES: i64 = 500;

/// Transactions of one call.
const STEPS: usize = 20;

/// How far the service's part in an erasure is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whether nothing is left.
    pub done: bool,
    /// What was removed, in all calls together.
    pub removed: Vec<Removed>,
}

impl App {
    /// Removes entries about conversations, as many as one call may.
    ///
    /// # Errors
    /// [`Error::Db`]; what was removed before stays so.
    pub async fn erase_conversations(
        &self,
        org: &OrgId,
        origin: Origin,
        erasure: ErasureId,
        conversations: Vec<ConversationId>,
    ) -> Result<Progress, Error> {
        self.bury(org, erasure, conversations.iter().map(ConversationId::as_uuid).collect()).await?;
        let mut done = false;
        for _ in 0..STEPS {
            let origin = origin.clone();
            let step = self.db.write(org, move |tx| Box::pin(step(tx, erasure, origin)));
            if !step.await? {
                done = true;
                break;
            }
        }
        let removed = self.db.read(org, move |tx| Box::pin(erasure::removed(tx, erasure)));
        Ok(Progress { done, removed: removed.await? })
    }

    /// In a transaction of its own: what was begun before is there for the next one to see.
    async fn bury(&self, org: &OrgId, erasure: ErasureId, ids: Vec<Uuid>) -> Result<(), Error> {
        let asked = ids.clone();
        let known =
            self.db.read(org, move |tx| Box::pin(erasure::list_buried(tx, Kind::Conversation, &asked))).await;
        let known = known.map_err(Error::Db)?;
        if ids.iter().all(|id| known.contains(id)) {
            return Ok(());
        }
        let bury = self.db.write(org, move |tx| {
            Box::pin(async move { Ok(erasure::bury(tx, erasure, Kind::Conversation, &ids).await?) })
        });
        bury.await
    }
}

/// Removes some of what there is; tells whether there was anything. Whoever follows the feed from before the removed places is told
/// to list again.
async fn step(tx: &mut Tx, erasure: ErasureId, origin: Origin) -> Result<bool, Error> {
    let excerpts = store::excerpts::remove_erased(tx, erasure, ENTRIES).await?;
    if excerpts > 0 {
        erasure::count(tx, erasure, &[("excerpts", excerpts)]).await?;
        audit::record(tx, &origin, &[Event::new("erasure.remove", erasure)]).await?;
        return Ok(true);
    }
    let events = store::webhook_events::remove_erased(tx, erasure, ENTRIES).await?;
    if events > 0 {
        erasure::count(tx, erasure, &[("webhook_events", events)]).await?;
        audit::record(tx, &origin, &[Event::new("erasure.remove", erasure)]).await?;
        return Ok(true);
    }
    let mutes = store::mutes::remove_erased(tx, erasure).await?;
    if mutes > 0 {
        erasure::count(tx, erasure, &[("mutes", mutes)]).await?;
        audit::record(tx, &origin, &[Event::new("erasure.remove", erasure)]).await?;
        return Ok(true);
    }
    let Some(subject) = store::erasure::find_reader(tx, erasure).await? else { return Ok(false) };
    heads::lock(tx, &subject).await?;
    let gone = store::erasure::remove(tx, erasure, &subject, ENTRIES).await?;
    store::plans::remove(tx, &subject, &gone).await?;
    let newest = gone.iter().copied().max().unwrap_or(Sequence::START);
    heads::forget_through(tx, &subject, newest).await?;
    let now = tx.now().await?;
    heads::recount_unread(tx, &subject, now).await?;
    erasure::count(tx, erasure, &[("notifications", gone.len() as u64)]).await?;
    audit::record(tx, &origin, &[Event::new("erasure.remove", erasure)]).await?;
    Ok(true)
}
