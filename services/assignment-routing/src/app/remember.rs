//! What happens to conversations is written into their history, and told to webhooks that want it.

use db::Tx;
use proto::notifications::v1::WebhookEventType;

use super::App;
use crate::domain::conversation::Conversation;
use crate::domain::history::HistoryEvent;
use crate::error::Error;
use crate::events::webhooks::{kind, of_beginning, of_history};
use crate::store;

impl App {
    /// Writes entries of the history. Their conversations are locked.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn remember(&self, tx: &mut Tx, happened: &[HistoryEvent]) -> Result<(), Error> {
        store::history::insert_events(tx, happened).await?;
        let wanted = happened.iter().filter(|it| self.announcer.wants_in(tx, kind(it.kind)));
        let told: Vec<_> = wanted.map(|it| of_history(self.clock.new_id().into(), it)).collect();
        if told.is_empty() { Ok(()) } else { Ok(self.announcer.record(tx, told).await?) }
    }

    /// Tells webhooks of a new conversation.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub(super) async fn announce_beginning(&self, tx: &mut Tx, it: &Conversation) -> Result<(), Error> {
        if !self.announcer.wants_in(tx, WebhookEventType::ConversationCreated) {
            return Ok(());
        }
        Ok(self.announcer.record(tx, vec![of_beginning(self.clock.new_id().into(), it)]).await?)
    }
}
