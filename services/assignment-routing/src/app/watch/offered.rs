//! What is offered to the reader of a stream.

use std::collections::{HashMap, HashSet};

use kernel::ConversationId;

use super::feed::LiveInbox;
use super::pace::held;
use super::reader::Concerned;
use crate::app::offer_answers::with_conversations;
use crate::domain::conversation::Conversation;
use crate::domain::offer::Offer;
use crate::error::Error;
use crate::store;

impl LiveInbox {
    /// What is offered to the reader of the conversations of these changes now.
    pub(super) async fn offers(
        &self,
        found: &[Concerned],
    ) -> Result<HashMap<ConversationId, (Offer, Conversation)>, Error> {
        let ids: HashSet<ConversationId> = found.iter().filter_map(|it| it.concern.offered()).collect();
        let ids: Vec<ConversationId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let agent = held(&self.interest).agent;
        let read = self.reader.db.read(&self.reader.org, move |tx| {
            Box::pin(async move {
                let open = store::offers::list_open_to(tx, agent, &ids).await?;
                with_conversations(tx, open).await
            })
        });
        Ok(read.await?.into_iter().map(|(offer, it)| (offer.conversation, (offer, it))).collect())
    }
}
