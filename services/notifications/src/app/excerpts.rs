//! What emails hold of notes: kept only for organizations that asked for it, apart from every feed, for a short time.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use db::{DbError, Tx};
use kernel::{NotificationId, OrgId, Subject, Timestamp};

use super::App;
use crate::domain::settings::EmailContent;
use crate::domain::{Event, Excerpt};
use crate::error::Error;
use crate::store::excerpts::{self, Kept};

/// How long an excerpt is kept: longer than any email about it is tried.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Rows removed in one transaction, and organizations looked at in one round: short, so that nobody waits behind it.
const ROWS: i64 = 1_000;
const ORGANIZATIONS: i64 = 100;

/// Transactions in which one call removes what an organization does not want any more. What is left by then nobody reads, and it goes
/// with its time.
const STEPS: usize = 50;

/// Which organizations want excerpts, as this process last looked: the others' are dropped without asking the database.
#[derive(Debug, Default)]
pub struct Wanting(RwLock<HashSet<OrgId>>);

impl Wanting {
    /// Whether an organization did when this process last looked.
    pub fn is(&self, org: &OrgId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains(org)
    }

    fn replace(&self, organizations: HashSet<OrgId>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = organizations;
    }

    fn set(&self, org: &OrgId, wants: bool) {
        let mut wanting = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if wants {
            wanting.insert(org.clone());
        } else {
            wanting.remove(org);
        }
    }
}

impl App {
    /// What the organization's emails hold: nothing, where none are sent.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn email_content(&self, org: &OrgId) -> Result<EmailContent, Error> {
        if !self.sends_email {
            return Ok(EmailContent::None);
        }
        Ok(self.get_settings(org).await?.settings.email_content)
    }

    /// Looks which organizations want excerpts in their emails.
    ///
    /// # Errors
    /// [`Error::Db`]; what was known stays so.
    pub async fn look_who_wants_excerpts(&self) -> Result<(), Error> {
        let wanting = self.db.read_system(|tx| Box::pin(excerpts::wanting(tx))).await;
        self.wanting_excerpts.replace(wanting.map_err(Error::Db)?.into_iter().collect());
        Ok(())
    }

    /// The organization decided. What it does not want any more is removed.
    ///
    /// # Errors
    /// [`Error::Db`]; what is left is read by nobody.
    pub(super) async fn excerpts_decided(&self, org: &OrgId, content: EmailContent) -> Result<(), Error> {
        let wants = content == EmailContent::Excerpt;
        // Without email nobody would read them.
        self.wanting_excerpts.set(org, wants && self.sends_email);
        if wants {
            return Ok(());
        }
        for _ in 0..STEPS {
            if self.remove_excerpts(org, Timestamp::from_micros(i64::MAX)).await? < ROWS as u64 {
                break;
            }
        }
        Ok(())
    }

    /// The excerpts of some of a person's entries, where the organization wants them.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn excerpts_of(
        &self,
        org: &OrgId,
        subject: &Subject,
        entries: Vec<NotificationId>,
    ) -> Result<HashMap<NotificationId, Excerpt>, Error> {
        let subject = subject.clone();
        let read = self
            .db
            .read(org, move |tx| Box::pin(async move { excerpts::of_entries(tx, &subject, &entries).await }));
        Ok(read.await.map_err(Error::Db)?.into_iter().collect())
    }

    /// Removes excerpts whose time is over; tells how many went.
    ///
    /// # Errors
    /// [`Error::Db`]; what went before stays gone.
    pub async fn forget_excerpts(&self, now: Timestamp) -> Result<u64, Error> {
        let (due, mut gone) = (now.minus(KEPT), 0);
        loop {
            let look =
                self.db.read_system(move |tx| Box::pin(excerpts::due_organizations(tx, due, ORGANIZATIONS)));
            let organizations = look.await.map_err(Error::Db)?;
            if organizations.is_empty() {
                return Ok(gone);
            }
            for org in organizations {
                gone += self.remove_excerpts(&org, due).await?;
            }
        }
    }

    async fn remove_excerpts(&self, org: &OrgId, before: Timestamp) -> Result<u64, Error> {
        let write = self.db.write(org, move |tx| {
            Box::pin(async move { Ok::<_, Error>(excerpts::remove_before(tx, before, ROWS).await?) })
        });
        write.await
    }
}

/// Keeps the excerpts of events that take effect, in their transaction, if the organization still wants them.
pub(super) async fn keep(tx: &mut Tx, events: &[&Event], now: Timestamp) -> Result<(), DbError> {
    let rows: Vec<Kept<'_>> = events.iter().filter_map(|event| kept_of(event)).collect();
    if rows.is_empty() || !excerpts::wanted(tx).await? {
        return Ok(());
    }
    excerpts::insert(tx, &rows, now).await
}

fn kept_of(event: &Event) -> Option<Kept<'_>> {
    let excerpt = event.excerpt.as_ref()?;
    Some(Kept { event_id: event.event_id, conversation_id: event.conversation_id, excerpt })
}
