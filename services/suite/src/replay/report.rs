//! What the replay came to: for people a table, for programs one JSON object.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

use super::floor::account::Decided;
use super::ledger::Account;
use crate::counted::counted;

/// What was found, as read back through the API and heard on the streams.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) conversations: u64,
    pub(super) messages: u64,
    pub(super) contacts: u64,
    pub(super) assigned: u64,
    pub(super) unassigned: u64,
    pub(super) resolved: u64,
    pub(super) notes: u64,
    pub(super) mentions: u64,
    pub(super) notifications_expected: u64,
    pub(super) notifications_streamed: u64,
    pub(super) notifications_lost: u64,
    pub(super) notifications_duplicated: u64,
    /// Things which were streamed and which nothing in the replay accounts for.
    pub(super) notifications_unexpected: u64,
    pub(super) notes_seen_by_contacts: u64,
    /// Most minus fewest conversations of an agent, the greatest of all teams.
    pub(super) max_imbalance_per_team: u64,
    pub(super) messages_lost: u64,
    pub(super) messages_duplicated: u64,
    pub(super) notes_lost: u64,
    /// Conversations whose last message says goodbye and which are not resolved all the same.
    pub(super) goodbyes_unresolved: u64,
    /// Conversations of people outside the replay, to whose streams nobody listened.
    pub(super) assigned_elsewhere: u64,
    /// Lines which were not recorded.
    pub(super) rejected: u64,
    /// Whether the file could not be read to its end.
    pub(super) cut_short: bool,
    /// Whether this run recorded, wrote or resolved anything.
    pub(super) changed: bool,
    /// Messages which were known before this run.
    pub(super) known_before: u64,
    pub(super) messages_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) elapsed_s: f64,
    /// Of a replay with skills: what was decided.
    #[serde(flatten)]
    pub(super) decided: Option<Decided>,
    /// Open conversations that nobody has.
    #[serde(skip)]
    pub(super) waiting: HashSet<String>,
    /// Messages the API took, new or known.
    #[serde(skip)]
    pub(super) taken: u64,
    /// A conversation whose decision is worth a look.
    #[serde(skip)]
    pub(super) example: Option<String>,
    #[serde(skip)]
    pub(super) agents: BTreeMap<(String, String), Tally>,
}

/// One agent's day.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) conversations: u64,
    pub(super) resolved: u64,
    pub(super) notes: u64,
    pub(super) notified: u64,
}

impl Report {
    /// Whether everything came out as promised.
    pub(super) fn is_clean(&self) -> bool {
        let broken = [
            self.messages_lost,
            self.messages_duplicated,
            self.notes_lost,
            // Who waits in a queue for a reason that is said is where they should be.
            self.decided.as_ref().map_or(self.unassigned, |decided| decided.unexplained),
            self.notifications_lost,
            self.notifications_duplicated,
            self.notifications_unexpected,
            self.notes_seen_by_contacts,
            self.goodbyes_unresolved,
            self.rejected,
        ];
        self.taken > 0 && !self.cut_short && broken.iter().all(|count| *count == 0)
    }

    /// Fills in what the replay itself did.
    pub(super) fn done(&mut self, account: &Account) {
        self.taken = account.latencies.len() as u64;
        self.known_before = account.known_before;
        self.rejected = account.rejected;
        self.cut_short = account.cut_short;
        self.assigned_elsewhere = account.elsewhere.len() as u64;
        self.changed = account.new_messages() > 0 || account.resolved > 0 || !account.notes.is_empty();
    }

    /// Fills in how long the messages took.
    pub(super) fn timed(&mut self, latencies: &mut [Duration], recording: Duration) {
        latencies.sort_unstable();
        (self.p50_ms, self.p99_ms) = (within(latencies, 0.50), within(latencies, 0.99));
        self.messages_per_second = round(latencies.len() as f64 / recording.as_secs_f64().max(1e-9));
    }

