//! What the replay has done, and so what must be found again.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kernel::Timestamp;
use proto::routing::v1 as pb;
use rpc::convert::time_of;

use super::line::Line;
use crate::counted::counted;

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
    /// When it began, as the API says.
    pub(super) begun: Option<Timestamp>,
    /// Whether the last of its messages that was taken says goodbye.
    pub(super) closes: bool,
    /// Whether it was resolved when that message was taken.
    resolved: bool,
    /// The first things the customer wrote.
    pub(super) asked: Vec<String>,
}

impl Entry {
    /// Whether it was resolved when it was last looked at.
    pub(super) fn is_resolved(&self) -> bool {
        self.resolved
    }
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

/// How a message was taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    pub(super) took: Duration,
    /// Whether an earlier call with the same message was not answered. It may have been recorded all the same.
    pub(super) asked_again: bool,
}

/// The replay's own account. Everything in it is held against the API at the end.
#[derive(Debug)]
pub(super) struct Ledger(Mutex<Account>);

#[derive(Debug)]
pub(super) struct Account {
    /// When this run began.
    since: Timestamp,
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
    /// The account of a run that begins at `since`.
    pub(super) fn of_a_run(since: Timestamp) -> Self {
        Self(Mutex::new(Account::of_a_run(since)))
    }

    /// Looks at, or changes, the account.
    pub(super) fn open(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    fn of_a_run(since: Timestamp) -> Self {
        Self {
            since,
            conversations: HashMap::new(),
            assignees: HashMap::new(),
            elsewhere: HashSet::new(),
            notes: Vec::new(),
            latencies: Vec::new(),
            known_before: 0,
            rejected: 0,
            cut_short: false,
            resolved: 0,
        }
    }

    /// Takes the answer for a line into account. The answers of a conversation come in the order of its lines.
    pub(super) fn recorded(&mut self, line: &Line, answer: &pb::RecordMessageResponse, taken: Taken) {
        self.latencies.push(taken.took);
        // Where the answer to the first call was lost, the second one does not say what the first one did.
        let asked_again = answer.duplicate && taken.asked_again;
        let message = answer.message.as_ref().and_then(|message| message.create_time.as_ref());
        let conversation = answer.conversation.as_ref().and_then(|it| it.create_time.as_ref());
        let recorded = !answer.duplicate || (asked_again && self.is_of_this_run(message));
        let is_first = !self.conversations.contains_key(&line.conversation);
        let begins = is_first && asked_again && self.is_of_this_run(conversation);
        self.known_before += u64::from(!recorded);
        let entry = self
            .conversations
            .entry(line.conversation.clone())
            .or_insert_with(|| Entry { source: line.source.clone(), ..Entry::default() });
        entry.sent.push(line.external_id());
        entry.closes = line.closes();
        if entry.asked.len() < ASKED {
            entry.asked.push(line.text.clone());
        }
        if answer.conversation_created || begins {
            entry.created = Some(Instant::now());
        }
        if let Some(conversation) = &answer.conversation {
            entry.conversation_id.clone_from(&conversation.conversation_id);
            entry.contact_id.clone_from(&conversation.contact_id);
            entry.resolved = conversation.status() == pb::ConversationStatus::Resolved;
            entry.begun = conversation.create_time.as_ref().and_then(|at| time_of("create_time", at).ok());
        }
    }

    /// Takes into account that a conversation was resolved, and not by the end of the replay.
    pub(super) fn resolved_early(&mut self, conversation: &str) {
        self.resolved += 1;
        if let Some(entry) = self.conversations.get_mut(conversation) {
            entry.resolved = true;
        }
    }

    /// Whether a line before had the same turn of the same conversation.
    pub(super) fn has(&self, line: &Line) -> bool {
        let entry = self.conversations.get(&line.conversation);
        entry.is_some_and(|entry| entry.sent.contains(&line.external_id()))
    }

    /// Whether something was made since this run began, by the server's clock and ours.
    fn is_of_this_run(&self, made: Option<&prost_types::Timestamp>) -> bool {
        made.and_then(|at| time_of("create_time", at).ok()).is_some_and(|at| at >= self.since)
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

    /// What was done so far, if anything, for a run that does not come to its end.
    pub(super) fn so_far(&self) -> Option<String> {
        let Self { known_before, rejected, notes, latencies, .. } = self;
        (!latencies.is_empty() || *rejected > 0).then(|| {
            format!(
                "until then: {} recorded, {known_before} known before, {} rejected, {}; \
             run it again and it goes on where it stopped",
                counted(self.new_messages(), "message", "messages"),
                counted(*rejected, "line", "lines"),
                counted(notes.len(), "note", "notes")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rpc::convert::proto_time;

    const BEGUN: Timestamp = Timestamp::from_micros(1_000_000);

    fn line() -> Line {
        let line =
            r#"{"conversation":"c1","contact":"u1","channel":"chat","source":"shop","turn":1,"text":"hi"}"#;
        Line::parse(1, line.as_bytes()).unwrap()
    }

    fn known(at: Timestamp) -> pb::RecordMessageResponse {
        let message = pb::Message { create_time: Some(proto_time(at)), ..Default::default() };
        let conversation = pb::Conversation { create_time: Some(proto_time(at)), ..Default::default() };
        pb::RecordMessageResponse {
            message: Some(message),
            conversation: Some(conversation),
            duplicate: true,
            ..Default::default()
        }
    }

    fn account_of(answer: &pb::RecordMessageResponse, asked_again: bool) -> Account {
        let mut account = Account::of_a_run(BEGUN);
        account.recorded(&line(), answer, Taken { took: Duration::ZERO, asked_again });
        account
    }

    // P6
    #[test]
    fn a_conversation_whose_first_answer_was_lost_is_one_this_run_began() {
        let account = account_of(&known(BEGUN), true);
        assert_eq!(account.known_before, 0);
        assert!(account.conversations["c1"].created.is_some());
    }

    // P13
    #[test]
    fn a_turn_that_comes_twice_is_known_to_have_come() {
        let account = account_of(&known(BEGUN), false);
        let (again, next) = (line(), Line { turn: 2, ..line() });
        assert!(account.has(&again) && !account.has(&next));
        assert!(!account.has(&Line { conversation: "c2".into(), ..again }));
    }

    // P13
    #[test]
    fn a_message_of_an_earlier_run_is_known_before_however_often_it_is_asked() {
        let earlier = BEGUN.minus(Duration::from_micros(1));
        for (answer, asked_again) in [(known(earlier), true), (known(earlier), false), (known(BEGUN), false)]
        {
            let account = account_of(&answer, asked_again);
            assert_eq!(account.known_before, 1);
            assert!(account.conversations["c1"].created.is_none());
        }
    }
}
