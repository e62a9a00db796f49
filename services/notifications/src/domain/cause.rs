//! Why a person is, or is not, told something on a channel: what an explanation is made of.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::preferences::Verdict;

/// One reason. Several make an explanation: who wanted it, then what came in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum Cause {
    /// The organization forces it: no preference, no mute counts.
    Forced,
    /// The person switched this type on.
    TypeOn,
    /// The organization, or what is built in, has it on.
    DefaultOn,
    /// The person switched the whole channel off.
    ChannelOff,
    /// The person switched this type off.
    TypeOff,
    /// The organization, or what is built in, has it off.
    DefaultOff,
    /// The person muted the conversation.
    Muted,
    /// They had read it, archived it or put it off before anything was due.
    Handled,
    /// Nobody set this channel up for the installation.
    NotConfigured,
    /// Routing has no profile of the person.
    NobodyThere,
    /// The person's profile has no address.
    NoAddress,
    /// The person has no device for pushes.
    NoDevice,
    /// It cannot wait: neither quiet hours nor a digest hold it back.
    Urgent,
    /// It is held back a little, for who reads it at once.
    Undo {
        /// Until when.
        until: Timestamp,
    },
    /// The person wants quiet.
    Quiet {
        /// Until when.
        until: Timestamp,
    },
    /// The person gets one email for each window.
    Digest {
        /// When the window ends.
        due: Timestamp,
    },
    /// Much came in a short time: it is told together with what else comes until then.
    Storm {
        /// Until when it is gathered.
        due: Timestamp,
    },
    /// Something that a later version of this program wrote down.
    #[serde(other)]
    Unknown,
}

impl From<Verdict> for Cause {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Forced => Self::Forced,
            Verdict::Chosen => Self::TypeOn,
            Verdict::Default => Self::DefaultOn,
            Verdict::ChannelOff => Self::ChannelOff,
            Verdict::TypeOff => Self::TypeOff,
            Verdict::DefaultOff => Self::DefaultOff,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_a_later_version_wrote_is_read_as_unknown() {
        let later = r#"{"cause":"full_moon","until":7}"#;
        assert_eq!(serde_json::from_str::<Cause>(later).unwrap(), Cause::Unknown);
        let quiet = Cause::Quiet { until: Timestamp::from_micros(7) };
        assert_eq!(serde_json::from_str::<Cause>(&serde_json::to_string(&quiet).unwrap()).unwrap(), quiet);
    }
}
