//! How conversations stand against their targets, and which were missed (R17).

use std::collections::HashMap;

use kernel::{ConversationId, PageSize, Timestamp};
use rpc::Caller;

use super::App;
use crate::domain::sla::Tracking;
use crate::domain::sla::breach::ShownBreach;
use crate::error::Error;
use crate::store;
use crate::store::sla_breaches::{Filter, Place};

/// Page tokens of missed targets.
const BREACHES: &str = "routing.sla_breaches";

/// How a conversation stands against its targets at a moment.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The conversation.
    pub conversation: ConversationId,
    /// Its policy and clocks.
    pub tracking: Tracking,
    /// The moment.
    pub now: Timestamp,
}

impl App {
    /// How a conversation stands.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::Db`].
    pub async fn get_standing(&self, caller: &Caller, id: ConversationId) -> Result<Standing, Error> {
        let it = self.get_conversation(caller, id).await?;
        Ok(Standing { conversation: id, tracking: it.sla.unwrap_or_default(), now: self.clock.now() })
    }

    /// How conversations stand, in the order in which they are named; those the organization does not have are left out.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn list_standings(
        &self,
        caller: &Caller,
        ids: Vec<ConversationId>,
    ) -> Result<Vec<Standing>, Error> {
        let asked = ids.clone();
        let found = self
            .db
            .read(&caller.org, move |tx| Box::pin(store::conversations::list_by_ids(tx, asked)))
            .await?;
        let mut found: HashMap<ConversationId, _> = found.into_iter().collect();
        let now = self.clock.now();
        let standing = |id| {
            let it = found.remove(&id)?;
            Some(Standing { conversation: id, tracking: it.sla.unwrap_or_default(), now })
        };
        Ok(ids.into_iter().filter_map(standing).collect())
    }

    /// Lists targets that were missed, the latest first: the page, and the token of the next.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn list_sla_breaches(
        &self,
        caller: &Caller,
        filter: Filter,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<ShownBreach>, String), Error> {
        let binding = format!("{} {filter:?}", caller.org).into_bytes();
        let before: Option<Place> = match token {
            "" => None,
            token => Some(self.seal.open(BREACHES, &binding, token).map_err(Error::BadPageToken)?),
        };
        let mut page: Vec<ShownBreach> = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(store::sla_breaches::list_breaches(tx, filter, before, size.and_one()))
            })
            .await?;
        let more = page.len() > size.get();
        page.truncate(size.get());
        let place = |it: &ShownBreach| (it.breach.due, it.breach.id);
        let next = page.last().filter(|_| more).map(|last| self.seal.seal(BREACHES, &binding, &place(last)));
        Ok((page, next.unwrap_or_default()))
    }
}
