//! Who wants to hear what, and how: what a person chose, over what the organization chose, over what is built in.
//!
//! A person's choice wins over the organization's; what the organization forces wins over both. A person who chose nothing follows the
//! organization, also when it changes its mind.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Malformed, Timestamp};
use serde::{Deserialize, Serialize};

use super::NotificationType;
use super::digest::Digest;
use super::preferences_written::Written;
use super::quiet::QuietHours;

/// How a person can be told something, beside their feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// To the address of their profile.
    Email,
    /// To each of their devices.
    Push,
}

impl Channel {
    /// Both, in the order of the contract.
    pub const ALL: [Self; 2] = [Self::Email, Self::Push];

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Push => "push",
        }
    }
}

impl TryFrom<&str> for Channel {
    type Error = Malformed;

    fn try_from(text: &str) -> Result<Self, Malformed> {
        let found = Self::ALL.into_iter().find(|channel| channel.as_str() == text);
        found.ok_or_else(|| Malformed::new("must be email or push"))
    }
}

/// Yes or no for some types on some channels; nothing for the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices(BTreeMap<(NotificationType, Channel), bool>);

impl Choices {
    /// The choice for a type on a channel, if there is one.
    #[must_use]
    pub fn of(&self, kind: NotificationType, channel: Channel) -> Option<bool> {
        self.0.get(&(kind, channel)).copied()
    }

    /// Chooses, or with nothing takes a choice back.
    pub fn set(&mut self, kind: NotificationType, channel: Channel, choice: Option<bool>) {
        match choice {
            Some(on) => self.0.insert((kind, channel), on),
            None => self.0.remove(&(kind, channel)),
        };
    }

    /// Every choice, in the order of types.
    pub fn iter(&self) -> impl Iterator<Item = (NotificationType, Channel, bool)> + '_ {
        self.0.iter().map(|((kind, channel), on)| (*kind, *channel, *on))
    }
}

impl FromIterator<(NotificationType, Channel, bool)> for Choices {
    fn from_iter<I: IntoIterator<Item = (NotificationType, Channel, bool)>>(choices: I) -> Self {
        Self(choices.into_iter().map(|(kind, channel, on)| ((kind, channel), on)).collect())
    }
}

/// Which types cannot wait: neither quiet hours nor a digest holds them back.
pub type Urgent = BTreeSet<NotificationType>;

/// What one person chose. What is absent follows the organization.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Preferences {
    /// Types on channels.
    pub choices: Choices,
    /// Whole channels: off means that nothing comes this way, except what the organization forces.
    pub off: BTreeSet<Channel>,
    /// When they want quiet.
    pub quiet: Option<QuietHours>,
    /// Whether emails are gathered.
    pub digest: Option<Digest>,
    /// What cannot wait.
    pub urgent: Option<Urgent>,
}

/// What an organization chose for its people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Defaults {
    /// Types on channels, for who chose nothing.
    pub choices: Choices,
    /// What nobody can switch off, nor mute.
    pub forced: BTreeSet<(NotificationType, Channel)>,
    /// When people want quiet who did not say.
    pub quiet: QuietHours,
    /// Whether emails are gathered of people who did not say.
    pub digest: Digest,
    /// What cannot wait, for people who did not say.
    pub urgent: Urgent,
}

impl Default for Defaults {
    /// What is built in: everything on every channel, except offers by email, which are over before mail is read; no quiet hours, no
    /// digest; and what cannot wait does not.
    fn default() -> Self {
        use NotificationType as T;
        Self {
            choices: Choices::default(),
            forced: BTreeSet::new(),
            quiet: QuietHours::default(),
            digest: Digest::Off,
            urgent: Urgent::from([T::Escalated, T::SlaBreach, T::Offered]),
        }
    }
}

/// Something chosen, with its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen<T> {
    /// What.
    pub chosen: T,
    /// Changes with every change: 1 while nobody changed anything.
    pub version: i64,
    /// When it last changed.
    pub update_time: Option<Timestamp>,
}

impl<T: Default> Default for Chosen<T> {
    /// Before the first change.
    fn default() -> Self {
        Self { chosen: T::default(), version: 1, update_time: None }
    }
}

/// What holds for one person in the end.
#[derive(Debug, Clone, Copy)]
pub struct Effective<'a> {
    /// What they chose.
    pub own: &'a Preferences,
    /// What their organization chose.
    pub defaults: &'a Defaults,
}

