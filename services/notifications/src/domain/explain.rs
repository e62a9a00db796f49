//! Why somebody was, or was not, told something, in sentences: for the person, and for the admin whom they ask.

use kernel::Timestamp;
use zones::WallClock;

use super::cause::Cause;
use super::delivery::DeliveryState;
use super::plan::Decision;
use super::preferences::Channel;

/// What became of an entry on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelOutcome {
    /// Nothing has been planned yet.
    NotPlannedYet,
    /// It came when nothing was planned.
    NeverPlanned,
    /// It was not to be told this way.
    NotTold,
    /// It waits for its time, or for another attempt.
    Waiting,
    /// It was told.
    Told,
    /// There was nothing to tell any more when it was due.
    Skipped,
    /// It could not be told.
    Failed,
    /// What became of it is not kept any more.
    Forgotten,
}

impl ChannelOutcome {
    /// What became of an entry, as planned and as its deliveries went: told, if one of them was taken.
    #[must_use]
    pub fn of(decision: &Decision, states: &[DeliveryState]) -> Self {
        let any = |state| states.contains(&state);
        match &decision.told {
            None => Self::NotTold,
            Some(_) if any(DeliveryState::Sent) => Self::Told,
            Some(_) if any(DeliveryState::Waiting) => Self::Waiting,
            Some(_) if any(DeliveryState::Failed) => Self::Failed,
            Some(_) if any(DeliveryState::Skipped) => Self::Skipped,
            Some(_) => Self::Forgotten,
        }
    }
}

/// One cause in a sentence, with times as the person's clocks show them.
#[must_use]
pub fn sentence(cause: Cause, clock: &WallClock) -> String {
    let at = |time: Timestamp| clock.moment(time);
    match cause {
        Cause::Forced => {
            "The organization forces this type here: no preference and no mute counts.".to_owned()
        }
        Cause::TypeOn => "The person switched this type on here.".to_owned(),
        Cause::DefaultOn => "The person chose nothing, and the organization's default is on.".to_owned(),
        Cause::ChannelOff => "The person switched this channel off.".to_owned(),
        Cause::TypeOff => "The person switched this type off here.".to_owned(),
        Cause::DefaultOff => "The person chose nothing, and the organization's default is off.".to_owned(),
        Cause::Muted => "The person muted this conversation.".to_owned(),
        Cause::Handled => {
            "The person had read it, archived it or put it off before anything was planned.".to_owned()
        }
        Cause::NotConfigured => "The operator has not set this channel up.".to_owned(),
        Cause::NobodyThere => "There is no profile of the person.".to_owned(),
        Cause::NoAddress => "The person's profile has no address.".to_owned(),
        Cause::NoDevice => "The person has no device that gets pushes.".to_owned(),
        Cause::Urgent => "It cannot wait: neither quiet hours nor a digest hold it back.".to_owned(),
        Cause::Undo { until } => {
            format!("It waits until {}, and is not told if it is read by then.", at(until))
        }
        Cause::Quiet { until } => {
            format!("The person wants quiet: what comes is told together when that ends, on {}.", at(until))
        }
        Cause::Digest { due } => {
            format!("The person gets a digest: the next one is due on {}.", at(due))
        }
        Cause::Storm { due } => {
            format!("Much came in a short time: it is told together with what comes until {}.", at(due))
        }
        Cause::Unknown => "For a reason that this version does not know.".to_owned(),
    }
}

/// All of it in a few sentences. `together` is how many entries the same email or push tells.
#[must_use]
pub fn summary(
    channel: Channel,
    outcome: ChannelOutcome,
    decision: &Decision,
    together: u64,
    clock: &WallClock,
) -> String {
    let by = match channel {
        Channel::Email => "email",
        Channel::Push => "push",
    };
    let due = decision.told.as_ref().map(|told| clock.moment(told.due)).unwrap_or_default();
    let head = match outcome {
        ChannelOutcome::NotPlannedYet => {
            format!("Whether it is told by {by} is not planned yet; that takes a moment.")
        }
        ChannelOutcome::NeverPlanned => {
            format!(
                "It was not told by {by}: when it came, nobody could be told anything outside of the feed."
            )
        }
        ChannelOutcome::NotTold => format!("It was not told by {by}."),
        ChannelOutcome::Waiting => format!("It will be told by {by}, as planned on {due}."),
        ChannelOutcome::Told => format!("It was told by {by}, as planned on {due}."),
        ChannelOutcome::Skipped => {
            format!("It was planned by {by} on {due}; by then there was nothing to tell any more.")
        }
        ChannelOutcome::Failed => format!("It was planned by {by} on {due}, and could not be delivered."),
        ChannelOutcome::Forgotten => {
            format!("It was planned by {by} on {due}; what became of that is not kept any more.")
        }
    };
    let together = match together {
        0 | 1 => String::new(),
        2 => format!(" One other entry is told in the same {by}."),
        more => format!(" {} other entries are told in the same {by}.", more - 1),
    };
    // The deciding cause is the last one: what comes before it says who wanted it.
    let why = decision.causes.last().map(|cause| format!(" {}", sentence(*cause, clock))).unwrap_or_default();
    format!("{head}{together}{why}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bundle::{BundleId, BundleKind};
    use crate::domain::plan::Told;

    fn told(causes: Vec<Cause>) -> Decision {
        let told = Told {
            bundle_id: BundleId::from_uuid(uuid::Uuid::nil()),
            kind: BundleKind::Gathered,
            due: Timestamp::from_micros(0),
            deliveries: Vec::new(),
        };
        Decision { causes, told: Some(told) }
    }

    // D6
    #[test]
    fn one_device_that_got_a_push_is_enough_and_what_waits_has_not_failed_yet() {
        use DeliveryState::{Failed, Sent, Skipped, Waiting};
        let of = |states: &[DeliveryState]| ChannelOutcome::of(&told(Vec::new()), states);
        assert_eq!(of(&[Failed, Sent]), ChannelOutcome::Told);
        assert_eq!(of(&[Failed, Waiting]), ChannelOutcome::Waiting);
        assert_eq!(of(&[Skipped, Failed]), ChannelOutcome::Failed);
        assert_eq!(of(&[Skipped]), ChannelOutcome::Skipped);
        assert_eq!(of(&[]), ChannelOutcome::Forgotten);
        assert_eq!(ChannelOutcome::of(&Decision::default(), &[]), ChannelOutcome::NotTold);
    }

    // D6
    #[test]
    fn a_summary_says_what_became_of_it_with_what_and_why() {
        let clock = WallClock::default();
        let storm = Cause::Storm { due: Timestamp::from_micros(0) };
        let text = summary(
            Channel::Email,
            ChannelOutcome::Told,
            &told(vec![Cause::DefaultOn, storm]),
            4_995,
            &clock,
        );
        assert_eq!(
            text,
            "It was told by email, as planned on 1 January 1970, 00:00:00 (UTC+00:00). 4994 other entries are told in \
             the same email. Much came in a short time: it is told together with what comes until 1 January 1970, \
             00:00:00 (UTC+00:00)."
        );
        let muted = Decision { causes: vec![Cause::Muted], told: None };
        let text = summary(Channel::Push, ChannelOutcome::NotTold, &muted, 0, &clock);
        assert_eq!(text, "It was not told by push. The person muted this conversation.");
    }
}
