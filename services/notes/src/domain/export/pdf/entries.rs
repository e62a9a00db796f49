//! Each entry of the history.

use super::blocks::{Block, markdown, plain};
use super::flow::Flow;
use super::setting::Run;
use super::style::{BODY, Frame, SMALL, Style, Tone};
use crate::domain::export::Edition;
use crate::domain::export::history::{
    Assigned, Direction, Entry, Event, HandedOver, Happening, Heading, Message, Noted, Whisper, Writer,
};
use zones::WallClock;

/// What all entries are told by.
struct Telling<'a> {
    heading: &'a Heading,
    clock: WallClock,
}

pub(super) fn write(flow: &mut Flow, heading: &Heading, entries: &[Entry], edition: &Edition) {
    let telling = Telling { heading, clock: edition.zone.clock() };
    let mut day = String::new();
    for entry in entries {
        let today = telling.clock.day(entry.time());
        if today != day {
            let text = vec![Run::new(today.clone(), Style::bold(Tone::Soft))];
            flow.write(&Block { gap: 12.0, keeps: true, ..Block::new(text, SMALL + 1.0) });
            day = today;
        }
        match entry {
            Entry::Message(message) => telling.message(flow, message),
            Entry::Note(note) => telling.note(flow, note),
            Entry::InternalMessage(message) => telling.internal_message(flow, message),
            Entry::Event(event) => telling.event(flow, event),
        }
    }
    let end = match entries.len() {
        0 => "There is nothing in the history.".to_owned(),
        1 => "End of the history: 1 entry.".to_owned(),
        count => format!("End of the history: {count} entries."),
    };
    flow.write(&Block { gap: 16.0, ..Block::new(vec![Run::new(end, Style::soft())], SMALL) });
}

/// What was to happen by a time.
fn targeted(metric: &str) -> &'static str {
    match metric {
        "FIRST_RESPONSE" => "First response",
        "NEXT_RESPONSE" => "Next response",
        "RESOLUTION" => "Resolution",
        _ => "Target",
    }
}

/// Who had it, behind what happened.
fn with(assignee: &Option<Assigned>) -> String {
    assignee.as_ref().map_or_else(String::new, |it| format!(", with {}", called(it)))
}

/// What people call somebody, if that is still known.
fn called(person: &Assigned) -> &str {
    match person.display_name.as_str() {
        "" => "somebody",
        name => name,
    }
}

