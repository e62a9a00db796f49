use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::domain::facts::{Attribute, Calendar, ContactFacts, Facts};

fn facts() -> Sheet {
    let attributes = BTreeMap::from([
        ("plan".to_owned(), Attribute::Text("pro".into())),
        ("seats".to_owned(), Attribute::Number(12.0)),
        ("trial".to_owned(), Attribute::Boolean(false)),
        ("since".to_owned(), Attribute::Text("2024-05-01".into())),
    ]);
    let contact = ContactFacts { tags: BTreeSet::from(["gold".into()]), language: "de".into(), attributes };
    let facts = Facts {
        source: "airline".into(),
        channel: "chat".into(),
        tags: BTreeSet::from(["vip".into()]),
        added_tags: BTreeSet::from(["vip".into()]),
        message_count: 2,
        contact: Some(contact),
        text: "I lost my boarding pass".into(),
        ..Facts::default()
    };
    Sheet::of(&facts, Some(&Calendar::default().at(Timestamp::from_micros(1_767_225_600_000_000))))
}

fn holds(text: &str) -> Result<bool, String> {
    Condition::parse(text).map_err(|bad| bad.to_string())?.holds(&facts())
}

// R9
#[test]
fn a_condition_asks_about_source_channel_tags_and_text() {
    for text in [
        "",
        "conversation.source == 'airline' && conversation.channel in ['chat', 'email']",
        "'vip' in conversation.tags",
        "contact.tags.exists(tag, tag == 'gold')",
        "contact.language == 'de' && conversation.priority == 'NORMAL'",
        "message.text.contains('boarding')",
        "message.text.matches('(?i)BOARDING +pass')",
        "conversation.status == 'OPEN' && !conversation.assigned && conversation.team_id == ''",
        "conversation.message_count > 1 && 'vip' in conversation.added_tags",
        "contact.attributes.plan == 'pro' && !contact.attributes.trial && contact.attributes.since < '2025-01-01'",
        "contact.attributes.seats > 10 && contact.attributes['seats'] == 12.0",
        "has(contact.attributes.plan) && !has(contact.attributes.other)",
        "time.hour == 0 && time.minute == 0 && time.weekday == 4 && time.date == '2026-01-01'",
        "time.in_business_hours && time.closed_teams.size() == 0",
    ] {
        assert_eq!(holds(text), Ok(true), "{text}");
    }
    assert_eq!(holds("conversation.source == 'bank'"), Ok(false));
}

// R9
#[test]
fn a_bad_condition_is_refused_with_position_and_what_was_expected() {
    let bad = |text: &str| Condition::parse(text).expect_err(text);
    let unknown = bad("true &&\n  conversation.sorce == 'airline'");
    assert_eq!(unknown.line, 2);
    assert!(unknown.expected.contains("source"), "{unknown}");
    assert!(bad("kontakt.tags == []").expected.contains("contact"));
    assert!(bad("conversation == 1").expected.contains("conversation.source"));
    let syntax = bad("conversation.source == ");
    assert_eq!(syntax.line, 1);
    assert!(syntax.column > 1, "{syntax}");
    assert!(bad("[1].all(a, [1].all(b, true))").expected.contains("nested"));
}

// R9
#[test]
fn what_could_hold_for_no_conversation_is_refused() {
    for (text, expected) in [
        ("nofunc(1)", "function"),
        ("conversation.source.nofunc()", "function"),
        ("true || nofunc(1)", "function"),
        ("false && conversation.source.nofunc()", "function"),
        ("conversation.tags.exists(tag, tag == 'vip' && tag.nofunc())", "function"),
        ("1", "true or false"),
        ("'x'", "true or false"),
        ("null", "true or false"),
        ("conversation.source", "true or false"),
        ("time.hour", "true or false"),
        ("contact.tags", "true or false"),
        ("conversation.source.startsWith(3)", ""),
        ("conversation.source > 3", "types"),
        ("!message.text", ""),
    ] {
        let refused = Condition::parse(text).expect_err(text).expected;
        assert!(refused.contains(expected), "{text}: {refused}");
    }
    for text in [
        "conversation.tags[0] == 'vip'",
        "10 / (conversation.message_count - 1) > 2",
        "contact.attributes.vip",
        "size(conversation.tags) > 2 || conversation.tags.size() == 1 || message.text.contains('refund')",
        "message.text.matches('refund') || string(time.hour).endsWith('3') || has(contact.attributes.vip)",
        "conversation.tags.exists(tag, tag.startsWith('vip')) ? 'vip' in conversation.tags : !(1 in [1])",
    ] {
        assert!(Condition::parse(text).is_ok(), "{text}: it depends");
    }
}

// R9, faults 30
#[test]
fn no_chain_is_deep_enough_to_end_the_process() {
    let chains: [(&str, &str, &str); 9] = [
        ("1", "+1", " == 3"),
        ("conversation.source", " + 'a'", " == 'x'"),
        ("conversation", ".tags", ""),
        ("", "!", "true"),
        ("", "-", "1 == 1"),
        ("", "true ? true : ", "false"),
        ("conversation.tags", "[0]", ""),
        ("", "(", "true"),
        ("true", " in true", ""),
    ];
    for (start, link, end) in chains {
        for links in [20, 60, 120, 250, 2_000] {
            let text = format!("{start}{}{end}", link.repeat(links));
            if let Ok(condition) = Condition::parse(&text) {
                let _ = condition.holds(&facts());
            }
        }
        assert!(Condition::parse(&format!("{start}{}{end}", link.repeat(2_000))).is_err(), "{link}");
    }
}

// R9, faults 30
#[test]
fn a_pattern_that_would_take_long_is_refused_and_one_in_a_loop_too() {
    let bad = |text: &str| Condition::parse(text).expect_err(text).expected;
    assert!(bad("message.text.matches('\\\\w{200}z')").contains("smaller"));
    assert!(bad("message.text.matches('(')").contains("regular expression"));
    assert!(bad("message.text.matches(conversation.source)").contains("quotes"));
    assert!(bad("['a', 'b'].exists(x, message.text.matches('a'))").contains("inside"));
    assert!(bad("conversation.tags.map(tag, message.text + message.text).size() > 1").contains("no +"));
    assert_eq!(
        holds("conversation.tags.map(tag, tag).size() == 1 && contact.tags.filter(tag, true).size() == 1"),
        Ok(true)
    );
    assert!(bad(&["message.text.matches('a')"; 6].join(" && ")).contains("at most 5"));
    assert_eq!(holds("message.text.matches('(?i)refund|boarding') && 'vip' in conversation.tags"), Ok(true));
}

// R9
#[test]
fn a_condition_that_fails_at_run_time_says_why_without_quoting_the_facts() {
    for (text, said) in [
        ("contact.attributes.plan > 3", "types"),
        ("contact.attributes.plan", "not true or false"),
        ("contact.attributes.other == 'x'", "key"),
        ("conversation.tags[7] == 'vip'", "list"),
        ("10 / (conversation.message_count - 2) > 2", "zero"),
    ] {
        assert!(Condition::parse(text).is_ok(), "{text}");
        let why = holds(text).expect_err(text);
        assert!(why.contains(said) && !why.contains("pro"), "{text}: {why}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "[ -~\\n]{0,80}|([a-z.!+() \\'\\[\\]?:-]|conversation|message|matches|exists){0,400}") {
        let _ = Condition::parse(&text).map(|condition| condition.holds(&facts()));
    }
}
