//! What begins to wait when a conversation changes: for somebody to have it, or for an answer to its customer (R9, R13). A wait that
//! goes on is none that begins; one that was put aside begins anew when the conversation is open again.

use kernel::{AgentId, TeamId, Timestamp};

use super::conversation::{Conversation, Status};
use super::reply_limit::ReplyLimit;
use super::timer::{Timer, TimerKind};
use super::workflow::{Trigger, Workflow};

/// Since when a conversation waits that came to be `is`, if it does so since this change. Before that it was `was`, if it was.
#[must_use]
pub fn unassigned_since(was: Option<&Conversation>, is: &Conversation, now: Timestamp) -> Option<Timestamp> {
    let begins = is.is_unassigned() && !was.is_some_and(Conversation::is_unassigned);
    begins.then_some(now)
}

/// Since when its customer waits for an answer, if they do so since this change.
#[must_use]
pub fn unanswered_since(was: Option<&Conversation>, is: &Conversation, now: Timestamp) -> Option<Timestamp> {
    let since = is.unanswered()?;
    match was {
        Some(was) if was.unanswered() == Some(since) => None,
        // They waited before it was put aside.
        Some(was) if was.waiting_since == Some(since) => Some(now),
        _ => Some(since),
    }
}

/// Since when its agent leaves the customer without an answer, if they do so since this change: not before they could know of it,
/// whenever the customer wrote.
fn left_since(was: Option<&Conversation>, is: &Conversation, now: Timestamp) -> Option<Timestamp> {
    let had = |it: &Conversation| -> Option<(AgentId, TeamId)> { it.assignee_id().zip(it.team) };
    let (since, who) = (is.unanswered()?, had(is)?);
    let Some(was) = was else { return Some(now) };
    match was.unanswered() {
        Some(before) if before == since && had(was) == Some(who) => None,
        _ => Some(now.max(since)),
    }
}

/// With whom its customer waits for an answer, if they do so since this change: whether that agent is there is another question.
#[must_use]
pub fn left_with(was: Option<&Conversation>, is: &Conversation) -> Option<AgentId> {
    let holder = is.unanswered().and(is.assignee_id())?;
    let waited = was.is_some_and(|was| was.unanswered().is_some() && was.assignee_id() == Some(holder));
    (!waited).then_some(holder)
}

impl Conversation {
    /// Whether it is open and nobody has it.
    #[must_use]
    pub fn is_unassigned(&self) -> bool {
        self.status == Status::Open && self.assignee.is_none()
    }

    /// Since when its customer waits for an answer, if it is open.
    #[must_use]
    pub fn unanswered(&self) -> Option<Timestamp> {
        self.waiting_since.filter(|_| self.status == Status::Open)
    }
}

impl Workflow {
    /// When it is to be looked at, if a change begins the wait that triggers it.
    #[must_use]
    pub fn timer(&self, was: Option<&Conversation>, is: &Conversation, now: Timestamp) -> Option<Timer> {
        let since = match self.trigger {
            Trigger::UnassignedFor => unassigned_since(was, is, now),
            Trigger::NoReplyFor => unanswered_since(was, is, now),
            _ => None,
        };
        since
            .zip(self.after)
            .map(|(since, after)| Timer::after(after, is.id.as_uuid(), TimerKind::Workflow, self.id, since))
    }

    /// Whether a conversation waits as this workflow asks for. Since when, its timer says: each wait that began set it anew.
    #[must_use]
    pub fn is_awaited(&self, it: &Conversation) -> bool {
        match self.trigger {
            Trigger::UnassignedFor => it.is_unassigned(),
            Trigger::NoReplyFor => it.unanswered().is_some(),
            _ => false,
        }
    }
}

impl ReplyLimit {
    /// When a conversation of the team is to be looked at, if a change begins a wait for a reply of its agent.
    #[must_use]
    pub fn timer(&self, was: Option<&Conversation>, is: &Conversation, now: Timestamp) -> Option<Timer> {
        let (since, team) = left_since(was, is, now).zip(is.team)?;
        Some(Timer::after(self.limit, is.id.as_uuid(), TimerKind::ReplyLimit, team, since))
    }
}

#[cfg(test)]
mod tests;
