//! How long the members of a team may leave a waiting customer without a reply, and what happens then (R13).

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What happens to a conversation whose customer got no reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LimitAction {
    /// It goes back to the queue of its team.
    #[default]
    Requeue,
    /// The same, and whoever had it gets it only if nobody else can take it.
    NextAgent,
    /// Supervisors are told, and who has it keeps it.
    NotifySupervisor,
}

impl LimitAction {
    const ALL: [Self; 3] = [Self::Requeue, Self::NextAgent, Self::NotifySupervisor];

    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requeue => "REQUEUE",
            Self::NextAgent => "NEXT_AGENT",
            Self::NotifySupervisor => "NOTIFY_SUPERVISOR",
        }
    }

    /// Reads what [`LimitAction::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == text)
    }
}

/// The limit of a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplyLimit {
    /// How long a reply may take.
    pub limit: Duration,
    /// What happens then.
    pub then: LimitAction,
}

/// A span as people say it: whole seconds, in the largest units that hold it.
#[must_use]
pub fn said(span: Duration) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let mut left = span.as_secs();
    let mut parts = Vec::new();
    for (size, name) in units {
        let count = left / size;
        left %= size;
        if count > 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    // R13
    #[test]
    fn every_action_is_read_as_it_is_written() {
        for action in LimitAction::ALL {
            assert_eq!(LimitAction::read(action.as_str()), Some(action));
        }
        assert_eq!(LimitAction::read("other"), None);
    }

    // R13
    #[test]
    fn a_span_is_said_as_people_say_it() {
        for (seconds, words) in
            [(0, "0 seconds"), (1, "1 second"), (60, "1 minute"), (3_690, "1 hour 1 minute 30 seconds")]
        {
            assert_eq!(said(Duration::from_secs(seconds)), words);
        }
        assert_eq!(said(Duration::from_secs(2 * 86_400)), "2 days");
    }
}
