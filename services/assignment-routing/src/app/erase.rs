//! Routing's part in the erasure of a contact (P12): the contact is buried, so that nothing is begun with them; their conversations
//! go, each leaving its id; then what is left of those in other tables. Every step is a short transaction which counts what it
//! removes, and can be repeated.

use std::collections::BTreeMap;

use audit::{Event, Origin};
use db::Tx;
use erasure::{ErasureId, Kind, Removed};
use kernel::{AgentId, ContactId, ConversationId, OrgId, PageSize};
use rpc::Caller;
use uuid::Uuid;

use super::App;
use crate::domain::load::Load;
use crate::error::Error;
use crate::events::notes::NOTES;
use crate::store;
use crate::store::erasure::{Doomed, LEFTOVERS};

const ERASED: &str = "erasure.conversations";

/// Conversations removed in one transaction.
const CONVERSATIONS: i64 = 100;

/// Rows of another table removed in one transaction.
const ROWS: i64 = 1_000;

/// Transactions of one call.
const STEPS: usize = 20;

/// How far a service's part in an erasure is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whether nothing is left.
    pub done: bool,
    /// What was removed, in all calls together.
    pub removed: Vec<Removed>,
}

impl App {
    /// Removes conversations of contacts, as many as one call may.
    ///
    /// # Errors
    /// [`Error::Db`]; what was removed before stays so.
    pub async fn erase_contact(
        &self,
        caller: &Caller,
        origin: Origin,
        erasure: ErasureId,
        contacts: Vec<ContactId>,
    ) -> Result<Progress, Error> {
        let org = &caller.org;
        self.bury(org, erasure, contacts.iter().map(ContactId::as_uuid).collect()).await?;
        let mut done = false;
        for _ in 0..STEPS {
            let (app, contacts, origin) = (self.clone(), contacts.clone(), origin.clone());
            let step = self.db.write(org, move |tx| {
                Box::pin(async move { step(&app, tx, erasure, contacts, origin).await })
            });
            if !step.await? {
                done = true;
                break;
            }
        }
        let removed = self.db.read(org, move |tx| Box::pin(erasure::removed(tx, erasure)));
        Ok(Progress { done, removed: removed.await? })
    }

    /// In a transaction of its own: what was begun before is there for the next one to see.
    async fn bury(&self, org: &OrgId, erasure: ErasureId, contacts: Vec<Uuid>) -> Result<(), Error> {
        let asked = contacts.clone();
        let known =
            self.db.read(org, move |tx| Box::pin(erasure::list_buried(tx, Kind::Contact, &asked))).await?;
        if contacts.iter().all(|contact| known.contains(contact)) {
            return Ok(());
        }
        let bury = self.db.write(org, move |tx| {
            Box::pin(async move { Ok(erasure::bury(tx, erasure, Kind::Contact, &contacts).await?) })
        });
        bury.await
    }

    /// Lists the conversations that an erasure removed, by id, and the token of the next page.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_erased_conversations(
        &self,
        caller: &Caller,
        erasure: ErasureId,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<ConversationId>, String), Error> {
        let binding = format!("{} {erasure}", caller.org).into_bytes();
        let after: Uuid = match token {
            "" => Uuid::nil(),
            token => self.seal.open(ERASED, &binding, token).map_err(Error::BadPageToken)?,
        };
        let read = self.db.read(&caller.org, move |tx| {
            Box::pin(erasure::list(tx, erasure, Kind::Conversation, after, size.and_one()))
        });
        let mut page = read.await?;
        let more = page.len() > size.get();
        page.truncate(size.get());
        let next = page.last().filter(|_| more).map(|last| self.seal.seal(ERASED, &binding, last));
        Ok((page.into_iter().map(ConversationId::from).collect(), next.unwrap_or_default()))
    }
}

/// Removes some of what there is; tells whether there was anything.
async fn step(
    app: &App,
    tx: &mut Tx,
    erasure: ErasureId,
    contacts: Vec<ContactId>,
    origin: Origin,
) -> Result<bool, Error> {
    if merges::anything_returning(tx, &contacts).await? {
        // Their conversations seem to be another's, or the other way round: to be asked again once they are back.
        return Err(Error::Raced);
    }
    let doomed = store::erasure::lock_conversations(tx, &contacts, CONVERSATIONS).await?;
    if !doomed.is_empty() {
        remove(app, tx, erasure, doomed, &origin).await?;
        return Ok(true);
    }
    for leftover in LEFTOVERS {
        let gone = store::erasure::remove_leftovers(tx, erasure, leftover, ROWS).await?;
        if gone > 0 {
            counted(tx, erasure, leftover.kind, gone, &origin).await?;
            return Ok(true);
        }
    }
    let mut forgotten = 0;
    for contact in contacts {
        forgotten += store::erasure::forget_answers(tx, contact).await?;
    }
    if forgotten > 0 {
        counted(tx, erasure, Some("kept_answers"), forgotten, &origin).await?;
    }
    Ok(false)
}

/// Removes conversations: from queues, from who has them, from those put aside. Their ids stay.
async fn remove(
    app: &App,
    tx: &mut Tx,
    erasure: ErasureId,
    doomed: Vec<Doomed>,
    origin: &Origin,
) -> Result<(), Error> {
    let ids: Vec<ConversationId> = doomed.iter().map(|it| it.conversation_id).collect();
    let uuids: Vec<Uuid> = ids.iter().map(ConversationId::as_uuid).collect();
    erasure::bury(tx, erasure, Kind::Conversation, &uuids).await?;
    let mut loads: BTreeMap<AgentId, Load> = BTreeMap::new();
    for it in &doomed {
        if let Some(agent) = it.loaded_agent_id {
            *loads.entry(agent).or_default() += -Load::one(it.units);
        }
    }
    let offered = store::queue::leave(tx, &ids).await?;
    let loads = app.take_back(tx, &offered, loads).await?;
    let agents: Vec<AgentId> = loads.keys().copied().collect();
    store::locks::lock_loads(tx, &agents).await?;
    store::loads::add_loads(tx, &loads, tx.clock().now()).await?;
    store::erasure::remove_snoozes(tx, &ids).await?;
    store::timers::forget(tx, &uuids).await?;
    outbox::withdraw(tx, NOTES, &uuids).await?;
    outbox::withdraw(tx, announce::TARGET, &uuids).await?;
    super::report_counter::close(tx, &ids).await?;
    let gone = store::erasure::remove_conversations(tx, &ids).await?;
    erasure::count(tx, erasure, &[("conversations", gone)]).await?;
    audit::record(tx, origin, &Event::each("conversation.erase", &ids)).await?;
    Ok(())
}

/// Counts what went, and records it; not each row: nobody ever knew a message or a cursor by itself.
async fn counted(
    tx: &mut Tx,
    erasure: ErasureId,
    kind: Option<&'static str>,
    gone: u64,
    origin: &Origin,
) -> Result<(), Error> {
    if let Some(kind) = kind {
        erasure::count(tx, erasure, &[(kind, gone)]).await?;
    }
    Ok(audit::record(tx, origin, &[Event::new("erasure.remove", erasure)]).await?)
}
