//! What the replay came to: for people a table, for programs one JSON object.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use serde::Serialize;

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
    /// Lines which were not messages.
    pub(super) rejected: u64,
    /// Messages which were known before this run.
    pub(super) known_before: u64,
    pub(super) messages_per_second: f64,
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
    pub(super) elapsed_s: f64,
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
            self.unassigned,
            self.notifications_lost,
            self.notifications_duplicated,
            self.notifications_unexpected,
            self.notes_seen_by_contacts,
        ];
        broken.iter().all(|count| *count == 0)
    }

    /// Fills in how long the messages took.
    pub(super) fn timed(&mut self, latencies: &mut [Duration], recording: Duration) {
        latencies.sort_unstable();
        let at = |share: f64| {
            let place =
                ((latencies.len() as f64 * share).ceil() as usize).clamp(1, latencies.len().max(1)) - 1;
            latencies.get(place).map_or(0.0, |took| took.as_secs_f64() * 1e3)
        };
        (self.p50_ms, self.p99_ms) = (round(at(0.50)), round(at(0.99)));
        self.messages_per_second = round(latencies.len() as f64 / recording.as_secs_f64().max(1e-9));
    }

    /// The table for people.
    pub(super) fn table(&self) -> String {
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
        format!("{table}\n\n{}", self.verdict())
    }

    fn verdict(&self) -> String {
        let mut lines = vec![
            format!(
                "{} conversations of {} contacts, {} messages: {} lost, {} duplicated",
                self.conversations,
                self.contacts,
                self.messages,
                self.messages_lost,
                self.messages_duplicated
            ),
            format!(
                "{} assigned, {} unassigned, {} resolved; agents of a team differ by {} at most",
                self.assigned, self.unassigned, self.resolved, self.max_imbalance_per_team
            ),
            format!(
                "{} notes with {} mentions; {} seen by contacts",
                self.notes, self.mentions, self.notes_seen_by_contacts
            ),
            format!(
                "{} notifications expected, {} streamed: {} lost, {} duplicated",
                self.notifications_expected,
                self.notifications_streamed,
                self.notifications_lost,
                self.notifications_duplicated
            ),
            format!(
                "{} messages/s, half within {} ms, 99 of 100 within {} ms; {} s in all",
                self.messages_per_second, self.p50_ms, self.p99_ms, self.elapsed_s
            ),
        ];
        if self.rejected > 0 {
            lines.push(format!("{} lines were rejected", self.rejected));
        }
        if self.known_before > 0 {
            let all = self.known_before >= self.messages;
            let what = if all {
                "all messages were known before: nothing changed"
            } else {
                "messages were known before"
            };
            lines.push(if all { what.to_owned() } else { format!("{} {what}", self.known_before) });
        }
        if let Some(example) = &self.example {
            lines.push(format!("why one of them is with whom it is with: backchannel explain {example}"));
        }
        lines.join("\n")
    }
}

/// Three digits behind the point are enough for people and programs.
pub(super) fn round(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}
