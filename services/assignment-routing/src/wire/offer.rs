//! Offers, and which teams make them.

use std::time::Duration;

use proto::routing::v1 as pb;
use rpc::Fault;

use super::conversation::conversation;
use super::{maybe_time, narrow, time};
use crate::domain::conversation::Conversation;
use crate::domain::offer::{Mode, Offer, OfferState, Offering};

/// An offer with its conversation, for the agent who is asked.
#[must_use]
pub fn offer((it, about): (Offer, Conversation)) -> pb::Offer {
    pb::Offer {
        offer_id: it.id.to_string(),
        conversation: Some(conversation(about, true)),
        team_id: it.team.to_string(),
        units: narrow(it.units),
        offer_time: time(it.offer_time),
        expire_time: time(it.expire_time),
        state: state(it.state).into(),
    }
}

/// What became of the offer that a decision made.
#[must_use]
pub fn of_decision(it: &Offer) -> pb::DecisionOffer {
    pb::DecisionOffer {
        offer_id: it.id.to_string(),
        state: state(it.state).into(),
        expire_time: time(it.expire_time),
        end_time: maybe_time(it.end_time),
        reason: it.reason.clone(),
    }
}

fn state(it: OfferState) -> pb::OfferState {
    match it {
        OfferState::Open => pb::OfferState::Open,
        OfferState::Accepted => pb::OfferState::Accepted,
        OfferState::Rejected => pb::OfferState::Rejected,
        OfferState::TimedOut => pb::OfferState::TimedOut,
        OfferState::TakenBack => pb::OfferState::TakenBack,
    }
}

/// Whether a team asks first, for the wire.
#[must_use]
pub fn mode(it: Mode) -> pb::AssignmentMode {
    match it {
        Mode::AutoAccept => pb::AssignmentMode::AutoAccept,
        Mode::Offer => pb::AssignmentMode::Offer,
    }
}

/// Whether a team asks first.
#[must_use]
pub fn mode_of(it: pb::AssignmentMode) -> Mode {
    match it {
        pb::AssignmentMode::Unspecified | pb::AssignmentMode::AutoAccept => Mode::AutoAccept,
        pb::AssignmentMode::Offer => Mode::Offer,
    }
}

/// How long a team's agents have to answer, for the wire.
#[must_use]
pub fn timeout(it: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(it).ok()
}

/// How long a team's agents have to answer; not said: the default.
///
/// # Errors
/// INVALID_FIELD for a time that is too short or too long.
pub fn timeout_of(it: Option<prost_types::Duration>) -> Result<Duration, Fault> {
    match it.map(Duration::try_from) {
        None => Ok(Offering::DEFAULT_TIMEOUT),
        Some(Ok(timeout)) if Offering::TIMEOUTS.contains(&timeout) => {
            Ok(Duration::from_millis(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)))
        }
        Some(_) => Err(Fault::invalid("offer_timeout", "must be from 5 seconds to an hour")),
    }
}
