//! Whatever others chose to be called or to write: an email has the headers it should have, and one recipient.

use super::{Mail, Smtp, message};
use crate::config::email::{EmailConfig, Encryption};
use crate::domain::email::Rendered;
use kernel::Timestamp;
use lettre::Address;
use proptest::prelude::*;
use proptest::sample::select;

const EXPECTED: [&str; 12] = [
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Date",
    "Auto-Submitted",
    "In-Reply-To",
    "References",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "MIME-Version",
    "Content-Type",
];

pub(super) fn mail(name: &str, subject: &str, address: Address) -> Mail {
    Mail {
        name: name.to_owned(),
        address,
        rendered: Rendered {
            subject: subject.to_owned(),
            text: format!("Hello {name}\n"),
            html: "<p>Hello</p>".to_owned(),
        },
        id: "<01890a5d-ac96-774b-bcce-b302099a8057@example.org>".to_owned(),
        answers: Some("<conversation.01890a5d-ac96-774b-bcce-b302099a8057@example.org>".to_owned()),
        unsubscribe: Some(format!("https://edge.example.org/v1/email:unsubscribe?token={}", "x".repeat(150))),
        time: Timestamp::from_micros(1_767_225_600_000_000),
    }
}

/// The name and the unfolded value of each header, as a mail program reads them.
fn headers(formatted: &str) -> Vec<(String, String)> {
    let (head, _) = formatted.split_once("\r\n\r\n").expect("an empty line");
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        match line.strip_prefix([' ', '\t']) {
            Some(more) => {
                let (_, value) = headers.last_mut().expect("a header before its second line");
                value.push(' ');
                value.push_str(more);
            }
            None => {
                let (name, value) = line.split_once(": ").expect("a header");
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    headers
}

fn check(name: &str, subject: &str, address: Address) {
    let sent =
        message("Backchannel <alerts@example.org>".parse().unwrap(), mail(name, subject, address.clone()));
    let sent = sent.unwrap();
    assert_eq!(sent.envelope().to(), [address], "one recipient");
    let formatted = String::from_utf8(sent.formatted()).unwrap();
    let headers = headers(&formatted);
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, EXPECTED, "{formatted}");
    let value = |of: &str| headers.iter().find(|(name, _)| name == of).unwrap().1.clone();
    // What mail programs act on is as it should be, in one piece.
    assert!(
        value("List-Unsubscribe").starts_with("<https://edge.example.org/v1/email:unsubscribe?token=xxx")
    );
    assert!(value("List-Unsubscribe").ends_with("x>"), "{}", value("List-Unsubscribe"));
    assert_eq!(value("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(value("In-Reply-To"), value("References"));
    assert_eq!(value("Message-ID"), "<01890a5d-ac96-774b-bcce-b302099a8057@example.org>");
    assert_eq!(value("Date"), "Thu, 01 Jan 2026 00:00:00 +0000");
    assert!(value("Content-Type").starts_with("multipart/alternative; boundary="));
}

pub(super) fn ana() -> Address {
    "ana@example.org".parse().unwrap()
}

// D4
#[test]
fn a_name_or_a_subject_with_line_ends_makes_no_header() {
    for hostile in [
        "Ana\r\nBcc: eve@evil.example",
        "Ana\nBcc: eve@evil.example",
        "Ana\rBcc: eve@evil.example\r\n\r\nbody",
        "=?utf-8?q?a=0D=0ABcc:_eve=40evil.example?=",
        "\"Ana\" <eve@evil.example>, ",
        "Ana\u{0}\u{2028}Bcc: eve@evil.example",
        &"ä".repeat(500),
        &"a ".repeat(500),
        "",
        " ",
    ] {
        check(hostile, hostile, ana());
    }
}

/// How many texts are tried: many more with BACKCHANNEL_TEST_FAULTS=full, in which case it takes half an hour without optimization.
fn cases() -> u32 {
    let full = std::env::var("BACKCHANNEL_TEST_FAULTS").is_ok_and(|faults| faults == "full");
    // Each is two emails.
    if full { 500_000 } else { 2_000 }
}

/// Texts made of what headers, addresses and commands are made of.
fn hostile() -> impl Strategy<Value = String> {
    let parts = [
        "\r\n",
        "\n",
        "\r",
        "\0",
        " ",
        "\t",
        ":",
        ",",
        ";",
        "<",
        ">",
        "\"",
        "\\",
        "@",
        ".",
        "=?utf-8?q?",
        "?=",
        "=0D=0A",
        "Bcc: eve@evil.example",
        "To: eve@evil.example",
        "RCPT TO:<eve@evil.example>",
        "DATA",
        "\r\n.\r\n",
        "ä",
        "語",
        "\u{2028}",
        "\u{feff}",
        "a",
        "ana@example.org",
    ];
    let part = prop_oneof![4 => select(parts.to_vec()).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    // D4
    #[test]
    fn no_text_adds_a_header_or_a_recipient(name in hostile(), subject in hostile(), address in hostile()) {
        // What is no address gets no email; what is one is one.
        check(&name, &subject, address.parse().unwrap_or_else(|_| ana()));
        check(&name, &subject, format!("{address}@example.org").parse().unwrap_or_else(|_| ana()));
    }
}

/// A server without encryption.
pub(super) fn in_clear() -> EmailConfig {
    EmailConfig { tls: Encryption::None, ..config() }
}

fn config() -> EmailConfig {
    EmailConfig {
        host: "smtp.example.org".to_owned(),
        port: None,
        tls: Encryption::Starttls,
        ca_file: None,
        user: None,
        password: None,
        password_file: None,
        from: "Backchannel <alerts@example.org>".to_owned(),
        connections: 4,
        conversation_url: None,
        settings_url: None,
        unsubscribe_url: None,
    }
}

fn refused(config: &EmailConfig) -> String {
    Smtp::new(config).unwrap_err().to_string()
}

// D4
#[test]
fn what_cannot_work_is_refused_at_the_start_by_its_key_and_without_a_secret() {
    assert_eq!(Smtp::new(&config()).unwrap().domain(), "example.org");
    let secret = || Some(runtime::Secret::new("s3cret"));
    let user = || Some("backchannel".to_owned());
    let cases = [
        ("from", EmailConfig { from: "nobody".to_owned(), ..config() }),
        ("password", EmailConfig { user: user(), ..config() }),
        ("user", EmailConfig { user: user(), password: secret(), tls: Encryption::None, ..config() }),
        (
            "password",
            EmailConfig { user: user(), password: secret(), password_file: Some("x".into()), ..config() },
        ),
        (
            "password_file",
            EmailConfig { user: user(), password_file: Some("no/such/file".into()), ..config() },
        ),
        ("ca_file", EmailConfig { ca_file: Some("no/such/file".into()), ..config() }),
    ];
    for (key, config) in cases {
        let refusal = refused(&config);
        assert!(refusal.contains(&format!("notifications.email.{key}")), "{key}: {refusal}");
        assert!(!refusal.contains("s3cret") && !format!("{config:?}").contains("s3cret"), "{refusal}");
    }
}
