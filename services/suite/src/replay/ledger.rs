//! What the replay has done, and so what must be found again.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use proto::routing::v1 as pb;

use super::line::Line;

/// One conversation of the file, of which at least one message is recorded.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) source: String,
    /// As the API names it.
    pub(super) conversation_id: String,
    pub(super) contact_id: String,
    /// The external ids of its messages that were taken, in order.
    pub(super) sent: Vec<String>,
    /// When this run began it, if it did.
    pub(super) created: Option<Instant>,
    /// Whether the last of its messages that was taken says goodbye.
    pub(super) closes: bool,
    /// Whether it was resolved when that message was taken.
    resolved: bool,
    /// The first things the customer wrote.
    pub(super) asked: Vec<String>,
}

/// A note which was written.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) note_id: String,
    pub(super) conversation_id: String,
    pub(super) author: String,
    /// Who is being told, by subject.
    pub(super) told: Vec<String>,
}

/// The replay's own account. Everything in it is held against the API at the end.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Account>);

#[derive(Debug, Default)]
pub(super) struct Account {
    /// By the channel's id of the conversation.
    pub(super) conversations: HashMap<String, Entry>,
    /// Who a conversation was given to, as the streams said.
    pub(super) assignees: HashMap<String, String>,
    /// Conversations of people nobody listens to.
    pub(super) elsewhere: HashSet<String>,
    pub(super) notes: Vec<Written>,
    /// How long each message took.
    pub(super) latencies: Vec<Duration>,
    /// Messages which were known before.
    pub(super) known_before: u64,
    /// Lines which were not recorded.
    pub(super) rejected: u64,
    /// Whether the file could not be read to its end.
    pub(super) cut_short: bool,
    /// Conversations which this run resolved.
    pub(super) resolved: u64,
}

/// How many of the customer's messages a note sums up.
const ASKED: usize = 3;

impl Ledger {
    /// Looks at, or changes, the account.
    pub(super) fn open(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// Takes the answer for a line into account. The answers of a conversation come in the order of its lines.
    pub(super) fn recorded(&mut self, line: &Line, answer: &pb::RecordMessageResponse, took: Duration) {
        self.latencies.push(took);
        self.known_before += u64::from(answer.duplicate);
        let entry = self
            .conversations
            .entry(line.conversation.clone())
            .or_insert_with(|| Entry { source: line.source.clone(), ..Entry::default() });
        entry.sent.push(line.external_id());
        entry.closes = line.closes();
        if entry.asked.len() < ASKED {
            entry.asked.push(line.text.clone());
        }
        if answer.conversation_created {
            entry.created = Some(Instant::now());
        }
        if let Some(conversation) = &answer.conversation {
            entry.conversation_id.clone_from(&conversation.conversation_id);
            entry.contact_id.clone_from(&conversation.contact_id);
            entry.resolved = conversation.status() == pb::ConversationStatus::Resolved;
        }
    }

    /// Conversations whose last message says goodbye and which are not resolved.
    pub(super) fn to_be_resolved(&self) -> Vec<String> {
        let closing = self.conversations.values().filter(|entry| entry.closes && !entry.resolved);
        closing.map(|entry| entry.conversation_id.clone()).collect()
    }

    /// Conversations which this run began so long ago, and of whose assignee nothing was heard.
    pub(super) fn unheard(&self, since: Duration, most: usize) -> Vec<String> {
        let begun =
            self.conversations.values().filter(|entry| entry.created.is_some_and(|at| at.elapsed() >= since));
        let ids = begun.map(|entry| &entry.conversation_id);
        ids.filter(|id| !self.assignees.contains_key(*id) && !self.elsewhere.contains(*id))
            .take(most)
            .cloned()
            .collect()
    }

    /// Messages which were not known before.
    pub(super) fn new_messages(&self) -> u64 {
        (self.latencies.len() as u64).saturating_sub(self.known_before)
    }

    /// What was done so far, for a run that does not come to its end.
    pub(super) fn so_far(&self) -> String {
        let Self { known_before, rejected, notes, .. } = self;
        format!(
            "until then: {} messages recorded, {known_before} known before, {rejected} lines rejected, {} notes; \
             run it again and it goes on where it stopped",
            self.new_messages(),
            notes.len()
        )
    }
}
