//! What the SMTP server of the tests has kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::time::Instant;

use crate::support::PATIENCE;

/// The server: its ports by name, how to log in, and its folder.
#[derive(Debug, Deserialize)]
pub(super) struct Sink {
    pub(super) ports: BTreeMap<String, u16>,
    pub(super) user: String,
    pub(super) password: String,
    #[serde(skip)]
    pub(super) folder: PathBuf,
}

/// The server that `tests/run` has started.
pub(super) fn sink() -> &'static Sink {
    static SINK: LazyLock<Sink> = LazyLock::new(|| {
        let folder = std::env::var_os("BACKCHANNEL_TEST_SMTP").expect(
            "BACKCHANNEL_TEST_SMTP names the folder of tests/smtp/sink: start it with `tests/run servers`",
        );
        let folder = PathBuf::from(folder);
        let said = std::fs::read(folder.join("sink.json")).expect("the SMTP server of the tests has started");
        Sink { folder, ..serde_json::from_slice(&said).unwrap() }
    });
    &SINK
}

/// An address that is this test's alone, and what came to it.
pub(super) struct Mailbox(String);

impl Mailbox {
    /// The server answers to its address as `mood` says.
    pub(super) fn new(mood: &str) -> Self {
        Self(format!("{mood}.{}@people.example", kernel::Clock::system().new_id()))
    }

    pub(super) fn address(&self) -> &str {
        &self.0
    }

    fn file(&self, name: &str) -> PathBuf {
        sink().folder.join("mail").join(&self.0).join(name)
    }

    /// How often somebody wanted to hand something in.
    pub(super) fn tries(&self) -> usize {
        std::fs::read_to_string(self.file("tries")).map_or(0, |tries| tries.parse().unwrap())
    }

    /// How many emails there are.
    pub(super) fn count(&self) -> usize {
        (0..).take_while(|number| self.file(&format!("{number}.json")).exists()).count()
    }

    /// The email at this place, once it is there.
    pub(super) async fn email(&self, number: usize) -> Email {
        let (file, patience) = (self.file(&format!("{number}.json")), Instant::now() + PATIENCE);
        loop {
            if let Ok(kept) = std::fs::read(&file) {
                return Email::read(&kept);
            }
            assert!(Instant::now() < patience, "no email {number}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[derive(Deserialize)]
struct Kept {
    tls: bool,
    user: Option<String>,
    from: String,
    to: Vec<String>,
    content: String,
}

/// An email as it arrived.
#[derive(Debug)]
pub(super) struct Email {
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    /// Of the envelope.
    pub(super) from: String,
    /// Of the envelope.
    pub(super) to: Vec<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) html: String,
    /// All of it, as it came.
    pub(super) raw: String,
}

impl Email {
    fn read(kept: &[u8]) -> Self {
        let Kept { tls, user, from, to, content } = serde_json::from_slice(kept).unwrap();
        let raw = String::from_utf8(STANDARD.decode(content).unwrap()).unwrap();
        let (headers, body) = parted(&raw);
        let boundary = value(&headers, "Content-Type")
            .split("boundary=\"")
            .nth(1)
            .unwrap()
            .trim_end_matches('"')
            .to_owned();
        let parts: Vec<String> = body.split(&format!("--{boundary}")).skip(1).take(2).map(decoded).collect();
        let [text, html] = parts.try_into().unwrap();
        Self { tls, user, from, to, headers, text, html, raw }
    }

    /// The value of a header there is once.
    pub(super) fn header(&self, name: &str) -> &str {
        let found: Vec<&str> =
            self.headers.iter().filter(|(of, _)| of == name).map(|(_, value)| value.as_str()).collect();
        assert_eq!(found.len(), 1, "{name}: {:?}", self.headers);
        found[0]
    }

    /// The token of its unsubscribe link.
    pub(super) fn token(&self) -> String {
        let link = self.header("List-Unsubscribe");
        link.split("token=").nth(1).unwrap().trim_end_matches('>').to_owned()
    }
}

/// The headers, unfolded, and the body.
fn parted(text: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let header = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}"));
        (name.to_owned(), value.to_owned())
    };
    (unfolded.split("\r\n").filter(|line| !line.is_empty()).map(header).collect(), body)
}

fn value(headers: &[(String, String)], name: &str) -> String {
    headers.iter().find(|(of, _)| of == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// A part of the body as text.
fn decoded(part: &str) -> String {
    let (headers, body) = parted(part.trim_start_matches("\r\n"));
    match value(&headers, "Content-Transfer-Encoding").as_str() {
        "7bit" => body.to_owned(),
        "base64" => {
            let packed: String = body.split_whitespace().collect();
            String::from_utf8(STANDARD.decode(packed).unwrap()).unwrap()
        }
        "quoted-printable" => quoted_printable(body),
        other => panic!("the encoding {other} is not read here"),
    }
}

fn quoted_printable(body: &str) -> String {
    let joined = body.replace("=\r\n", "");
    let mut bytes = Vec::with_capacity(joined.len());
    let mut rest = joined.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'=' {
            let (code, behind) = behind.split_at(2);
            bytes.push(u8::from_str_radix(std::str::from_utf8(code).unwrap(), 16).unwrap());
            rest = behind;
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    String::from_utf8(bytes).unwrap()
}
