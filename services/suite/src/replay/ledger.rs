//! What the replay has done, and so what must be found again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::input::Line;

/// One conversation of the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    pub(super) source: String,
    /// As the API names it; empty until its first message is recorded.
    pub(super) conversation_id: String,
    pub(super) contact_id: String,
    /// The external ids of its messages, in order.
    pub(super) sent: Vec<String>,
    /// Whether this run recorded anything new in it.
    pub(super) changed: bool,
    /// Whether this run began it.
    pub(super) created: bool,
    /// Whether its last message says goodbye.
    pub(super) closes: bool,
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
    pub(super) notes: Vec<Written>,
    /// How long each message took.
    pub(super) latencies: Vec<Duration>,
    /// Messages which were known before.
    pub(super) known_before: u64,
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
    /// Takes a line into account which is about to be sent; says whether its conversation is new to the file.
    pub(super) fn sending(&mut self, line: &Line) -> bool {
        let mut begins = false;
        let entry = self.conversations.entry(line.conversation.clone()).or_insert_with(|| {
            begins = true;
            Entry { source: line.source.clone(), ..Entry::default() }
        });
        entry.sent.push(line.external_id());
        entry.closes = line.closes();
        if entry.asked.len() < ASKED {
            entry.asked.push(line.text.clone());
        }
        begins
    }

    /// Takes the answer for a line into account.
    pub(super) fn recorded(
        &mut self,
        line: &Line,
        answer: &proto::routing::v1::RecordMessageResponse,
        took: Duration,
    ) {
        self.latencies.push(took);
        self.known_before += u64::from(answer.duplicate);
        let Some(entry) = self.conversations.get_mut(&line.conversation) else { return };
        entry.changed |= !answer.duplicate;
        entry.created |= answer.conversation_created;
        if let Some(conversation) = &answer.conversation {
            entry.conversation_id.clone_from(&conversation.conversation_id);
            entry.contact_id.clone_from(&conversation.contact_id);
        }
    }
}
