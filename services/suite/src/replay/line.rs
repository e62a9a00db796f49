//! One line of the file: a message, or why it is none. The rules are in `docs/message-import-format.md`.

use contacts::domain::{Address, Channel};
use proto::Validate;
use proto::routing::v1 as pb;
use serde_json::{Map, Value};

/// The longest source: its team's handle and its agents' names are made of it.
const LONGEST_SOURCE: usize = 59;

/// What the channel said: one message of one conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it stands in the file, from 1.
    pub(super) number: u64,
    /// The channel's own id of the conversation.
    pub(super) conversation: String,
    /// The customer's address on the channel.
    pub(super) contact: String,
    /// The channel, such as `chat`.
    pub(super) channel: String,
    /// The line of business.
    pub(super) source: String,
    /// The customer's turn; with the conversation it makes the channel's id of the message.
    pub(super) turn: u64,
    /// What the customer wrote.
    pub(super) text: String,
    /// What it was about, as somebody labelled it; several joined by `|`.
    pub(super) intent: String,
}

impl Line {
    /// Reads a line and holds it against the rules of the API, as far as they can be known here.
    ///
    /// # Errors
    /// What is wrong with it, for whoever wrote the file.
    pub(super) fn parse(number: u64, bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
        let object = object(text)?;
        let line = Self {
            number,
            conversation: needed(&object, "conversation")?,
            contact: needed(&object, "contact")?,
            channel: needed(&object, "channel")?,
            source: needed(&object, "source")?,
            turn: turn(&object)?,
            text: written(&object, "text")?.ok_or("text is missing")?,
            intent: written(&object, "intent")?.unwrap_or_default(),
        };
        line.kept_to_the_rules()
    }

    fn kept_to_the_rules(self) -> Result<Self, String> {
        if let Some(broken) = self.request().violations().first() {
            return Err(format!("{}: {}", in_the_file(&broken.field), broken.description));
        }
        if self.source.len() > LONGEST_SOURCE {
            return Err(format!("source: must be at most {LONGEST_SOURCE} characters long"));
        }
        let address =
            Channel::parse(&self.channel).and_then(|channel| Address::parse(channel, &self.contact));
        address.map_err(|wrong| format!("contact: {wrong}"))?;
        Ok(self)
    }

    /// What the API is asked to record.
    pub(super) fn request(&self) -> pb::RecordMessageRequest {
        pb::RecordMessageRequest {
            channel: self.channel.clone(),
            external_id: self.external_id(),
            direction: pb::Direction::Inbound.into(),
            conversation_external_id: self.conversation.clone(),
            contact_address: self.contact.clone(),
            source: self.source.clone(),
            text: self.text.clone(),
            ..Default::default()
        }
    }

    /// The channel's own id of this message.
    pub(super) fn external_id(&self) -> String {
        format!("{}/{}", self.conversation, self.turn)
    }

    /// Whether the customer says goodbye with it: it greets in closing, or thanks.
    pub(super) fn closes(&self) -> bool {
        self.intent.split('|').any(|intent| matches!(intent, "closinggreeting" | "thankyou"))
    }
}

/// A field of the API as the file calls it.
pub(super) fn in_the_file(field: &str) -> &str {
    match field {
        "external_id" => "conversation and turn together",
        "conversation_external_id" => "conversation",
        "contact_address" => "contact",
        same => same,
    }
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("is not a JSON object".to_owned()),
        Err(error) => {
            // The parser counts lines within this one, which nobody wants to know.
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            Err(format!("is not JSON: {what} at column {}", error.column()))
        }
    }
}

fn needed(object: &Map<String, Value>, field: &str) -> Result<String, String> {
    match written(object, field)? {
        None => Err(format!("{field} is missing")),
        Some(text) if text.is_empty() => Err(format!("{field} is empty")),
        Some(text) => Ok(text),
    }
}

/// `null` says as much as nothing.
fn written(object: &Map<String, Value>, field: &str) -> Result<Option<String>, String> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{field} is not a text")),
    }
}

fn turn(object: &Map<String, Value>) -> Result<u64, String> {
    match object.get("turn") {
        None | Some(Value::Null) => Err("turn is missing".to_owned()),
        Some(turn) => turn.as_u64().ok_or_else(|| "turn is not a whole number from 0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(field: &str, value: impl Into<Value>) -> Result<Line, String> {
        let mut line = serde_json::json!({
            "conversation": "c", "contact": "p", "channel": "chat", "source": "bank", "turn": 0, "text": "hi"
        });
        line[field] = value.into();
        Line::parse(7, line.to_string().as_bytes())
    }

    // P13
    #[test]
    fn what_the_api_would_refuse_is_refused_with_the_name_of_the_field() {
        let wrong = [
            ("channel", "Chat!".to_owned()),
            ("source", "My Shop".to_owned()),
            ("source", "-shop".to_owned()),
            ("source", "s".repeat(200)),
            ("source", "s".repeat(60)),
            ("text", "x".repeat(70_000)),
            ("text", " \n ".to_owned()),
            ("conversation", "  ".to_owned()),
            ("contact", "ana\nben".to_owned()),
            ("contact", "x".repeat(255)),
            ("contact", " ".to_owned()),
            ("conversation", "c".repeat(199)),
            ("conversation", String::new()),
        ];
        for (field, value) in wrong {
            let refused = with(field, value).unwrap_err();
            assert!(refused.starts_with(field), "{field}: {refused}");
        }
        let sms =
            br#"{"conversation":"c","contact":"ana","channel":"sms","source":"bank","turn":0,"text":""}"#;
        assert!(Line::parse(1, sms).unwrap_err().starts_with("contact: must be a phone number"));
        assert!(with("text", "").is_ok(), "a picture, say");
        assert!(with("source", "s".repeat(59)).is_ok() && with("text", "x".repeat(65_536)).is_ok());
    }

    // P13
    #[test]
    fn null_is_as_absent_and_types_are_named_in_words() {
        assert_eq!(with("intent", Value::Null).unwrap().intent, "");
        assert!(with("at_ms", Value::Null).is_ok());
        assert_eq!(with("contact", Value::Null).unwrap_err(), "contact is missing");
        assert_eq!(with("turn", -1).unwrap_err(), "turn is not a whole number from 0");
        assert_eq!(with("text", 5).unwrap_err(), "text is not a text");
    }

    // P13
    #[test]
    fn what_is_no_object_is_said_once_and_without_a_second_line_number() {
        assert_eq!(Line::parse(1, b"[]").unwrap_err(), "is not a JSON object");
        assert_eq!(
            Line::parse(1, b"[\"c\",\"p\",\"chat\",\"s\",0,\"t\"]").unwrap_err(),
            "is not a JSON object"
        );
        assert_eq!(Line::parse(1, b"\xff").unwrap_err(), "is not UTF-8");
        let refused = Line::parse(9, b"{\"conversation\": nope}").unwrap_err();
        assert!(refused.starts_with("is not JSON") && refused.contains("at column"), "{refused}");
        assert!(!refused.contains("line"), "{refused}");
    }
}
