//! The generated checks, on messages of the contracts.

use proto::Validate;
use proto::contacts::v1 as contacts;
use proto::notes::v1::{self as notes, CreateNoteRequest};
use proto::routing::v1 as routing;

const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn broken(message: &impl Validate) -> Vec<String> {
    message.violations().into_iter().map(|violation| violation.field).collect()
}

// P4
#[test]
fn a_valid_request_has_no_violation() {
    let request =
        CreateNoteRequest { conversation_id: ID.into(), body: "hello".into(), ..Default::default() };
    assert_eq!(broken(&request), Vec::<String>::new());
}

// P4
#[test]
fn each_broken_field_is_named() {
    let (conversation_id, body, request_id) = ("x".into(), "z".repeat(65_537), "y".into());
    let request = CreateNoteRequest { conversation_id, body, request_id, ..Default::default() };
    assert_eq!(broken(&request), ["conversation_id", "body", "request_id"]);
}

// P4
#[test]
fn length_counts_characters_and_size_counts_bytes() {
    let note = |body: String| CreateNoteRequest { conversation_id: ID.into(), body, ..Default::default() };
    assert!(broken(&note("ä".repeat(32_768))).is_empty(), "64 KiB of two-byte letters");
    assert_eq!(broken(&note("ä".repeat(32_769))), ["body"]);
    let contact = |name: String| contacts::CreateContactRequest {
        profile: Some(contacts::ContactProfile { display_name: name, ..Default::default() }),
        ..Default::default()
    };
    assert!(broken(&contact("🦀".repeat(200))).is_empty());
    assert_eq!(broken(&contact("🦀".repeat(201))), ["profile.display_name"]);
}

// P4
#[test]
fn nested_and_repeated_values_are_checked_and_named_by_place() {
    let request = contacts::CreateContactRequest {
        profile: Some(contacts::ContactProfile {
            emails: vec!["ana@example.com".into(), "not an email".into()],
            language: "d".into(),
            ..Default::default()
        }),
        tags: vec!["vip".into(), String::new()],
        ..Default::default()
    };
    let found = broken(&request);
    for place in ["profile.emails[1]", "profile.language", "tags[1]"] {
        assert!(found.iter().any(|field| field == place), "{place} in {found:?}");
    }
    assert_eq!(broken(&contacts::CreateContactRequest::default()), ["profile"]);
}

// P4
#[test]
fn a_required_choice_and_an_unknown_enum_value_are_refused() {
    let assign = routing::AssignConversationRequest {
        conversation_id: ID.into(),
        etag: "v1".into(),
        ..Default::default()
    };
    assert_eq!(broken(&assign), ["target"]);
    let agent = routing::assign_conversation_request::Target::AgentId("nobody".into());
    assert_eq!(broken(&routing::AssignConversationRequest { target: Some(agent), ..assign }), ["agent_id"]);
    let list = routing::ListConversationsRequest { view: 99, page_size: 201, ..Default::default() };
    assert_eq!(broken(&list), ["view", "page_size"]);
}

// P4
#[test]
fn a_text_that_is_required_is_more_than_white_space() {
    for blank in [
        " ",
        " \n ",
        "\t\r\n",
        "\u{a0}\u{2003}\u{3000}",
        "\u{200b}",
        "\u{202e}\u{2066}",
        "\u{feff} \u{fe0f}\u{e0041}",
    ] {
        let id = || ID.to_owned();
        let text = || blank.to_owned();
        let message =
            notes::SendInternalMessageRequest { conversation_id: id(), body: text(), ..Default::default() };
        let edit = notes::UpdateNoteRequest { note_id: id(), body: text(), ..Default::default() };
        let list = contacts::CreateListRequest { display_name: text(), ..Default::default() };
        let choices = contacts::UpdateAttributeDefinitionRequest {
            key: "plan".into(),
            choices: vec!["gold".into(), text()],
            ..Default::default()
        };
        let all = [message.violations(), edit.violations(), list.violations(), choices.violations()];
        let said: Vec<String> =
            all.iter().flatten().map(|one| format!("{} {}", one.field, one.description)).collect();
        let expected = ["body", "body", "display_name", "choices[1]"];
        assert_eq!(said, expected.map(|field| format!("{field} must have something other than white space")));
    }
    for visible in
        ["\u{1f469}\u{200d}\u{1f4bb}", "\u{202b}\u{645}\u{202c}", "\u{200b}.", "\u{2764}\u{fe0f}", "\u{301}"]
    {
        let list = contacts::CreateListRequest { display_name: visible.into(), ..Default::default() };
        assert_eq!(broken(&list), Vec::<String>::new(), "{visible}");
    }
    let padded = contacts::CreateListRequest { display_name: "  VIP\n".into(), ..Default::default() };
    assert_eq!(broken(&padded), Vec::<String>::new());
}

// C1 P4
#[test]
fn a_picture_is_at_an_address_that_ends_no_attribute_of_a_page() {
    for (avatar_url, expected) in [
        ("", 0),
        ("https://example.com/a?b=c,d;e#f", 0),
        ("http://\u{4f8b}.example/\u{56fe}(1)'~%20", 0),
        ("https://x\" onerror=alert(1)", 1),
        ("https://x\"onerror=alert(1)", 1),
        ("https://x/<b>", 1),
        ("https://x/a b", 1),
        ("https://", 1),
        ("javascript:alert(1)//https://x", 1),
    ] {
        let profile = contacts::ContactProfile { avatar_url: avatar_url.into(), ..Default::default() };
        assert_eq!(broken(&profile).len(), expected, "{avatar_url}");
        let set = contacts::AttributeValue {
            key: "page".into(),
            value: Some(contacts::attribute_value::Value::Link(avatar_url.into())),
        };
        assert_eq!(broken(&set).is_empty(), expected == 0 && !avatar_url.is_empty(), "{avatar_url}");
    }
}

// P4
#[test]
fn where_a_text_may_be_absent_it_may_be_empty_and_not_blank() {
    let requests = |text: &str| {
        let note =
            CreateNoteRequest { conversation_id: ID.into(), body: text.to_owned(), ..Default::default() };
        let contact_note = notes::CreateContactNoteRequest {
            contact_id: ID.into(),
            body: text.to_owned(),
            ..Default::default()
        };
        let message = routing::RecordMessageRequest {
            channel: "chat".into(),
            external_id: "m-1".into(),
            direction: routing::Direction::Inbound.into(),
            text: text.to_owned(),
            ..Default::default()
        };
        let team = routing::CreateTeamRequest {
            handle: "airline".into(),
            display_name: text.to_owned(),
            ..Default::default()
        };
        let workflow = routing::CreateWorkflowRequest {
            spec: Some(routing::WorkflowSpec { name: text.to_owned(), ..Default::default() }),
            ..Default::default()
        };
        [broken(&note), broken(&contact_note), broken(&message), broken(&team), broken(&workflow)].concat()
    };
    assert_eq!(requests(" \n "), ["body", "body", "text", "display_name", "spec.name"]);
    assert_eq!(requests(""), Vec::<String>::new());
    assert_eq!(requests(" \u{1f980} "), Vec::<String>::new());
}
