//! Holds the ledger against the API: every message, every assignee, every note, every notification, and what contacts
//! can see.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use futures::stream::{self, TryStreamExt};
use kernel::Role;
use proto::notes::v1 as notes_pb;
use proto::notifications::v1 as notifications_pb;
use proto::routing::v1 as pb;
use tokio::time::Instant;
use tonic::{Code, Status};

use super::floor::{self, Shift};
use super::ledger::{Entry, Ledger};
use super::listen::About;
use super::notes::CANARY;
use super::office::Office;

use super::report::Report;
use crate::client::{Session, Wire, patiently};
use crate::dev_key::Minter;
use crate::failure::Failure;
use crate::progress::{Progress, Whole};

/// How long nothing may happen before what is missing counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the streams must have brought by the end: everything this run caused, to people who are listened to. On a floor who has a
/// conversation changes, and some wait: only mentions are sure there.
fn expected(ledger: &Ledger, on_a_floor: bool) -> HashSet<About> {
    let account = ledger.open();
    let mut expected = HashSet::new();
    let begun = account.conversations.values().filter(|entry| !on_a_floor && entry.created.is_some());
    for entry in begun.filter(|entry| !account.elsewhere.contains(&entry.conversation_id)) {
        let assignee = account.assignees.get(&entry.conversation_id).cloned().unwrap_or_default();
        let assigned = notifications_pb::NotificationType::Assigned;
        expected.insert((assignee, assigned, entry.conversation_id.clone()));
    }
    for note in &account.notes {
        for told in &note.told {
            let mentioned = notifications_pb::NotificationType::Mentioned;
            expected.insert((told.clone(), mentioned, note.note_id.clone()));
        }
    }
    expected
}

