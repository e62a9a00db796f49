//! Subject, tags and priority of a conversation (R4). Workflows run for tags that it did not have (R9).

use std::collections::BTreeSet;

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::ConversationId;
use rpc::Caller;

use super::prepared::Prepared;
use super::status::{get_locked, save};
use super::waits::Change;
use super::workflow_runs::Occasion;
use super::{App, check_version};
use crate::domain::conversation::{Conversation, ConversationChange};
use crate::error::Error;
use crate::store;

impl App {
    /// Changes a conversation.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Stale`], [`Error::RequestIdReused`], [`Error::Db`].
    pub async fn update_conversation(
        &self,
        caller: &Caller,
        origin: Origin,
        retry: Retry,
        id: ConversationId,
        change: ConversationChange,
        expected: Option<i64>,
    ) -> Result<Conversation, Error> {
        let origin = origin.of_request(retry.request_id);
        self.prepared(&caller.org, |prepared| {
            let (app, retry, origin, change) = (self.clone(), retry.clone(), origin.clone(), change.clone());
            self.db.write(&caller.org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &prepared.teams()).await?;
                    db::once(tx, &retry, |tx| {
                        Box::pin(
                            async move { app.update(tx, id, change, expected, &origin, &prepared).await },
                        )
                    })
                    .await
                })
            })
        })
        .await
    }

    async fn update(
        &self,
        tx: &mut Tx,
        id: ConversationId,
        change: ConversationChange,
        expected: Option<i64>,
        origin: &Origin,
        prepared: &Prepared,
    ) -> Result<Conversation, Error> {
        let mut it = get_locked(tx, id).await?;
        check_version(expected, it.version)?;
        let was = it.clone();
        if !change.apply(&mut it) {
            return Ok(it);
        }
        if it.priority != was.priority {
            store::queue::set_priority(tx, id, it.priority).await?;
        }
        audit::record(tx, origin, &[Event::new("conversation.update", id)]).await?;
        let added: BTreeSet<String> = it.tags.difference(&was.tags).cloned().collect();
        let ruleset = self.rulesets.current(tx).await?;
        ruleset.policies().follow(&mut it, self.clock.now());
        let mut it = save(tx, it).await?;
        self.ring_inboxes(tx);
        if !added.is_empty() {
            let occasion = Occasion::tagged(added, self.clock.now());
            it = self.run_workflows(tx, it, &ruleset, occasion, prepared).await?;
        }
        self.begin_waits(tx, &ruleset, &[Change { was: Some(&was), is: &it }]).await?;
        Ok(it)
    }
}
