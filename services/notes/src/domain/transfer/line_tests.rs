use serde_json::{Value as Json, json};

use super::{Line, Reason, Rejection};

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn note() -> Json {
    json!({
        "kind": "note", "version": 1, "note_id": ID, "conversation_id": ID, "contact_id": ID,
        "author_subject": "ana", "author_role": "agent", "author_name": "Ana 🦊",
        "editor_subject": "ana", "editor_role": "agent", "editor_name": "Ana 🦊",
        "body": "سلام, שלום, 👩‍💻 \"quoted\"\n\u{1}",
        "mentions": [{"handle": "bob", "kind": "agent", "outcome": {"notified": ["sub-bob"]}}],
        "revision": 2, "etag_version": 3,
        "create_time": "2026-11-22T04:45:31.123456Z", "update_time": "2026-11-22T05:45:32+01:00",
    })
}

fn with(changes: Json) -> Json {
    let mut line = note();
    for (name, value) in changes.as_object().unwrap() {
        line[name] = value.clone();
    }
    line
}

fn refused(line: &Json) -> Rejection {
    Line::parse(line.to_string().as_bytes()).unwrap_err()
}

// P13
#[test]
fn what_is_written_is_read_and_written_again_byte_for_byte() {
    let read = Line::parse(note().to_string().as_bytes()).unwrap();
    let written = read.print();
    assert!(written.starts_with(r#"{"kind":"note","version":1,"note_id":"#), "{written}");
    assert!(written.ends_with("}\n") && written.matches('\n').count() == 1);
    assert!(written.contains("سلام, שלום, 👩‍💻") && written.contains("2026-11-22T04:45:32Z"));
    let again = Line::parse(written.as_bytes()).unwrap();
    assert_eq!((&again, again.print()), (&read, written));
}

// P13
#[test]
fn what_is_wrong_with_a_line_is_told_by_field_and_all_at_once() {
    let rejection =
        refused(&with(json!({"body": "", "secret": "private", "revision": 0, "author_role": "contact"})));
    assert_eq!(rejection.reason, Reason::InvalidValue);
    let fields: Vec<_> = rejection.violations.iter().map(|(field, _)| field.as_deref().unwrap()).collect();
    assert_eq!(fields, ["author_role", "body", "revision", "secret"]);
    assert!(rejection.violations.iter().all(|(_, reason)| !reason.contains("private")));
}

// P13
#[test]
fn fields_that_contradict_each_other_are_told() {
    let wrong = [
        (json!({"origin_conversation_id": ID}), "origin_conversation_id"),
        (json!({"reply_to": ID}), "thread_id"),
        (json!({"pin_time": "2026-11-22T04:45:32Z"}), "pin_time"),
        (json!({"deleter_name": "x"}), "delete_time"),
        (
            json!({"mentions": [{"handle": "no one", "kind": null, "outcome": {"refused": "unknown"}}]}),
            "mentions",
        ),
        (
            json!({"mentions": [{"handle": "bob", "kind": null, "outcome": {"refused": "unknown"}, "more": 1}]}),
            "mentions",
        ),
        (json!({"handoff": {"receiver": {}}}), "handoff"),
        (json!({"update_time": "2026-11-22T04:45:31.123455Z"}), "update_time"),
        (json!({"note_id": "01890a5d-ac96-474b-bcce-b302099a8057"}), "note_id"),
    ];
    for (change, field) in wrong {
        let rejection = refused(&with(change));
        assert_eq!(rejection.violations[0].0.as_deref(), Some(field), "{rejection:?}");
    }
}

// P13
#[test]
fn what_answers_could_not_say_is_refused_and_the_ends_of_what_they_can_are_not() {
    let handoff = |due: Json, acknowledged: Json| {
        json!({
            "receiver": {"subject": "bob", "display_name": "Bob"}, "urgency": "low", "due_time": due,
            "texts": {"steps_taken": "", "expected_outcome": ""}, "acknowledgement": acknowledged,
        })
    };
    let acknowledged = |time: i64, revision: i64| {
        json!({
            "by": {"subject": "bob", "role": "agent", "display_name": "Bob"}, "time": time, "revision": revision,
        })
    };
    let (first, last) = (-62_135_596_800_000_000_i64, 253_402_300_799_999_999_i64);
    for (change, field) in [
        (json!({"create_time": "-0001-01-01T00:00:00Z"}), "create_time"),
        (json!({"etag_version": i64::MAX}), "etag_version"),
        (json!({"revision": i64::MAX}), "revision"),
        (json!({"revision": i32::MAX}), "revision"),
        (json!({"handoff": handoff(json!(i64::MAX), Json::Null)}), "handoff"),
        (json!({"handoff": handoff(json!(i64::MIN), Json::Null)}), "handoff"),
        (json!({"handoff": handoff(json!(last + 1), Json::Null)}), "handoff"),
        (json!({"handoff": handoff(Json::Null, acknowledged(first - 1, 1))}), "handoff"),
        (json!({"handoff": handoff(Json::Null, acknowledged(0, i64::MAX))}), "handoff"),
    ] {
        let rejection = refused(&with(change));
        assert_eq!(rejection.violations[0].0.as_deref(), Some(field), "{rejection:?}");
    }
    for change in [
        json!({"create_time": "0001-01-01T00:00:00Z", "update_time": "9999-12-31T23:59:59.999999Z"}),
        json!({"etag_version": 1_i64 << 53, "revision": 1_000_000_000}),
        json!({"handoff": handoff(json!(last), acknowledged(first, 1))}),
        json!({"update_time": "2026-11-22T04:45:31.123456Z"}),
    ] {
        let read = Line::parse(with(change.clone()).to_string().as_bytes());
        assert!(read.is_ok(), "{change}: {read:?}");
    }
}

// P13
#[test]
fn a_field_that_is_there_twice_is_refused() {
    let line = note().to_string();
    for (again, field) in [(r#""body":"secret","#, "body"), (r#""handoff":{"a":1,"a":2},"#, "a")] {
        let twice = line.replacen('{', &format!("{{{again}"), 1);
        let rejection = Line::parse(twice.as_bytes()).unwrap_err();
        assert_eq!(rejection.reason, Reason::InvalidValue);
        assert_eq!(rejection.violations[0].0.as_deref(), Some(field), "{rejection:?}");
        assert!(!format!("{rejection:?}").contains("secret"));
    }
}

// P13
#[test]
fn of_several_contradictions_each_is_told() {
    let fields = |line: &Json| -> Vec<String> {
        refused(line).violations.into_iter().map(|(field, _)| field.unwrap().into_owned()).collect()
    };
    let note = with(json!({
        "origin_conversation_id": ID, "reply_to": ID, "pin_time": "2026-11-22T04:45:32Z", "deleter_name": "x",
    }));
    assert_eq!(fields(&note), ["origin_conversation_id", "thread_id", "pin_time", "delete_time"]);
    let settings = json!({
        "kind": "settings", "version": 1, "contact_note_requires_conversation": true,
        "internal_messages_enabled": true, "conversation_note_deletion": "forbidden", "time_zone": "UTC",
        "note_retention_days": 36_501, "internal_message_retention_days": 36_501,
        "etag_version": 2, "update_time": "2026-11-22T04:45:32Z",
    });
    assert_eq!(fields(&settings), ["note_retention_days", "internal_message_retention_days"]);
}

// P13
#[test]
fn what_is_no_line_of_a_known_kind_is_refused_without_being_repeated() {
    let kinds = [
        (json!({"kind": "secret"}), Reason::UnknownKind),
        (json!({"version": 2}), Reason::UnknownKind),
        (json!({"author_name": "a\u{0}secret"}), Reason::InvalidValue),
    ];
    for (change, reason) in kinds {
        let rejection = refused(&with(change));
        assert_eq!(rejection.reason, reason);
        assert!(!format!("{rejection:?}").contains("secret"), "{rejection:?}");
    }
    for bytes in
        [&b"secret"[..], b"[\"secret\"]", b"{\"secret\":", b"{\"a\":\"\xff\"}", br#"{"a":"\ud800"}"#, b"5"]
    {
        let rejection = Line::parse(bytes).unwrap_err();
        assert_eq!(rejection.reason, Reason::Unreadable);
        assert!(!format!("{rejection:?}").contains("secret"), "{rejection:?}");
    }
}
