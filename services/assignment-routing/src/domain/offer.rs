//! Offers: a team that asks gives nobody a conversation before they said yes (R12).

use std::time::Duration;

use kernel::{AgentId, ConversationId, TeamId, Timestamp};
use serde::{Deserialize, Serialize};

use super::batch::Waiting;
use super::load::Load;

kernel::id_type! {
    /// One offer of a conversation to an agent.
    OfferId
}

/// Offers that wait for one agent's answer, at most: who has so many is asked nothing more, whatever their capacity.
pub const MOST_OPEN: i64 = 5;

/// Offers in a row that an agent may let pass: who does not answer so many is taken for away.
pub const MOST_MISSED: i64 = 3;

/// Whether whoever's turn it is is asked first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Mode {
    /// They have it at once.
    #[default]
    AutoAccept,
    /// They have it once they accept.
    Offer,
}

impl Mode {
    /// As the database spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AutoAccept => "AUTO_ACCEPT",
            Self::Offer => "OFFER",
        }
    }

    /// Reads what [`Mode::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::AutoAccept, Self::Offer].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// How a team's queue gives conversations to agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offering {
    /// Whether they are asked first.
    pub mode: Mode,
    /// How long they have to answer.
    pub timeout: Duration,
}

impl Offering {
    /// What a team has that says nothing else.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

    /// The shortest and the longest time to answer.
    pub const TIMEOUTS: std::ops::RangeInclusive<Duration> =
        Duration::from_secs(5)..=Duration::from_secs(60 * 60);

    /// Whether agents are asked first.
    #[must_use]
    pub fn asks(self) -> bool {
        self.mode == Mode::Offer
    }
}

impl Default for Offering {
    fn default() -> Self {
        Self { mode: Mode::default(), timeout: Self::DEFAULT_TIMEOUT }
    }
}

/// What became of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferState {
    /// It waits for the agent's answer.
    Open,
    /// The agent took the conversation.
    Accepted,
    /// The agent declined.
    Rejected,
    /// The agent did not answer in time.
    TimedOut,
    /// It was taken back before they answered.
    TakenBack,
}

impl OfferState {
    const ALL: [Self; 5] = [Self::Open, Self::Accepted, Self::Rejected, Self::TimedOut, Self::TakenBack];

    /// As the database and errors spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::TimedOut => "TIMED_OUT",
            Self::TakenBack => "TAKEN_BACK",
        }
    }

    /// Reads what [`OfferState::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether its agent is not asked again before everybody else was.
    #[must_use]
    pub fn refuses(self) -> bool {
        matches!(self, Self::Rejected | Self::TimedOut)
    }
}

/// A conversation that is or was offered to an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The offer.
    pub id: OfferId,
    /// The conversation.
    pub conversation: ConversationId,
    /// Who is asked.
    pub agent: AgentId,
    /// The team in whose queue it waits.
    pub team: TeamId,
    /// What is reserved for it.
    pub units: i64,
    /// Since when the conversation waited.
    pub queue_time: Timestamp,
    /// When it was offered.
    pub offer_time: Timestamp,
    /// Until when it can be accepted.
    pub expire_time: Timestamp,
    /// What became of it.
    pub state: OfferState,
    /// When that was; `None`: it is open.
    pub end_time: Option<Timestamp>,
    /// Why the agent declined, if they said so.
    pub reason: String,
}

/// How an answer finds an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    /// It can be given.
    Now,
    /// It was given before: a retry.
    Before,
    /// It comes too late: this became of the offer.
    Late(OfferState),
}

impl Offer {
    /// What is offered of a queue's first to whoever's turn it is.
    #[must_use]
    pub fn of(
        it: &Waiting,
        id: OfferId,
        agent: AgentId,
        team: TeamId,
        now: Timestamp,
        timeout: Duration,
    ) -> Self {
        Self {
            id,
            conversation: it.conversation,
            agent,
            team,
            units: it.units,
            queue_time: it.queue_time,
            offer_time: now,
            expire_time: now.plus(timeout),
            state: OfferState::Open,
            end_time: None,
            reason: String::new(),
        }
    }

    /// What it is at a moment: one whose time is over is not open any more, noted or not.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> OfferState {
        match self.state {
            OfferState::Open if self.expire_time <= now => OfferState::TimedOut,
            state => state,
        }
    }

    /// How an answer that makes it so finds it.
    #[must_use]
    pub fn answering(&self, answer: OfferState, now: Timestamp) -> Answering {
        match self.at(now) {
            OfferState::Open => Answering::Now,
            state if state == answer => Answering::Before,
            state => Answering::Late(state),
        }
    }

    /// What it reserves of its agent's capacity.
    #[must_use]
    pub fn reserves(&self) -> Load {
        Load::reserved(self.units)
    }

    /// What became of it, in a sentence. `name` is what people call its agent.
    #[must_use]
    pub fn summary(&self, name: &str) -> String {
        match self.state {
            OfferState::Open => format!("{name} has not answered yet."),
            OfferState::Accepted => format!("{name} accepted."),
            OfferState::Rejected => format!("{name} declined."),
            OfferState::TimedOut => format!("{name} did not answer in time."),
            OfferState::TakenBack => format!("It was taken back before {name} answered."),
        }
    }
}

/// That somebody declined a conversation that waits, or did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Who.
    pub agent: AgentId,
    /// When.
    pub time: Timestamp,
}

impl Refusal {
    /// Of somebody who had it and is passed over, though not while nobody else can take it.
    #[must_use]
    pub fn long_ago(agent: AgentId) -> Self {
        Self { agent, time: Timestamp::from_micros(0) }
    }

    /// Whether it holds even when everybody is asked again.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        self.time == Timestamp::from_micros(0)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn offer(state: OfferState) -> Offer {
        let clock = Clock::system();
        Offer {
            id: clock.new_id().into(),
            conversation: clock.new_id().into(),
            agent: clock.new_id().into(),
            team: clock.new_id().into(),
            units: 1,
            queue_time: NOW,
            offer_time: NOW,
            expire_time: NOW.plus(Duration::from_secs(30)),
            state,
            end_time: None,
            reason: String::new(),
        }
    }

    // R12
    #[test]
    fn an_offer_can_be_answered_once_and_until_its_time_is_over() {
        use OfferState::{Accepted, Open, Rejected, TakenBack, TimedOut};
        let last = NOW.plus(Duration::from_secs(30)).minus(Duration::from_micros(1));
        let over = NOW.plus(Duration::from_secs(30));
        assert_eq!(offer(Open).answering(Accepted, last), Answering::Now);
        assert_eq!(offer(Open).answering(Accepted, over), Answering::Late(TimedOut));
        assert_eq!(offer(Accepted).answering(Accepted, over), Answering::Before);
        assert_eq!(offer(Rejected).answering(Rejected, over), Answering::Before);
        assert_eq!(offer(Rejected).answering(Accepted, NOW), Answering::Late(Rejected));
        assert_eq!(offer(TakenBack).answering(Rejected, NOW), Answering::Late(TakenBack));
    }

    // R12
    #[test]
    fn states_and_modes_are_read_as_they_are_written() {
        for state in OfferState::ALL {
            assert_eq!(OfferState::read(state.as_str()), Some(state));
        }
        assert_eq!(Mode::read(Mode::Offer.as_str()), Some(Mode::Offer));
        assert_eq!(Mode::read(Mode::AutoAccept.as_str()), Some(Mode::AutoAccept));
    }
}
