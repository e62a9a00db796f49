//! Who has a conversation that is open again (R6).

use kernel::AgentId;
use serde::{Deserialize, Serialize};

use super::choose::Availability;

/// What the organization decided of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReopenPolicy {
    /// Who had it.
    #[default]
    Keep,
    /// Who had it, if they are online.
    KeepIfAvailable,
    /// The queue of its team.
    Requeue,
}

impl ReopenPolicy {
    const ALL: [Self; 3] = [Self::Keep, Self::KeepIfAvailable, Self::Requeue];

    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "KEEP",
            Self::KeepIfAvailable => "KEEP_IF_AVAILABLE",
            Self::Requeue => "REQUEUE",
        }
    }

    /// Reads what [`ReopenPolicy::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == text)
    }

    /// Whether who had a conversation still has it, being so available, now that it is open again. One that was only put aside
    /// (`snoozed`) is not taken from somebody who is there.
    #[must_use]
    pub fn keeps(self, snoozed: bool, holder: Availability) -> bool {
        match self {
            Self::Keep => true,
            Self::KeepIfAvailable => holder == Availability::Online,
            Self::Requeue => snoozed && holder == Availability::Online,
        }
    }
}

/// Why a conversation waits again that somebody had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requeued {
    /// The policy by which it does.
    pub policy: ReopenPolicy,
    /// Who had it.
    pub holder: AgentId,
}

#[cfg(test)]
mod tests {
    use super::ReopenPolicy::{Keep, KeepIfAvailable, Requeue};
    use super::*;

    // R6
    #[test]
    fn who_had_it_keeps_it_as_the_policy_says() {
        use Availability::{Away, Offline, Online};
        for there in [Online, Away, Offline] {
            assert!(Keep.keeps(false, there) && Keep.keeps(true, there));
            assert_eq!(KeepIfAvailable.keeps(false, there), there == Online);
            assert_eq!(KeepIfAvailable.keeps(true, there), there == Online);
            assert!(!Requeue.keeps(false, there));
            assert_eq!(Requeue.keeps(true, there), there == Online);
        }
    }

    // R6
    #[test]
    fn every_policy_is_read_as_it_is_written() {
        for policy in ReopenPolicy::ALL {
            assert_eq!(ReopenPolicy::read(policy.as_str()), Some(policy));
        }
        assert_eq!(ReopenPolicy::read("other"), None);
    }
}
