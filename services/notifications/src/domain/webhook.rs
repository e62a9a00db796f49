//! Where an organization wants to be told what happens.

use std::collections::BTreeSet;
use std::time::Duration;

use kernel::{Malformed, Timestamp};

use super::webhook_event::EventType;
use super::webhook_secret::{Secret, Secrets};

kernel::id_type! {
    /// A webhook.
    WebhookId
}

/// The most webhooks of one organization: each of its events is one call to each of them.
pub const MOST_WEBHOOKS: usize = 20;

/// The longest description, in characters.
const DESCRIPTION_MAX: usize = 200;

/// How long calls are signed with the secret before as well.
pub const ROTATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Whether a webhook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookState {
    /// It is called.
    Enabled,
    /// An admin has paused it.
    Paused,
    /// It failed for too long, or said that it is gone.
    Disabled,
}

impl WebhookState {
    /// Every state, in the order of the contract.
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Paused, Self::Disabled];

    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

db::read_as!(WebhookState: String);

impl TryFrom<String> for WebhookState {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Malformed::new("is not a state of a webhook"))
    }
}

/// What an admin decides about a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What is called. It was checked when it was named, and is checked again at each call.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// What it is told.
    pub event_types: BTreeSet<EventType>,
    /// Whether it gets what notes say.
    pub include_private: bool,
}

impl Terms {
    /// Whether the webhook is told events of this type.
    pub fn want(&self, kind: EventType) -> bool {
        self.event_types.contains(&kind)
    }
}

/// Reads a description: one line of at most 200 characters, or none.
///
/// # Errors
/// [`Malformed`].
pub fn description(text: String) -> Result<String, Malformed> {
    let wrong = |reason| Err(Malformed::new(reason).at("description"));
    if text.chars().count() > DESCRIPTION_MAX {
        return wrong("must have at most 200 characters");
    }
    if text.chars().any(char::is_control) {
        return wrong("must not contain control characters");
    }
    Ok(text)
}

/// A URL that is called when something happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub webhook_id: WebhookId,
    /// Grows with each change.
    pub version: i64,
    /// What an admin decided.
    pub terms: Terms,
    /// Whether it is called.
    pub state: WebhookState,
    /// What calls are signed with.
    pub secrets: Secrets,
    /// Since when every attempt failed.
    pub failing_since: Option<Timestamp>,
    /// When it was made.
    pub create_time: Timestamp,
    /// When it was last changed.
    pub update_time: Timestamp,
}

impl Webhook {
    /// The webhook with other terms, called or not. Enabling it, or another URL, forgets past failures: it has its days again.
    #[must_use]
    pub fn changed(self, terms: Terms, enabled: Option<bool>, now: Timestamp) -> Self {
        let state = match enabled {
            Some(true) => WebhookState::Enabled,
            Some(false) => WebhookState::Paused,
            None => self.state,
        };
        let resumes = state == WebhookState::Enabled && self.state != WebhookState::Enabled;
        let anew = resumes || terms.url != self.terms.url;
        let failing_since = if anew { None } else { self.failing_since };
        if terms == self.terms && state == self.state {
            return self;
        }
        Self { terms, state, failing_since, version: self.version + 1, update_time: now, ..self }
    }

    /// The webhook with another secret; the one before counts for a day more.
    #[must_use]
    pub fn rotated(self, secret: Secret, now: Timestamp) -> Self {
        let secrets = self.secrets.rotated(secret, now.plus(ROTATION));
        Self { secrets, version: self.version + 1, update_time: now, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_micros(number * 1_000_000)
    }

    fn webhook() -> Webhook {
        Webhook {
            webhook_id: WebhookId::from_uuid(kernel::Clock::system().new_id()),
            version: 1,
            terms: Terms {
                url: "https://example.com/hook".to_owned(),
                description: String::new(),
                event_types: BTreeSet::from([EventType::NoteCreated]),
                include_private: false,
            },
            state: WebhookState::Enabled,
            secrets: Secrets::new(Secret::of([1; 32])),
            failing_since: Some(second(5)),
            create_time: second(1),
            update_time: second(1),
        }
    }

    // D8
    #[test]
    fn every_state_reads_back() {
        for state in WebhookState::ALL {
            assert_eq!(WebhookState::try_from(state.as_str().to_owned()), Ok(state));
        }
        assert!(WebhookState::try_from("gone".to_owned()).is_err());
    }

    // D8
    #[test]
    fn enabling_a_webhook_again_or_another_url_forgets_its_failures_and_nothing_else_does() {
        let failing = webhook();
        let terms = failing.terms.clone();
        let still = failing.clone().changed(terms.clone(), Some(true), second(9));
        assert_eq!(still, failing, "what changes nothing leaves it as it is");
        let paused = failing.changed(terms.clone(), Some(false), second(9));
        assert_eq!((paused.state, paused.version), (WebhookState::Paused, 2));
        assert_eq!(paused.failing_since, Some(second(5)));
        let enabled = paused.clone().changed(terms.clone(), Some(true), second(10));
        assert_eq!((enabled.state, enabled.failing_since), (WebhookState::Enabled, None));
        let elsewhere = Terms { url: "https://example.org/hook".to_owned(), ..terms };
        assert_eq!(paused.changed(elsewhere, None, second(10)).failing_since, None);
    }

    // D8
    #[test]
    fn a_description_is_one_line() {
        assert_eq!(description("for the CRM".to_owned()).as_deref(), Ok("for the CRM"));
        assert!(description("a\nb".to_owned()).is_err());
        assert!(description("ä".repeat(201)).is_err());
    }
}