    /// The table for people; `flags` are those with which the same place is found again.
    pub(super) fn table(&self, flags: &str) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_HORIZONTAL_ONLY);
        table.set_header(["team", "agent", "conversations", "resolved", "notes", "notified"]);
        for ((team, agent), tally) in &self.agents {
            table.add_row([
                team.clone(),
                agent.clone(),
                tally.conversations.to_string(),
                tally.resolved.to_string(),
                tally.notes.to_string(),
                tally.notified.to_string(),
            ]);
        }
        for column in table.column_iter_mut().skip(2) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        format!("{table}\n\n{}", self.verdict(flags))
    }

    pub(super) fn verdict(&self, flags: &str) -> String {
        let mut lines = vec![
            format!(
                "{} of {}, {}: {} lost, {} duplicated",
                counted(self.conversations, "conversation", "conversations"),
                counted(self.contacts, "contact", "contacts"),
                counted(self.messages, "message", "messages"),
                self.messages_lost,
                self.messages_duplicated
            ),
            format!(
                "{} assigned, {} unassigned, {} resolved; agents of a team differ by {} at most",
                self.assigned, self.unassigned, self.resolved, self.max_imbalance_per_team
            ),
            format!(
                "{} with {}; {} seen by contacts",
                counted(self.notes, "note", "notes"),
                counted(self.mentions, "mention", "mentions"),
                self.notes_seen_by_contacts
            ),
            format!(
                "{} expected, {} streamed: {} lost, {} duplicated",
                counted(self.notifications_expected, "notification", "notifications"),
                self.notifications_streamed,
                self.notifications_lost,
                self.notifications_duplicated
            ),
            format!(
                "{} messages/s, half within {} ms, 99 of 100 within {} ms; {} s in all",
                self.messages_per_second, self.p50_ms, self.p99_ms, self.elapsed_s
            ),
        ];
        lines.extend(self.decided.iter().flat_map(Decided::lines));
        lines.extend(self.remarks());
        if let Some(example) = &self.example {
            lines.push(format!(
                "why one of them is with whom it is with: backchannel explain {example}{flags}"
            ));
        }
        lines.join("\n")
    }

    /// What is not said of every day.
    fn remarks(&self) -> Vec<String> {
        let mut lines = Vec::new();
        match self.assigned_elsewhere {
            0 => {}
            1 => lines.push(
                "1 conversation went to somebody outside the replay, whose notifications were not listened to"
                    .to_owned(),
            ),
            many => lines.push(format!(
                "{many} conversations went to people outside the replay, whose notifications were not listened to"
            )),
        }
        match self.notifications_unexpected {
            0 => {}
            1 => lines.push("1 notification came for which nothing in the replay accounts".to_owned()),
            many => {
                lines.push(format!("{many} notifications came for which nothing in the replay accounts"));
            }
        }
        match self.notes_lost {
            0 => {}
            1 => lines.push("1 note which was written cannot be read".to_owned()),
            many => lines.push(format!("{many} notes which were written cannot be read")),
        }
        match self.goodbyes_unresolved {
            0 => {}
            1 => lines.push("1 conversation ends with a goodbye and is not resolved".to_owned()),
            many => lines.push(format!("{many} conversations end with a goodbye and are not resolved")),
        }
        match self.rejected {
            0 => {}
            1 => lines.push("1 line was rejected".to_owned()),
            many => lines.push(format!("{many} lines were rejected")),
        }
        if self.cut_short {
            lines.push("the file could not be read to its end".to_owned());
        }
        match (self.taken, self.known_before) {
            (0, _) => lines.push("no message was recorded".to_owned()),
            (_, 0) => {}
            (taken, known) if taken > known => {
                lines.push(format!("{} known before", counted(known, "message was", "messages were")));
            }
            _ if self.changed => {
                lines.push("all messages were known before; what was left to do is done".to_owned());
            }
            _ => lines.push("all messages were known before: nothing changed".to_owned()),
        }
        lines
    }
}

/// Within how many milliseconds this share of them was; they are sorted.
pub(super) fn within(sorted: &[Duration], share: f64) -> f64 {
    let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(place).map_or(0.0, |took| round(took.as_secs_f64() * 1e3))
}

/// Three digits behind the point are enough for people and programs.
pub(super) fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clean() -> Report {
        Report { taken: 3, messages: 3, known_before: 3, ..Report::default() }
    }

    // P13
    #[test]
    fn nothing_changed_is_said_only_when_nothing_did() {
        assert!(clean().is_clean() && clean().verdict("").contains("nothing changed"));
        let resolved = Report { changed: true, ..clean() };
        assert!(!resolved.verdict("").contains("nothing changed"));
        // Half of the file was known, and the conversations have messages of another file besides.
        let half = Report { known_before: 2, changed: true, ..clean() };
        assert!(half.verdict("").contains("2 messages were known before"));
    }

    // G8
    #[test]
    fn one_of_something_is_told_as_one() {
        let day = Report { conversations: 1, contacts: 1, notes: 1, mentions: 1, known_before: 1, ..clean() };
        let said = day.verdict("");
        for one in
            ["1 conversation of 1 contact, 3 messages:", "1 note with 1 mention;", "1 message was known"]
        {
            assert!(said.contains(one), "{said}");
        }
    }

    // P13
    #[test]
    fn whatever_was_left_out_is_said_and_is_not_success() {
        for (report, said) in [
            (Report { rejected: 1, ..clean() }, "1 line was rejected"),
            (Report { rejected: 2, ..clean() }, "2 lines were rejected"),
            (Report { notifications_unexpected: 1, ..clean() }, "nothing in the replay accounts"),
            (Report { notes_lost: 1, ..clean() }, "1 note which was written cannot be read"),
            (Report { cut_short: true, ..clean() }, "could not be read to its end"),
            (Report { goodbyes_unresolved: 1, ..clean() }, "1 conversation ends with a goodbye"),
            (Report { taken: 0, known_before: 0, ..clean() }, "no message was recorded"),
        ] {
            assert!(!report.is_clean() && report.verdict("").contains(said), "{said}");
        }
        let elsewhere = Report { assigned_elsewhere: 1, ..clean() };
        assert!(elsewhere.is_clean() && elsewhere.verdict("").contains("outside the replay"));
    }

    // P13
    #[test]
    fn on_a_floor_who_waits_for_a_reason_is_where_they_should_be() {
        let queued_for = [("NO_CAPACITY".to_owned(), 2)].into();
        let floor = |unexplained| Report {
            unassigned: 2,
            decided: Some(Decided {
                queued_for: BTreeMap::clone(&queued_for),
                unexplained,
                ..Decided::default()
            }),
            ..clean()
        };
        assert!(floor(0).is_clean() && floor(0).verdict("").contains("2 conversations wait for NO_CAPACITY"));
        assert!(!floor(1).is_clean() && floor(1).verdict("").contains("no decision says why"));
        assert!(!Report { unassigned: 2, ..clean() }.is_clean());
    }
}
