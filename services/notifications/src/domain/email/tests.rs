//! What emails say, and that nothing in them can be made to say something else.

use super::{Item, Letter, Links, Locale, Rendered, thread};
use crate::domain::{Actor, BundleKind, Excerpt, Notification, NotificationType, Reason, Sequence};
use kernel::{Clock, Role, Subject, Timestamp};
use proptest::prelude::*;
use zones::Zone;

/// 2026-11-22T17:03:00Z.
const SUNDAY: Timestamp = Timestamp::from_micros(1_795_366_980_000_000);

fn entry(kind: NotificationType, actor: &str, reason: &str) -> Notification {
    let clock = Clock::system();
    let actor = Actor { subject: Subject::parse("eve").unwrap(), role: Role::Agent, name: actor.to_owned() };
    Notification {
        notification_id: clock.new_id().into(),
        sequence: Sequence::new(1),
        kind,
        reason: Reason::stored(reason.to_owned()),
        conversation_id: Some(clock.new_id().into()),
        note_id: None,
        actor: Some(actor),
        occur_time: SUNDAY,
        create_time: SUNDAY,
        handling: Default::default(),
    }
}

fn item(entry: Notification, excerpt: Option<&str>) -> Item {
    Item { entry, excerpt: excerpt.map(|text| Excerpt::stored(text.to_owned())) }
}

fn links() -> Links {
    Links {
        conversation: Some("https://console.example/c/{conversation_id}?tab=notes&x=1".to_owned()),
        settings: Some("https://console.example/settings".to_owned()),
    }
}

fn letter<'a>(name: &'a str, locale: Locale, items: &'a [Item], links: &'a Links) -> Letter<'a> {
    let (kind, zone) = (BundleKind::Single, Zone::parse("Europe/Berlin").unwrap());
    Letter {
        name,
        locale,
        zone,
        kind,
        items,
        total: items.len() as u64,
        conversations: 1,
        one_type: true,
        links,
    }
}

// D4
#[test]
fn an_email_says_who_did_what_when_and_where_in_the_readers_language_and_time() {
    let items =
        [item(entry(NotificationType::Mentioned, "Eve", "Eve mentioned you in a note"), Some("call him"))];
    let links = links();
    let said = [
        (
            Locale::English,
            "Eve mentioned you in a note",
            "22 November 2026, 18:03 (Europe/Berlin)",
            "Hello Ana,",
        ),
        (Locale::German, "Eve hat Sie in einer Notiz erwähnt", "22. November 2026, 18:03", "Guten Tag Ana,"),
        (Locale::French, "Eve vous a mentionné dans une note", "22 novembre 2026, 18:03", "Bonjour Ana,"),
        (Locale::Spanish, "Eve le ha mencionado en una nota", "22 de noviembre de 2026, 18:03", "Hola, Ana:"),
    ];
    for (locale, subject, time, hello) in said {
        let Rendered { subject: line, text, html } = letter("Ana", locale, &items, &links).render();
        assert_eq!(line, subject);
        let id = items[0].entry.conversation_id.unwrap();
        for body in [&text, &html] {
            for part in [subject, time, hello, "call him", "https://console.example/settings"] {
                assert!(body.contains(part), "{part}: {body}");
            }
            assert!(body.contains(&format!("https://console.example/c/{id}?tab=notes")), "{body}");
        }
        assert!(html.contains(&format!("<html lang=\"{}\">", locale.tag())));
    }
}

// D4
#[test]
fn every_type_is_said_in_every_language_with_and_without_a_name() {
    let links = Links::default();
    for locale in Locale::ALL {
        for kind in NotificationType::ALL {
            for actor in ["Eve", ""] {
                let items = [item(entry(kind, actor, "Something happened."), None)];
                let rendered = letter("", locale, &items, &links).render();
                assert!(!rendered.subject.is_empty() && !rendered.subject.ends_with('.'), "{rendered}");
                // Nothing of a pattern is left.
                assert!(!format!("{rendered}").contains(['{', '}']), "{rendered}");
                assert!(rendered.text.contains("Something happened"), "the sentence stays: {rendered}");
            }
        }
    }
}

