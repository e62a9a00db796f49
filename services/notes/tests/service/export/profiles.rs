//! What is in a file, by its profile.

use kernel::Role;
use notes::domain::export::Profile;
use notes::domain::timeline::Kind;
use serde_json::Value;
use testkit::PdfText;

use super::story::{FULL, NEVER, NOTES, SUBJECTS, written};

const PROFILES: [Profile; 3] = [Profile::CustomerSafe, Profile::WithNotes, Profile::Full];

/// The markers that a file must have, and those that it must not have.
fn markers(profile: Profile) -> (Vec<&'static str>, Vec<&'static str>) {
    match profile {
        Profile::CustomerSafe => (vec![], [NEVER.as_slice(), &NOTES, &FULL, &SUBJECTS].concat()),
        Profile::WithNotes => (NOTES.to_vec(), [NEVER.as_slice(), &FULL].concat()),
        Profile::Full => ([NOTES.as_slice(), &FULL].concat(), NEVER.to_vec()),
    }
}

// N11 N3
#[test]
fn a_profile_shows_all_that_it_promises_and_not_a_byte_more() {
    for profile in PROFILES {
        let (pdf, json) = written(profile);
        let (pdf, json) = (PdfText::of(&pdf.bytes), String::from_utf8(json).unwrap());
        let (present, absent) = markers(profile);
        for marker in present {
            assert!(pdf.text().contains(marker), "{profile:?}: {marker} is not in the PDF");
            assert!(json.contains(marker), "{profile:?}: {marker} is not in the JSON");
        }
        for marker in absent {
            assert!(!pdf.holds(marker), "{profile:?}: {marker} is in the PDF");
            assert!(!json.contains(marker), "{profile:?}: {marker} is in the JSON");
        }
        for said in [
            "I lost my boarding pass",
            "What is your booking code?",
            "Thank you!",
            "Ana Souza",
            "Maria da Silva",
        ] {
            assert!(pdf.text().contains(said) && json.contains(said), "{profile:?}: {said}");
        }
    }
}

// N11 N3
#[test]
fn a_customer_safe_file_does_not_even_hint_at_what_is_internal() {
    let (pdf, json) = written(Profile::CustomerSafe);
    let (text, json) = (PdfText::of(&pdf.bytes).text().to_lowercase(), String::from_utf8(json).unwrap());
    for hint in ["internal", "note", "urgent", "assigned", "handoff", "marker", "priority", "tags"] {
        assert!(!text.contains(hint), "{hint}: {text}");
        assert!(!json.to_lowercase().contains(hint), "{hint}: {json}");
    }
}

// N11
#[test]
fn the_json_has_its_shape_and_every_entry_in_order() {
    let (_, json) = written(Profile::Full);
    let file: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&file["format"], &file["version"]), (&"backchannel.conversation".into(), &1.into()));
    assert_eq!((&file["profile"], &file["entry_count"]), (&"FULL".into(), &11.into()));
    assert_eq!(file["export_time"], "2026-11-23T00:03:22.000000Z");
    assert_eq!(file["conversation"]["subject"], "Where is my boarding pass?");
    assert_eq!(file["conversation"]["internal"]["priority"], "URGENT");
    let entries = file["entries"].as_array().unwrap();
    let kinds: Vec<_> = entries.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "message",
            "message",
            "note",
            "note",
            "note",
            "note",
            "event",
            "event",
            "internal_message",
            "event",
            "message"
        ]
    );
    for entry in entries {
        let shown = if entry["type"] == "message" { "CUSTOMER_FACING" } else { "INTERNAL" };
        assert_eq!(entry["visibility"], shown, "{entry}");
    }
    assert_eq!(entries[0]["time"], "2026-11-22T14:03:22.000000Z");
    assert_eq!(
        (&entries[1]["direction"], &entries[1]["author"]["role"]),
        (&"OUTBOUND".into(), &"AGENT".into())
    );
    assert_eq!(entries[4]["handoff"]["receiver"]["display_name"], "marker-receiver");
    assert_eq!(
        (&entries[5]["deletion"]["by"]["display_name"], &entries[5]["body"]),
        (&"marker-deleter".into(), &"".into())
    );
    assert_eq!((&entries[6]["event"], &entries[9]["event"]), (&"ASSIGNED".into(), &"RESOLVED".into()));
    let names: Vec<_> = file["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["display_name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Maria da Silva",
            "Ana Souza",
            "marker-noter",
            "marker-deleted-noter",
            "marker-event-actor",
            "marker-whisperer"
        ]
    );
}

// N11
#[test]
fn a_customer_safe_json_names_people_as_the_customer_saw_them() {
    let (_, json) = written(Profile::CustomerSafe);
    let file: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(file["entries"][1]["author"], serde_json::json!({"display_name": "Ana Souza"}));
    assert_eq!(file["participants"].as_array().unwrap().len(), 2);
    assert!(file["conversation"].get("internal").is_none());
}

// N11
#[test]
fn full_is_for_supervisors_and_admins_and_no_file_is_for_anybody_outside() {
    for profile in PROFILES {
        for role in Role::ALL {
            let inside = matches!(role, Role::Supervisor | Role::Admin)
                || (role == Role::Agent && profile != Profile::Full);
            assert_eq!(profile.is_open_to(role), inside, "{profile:?} {role}");
        }
    }
}

// N11
#[test]
fn each_profile_shows_what_the_one_before_it_shows() {
    let kinds = [Kind::Message, Kind::Event, Kind::Note, Kind::ContactNote, Kind::InternalMessage];
    for pair in PROFILES.windows(2) {
        for kind in kinds {
            assert!(pair[1].shows(kind) || !pair[0].shows(kind), "{pair:?} {kind:?}");
        }
    }
    let safe: Vec<_> = kinds.into_iter().filter(|kind| Profile::CustomerSafe.shows(*kind)).collect();
    assert_eq!(safe, [Kind::Message]);
}
