//! The erasure of a person from all services (P12): who does what, in which order, and how far it is.

use std::time::Duration;

use ::erasure::{ErasureId, Removed};
use kernel::{ContactId, Timestamp};
use serde::{Deserialize, Serialize};

use super::Actor;

/// After the first failure of a service.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest time between two tries: as soon as this an erasure goes on when a service is back.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A service with a part in an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasingService {
    /// This one.
    Contacts,
    /// Conversations and messages.
    Routing,
    /// Notes and internal messages.
    Notes,
    /// What colleagues were told.
    Notifications,
}

impl ErasingService {
    /// All of them, in the order of the work: routing knows the conversations, and tells the others which it removed.
    pub const ALL: [Self; 4] = [Self::Contacts, Self::Routing, Self::Notes, Self::Notifications];

    /// As it is stored, and as the service is called.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Routing => "routing",
            Self::Notes => "notes",
            Self::Notifications => "notifications",
        }
    }

    /// The service of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.as_str() == name)
    }

    /// Whether it needs to be told the conversations, so that routing has to be done before.
    #[must_use]
    pub fn follows_routing(self) -> bool {
        matches!(self, Self::Notes | Self::Notifications)
    }
}

/// How far something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureState {
    /// Nothing is removed yet.
    Pending,
    /// Something is.
    Running,
    /// Nothing is left.
    Done,
}

/// What one service has done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasurePart {
    /// The service.
    pub service: ErasingService,
    /// What it removed so far.
    pub removed: Vec<Removed>,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When nothing was left.
    pub end_time: Option<Timestamp>,
    /// Since when it does not answer.
    pub waiting_since: Option<Timestamp>,
    /// Calls that failed, one after another.
    pub failures: i64,
}

impl ErasurePart {
    /// Before anything was done.
    #[must_use]
    pub fn pending(service: ErasingService) -> Self {
        Self {
            service,
            removed: Vec::new(),
            start_time: None,
            end_time: None,
            waiting_since: None,
            failures: 0,
        }
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> ErasureState {
        match (self.start_time, self.end_time) {
            (_, Some(_)) => ErasureState::Done,
            (Some(_), None) => ErasureState::Running,
            (None, None) => ErasureState::Pending,
        }
    }

    /// After an answer of the service.
    #[must_use]
    pub fn advanced(self, removed: Vec<Removed>, done: bool, now: Timestamp) -> Self {
        Self {
            service: self.service,
            removed,
            start_time: self.start_time.or(Some(now)),
            end_time: self.end_time.or(done.then_some(now)),
            waiting_since: None,
            failures: 0,
        }
    }

    /// After a call without an answer.
    #[must_use]
    pub fn failed(self, now: Timestamp) -> Self {
        Self { waiting_since: self.waiting_since.or(Some(now)), failures: self.failures + 1, ..self }
    }

    /// How long to wait before the next call: twice as long each time, up to half a minute.
    #[must_use]
    pub fn wait(&self) -> Duration {
        let doublings = u32::try_from(self.failures - 1).unwrap_or(0).min(16);
        FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT)
    }
}

/// The erasure of a contact: ids, counts and times, nothing of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Its id.
    pub erasure_id: ErasureId,
    /// Who was erased.
    pub contact_id: ContactId,
    /// Who had been merged into them.
    pub merged: Vec<ContactId>,
    /// One for each service, in the order of the work.
    pub parts: Vec<ErasurePart>,
    /// Who asked for it.
    pub requester: Actor,
    /// When it was asked for.
    pub create_time: Timestamp,
    /// When nothing was left in any service.
    pub end_time: Option<Timestamp>,
}

impl Erasure {
    /// How far it is.
    #[must_use]
    pub fn state(&self) -> ErasureState {
        if self.end_time.is_some() {
            return ErasureState::Done;
        }
        let begun = self.parts.iter().any(|part| part.state() != ErasureState::Pending);
        if begun { ErasureState::Running } else { ErasureState::Pending }
    }

    /// Everybody it covers.
    #[must_use]
    pub fn contacts(&self) -> Vec<ContactId> {
        std::iter::once(self.contact_id).chain(self.merged.iter().copied()).collect()
    }

    /// Its part of this service.
    #[must_use]
    pub fn part(&self, service: ErasingService) -> ErasurePart {
        let found = self.parts.iter().find(|part| part.service == service);
        found.cloned().unwrap_or_else(|| ErasurePart::pending(service))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(number: i64) -> Timestamp {
        Timestamp::from_micros(number * 1_000_000)
    }

    // P12
    #[test]
    fn a_service_is_waited_for_longer_each_time_though_never_longer_than_half_a_minute() {
        let mut part = ErasurePart::pending(ErasingService::Notes);
        let mut waits = Vec::new();
        for failure in 1..=40 {
            part = part.failed(second(failure));
            waits.push(part.wait());
        }
        assert_eq!(waits[..3], [250, 500, 1_000].map(Duration::from_millis));
        assert!(waits.is_sorted() && waits.last() == Some(&LONGEST_WAIT), "{waits:?}");
        assert_eq!(part.waiting_since, Some(second(1)), "since the first of them");
        assert_eq!(part.state(), ErasureState::Pending);
        let part = part.advanced(Vec::new(), false, second(50));
        assert_eq!((part.waiting_since, part.failures, part.state()), (None, 0, ErasureState::Running));
        let part = part.advanced(Vec::new(), true, second(60)).advanced(Vec::new(), true, second(70));
        assert_eq!((part.start_time, part.end_time), (Some(second(50)), Some(second(60))));
    }
}
