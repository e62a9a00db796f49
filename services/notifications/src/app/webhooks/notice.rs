//! Admins learn that a webhook was disabled: an entry in the feed of each.

use audit::Origin;
use db::DbError;
use kernel::{EventId, OrgId, Subject};

use crate::NAME;
use crate::app::App;
use crate::domain::webhook::WebhookId;
use crate::domain::{Event, NotificationType, Reason};
use crate::error::Error;
use crate::store::webhooks::{self, Notice};

/// Webhooks of one round.
const NOTICES: i64 = 50;

impl App {
    /// Tells admins of webhooks that were disabled since; tells how many webhooks that were. One whose admins cannot be found out now is
    /// told of in a later round; an event that was told already changes nothing.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn tell_of_disabled_webhooks(&self) -> Result<usize, Error> {
        let notices: Vec<Notice> =
            self.db.read_system(|tx| Box::pin(webhooks::notices(tx, NOTICES))).await.map_err(Error::Db)?;
        let mut told = 0;
        for notice in notices {
            let admins = match self.admins.of(&notice.org_id).await {
                Ok(admins) => admins,
                Err(error) => {
                    tracing::warn!(%error, "nobody was told yet that a webhook is disabled; tried again");
                    continue;
                }
            };
            self.tell(&notice, admins).await?;
            told += 1;
        }
        Ok(told)
    }

    async fn tell(&self, notice: &Notice, admins: Vec<Subject>) -> Result<(), Error> {
        let Notice { org_id, webhook_id, notice_event_id } = notice.clone();
        let text = format!("Webhook {webhook_id} was disabled: it could not be called");
        if let Some(event) = self.event(notice, &text, admins) {
            self.notify(&org_id, Origin::system(NAME, "webhooks"), vec![event]).await?;
        }
        self.forget_notice(&org_id, webhook_id, notice_event_id).await.map_err(Error::Db)
    }

    /// None where there is nobody to tell.
    fn event(&self, notice: &Notice, text: &str, admins: Vec<Subject>) -> Option<Event> {
        if admins.is_empty() {
            return None;
        }
        Some(Event {
            event_id: notice.notice_event_id,
            kind: NotificationType::WebhookDisabled,
            recipients: admins.into_iter().collect(),
            reason: Reason::parse(text).ok()?,
            conversation_id: None,
            note_id: None,
            actor: None,
            occur_time: self.clock.now(),
            excerpt: None,
        })
    }

    async fn forget_notice(&self, org: &OrgId, id: WebhookId, notice: EventId) -> Result<(), DbError> {
        self.db.write(org, move |tx| Box::pin(webhooks::note_told(tx, id, notice))).await
    }
}
