//! What agents write: on every Nth conversation its assignee sums up what the customer asked, and mentions a colleague.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use proto::notes::v1 as pb;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::ledger::{Ledger, Written};
use super::office::SharedOffice;
use crate::client::patiently;
use crate::failure::Failure;

/// In every note, and nowhere else: if a contact ever sees it, a note has leaked.
pub(super) const CANARY: &str = "replay-note-canary";

/// Characters of what the customer asked in a note.
const SUMMARY: usize = 1_000;

/// How long a conversation may wait for its assignee before the replay goes on without a note.
const WAIT_FOR_ASSIGNEE: Duration = Duration::from_secs(60);

/// How long a waiting conversation rests between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A conversation on which a note is due: its id at the channel, and since when.
pub(super) struct Due {
    pub(super) conversation: String,
    pub(super) since: Instant,
}

/// Writes notes as they become due, until nothing more can come.
pub(super) async fn write_all(
    mut due: mpsc::UnboundedReceiver<Due>,
    ledger: Arc<Ledger>,
    office: SharedOffice,
) -> Result<(), Failure> {
    let clock = Clock::system();
    let mut waiting = VecDeque::new();
    let mut more = true;
    while more || !waiting.is_empty() {
        tokio::select! {
            next = due.recv(), if more => match next {
                Some(next) => waiting.push_back(next),
                None => more = false,
            },
            () = tokio::time::sleep(LOOK_EVERY), if !waiting.is_empty() => {
                for _ in 0..waiting.len() {
                    let Some(next) = waiting.pop_front() else { break };
                    match assignee(&ledger, &next.conversation, more) {
                        Assignee::Is { conversation_id, subject } => {
                            write(&clock, &ledger, &office, &next.conversation, conversation_id, &subject).await?;
                        }
                        Assignee::Awaited if next.since.elapsed() < WAIT_FOR_ASSIGNEE => waiting.push_back(next),
                        // If it is unassigned, the end of the replay will say so.
                        Assignee::Awaited | Assignee::NotOurs => {}
                    }
                }
            }
        }
    }
    Ok(())
}

/// What is known of a conversation's assignee.
enum Assignee {
    Is {
        conversation_id: String,
        subject: String,
    },
    /// Its first message is not recorded yet, or nobody has it yet.
    Awaited,
    /// It was there before this run, or somebody has it for whom nothing is written here, or it was rejected.
    NotOurs,
}

/// `more` says whether messages are still being recorded.
fn assignee(ledger: &Ledger, conversation: &str, more: bool) -> Assignee {
    let account = ledger.open();
    let Some(entry) = account.conversations.get(conversation) else {
        return if more { Assignee::Awaited } else { Assignee::NotOurs };
    };
    if entry.created.is_none() || account.elsewhere.contains(&entry.conversation_id) {
        return Assignee::NotOurs;
    }
    match account.assignees.get(&entry.conversation_id) {
        Some(subject) => {
            Assignee::Is { conversation_id: entry.conversation_id.clone(), subject: subject.clone() }
        }
        // The customer said goodbye before anybody had it.
        None if entry.is_resolved() => Assignee::NotOurs,
        None => Assignee::Awaited,
    }
}

/// What the customer asked, as a note can hold it: short, and without what only a message may contain.
fn summed_up(asked: &str) -> String {
    let plain = asked.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    // A customer may have typed an `@`, which must not call anybody.
    plain.take(SUMMARY).collect::<String>().replace('@', "(at)")
}

async fn write(
    clock: &Clock,
    ledger: &Ledger,
    office: &SharedOffice,
    conversation: &str,
    conversation_id: String,
    subject: &str,
) -> Result<(), Failure> {
    let Some((author, neighbour)) = office.now().agent_and_neighbour(subject) else { return Ok(()) };
    let asked = ledger.open().conversations.get(conversation).map(|entry| entry.asked.join(" / "));
    let summary = summed_up(&asked.unwrap_or_default());
    let call =
        neighbour.map(|other| format!("\n\n@{} please have a look.", other.subject)).unwrap_or_default();
    let request = pb::CreateNoteRequest {
        conversation_id: conversation_id.clone(),
        body: format!("{CANARY} The customer asked: {summary}{call}"),
        request_id: clock.new_id().to_string(),
        ..pb::CreateNoteRequest::default()
    };
    let answer = patiently(|| {
        let (mut notes, request) = (author.api.notes(), request.clone());
        async move { notes.create_note(request).await }
    })
    .await
    .map_err(|status| Failure::call(format_args!("note on {conversation_id}"), &status))?;
    let note = answer.note.unwrap_or_default();
    let notified = note.mentions.iter().filter(|mention| mention.outcome() == pb::MentionOutcome::Notified);
    let told = notified.flat_map(|mention| mention.subjects.iter().cloned()).collect();
    ledger.open().notes.push(Written {
        note_id: note.note_id,
        conversation_id,
        author: author.subject.clone(),
        told,
    });
    Ok(())
}
