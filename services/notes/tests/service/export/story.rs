//! A conversation in which everything private says a word that nothing else says.

use kernel::{Clock, Role, Timestamp};
use notes::domain::export::history::{
    Assigned, Customer, Deletion, Direction, Entry, Event, HandedOver, Happening, Heading, Identity, Inside,
    Message, Noted, Whisper, Writer,
};
use notes::domain::export::json::JsonFile;
use notes::domain::export::pdf::{self, Pdf};
use notes::domain::export::{Edition, Profile};
use zones::Zone;

/// 22 November 2026, 14:03:22 in UTC.
pub(crate) const BEGAN: Timestamp = Timestamp::from_micros(1_795_356_202_000_000);

pub(crate) fn minutes(after: u64) -> Timestamp {
    BEGAN.plus(std::time::Duration::from_secs(60 * after))
}

pub(crate) fn edition(profile: Profile) -> Edition {
    Edition { profile, export_time: minutes(600), zone: Zone::parse("America/Sao_Paulo").unwrap() }
}

pub(crate) fn writer(display_name: &str, subject: &str, role: Role) -> Writer {
    let identity = Identity { subject: subject.to_owned(), role };
    Writer { display_name: display_name.to_owned(), identity: Some(identity) }
}

pub(crate) fn assigned(display_name: &str, subject: &str) -> Assigned {
    Assigned { subject: subject.to_owned(), display_name: display_name.to_owned() }
}

pub(crate) fn said(direction: Direction, by: Option<Writer>, text: &str, after: u64) -> Entry {
    Entry::Message(Message {
        message_id: Clock::system().new_id().to_string(),
        time: minutes(after),
        sent_time: Some(minutes(after)),
        direction,
        author: by,
        text: text.to_owned(),
    })
}

pub(crate) fn customer_said(text: &str, after: u64) -> Entry {
    said(Direction::Inbound, None, text, after)
}

pub(crate) fn answered(text: &str, after: u64) -> Entry {
    said(Direction::Outbound, Some(writer("Ana Souza", "marker-subject-of-ana", Role::Agent)), text, after)
}

pub(crate) fn noted(by: Writer, body: &str, after: u64) -> Noted {
    Noted {
        note_id: Clock::system().new_id(),
        time: minutes(after),
        update_time: minutes(after),
        revision: 1,
        author: by,
        reply_to: None,
        pinned: false,
        deletion: None,
        handoff: None,
        body: body.to_owned(),
        on_contact: false,
    }
}

pub(crate) fn note(body: &str, after: u64) -> Entry {
    Entry::Note(Box::new(noted(writer("Bruno Lima", "bruno", Role::Agent), body, after)))
}

pub(crate) fn whispered(by: Writer, body: &str, after: u64) -> Entry {
    Entry::InternalMessage(Whisper {
        internal_message_id: Clock::system().new_id(),
        internal_thread_id: Clock::system().new_id(),
        time: minutes(after),
        author: by,
        body: body.to_owned(),
    })
}

pub(crate) fn happened(by: Option<Writer>, what: Happening, after: u64) -> Entry {
    let event_id = Clock::system().new_id().to_string();
    Entry::Event(Event { event_id, time: minutes(after), actor: by, what })
}

pub(crate) fn heading() -> Heading {
    Heading {
        conversation_id: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
        subject: "Where is my boarding pass?".to_owned(),
        source: "airline".to_owned(),
        channel: "chat".to_owned(),
        external_id: "chat-4711".to_owned(),
        customer: Customer { contact_id: "c-1".to_owned(), display_name: "Maria da Silva".to_owned() },
        resolved: true,
        create_time: BEGAN,
        resolve_time: Some(minutes(500)),
        inside: Some(Inside {
            priority: "URGENT",
            tags: vec!["marker-tag".to_owned()],
            assignee: Some(assigned("Marker-assignee", "marker-subject-of-assignee")),
        }),
    }
}