/// Whether a person hears of a type on a channel, and who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The organization forces it.
    Forced,
    /// They chose it.
    Chosen,
    /// The organization's default, or what is built in.
    Default,
    /// They switched the whole channel off.
    ChannelOff,
    /// They switched this type off.
    TypeOff,
    /// The organization's default, or what is built in, is off.
    DefaultOff,
}

impl Verdict {
    /// Whether they hear of it.
    #[must_use]
    pub const fn wanted(self) -> bool {
        matches!(self, Self::Forced | Self::Chosen | Self::Default)
    }
}

impl<'a> Effective<'a> {
    /// Whether the person hears of this type on this channel; whether they muted the conversation is another question.
    #[must_use]
    pub fn verdict(&self, kind: NotificationType, channel: Channel) -> Verdict {
        if self.forced(kind, channel) {
            return Verdict::Forced;
        }
        if self.own.off.contains(&channel) {
            return Verdict::ChannelOff;
        }
        match self.own.choices.of(kind, channel) {
            Some(true) => Verdict::Chosen,
            Some(false) => Verdict::TypeOff,
            None if self.default_of(kind, channel) => Verdict::Default,
            None => Verdict::DefaultOff,
        }
    }

    /// Whether nobody in the organization can switch this off.
    #[must_use]
    pub fn forced(&self, kind: NotificationType, channel: Channel) -> bool {
        self.defaults.forced.contains(&(kind, channel))
    }

    /// Whether this type cannot wait.
    #[must_use]
    pub fn urgent(&self, kind: NotificationType) -> bool {
        self.own.urgent.as_ref().unwrap_or(&self.defaults.urgent).contains(&kind)
    }

    /// When the person wants quiet.
    #[must_use]
    pub fn quiet(&self) -> &'a QuietHours {
        self.own.quiet.as_ref().unwrap_or(&self.defaults.quiet)
    }

    /// Whether the person's emails are gathered.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.own.digest.unwrap_or(self.defaults.digest)
    }

    fn default_of(&self, kind: NotificationType, channel: Channel) -> bool {
        let chosen = self.defaults.choices.of(kind, channel);
        chosen.unwrap_or(!matches!((kind, channel), (NotificationType::Offered, Channel::Email)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use NotificationType::{Assigned, Mentioned, Offered, SlaBreach};

    fn effective<'a>(own: &'a Preferences, defaults: &'a Defaults) -> Effective<'a> {
        Effective { own, defaults }
    }

    // D6
    #[test]
    fn a_person_who_chose_nothing_follows_the_organization_and_it_what_is_built_in() {
        let (own, mut defaults) = (Preferences::default(), Defaults::default());
        assert_eq!(effective(&own, &defaults).verdict(Assigned, Channel::Email), Verdict::Default);
        assert_eq!(effective(&own, &defaults).verdict(Offered, Channel::Email), Verdict::DefaultOff);
        assert_eq!(effective(&own, &defaults).verdict(Offered, Channel::Push), Verdict::Default);
        defaults.choices.set(Assigned, Channel::Email, Some(false));
        assert_eq!(effective(&own, &defaults).verdict(Assigned, Channel::Email), Verdict::DefaultOff);
        assert_eq!(effective(&own, &defaults).verdict(Assigned, Channel::Push), Verdict::Default);
    }

    // D6
    #[test]
    fn a_persons_choice_wins_over_the_default_and_force_over_everything() {
        let (mut own, mut defaults) = (Preferences::default(), Defaults::default());
        own.choices.set(Mentioned, Channel::Email, Some(false));
        own.choices.set(Offered, Channel::Email, Some(true));
        assert_eq!(effective(&own, &defaults).verdict(Mentioned, Channel::Email), Verdict::TypeOff);
        assert_eq!(effective(&own, &defaults).verdict(Offered, Channel::Email), Verdict::Chosen);
        own.off.insert(Channel::Email);
        assert_eq!(effective(&own, &defaults).verdict(Offered, Channel::Email), Verdict::ChannelOff);
        defaults.forced.insert((Mentioned, Channel::Email));
        assert_eq!(effective(&own, &defaults).verdict(Mentioned, Channel::Email), Verdict::Forced);
        assert_eq!(effective(&own, &defaults).verdict(Mentioned, Channel::Push), Verdict::Default);
    }

    // D6
    #[test]
    fn what_cannot_wait_is_the_persons_to_say() {
        let (mut own, defaults) = (Preferences::default(), Defaults::default());
        assert!(effective(&own, &defaults).urgent(SlaBreach));
        own.urgent = Some(Urgent::new());
        assert!(!effective(&own, &defaults).urgent(SlaBreach));
    }
}