impl Telling<'_> {
    fn message(&self, flow: &mut Flow, message: &Message) {
        let author = message.author.as_ref().map(|author| author.display_name.as_str());
        let (author, way) = match message.direction {
            Direction::Inbound => (author.or(Some(&self.heading.customer.display_name)), "customer"),
            Direction::Outbound => (author, "reply to the customer"),
        };
        let name = author.filter(|name| !name.is_empty());
        let mut runs: Vec<Run> =
            name.map(|name| Run::new(format!("{name}   "), Style::bold(Tone::Ink))).into_iter().collect();
        runs.push(Run::new(way, Style::soft()));
        let side = vec![Run::new(self.clock.time(message.time), Style::soft())];
        flow.write(&Block { side, gap: 10.0, keeps: true, ..Block::new(runs, BODY) });
        plain(&message.text).iter().for_each(|block| flow.write(block));
    }

    fn note(&self, flow: &mut Flow, note: &Noted) {
        let mut about = Vec::new();
        if let Some(handoff) = &note.handoff {
            about.push(format!("handoff to {}", called(&handoff.receiver)));
        }
        if note.reply_to.is_some() {
            about.push("reply to a note".to_owned());
        }
        if note.pinned {
            about.push("pinned".to_owned());
        }
        if note.revision > 1 {
            about.push(format!("edited on {}", self.clock.moment(note.update_time)));
        }
        self.boxed(flow, Frame::Note, Some(&note.author), &about.join(", "), note.time);
        if let Some(deletion) = &note.deletion {
            let text = format!(
                "This note was deleted by {} on {}. What it said is in no file.",
                deletion.by.display_name,
                self.clock.moment(deletion.time)
            );
            flow.write(&Block::new(vec![Run::new(text, Style { slanted: true, ..Style::soft() })], BODY));
        }
        markdown(&note.body).iter().for_each(|block| flow.write(block));
        if let Some(handoff) = &note.handoff {
            self.handoff(flow, handoff);
        }
        flow.close();
    }

    fn handoff(&self, flow: &mut Flow, handoff: &HandedOver) {
        for (label, text) in
            [("Steps taken", &handoff.steps_taken), ("Expected outcome", &handoff.expected_outcome)]
        {
            if !text.is_empty() {
                let label = vec![Run::new(label, Style::bold(Tone::On(Frame::Note)))];
                flow.write(&Block { gap: 5.0, keeps: true, ..Block::new(label, SMALL) });
                markdown(text).iter().for_each(|block| flow.write(block));
            }
        }
        let mut facts = vec![format!("Urgency: {}", handoff.urgency.to_lowercase())];
        facts.extend(handoff.due_time.map(|time| format!("due {}", self.clock.moment(time))));
        facts.push(match handoff.acknowledge_time {
            Some(time) => format!("acknowledged on {}", self.clock.moment(time)),
            None => "not acknowledged".to_owned(),
        });
        let facts = vec![Run::new(facts.join("  ·  "), Style::soft())];
        flow.write(&Block { gap: 5.0, ..Block::new(facts, SMALL) });
    }

    fn internal_message(&self, flow: &mut Flow, message: &Whisper) {
        self.boxed(flow, Frame::InternalMessage, Some(&message.author), "", message.time);
        markdown(&message.body).iter().for_each(|block| flow.write(block));
        flow.close();
    }

    fn event(&self, flow: &mut Flow, event: &Event) {
        self.boxed(flow, Frame::Event, None, "", event.time);
        let by = match &event.actor {
            Some(actor) => format!(", by {}", actor.display_name),
            None => String::new(),
        };
        let text = format!("{}{by}", self.told(&event.what));
        flow.write(&Block::new(vec![Run::new(text, Style::PLAIN)], BODY));
        flow.close();
    }

    fn told(&self, what: &Happening) -> String {
        let from = |previous: &Option<Assigned>| {
            previous.as_ref().map_or_else(String::new, |it| format!(", until then with {}", called(it)))
        };
        match what {
            Happening::Assigned { assignee, previous_assignee } => {
                format!("Assigned to {}{}", called(assignee), from(previous_assignee))
            }
            Happening::Unassigned { previous_assignee } => {
                format!("Assigned to nobody{}", from(previous_assignee))
            }
            Happening::Queued { team_handle, previous_assignee } => {
                let team = if team_handle.is_empty() { "a team that is gone" } else { team_handle };
                format!("Waiting for {team}{}", from(previous_assignee))
            }
            Happening::Resolved => "Resolved".to_owned(),
            Happening::Reopened => "Reopened".to_owned(),
            Happening::Snoozed { until: Some(until) } => {
                format!("Put aside until {}", self.clock.moment(*until))
            }
            Happening::Snoozed { until: None } => "Put aside".to_owned(),
            Happening::SlaWarned { metric, assignee } => {
                format!("{} almost due{}", targeted(metric), with(assignee))
            }
            Happening::SlaBreached { metric, assignee } => {
                format!("{} late{}", targeted(metric), with(assignee))
            }
        }
    }

    /// Opens a box with its label, who wrote what is in it, and when.
    fn boxed(
        &self,
        flow: &mut Flow,
        frame: Frame,
        writer: Option<&Writer>,
        about: &str,
        time: kernel::Timestamp,
    ) {
        flow.begin_box(frame);
        let mut runs = vec![Run::new(frame.label(), Style::bold(Tone::On(frame)))];
        if let Some(writer) = writer {
            runs.push(Run::new(format!("   {}", writer.display_name), Style::bold(Tone::Ink)));
        }
        if !about.is_empty() {
            runs.push(Run::new(format!("   {about}"), Style::soft()));
        }
        let side = vec![Run::new(self.clock.time(time), Style::soft())];
        flow.write(&Block { side, keeps: true, ..Block::new(runs, SMALL + 0.5) });
        flow.skip(1.5);
    }
}