/// Words that no profile shows.
pub(crate) const NEVER: [&str; 5] = [
    "marker-contact-note",
    "marker-contact-noter",
    "marker-deleted-body",
    "marker-deleted-steps",
    "marker-deleted-outcome",
];
/// Words that WITH_NOTES shows, and CUSTOMER_SAFE does not.
pub(crate) const NOTES: [&str; 9] = [
    "marker-note",
    "marker-noter",
    "marker-link",
    "marker-reply",
    "marker-receiver",
    "marker-steps",
    "marker-outcome",
    "marker-deleter",
    "marker-deleted-noter",
];
/// Words that only FULL shows.
pub(crate) const FULL: [&str; 8] = [
    "marker-tag",
    "Marker-assignee",
    "marker-whisper",
    "marker-whisperer",
    "marker-event-assignee",
    "marker-event-previous",
    "marker-event-actor",
    "marker-team",
];
/// How services call people: in JSON for people inside, never on a page.
pub(crate) const SUBJECTS: [&str; 3] =
    ["marker-subject-of-ana", "marker-subject-of-noter", "marker-subject-of-receiver"];

/// Everything that a conversation can have.
fn story() -> Vec<Entry> {
    let noter = || writer("marker-noter", "marker-subject-of-noter", Role::Agent);
    let body = "She is **angry**: marker-note, [see](https://example.com/marker-link) @marker-note";
    let handoff = |steps: &str, outcome: &str| HandedOver {
        receiver: assigned("marker-receiver", "marker-subject-of-receiver"),
        steps_taken: steps.to_owned(),
        expected_outcome: outcome.to_owned(),
        urgency: "HIGH",
        due_time: Some(minutes(90)),
        acknowledge_time: None,
    };
    let first = noted(noter(), body, 2);
    let reply = Noted { reply_to: Some(first.note_id), ..noted(noter(), "marker-reply", 3) };
    let handed_over = Noted {
        handoff: Some(handoff("marker-steps", "marker-outcome")),
        ..noted(noter(), "please take over", 4)
    };
    let deleted = Noted {
        deletion: Some(Deletion { by: writer("marker-deleter", "root", Role::Admin), time: minutes(7) }),
        handoff: Some(handoff("marker-deleted-steps", "marker-deleted-outcome")),
        ..noted(writer("marker-deleted-noter", "gone", Role::Agent), "marker-deleted-body", 5)
    };
    let about_contact = Noted {
        on_contact: true,
        ..noted(writer("marker-contact-noter", "cleo", Role::Agent), "marker-contact-note", 6)
    };
    let actor = || Some(writer("marker-event-actor", "quentin", Role::Supervisor));
    let previous_assignee = Some(assigned("marker-event-previous", "p"));
    vec![
        customer_said("I lost my boarding pass", 0),
        answered("I am sorry. What is your booking code?", 1),
        Entry::Note(Box::new(first)),
        Entry::Note(Box::new(reply)),
        Entry::Note(Box::new(handed_over)),
        Entry::Note(Box::new(deleted)),
        Entry::Note(Box::new(about_contact)),
        happened(
            actor(),
            Happening::Assigned { assignee: assigned("marker-event-assignee", "a"), previous_assignee },
            8,
        ),
        happened(
            None,
            Happening::Queued { team_handle: "marker-team".to_owned(), previous_assignee: None },
            9,
        ),
        whispered(writer("marker-whisperer", "eve", Role::Supervisor), "marker-whisper: *be kind*", 10),
        happened(actor(), Happening::Resolved, 11),
        customer_said("Thank you!", 12),
    ]
}

/// What of it is in a file of a profile.
pub(crate) fn admitted(profile: Profile) -> Vec<Entry> {
    story().into_iter().filter_map(|entry| profile.admit(entry)).collect()
}

/// What is in a file of a profile, as both formats have it.
pub(crate) fn written(profile: Profile) -> (Pdf, Vec<u8>) {
    let edition = edition(profile);
    let heading = profile.heading(heading());
    let entries = admitted(profile);
    let (mut file, mut json) = JsonFile::begin(&heading, &edition).unwrap();
    for entry in &entries {
        file.write(entry, &mut json).unwrap();
    }
    json.extend(file.end().unwrap());
    (pdf::render(&heading, &entries, &edition).unwrap(), json)
}