// D6
#[test]
fn several_entries_are_counted_and_what_is_not_listed_is_counted_too() {
    let mentions: Vec<Item> =
        (0..5).map(|_| item(entry(NotificationType::Mentioned, "Eve", "x"), None)).collect();
    let links = links();
    let mut bundle = Letter {
        conversations: 3,
        kind: BundleKind::Gathered,
        ..letter("Ana", Locale::English, &mentions, &links)
    };
    assert_eq!(bundle.render().subject, "5 mentions in 3 conversations");
    bundle.locale = Locale::German;
    assert_eq!(bundle.render().subject, "5 Erwähnungen in 3 Gesprächen");
    bundle.locale = Locale::English;
    bundle.total = 5_000;
    assert_eq!(bundle.render().subject, "5000 mentions in 3 conversations");
    bundle.one_type = false;
    let rendered = bundle.render();
    assert_eq!(
        rendered.subject, "5000 notifications in 3 conversations",
        "those not listed are of other types"
    );
    assert!(rendered.text.contains("… and 4995 more"), "{rendered}");
    bundle.kind = BundleKind::Digest;
    (bundle.total, bundle.one_type) = (5, true);
    assert_eq!(bundle.render().subject, "Your summary: 5 mentions in 3 conversations");
    bundle.conversations = 0;
    assert_eq!(bundle.render().subject, "Your summary: 5 mentions");
}

// D4
#[test]
fn the_first_language_that_is_known_is_taken() {
    let of = |languages: &[&str]| Locale::of(languages.iter().copied());
    assert_eq!(of(&["nl", "de-AT", "fr"]), Locale::German);
    assert_eq!(of(&["FR_ca"]), Locale::French);
    assert_eq!(of(&["es-419"]), Locale::Spanish);
    for nothing in [&[][..], &["", "x"], &["den"]] {
        assert_eq!(of(nothing), Locale::English);
    }
}

// D4
#[test]
fn emails_about_a_conversation_have_one_root_and_each_delivery_its_own_id() {
    let clock = Clock::system();
    let (delivery, conversation) = (clock.new_id().into(), clock.new_id().into());
    assert_eq!(thread::message_id(delivery, "example.org"), format!("<{delivery}@example.org>"));
    assert_eq!(
        thread::root_id(conversation, "example.org"),
        format!("<conversation.{conversation}@example.org>")
    );
    let links = Links::default();
    let one = [item(entry(NotificationType::Assigned, "", "x"), None)];
    let two = [one[0].clone(), item(entry(NotificationType::Assigned, "", "x"), None)];
    assert_eq!(letter("", Locale::English, &one, &links).conversation(), one[0].entry.conversation_id);
    assert_eq!(letter("", Locale::English, &two, &links).conversation(), None);
}

/// Of the list that OWASP keeps of what slips through filters.
const SCRIPTS: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "</title><script>alert(1)</script>",
    "</td></tr></table><iframe src=//evil>",
    "<IMG \"\"\"><SCRIPT>alert(1)</SCRIPT>\">",
    "<<SCRIPT>alert(1);//\\<</SCRIPT>",
    "\" style=\"background:url(javascript:alert(1))",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<meta http-equiv=\"refresh\" content=\"0;url=//evil\">",
];

/// What makes tags and attributes: none of it may come from a text.
fn structure(html: &str) -> [usize; 4] {
    ['<', '>', '"', '\''].map(|letter| html.matches(letter).count())
}

fn hostile(text: &str) -> Rendered {
    // An empty line of an excerpt or a name is left out of the page, which is not what is looked for.
    let text = format!("x{text}x");
    let items = [item(entry(NotificationType::Mentioned, &text, &text), Some(&text))];
    let links = links();
    letter(&text, Locale::German, &items, &links).render()
}

// D4
#[test]
fn a_script_in_a_name_a_reason_or_an_excerpt_is_inert() {
    for script in SCRIPTS {
        let html = hostile(script).html;
        assert_eq!(structure(&html), structure(&hostile("").html), "{html}");
        assert!(html.contains("&lt;") || html.contains("&amp;lt;") || html.contains("&quot;"), "{html}");
    }
}

proptest! {
    // D4
    #[test]
    fn no_text_makes_a_tag_or_another_line(text in any::<String>()) {
        let (one, other) = (hostile(&text), hostile(""));
        prop_assert_eq!(structure(&one.html), structure(&other.html));
        prop_assert_eq!(one.text.lines().count(), other.text.lines().count());
        prop_assert!(!one.subject.chars().any(char::is_control));
        prop_assert!(one.subject.chars().count() <= 150);
    }
}

impl std::fmt::Display for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{}", self.subject, self.text)
    }
}
