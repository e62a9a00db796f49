//! What is on the first page before the history: which conversation, with whom, and what the file holds.

use super::blocks::Block;
use super::flow::Flow;
use super::setting::Run;
use super::style::{BODY, SMALL, Style, Tone};
use crate::domain::export::history::{Entry, Heading, Inside, Participants};
use crate::domain::export::{Edition, Profile};

/// Where the values stand, in steps.
const VALUES: u8 = 6;

/// What stands at the head of every other page.
pub(super) fn running_head(heading: &Heading, edition: &Edition) -> Vec<Run> {
    let mut runs = vec![Run::new(subject(heading), Style::soft())];
    if let Some(warning) = warning(edition.profile) {
        runs.insert(0, Run::new(format!("{warning}  ·  "), Style::bold(Tone::Soft)));
    }
    runs
}

pub(super) fn write(flow: &mut Flow, heading: &Heading, entries: &[Entry], edition: &Edition) {
    let kicker = Run::new("CONVERSATION HISTORY", Style::bold(Tone::Soft));
    flow.write(&Block::new(vec![kicker], SMALL));
    flow.write(&Block {
        gap: 3.0,
        ..Block::new(vec![Run::new(subject(heading), Style::bold(Tone::Ink))], 16.0)
    });
    if let Some(warning) = warning(edition.profile) {
        let warning = format!("{warning}: do not pass this file on to the customer");
        flow.write(&Block { gap: 4.0, ..Block::new(vec![Run::new(warning, Style::bold(Tone::Ink))], BODY) });
    }
    flow.skip(8.0);
    for (label, value) in rows(heading, entries, edition) {
        if !value.is_empty() {
            flow.write(&row(label, value));
        }
    }
    flow.skip(10.0);
    flow.rule();
    flow.skip(4.0);
}

fn rows(heading: &Heading, entries: &[Entry], edition: &Edition) -> Vec<(&'static str, String)> {
    let clock = edition.zone.clock();
    let status = match (heading.resolved, heading.resolve_time) {
        (true, Some(time)) => format!("resolved on {}", clock.moment(time)),
        (true, None) => "resolved".to_owned(),
        (false, _) => "open".to_owned(),
    };
    let channel = match heading.source.as_str() {
        "" => heading.channel.clone(),
        source => format!("{}, from {source}", heading.channel),
    };
    let mut rows = vec![
        ("Reference", heading.conversation_id.to_string()),
        ("Channel", channel),
        ("Reference there", heading.external_id.clone()),
        ("Customer", heading.customer.display_name.clone()),
        ("Took part", others(heading, entries)),
        ("Began", clock.moment(heading.create_time)),
        ("Status", status),
    ];
    if let Some(inside) = &heading.inside {
        rows.extend(inside_rows(inside));
    }
    rows.push(("In this file", contents(edition.profile).to_owned()));
    rows.push(("Written", clock.moment(edition.export_time)));
    rows.push(("Time zone", edition.zone.as_str().to_owned()));
    rows
}

fn inside_rows(inside: &Inside) -> [(&'static str, String); 3] {
    let assignee = inside.assignee.as_ref().map_or("nobody", |it| it.display_name.as_str());
    [
        ("Assigned to", assignee.to_owned()),
        ("Priority", inside.priority.to_lowercase()),
        ("Tags", inside.tags.join(", ")),
    ]
}

fn row(label: &str, value: String) -> Block {
    let marker = vec![Run::new(label, Style::soft())];
    Block { marker, depth: VALUES, ..Block::new(vec![Run::new(value, Style::PLAIN)], BODY) }
}

/// Everybody but the customer.
fn others(heading: &Heading, entries: &[Entry]) -> String {
    let mut people = Participants::of(heading);
    entries.iter().for_each(|entry| people.meet(entry));
    let names = people.into_names().into_iter().filter(|it| !it.customer).map(|it| it.display_name);
    names.collect::<Vec<_>>().join(", ")
}

fn subject(heading: &Heading) -> String {
    match heading.subject.trim() {
        "" => format!("Conversation {}", heading.conversation_id),
        subject => subject.to_owned(),
    }
}

fn contents(profile: Profile) -> &'static str {
    match profile {
        Profile::CustomerSafe => "what the customer wrote or could see",
        Profile::WithNotes => "messages, and internal notes",
        Profile::Full => "messages, and internal notes, messages and events",
    }
}

fn warning(profile: Profile) -> Option<&'static str> {
    match profile {
        Profile::CustomerSafe => None,
        Profile::WithNotes | Profile::Full => Some("INTERNAL CONTENT"),
    }
}
