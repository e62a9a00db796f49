//! Places in the log of what changes in inboxes (R16).
//!
//! Transactions commit in another order than they begin, and writers of the log wait for nobody. So a place in it is not a number but
//! which transactions were over when somebody looked: what was not, is read the next time, and nothing is missed or read twice.

use std::time::Duration;

use kernel::{AgentId, ConversationId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::conversation::Status;

/// Longer than any of our transactions takes.
pub const LONGEST_TRANSACTION: Duration = Duration::from_secs(60);

/// Transactions under way that a place remembers, at most: it has to fit into a resume token.
const MOST_OPEN: usize = 32;

/// Which transactions of the log a look saw: all before `end`, except those that were open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The first transaction that had not begun.
    pub end: i64,
    /// Those before it that were not over, in their order.
    pub open: Vec<i64>,
    /// When, by the database's time.
    pub time: Timestamp,
}

impl Seen {
    /// Nothing yet.
    #[must_use]
    pub fn nothing(time: Timestamp) -> Self {
        Self { end: 0, open: Vec::new(), time }
    }

    /// Reads PostgreSQL's text of a snapshot: `oldest:end:open,open`. Where more were open than a place remembers, it ends before
    /// the first that is too many: what comes behind is seen by a later look.
    #[must_use]
    pub fn read(text: &str, time: Timestamp) -> Option<Self> {
        let mut parts = text.split(':');
        let (_oldest, end, open) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let open: Result<Vec<i64>, _> = open.split(',').filter(|it| !it.is_empty()).map(str::parse).collect();
        let mut seen = Self { end, open: open.ok()?, time };
        if let Some(&too_many) = seen.open.get(MOST_OPEN) {
            seen.end = too_many;
            seen.open.truncate(MOST_OPEN);
        }
        Some(seen)
    }

    /// Whether it saw what a transaction wrote.
    #[must_use]
    pub fn has(&self, transaction: i64) -> bool {
        transaction < self.end && self.open.binary_search(&transaction).is_err()
    }

    /// Whether nothing can have come since: what this look did not see, another did not either.
    #[must_use]
    pub fn is_as_far_as(&self, other: &Self) -> bool {
        (self.end, &self.open) == (other.end, &other.open)
    }

    /// The first transaction that it did not see.
    #[must_use]
    pub fn first_unseen(&self) -> i64 {
        self.open.first().copied().unwrap_or(self.end)
    }
}

/// Where a reader of the log is. Sealed, it is a resume token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// What they have read completely.
    pub seen: Seen,
    /// What they are in the middle of.
    pub within: Option<Within>,
}

/// A part of what a later look saw: up to this change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Within {
    /// What will be read completely at its end.
    pub until: Seen,
    /// The transaction of the last change that was read.
    pub transaction: i64,
    /// The number of that change.
    pub number: i64,
}

impl Place {
    /// Behind everything that a look saw.
    #[must_use]
    pub fn behind(seen: Seen) -> Self {
        Self { seen, within: None }
    }

    /// Behind this change, on the way from what was seen to what will be.
    #[must_use]
    pub fn at(seen: &Seen, until: &Seen, change: &Change) -> Self {
        let within = Within { until: until.clone(), transaction: change.transaction, number: change.number };
        Self { seen: seen.clone(), within: Some(within) }
    }

    /// Whether the log as it is cannot go on from here: it has forgotten what may be next (all before `forgotten_before`), or it ends
    /// before this place, which was given before a backup was restored.
    #[must_use]
    pub fn is_lost(&self, now: &Seen, forgotten_before: Timestamp) -> bool {
        let ahead = self.within.as_ref().map_or(self.seen.end, |within| within.until.end) > now.end;
        // What was not seen at a time may have been written a little before it, by a transaction that was not over.
        ahead || self.seen.time < forgotten_before.plus(LONGEST_TRANSACTION)
    }
}

/// Where a conversation stands, as far as views ask without knowing who reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its status.
    pub status: Status,
    /// Who has it.
    pub assignee: Option<AgentId>,
    /// The team it belongs to.
    pub team: Option<TeamId>,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// A conversation, or the notes on it.
    Conversation {
        /// Which.
        id: ConversationId,
        /// Where it stood; `None`: it is new.
        was: Option<Standing>,
        /// Where it stands now; `None`: it is gone.
        is: Option<Standing>,
    },
    /// What one person has read of a conversation, or that they were mentioned in it.
    Reading {
        /// Which conversation.
        id: ConversationId,
        /// The person's `sub`.
        subject: String,
    },
    /// Which teams an agent is in.
    Teams(AgentId),
    /// What is offered of a conversation to an agent.
    Offer {
        /// Which conversation.
        id: ConversationId,
        /// Who is asked, or was.
        agent: AgentId,
    },
}

/// A row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The transaction that wrote it.
    pub transaction: i64,
    /// Which of the changes it is.
    pub number: i64,
    /// What changed.
    pub what: Changed,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn seen(text: &str) -> Seen {
        Seen::read(text, at(1_000)).unwrap()
    }

    // R16
    #[test]
    fn a_transaction_that_was_open_is_not_seen_though_later_ones_are() {
        let it = seen("10:20:10,15");
        assert!(it.has(9) && it.has(19) && !it.has(10) && !it.has(15) && !it.has(20));
        assert_eq!((it.first_unseen(), seen("20:20:").first_unseen()), (10, 20));
        assert_eq!(Seen::read("10:20", at(0)), None);
        assert_eq!(Seen::read("a:b:", at(0)), None);
    }

    // R16
    #[test]
    fn of_too_many_open_transactions_the_later_ones_wait_for_the_next_look() {
        let open: Vec<String> = (1..=40).map(|id| (id * 10).to_string()).collect();
        let it = seen(&format!("10:500:{}", open.join(",")));
        assert_eq!((it.open.len(), it.end), (32, 330));
        assert!(
            it.has(325) && !it.has(320) && !it.has(330) && !it.has(335),
            "335 was over, and is seen next time"
        );
    }

    // R16
    #[test]
    fn a_place_is_lost_when_the_log_forgot_what_is_next_or_went_back() {
        let place = Place::behind(seen("20:20:"));
        let now = seen("30:30:");
        assert!(!place.is_lost(&now, at(900)));
        assert!(place.is_lost(&now, at(941)), "what was open at its time may be forgotten");
        assert!(place.is_lost(&seen("19:19:"), at(0)), "restored from a backup");
        let change = Change {
            transaction: 22,
            number: 1,
            what: Changed::Teams(kernel::Clock::system().new_id().into()),
        };
        let within = Place::at(&place.seen, &now, &change);
        assert!(!within.is_lost(&now, at(0)) && within.is_lost(&seen("25:25:"), at(0)));
    }
}