/// Waits until every conversation has its assignee and every notification has come, or nothing more happens.
pub(super) async fn settled(ledger: &Ledger, office: &Office, progress: &Progress) {
    let mut most = 0;
    let mut since = Instant::now();
    while since.elapsed() < PATIENCE {
        let expected = expected(ledger, office.floor().is_some());
        let come = {
            let heard = office.heard().open();
            expected.iter().filter(|about| heard.about.contains_key(*about)).count()
        };
        progress.begin("notifications", Whole::of(expected.len()));
        progress.at(come);
        if come == expected.len() {
            return;
        }
        if come > most {
            (most, since) = (come, Instant::now());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Reads everything back.
pub(super) struct Verifier<'a> {
    pub(super) wire: &'a Wire,
    pub(super) minter: &'a Minter,
    pub(super) channel: &'a Session,
    pub(super) office: &'a Office,
    pub(super) ledger: &'a Ledger,
    pub(super) progress: &'a Progress,
    pub(super) concurrency: usize,
}

impl Verifier<'_> {
    /// `shift`: the agents of the floor, if there is one.
    pub(super) async fn report(&self, shift: Option<&Shift>) -> Result<Report, Failure> {
        let mut report = Report::default();
        for (source, team) in self.office.teams() {
            for agent in team {
                report.agents.entry((source.clone(), agent.subject.clone())).or_default();
            }
        }
        let entries: Vec<Entry> = self.ledger.open().conversations.values().cloned().collect();
        report.contacts = entries.iter().map(|entry| &entry.contact_id).collect::<HashSet<_>>().len() as u64;
        report.done(&self.ledger.open());
        self.progress.begin("conversations read back", Whole::of(entries.len()));
        report.example = entries.iter().map(|entry| entry.conversation_id.clone()).max();
        self.conversations(&entries, &mut report).await?;
        if let Some(shift) = shift {
            let decided = floor::account::decided(shift, &entries, &report.waiting, self.concurrency);
            report.decided = Some(decided.await?);
        }
        self.messages(&entries, &mut report).await?;
        self.notes(&mut report).await?;
        self.notifications(&mut report);
        report.notes_seen_by_contacts = self.seen_by_contacts(&entries).await?;
        Ok(report)
    }

    /// Assignees and status, from the lists of conversations.
    async fn conversations(&self, entries: &[Entry], report: &mut Report) -> Result<(), Failure> {
        let wanted: HashMap<&str, &Entry> =
            entries.iter().map(|entry| (entry.conversation_id.as_str(), entry)).collect();
        let mut said_goodbye = 0;
        for view in [pb::InboxView::All, pb::InboxView::Resolved] {
            let mut page_token = String::new();
            loop {
                let request = pb::ListConversationsRequest {
                    view: view.into(),
                    page_size: 200,
                    page_token,
                    ..Default::default()
                };
                let page = patiently(|| {
                    let (mut conversations, request) = (self.channel.conversations(), request.clone());
                    async move { conversations.list_conversations(request).await }
                })
                .await
                .map_err(|status| Failure::call("the list of conversations", &status))?;
                for found in page.entries.into_iter().filter_map(|entry| entry.conversation) {
                    if let Some(entry) = wanted.get(found.conversation_id.as_str()) {
                        let team = self.office.floor().map_or(entry.source.as_str(), |_| floor::NAME);
                        let resolved = counted(&found, team, report);
                        said_goodbye += u64::from(resolved && entry.closes);
                    }
                }
                if page.next_page_token.is_empty() {
                    break;
                }
                page_token = page.next_page_token;
            }
        }
        let closing = entries.iter().filter(|entry| entry.closes).count() as u64;
        report.goodbyes_unresolved = closing.saturating_sub(said_goodbye);
        report.max_imbalance_per_team = imbalance(report);
        Ok(())
    }

    /// Every message, by its id at the channel, in order.
    async fn messages(&self, entries: &[Entry], report: &mut Report) -> Result<(), Failure> {
        let found: Vec<(u64, u64, u64)> = stream::iter(entries.iter().map(Ok))
            .map_ok(|entry| async move {
                let found = self.messages_of(&entry.conversation_id).await?;
                let distinct: HashSet<&String> = found.iter().collect();
                let lost = entry.sent.iter().filter(|id| !distinct.contains(id)).count();
                let doubled = found.len() - distinct.len();
                self.progress.one_more();
                Ok::<_, Failure>((found.len() as u64, lost as u64, doubled as u64))
            })
            .try_buffer_unordered(self.concurrency)
            .try_collect()
            .await?;
        for (messages, lost, doubled) in found {
            report.messages += messages;
            report.messages_lost += lost;
            report.messages_duplicated += doubled;
        }
        Ok(())
    }

    async fn messages_of(&self, conversation_id: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut request = pb::ListMessagesRequest {
            conversation_id: conversation_id.to_owned(),
            page_size: 200,
            ..Default::default()
        };
        loop {
            let page = patiently(|| {
                let (mut conversations, request) = (self.channel.conversations(), request.clone());
                async move { conversations.list_messages(request).await }
            })
            .await
            .map_err(|status| Failure::call(format_args!("messages of {conversation_id}"), &status))?;
            found.extend(page.messages.into_iter().map(|message| message.external_id));
            if page.next_page_token.is_empty() {
                return Ok(found);
            }
            request.page_token = page.next_page_token;
        }
    }

    /// Every note this run wrote, read by its author.
    async fn notes(&self, report: &mut Report) -> Result<(), Failure> {
        let written = self.ledger.open().notes.clone();
        let lost: Vec<bool> = stream::iter(written.iter().map(Ok))
            .map_ok(|note| async move {
                let Some(author) = self.office.agent(&note.author) else {
                    return Ok(true);
                };
                let request = notes_pb::GetNoteRequest { note_id: note.note_id.clone() };
                let answer = patiently(|| {
                    let (mut notes, request) = (author.api.notes(), request.clone());
                    async move { notes.get_note(request).await }
                })
                .await;
                match answer {
                    Ok(answer) => Ok(!answer.note.is_some_and(|note| note.body.contains(CANARY))),
                    Err(status) if status.code() == Code::NotFound => Ok(true),
                    Err(status) => Err(Failure::call(format_args!("note {}", note.note_id), &status)),
                }
            })
            .try_buffer_unordered(self.concurrency)
            .try_collect()
            .await?;
        report.notes_lost = lost.iter().filter(|lost| **lost).count() as u64;
        report.notes = written.len() as u64 - report.notes_lost;
        report.mentions = written.iter().map(|note| note.told.len() as u64).sum();
        for note in &written {
            if let Some((_, tally)) = report.agents.iter_mut().find(|((_, agent), _)| *agent == note.author) {
                tally.notes += 1;
            }
        }
        Ok(())
    }

    fn notifications(&self, report: &mut Report) {
        let on_a_floor = self.office.floor().is_some();
        let expected = expected(self.ledger, on_a_floor);
        let heard = self.office.heard().open();
        report.notifications_expected = expected.len() as u64;
        report.notifications_streamed = heard.about.values().sum();
        let lost = expected.iter().filter(|about| !heard.about.contains_key(*about)).count() as u64;
        report.notifications_lost = lost.max(heard.gaps);
        // On a floor the same may be given or offered to the same person twice.
        let once = |about: &About| !on_a_floor || about.1 == notifications_pb::NotificationType::Mentioned;
        let doubled = heard.about.iter().filter(|(about, _)| once(about)).map(|(_, times)| times - 1);
        report.notifications_duplicated = doubled.sum::<u64>().max(heard.repeated);
        let unexpected = heard.about.keys().filter(|about| once(about) && !expected.contains(*about));
        report.notifications_unexpected = unexpected.count() as u64;
        for ((subject, _, _), times) in &heard.about {
            if let Some((_, tally)) = report.agents.iter_mut().find(|((_, agent), _)| agent == subject) {
                tally.notified += times;
            }
        }
    }

    /// Asks as the contact of each conversation with a note for everything a contact can ask for, and counts answers in
    /// which there is something of a note.
    async fn seen_by_contacts(&self, entries: &[Entry]) -> Result<u64, Failure> {
        let noted: HashSet<String> =
            self.ledger.open().notes.iter().map(|note| note.conversation_id.clone()).collect();
        let asked = entries.iter().filter(|entry| noted.contains(&entry.conversation_id));
        let seen: Vec<u64> = stream::iter(asked.map(Ok))
            .map_ok(|entry| self.seen_by_contact(entry))
            .try_buffer_unordered(self.concurrency)
            .try_collect()
            .await?;
        Ok(seen.iter().sum())
    }

    async fn seen_by_contact(&self, entry: &Entry) -> Result<u64, Failure> {
        let token = self.minter.mint(&entry.contact_id, Role::Contact, None)?;
        let contact = self.wire.bearing(&token)?;
        let conversation_id = entry.conversation_id.clone();
        let conversation = pb::GetConversationRequest { conversation_id: conversation_id.clone() };
        let messages = pb::ListMessagesRequest {
            conversation_id: conversation_id.clone(),
            page_size: 200,
            ..Default::default()
        };
        let notes = notes_pb::ListNotesRequest { conversation_id, page_size: 200, ..Default::default() };
        let feed = notifications_pb::ListNotificationsRequest::default();
        let own = [
            shown(|| {
                let (mut api, request) = (contact.conversations(), conversation.clone());
                async move { api.get_conversation(request).await }
            })
            .await?,
            shown(|| {
                let (mut api, request) = (contact.conversations(), messages.clone());
                async move { api.list_messages(request).await }
            })
            .await?,
            shown(|| {
                let mut api = contact.conversations();
                async move { api.list_conversations(pb::ListConversationsRequest::default()).await }
            })
            .await?,
        ];
        let leaked = own.iter().filter(|bytes| leaks(bytes)).count() as u64;
        // These must be refused altogether: even an empty answer would say that there are no notes.
        let notes_refused = refused(|| {
            let (mut api, request) = (contact.notes(), notes.clone());
            async move { api.list_notes(request).await }
        })
        .await?;
        let feed_refused = refused(|| {
            let (mut api, request) = (contact.notifications(), feed.clone());
            async move { api.list_notifications(request).await }
        })
        .await?;
        let answered = u64::from(!notes_refused) + u64::from(!feed_refused);
        Ok(leaked + answered)
    }
}

async fn shown<T, F, Fut>(call: F) -> Result<Vec<u8>, Failure>
where
    T: prost::Message,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let answer = patiently(call).await;
    answer
        .map(|answer| answer.encode_to_vec())
        .map_err(|status| Failure::call("a contact's own conversation", &status))
}

