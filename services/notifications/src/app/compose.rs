//! What an email or a push tells when it is due: what is still unread of its bundle, and of that what the person still wants to hear
//! this way.

use db::Tx;
use kernel::{OrgId, Subject, Timestamp};

use super::App;
use super::people::Person;
use crate::domain::bundle::{Bundle, BundleKind};
use crate::domain::plan::still_wanted;
use crate::domain::preferences::{Channel, Effective};
use crate::domain::quiet::QuietHours;
use crate::domain::{Notification, NotificationType};
use crate::error::Error;
use crate::store::bundles::{self, StillToTell};
use crate::store::preferences;

/// The most entries that a message lists; more are counted.
pub const LISTED: i64 = 20;

/// What to tell a person, for a template to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whom.
    pub person: Person,
    /// How its entries came together.
    pub kind: BundleKind,
    /// The entries, oldest first, at most [`LISTED`]; never empty.
    pub entries: Vec<Notification>,
    /// How many there are, listed or not.
    pub total: u64,
    /// In how many conversations.
    pub conversations: u64,
    /// Whether all of them, listed or not, are of one type.
    pub one_type: bool,
}

impl Message {
    /// How many entries are not listed.
    #[must_use]
    pub fn unlisted(&self) -> u64 {
        self.total.saturating_sub(self.entries.len() as u64)
    }
}

/// What has become of a bundle by the time that it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Composed {
    /// This is to be told.
    Message(Box<Message>),
    /// Nothing is left to tell, and why.
    Nothing(Dropped),
    /// The person wants quiet now: not before this moment.
    Later(Timestamp),
}

/// Why nothing is left to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// All of it was read, archived or put off, or is gone.
    Read,
    /// The person, or the organization, does not want it this way any more.
    Unwanted,
    /// Routing does not know the person any more.
    NobodyThere,
    /// The person has no address (any more). Only of email.
    NoAddress,
}

impl Dropped {
    /// A short word for the delivery's record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Unwanted => "UNWANTED",
            Self::NobodyThere => "NOBODY_THERE",
            Self::NoAddress => "NO_ADDRESS",
        }
    }
}

impl App {
    /// What a bundle tells now.
    ///
    /// # Errors
    /// [`Error::Routing`] if routing does not answer, [`Error::Db`]: to be tried again.
    pub async fn compose(
        &self,
        org: &OrgId,
        subject: &Subject,
        channel: Channel,
        bundle: Bundle,
    ) -> Result<Composed, Error> {
        let asked = (subject.clone(), channel, bundle);
        let read = self.db.read(org, move |tx| Box::pin(async move { left(tx, asked).await }));
        let left: Left = read.await?;
        if left.entries.is_empty() {
            return Ok(Composed::Nothing(if left.unwanted { Dropped::Unwanted } else { Dropped::Read }));
        }
        let person = match (self.people.find(org, subject).await?, channel) {
            (None, Channel::Email) => return Ok(Composed::Nothing(Dropped::NobodyThere)),
            (None, Channel::Push) => Person::unknown(subject.clone()),
            (Some(person), _) => Person::clone(&person),
        };
        if channel == Channel::Email && person.email.is_none() {
            return Ok(Composed::Nothing(Dropped::NoAddress));
        }
        let quiet_end = left.quiet.as_ref().and_then(|quiet| quiet.end(left.now, &person.zone.clock()));
        if let Some(end) = quiet_end {
            return Ok(Composed::Later(end));
        }
        let Left { entries, total, conversations, one_type, .. } = left;
        let kind = bundle.kind;
        Ok(Composed::Message(Box::new(Message { person, kind, entries, total, conversations, one_type })))
    }
}

/// What is left of a bundle.
struct Left {
    now: Timestamp,
    entries: Vec<Notification>,
    total: u64,
    conversations: u64,
    one_type: bool,
    /// Nothing is left because it is not wanted any more: some of it is unread.
    unwanted: bool,
    /// When the person wants quiet; none if something of this cannot wait.
    quiet: Option<QuietHours>,
}

async fn left(tx: &mut Tx, (subject, channel, bundle): (Subject, Channel, Bundle)) -> Result<Left, Error> {
    let now = tx.now().await?;
    let own = preferences::find(tx, &subject).await?.chosen;
    let defaults = preferences::find_defaults(tx).await?.chosen;
    let effective = Effective { own: &own, defaults: &defaults };
    let (wanted, forced) = still_wanted(&effective, channel);
    let which = |wanted, forced| StillToTell {
        subject: &subject,
        channel,
        bundle: bundle.bundle_id,
        wanted,
        forced,
        now,
    };
    let mut left = Left {
        now,
        entries: Vec::new(),
        total: 0,
        conversations: 0,
        one_type: false,
        unwanted: false,
        quiet: None,
    };
    if !wanted.is_empty() {
        left.entries = bundles::list(tx, &which(&wanted, &forced), LISTED).await?;
    }
    if left.entries.is_empty() {
        let all = &NotificationType::ALL;
        left.unwanted = bundles::count(tx, &which(all, all)).await?.0 > 0;
        return Ok(left);
    }
    let (total, conversations, types) = bundles::count(tx, &which(&wanted, &forced)).await?;
    (left.total, left.conversations) = (total.unsigned_abs(), conversations.unsigned_abs());
    left.one_type = types == 1;
    left.entries.sort_unstable_by_key(|entry| entry.sequence);
    let urgent = left.entries.iter().any(|entry| effective.urgent(entry.kind));
    left.quiet = (!urgent).then(|| effective.quiet().clone());
    Ok(left)
}
