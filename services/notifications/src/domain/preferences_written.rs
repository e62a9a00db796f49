//! Preferences as they are written down. What a later version of this program wrote and this one does not know is passed over.

use serde::{Deserialize, Serialize};

use super::NotificationType;
use super::digest::Digest;
use super::preferences::{Channel, Choices, Defaults, Preferences, Urgent};
use super::quiet::QuietHours;

/// A type on a channel, and yes or no.
type Choice = (String, String, bool);

/// What is written down, of people and of organizations.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Written {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    off: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forced: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<QuietHours>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    urgent: Option<Vec<String>>,
}

impl From<Written> for Preferences {
    fn from(written: Written) -> Self {
        Self {
            choices: choices(written.choices),
            off: written.off.iter().filter_map(|channel| Channel::try_from(channel.as_str()).ok()).collect(),
            quiet: written.quiet,
            digest: written.digest,
            urgent: written.urgent.map(urgent),
        }
    }
}

impl From<Preferences> for Written {
    fn from(chosen: Preferences) -> Self {
        Self {
            choices: written_choices(&chosen.choices),
            off: chosen.off.iter().map(|channel| channel.as_str().to_owned()).collect(),
            forced: Vec::new(),
            quiet: chosen.quiet,
            digest: chosen.digest,
            urgent: chosen.urgent.as_ref().map(written_types),
        }
    }
}

impl From<Written> for Defaults {
    fn from(written: Written) -> Self {
        let built_in = Self::default();
        let forced = |(kind, channel): (String, String)| {
            Some((NotificationType::try_from(kind).ok()?, Channel::try_from(channel.as_str()).ok()?))
        };
        Self {
            choices: choices(written.choices),
            forced: written.forced.into_iter().filter_map(forced).collect(),
            quiet: written.quiet.unwrap_or(built_in.quiet),
            digest: written.digest.unwrap_or(built_in.digest),
            urgent: written.urgent.map_or(built_in.urgent, urgent),
        }
    }
}

impl From<Defaults> for Written {
    fn from(chosen: Defaults) -> Self {
        let forced = |(kind, channel): &(NotificationType, Channel)| {
            (kind.as_str().to_owned(), channel.as_str().to_owned())
        };
        Self {
            choices: written_choices(&chosen.choices),
            off: Vec::new(),
            forced: chosen.forced.iter().map(forced).collect(),
            urgent: Some(written_types(&chosen.urgent)),
            quiet: Some(chosen.quiet),
            digest: Some(chosen.digest),
        }
    }
}

fn choices(written: Vec<Choice>) -> Choices {
    let choice = |(kind, channel, on): Choice| {
        Some((NotificationType::try_from(kind).ok()?, Channel::try_from(channel.as_str()).ok()?, on))
    };
    written.into_iter().filter_map(choice).collect()
}

fn urgent(written: Vec<String>) -> Urgent {
    written.into_iter().filter_map(|kind| NotificationType::try_from(kind).ok()).collect()
}

fn written_choices(choices: &Choices) -> Vec<Choice> {
    choices
        .iter()
        .map(|(kind, channel, on)| (kind.as_str().to_owned(), channel.as_str().to_owned(), on))
        .collect()
}

fn written_types(types: &Urgent) -> Vec<String> {
    types.iter().map(|kind| kind.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // D6
    #[test]
    fn preferences_are_read_as_they_were_written_and_what_is_not_known_is_passed_over() {
        let mut own = Preferences { digest: Some(Digest::Daily { minute: 540 }), ..Preferences::default() };
        own.choices.set(NotificationType::Mentioned, Channel::Push, Some(false));
        own.off.insert(Channel::Email);
        own.urgent = Some(Urgent::from([NotificationType::Handoff]));
        let written = serde_json::to_value(&own).unwrap();
        assert_eq!(serde_json::from_value::<Preferences>(written).unwrap(), own);
        let mut defaults = Defaults::default();
        defaults.forced.insert((NotificationType::Mentioned, Channel::Email));
        let written = serde_json::to_value(&defaults).unwrap();
        assert_eq!(serde_json::from_value::<Defaults>(written).unwrap(), defaults);
        let later =
            r#"{"choices": [["mentioned", "email", false], ["moved", "email", true]], "off": ["pager"]}"#;
        let read: Preferences = serde_json::from_str(later).unwrap();
        assert_eq!((read.choices.iter().count(), read.off.len()), (1, 0));
        assert_eq!(serde_json::from_str::<Defaults>("{}").unwrap(), Defaults::default());
    }
}
