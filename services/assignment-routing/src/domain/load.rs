//! How much an agent has open, and how much they get at once (R3).

use std::ops::{AddAssign, Neg};

use super::conversation::{Conversation, Status};

/// What is added to what an agent has open, or taken from it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Conversations.
    pub conversations: i64,
    /// Units of capacity.
    pub units: i64,
    /// Offers that wait for an answer.
    pub offers: i64,
    /// Units of capacity that are reserved for these.
    pub offered_units: i64,
}

impl Load {
    /// One conversation of so many units.
    #[must_use]
    pub fn one(units: i64) -> Self {
        Self { conversations: 1, units, ..Self::default() }
    }

    /// The offer of one conversation of so many units.
    #[must_use]
    pub fn reserved(units: i64) -> Self {
        Self { offers: 1, offered_units: units, ..Self::default() }
    }

    /// What it takes of somebody's capacity, had or reserved.
    #[must_use]
    pub fn taken(self) -> i64 {
        self.units + self.offered_units
    }

    /// What a conversation adds to whoever has it: nothing unless it is open.
    #[must_use]
    pub fn of(it: &Conversation) -> Self {
        if it.status == Status::Open { Self::one(it.units) } else { Self::default() }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        self.conversations += other.conversations;
        self.units += other.units;
        self.offers += other.offers;
        self.offered_units += other.offered_units;
    }
}

impl Neg for Load {
    type Output = Self;

    fn neg(self) -> Self {
        Self {
            conversations: -self.conversations,
            units: -self.units,
            offers: -self.offers,
            offered_units: -self.offered_units,
        }
    }
}

/// What somebody has open, and how much they get by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Room {
    /// Units of what they have open, and of what is offered to them.
    pub units: i64,
    /// Units they get at once; 0: as many as there are.
    pub capacity: i64,
}

impl Room {
    /// Whether so many units more are within the capacity.
    #[must_use]
    pub fn takes(self, units: i64) -> bool {
        self.capacity == 0 || self.units.saturating_add(units) <= self.capacity
    }
}
