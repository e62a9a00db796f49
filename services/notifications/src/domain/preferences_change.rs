//! Changes of preferences: what is `None` stays; what goes back to what would hold without it says so.

use std::collections::BTreeSet;

use super::NotificationType;
use super::digest::Digest;
use super::preferences::{Channel, Choices, Defaults, Preferences, Urgent};
use super::quiet::QuietHours;

/// New values for some of a person's preferences. An inner `None` follows the organization again.
#[derive(Debug, Clone, Default)]
pub struct PreferencesChange {
    /// See [`Preferences::choices`].
    pub choices: Option<Choices>,
    /// Whether email is off.
    pub email_off: Option<bool>,
    /// Whether push is off.
    pub push_off: Option<bool>,
    /// See [`Preferences::quiet`].
    pub quiet: Option<Option<QuietHours>>,
    /// See [`Preferences::digest`].
    pub digest: Option<Option<Digest>>,
    /// See [`Preferences::urgent`].
    pub urgent: Option<Option<Urgent>>,
}

impl PreferencesChange {
    /// The preferences after the change.
    #[must_use]
    pub fn apply(self, mut to: Preferences) -> Preferences {
        for (channel, off) in [(Channel::Email, self.email_off), (Channel::Push, self.push_off)] {
            match off {
                Some(true) => to.off.insert(channel),
                Some(false) => to.off.remove(&channel),
                None => continue,
            };
        }
        Preferences {
            choices: self.choices.unwrap_or(to.choices),
            off: to.off,
            quiet: self.quiet.unwrap_or(to.quiet),
            digest: self.digest.unwrap_or(to.digest),
            urgent: self.urgent.unwrap_or(to.urgent),
        }
    }
}

/// New values for some of what an organization chose.
#[derive(Debug, Clone, Default)]
pub struct DefaultsChange {
    /// See [`Defaults::choices`].
    pub choices: Option<Choices>,
    /// See [`Defaults::forced`].
    pub forced: Option<BTreeSet<(NotificationType, Channel)>>,
    /// See [`Defaults::quiet`].
    pub quiet: Option<QuietHours>,
    /// See [`Defaults::digest`].
    pub digest: Option<Digest>,
    /// See [`Defaults::urgent`].
    pub urgent: Option<Urgent>,
}

impl DefaultsChange {
    /// What is chosen after the change.
    #[must_use]
    pub fn apply(self, to: Defaults) -> Defaults {
        Defaults {
            choices: self.choices.unwrap_or(to.choices),
            forced: self.forced.unwrap_or(to.forced),
            quiet: self.quiet.unwrap_or(to.quiet),
            digest: self.digest.unwrap_or(to.digest),
            urgent: self.urgent.unwrap_or(to.urgent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // D6
    #[test]
    fn what_is_not_said_stays_and_what_is_taken_back_follows_the_organization() {
        let daily = Preferences { digest: Some(Digest::Hourly), ..Preferences::default() };
        let off = PreferencesChange { email_off: Some(true), ..PreferencesChange::default() };
        let chosen = off.apply(daily.clone());
        assert_eq!((chosen.off.len(), chosen.digest), (1, Some(Digest::Hourly)));
        let back =
            PreferencesChange { digest: Some(None), email_off: Some(false), ..PreferencesChange::default() };
        assert_eq!(back.apply(chosen), Preferences::default());
        assert_eq!(DefaultsChange::default().apply(Defaults::default()), Defaults::default());
    }
}
