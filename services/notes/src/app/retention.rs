//! Notes and internal messages which an organization keeps no longer (P12). By default it keeps all.

use std::collections::BTreeSet;

use audit::{Event, Origin};
use db::{BoxFuture, Db, DbError, Tx};
use kernel::{ConversationId, OrgId, Timestamp};

use crate::NAME;
use crate::domain::internal_message::InternalThreadId;
use crate::error::Error;
use crate::store::{self, retention};

/// Notes and messages removed in one transaction: short, so that nobody waits behind it.
const AT_ONCE: i64 = 100;

/// Removes what is due in every organization; tells how much went.
///
/// # Errors
/// [`Error::Database`]; what went before stays gone.
pub async fn forget(db: &Db, now: Timestamp) -> Result<usize, Error> {
    let kept = db.read_system(|tx| Box::pin(store::settings::list_retentions(tx))).await;
    let mut gone = 0;
    for (org, notes, messages) in kept.map_err(Error::Database)? {
        if let Some(before) = notes.due_before(now) {
            gone += until_none(db, &org, before, notes_step).await?;
        }
        if let Some(before) = messages.due_before(now) {
            gone += until_none(db, &org, before, messages_step).await?;
        }
    }
    Ok(gone)
}

type Step = for<'t> fn(&'t mut Tx, Timestamp) -> BoxFuture<'t, Result<usize, Error>>;

fn notes_step(tx: &mut Tx, before: Timestamp) -> BoxFuture<'_, Result<usize, Error>> {
    Box::pin(forget_notes(tx, before))
}

fn messages_step(tx: &mut Tx, before: Timestamp) -> BoxFuture<'_, Result<usize, Error>> {
    Box::pin(forget_messages(tx, before))
}

async fn until_none(db: &Db, org: &OrgId, before: Timestamp, step: Step) -> Result<usize, Error> {
    let mut gone = 0;
    loop {
        match db.write(org, move |tx| step(tx, before)).await {
            Ok(0) => return Ok(gone),
            Ok(more) => gone += more,
            // Somebody was editing one of them.
            Err(Error::Database(DbError::ForeignKey)) => {}
            Err(error) => return Err(error),
        }
    }
}

async fn forget_notes(tx: &mut Tx, before: Timestamp) -> Result<usize, Error> {
    let ids = retention::list_notes(tx, before, AT_ONCE).await?;
    if ids.is_empty() {
        return Ok(0);
    }
    retention::remove_notes(tx, &ids).await?;
    audit::record(tx, &origin(), &Event::each("note.forget", &ids)).await?;
    Ok(ids.len())
}

async fn forget_messages(tx: &mut Tx, before: Timestamp) -> Result<usize, Error> {
    let old = retention::list_messages(tx, before, AT_ONCE).await?;
    if old.is_empty() {
        return Ok(0);
    }
    // In one order, like everybody who locks several; then nobody writes in their threads, or reads.
    let conversations: BTreeSet<ConversationId> = old.iter().map(|it| it.conversation_id).collect();
    for conversation in conversations {
        store::internal_messages::conversations::lock_latest_time(tx, conversation).await?;
    }
    let ids: Vec<_> = old.iter().map(|it| it.internal_message_id).collect();
    let threads: BTreeSet<InternalThreadId> = old.iter().map(|it| it.internal_thread_id).collect();
    let threads: Vec<InternalThreadId> = threads.into_iter().collect();
    retention::remove_messages(tx, &ids).await?;
    retention::recount_unread(tx, &threads).await?;
    retention::remove_empty_threads(tx, &threads).await?;
    audit::record(tx, &origin(), &Event::each("internal_message.forget", &ids)).await?;
    Ok(ids.len())
}

fn origin() -> Origin {
    Origin::system(NAME, "retention")
}