async fn refused<T, F, Fut>(call: F) -> Result<bool, Failure>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<tonic::Response<T>, Status>>,
{
    match patiently(call).await {
        Ok(_) => Ok(false),
        Err(status) if status.code() == Code::PermissionDenied => Ok(!leaks(status.message().as_bytes())),
        Err(status) => Err(Failure::call("what a contact must not ask", &status)),
    }
}

fn leaks(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

/// Counts a conversation, and says whether it is resolved.
fn counted(found: &pb::Conversation, team: &str, report: &mut Report) -> bool {
    report.conversations += 1;
    let resolved = found.status() == pb::ConversationStatus::Resolved;
    report.resolved += u64::from(resolved);
    let Some(assignee) = &found.assignee else {
        report.unassigned += 1;
        if !resolved {
            report.waiting.insert(found.conversation_id.clone());
        }
        return resolved;
    };
    report.assigned += 1;
    let tally = report.agents.entry((team.to_owned(), assignee.subject.clone())).or_default();
    tally.conversations += 1;
    tally.resolved += u64::from(resolved);
    resolved
}

fn imbalance(report: &Report) -> u64 {
    let mut teams: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for ((team, _), tally) in &report.agents {
        let (fewest, most) = teams.entry(team).or_insert((u64::MAX, 0));
        *fewest = (*fewest).min(tally.conversations);
        *most = (*most).max(tally.conversations);
    }
    teams.values().map(|(fewest, most)| most - fewest).max().unwrap_or_default()
}
