//! The order of a conversation's timeline (N10), and how entries of several sources become one page of it.

use std::cmp::Ordering;
use std::collections::VecDeque;

use kernel::page::Filling;
use kernel::{PageSize, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Kinds of entries. At the same time they stand in this order: what a message brought about stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Between the customer and the organization.
    Message,
    /// Something that happened to the conversation.
    Event,
    /// A note on the conversation.
    Note,
    /// A note on its contact.
    ContactNote,
    /// Between an agent and the supervisors.
    InternalMessage,
}

/// Where an entry stands: by time, then by kind, then by id. No two stand at the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// When it was written or happened.
    pub time: Timestamp,
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: Uuid,
}

/// In which direction a timeline is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From its beginning on.
    OldestFirst,
    /// From now back.
    NewestFirst,
}

/// A place among entries of one kind: what is read next stands behind this time and id, in the direction of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The time.
    pub time: Timestamp,
    /// The id, which need not be an entry's.
    pub id: Uuid,
}

impl Order {
    /// From where entries of a kind are to be read, so that they are what stands behind a place.
    pub fn edge(self, kind: Kind, after: Option<Place>) -> Edge {
        let Some(after) = after else {
            return match self {
                Self::OldestFirst => Edge { time: Timestamp::from_micros(i64::MIN), id: Uuid::nil() },
                Self::NewestFirst => Edge { time: Timestamp::from_micros(i64::MAX), id: Uuid::max() },
            };
        };
        let id = match kind.cmp(&after.kind) {
            Ordering::Less => Uuid::max(),
            Ordering::Equal => after.id,
            Ordering::Greater => Uuid::nil(),
        };
        Edge { time: after.time, id }
    }

    fn compare(self, one: Place, other: Place) -> Ordering {
        match self {
            Self::OldestFirst => one.cmp(&other),
            Self::NewestFirst => other.cmp(&one),
        }
    }
}

/// What has a place in a timeline.
pub trait Placed {
    /// Where it stands.
    fn place(&self) -> Place;

    /// Its text, in bytes: pages end at a number of them.
    fn text_bytes(&self) -> usize;
}

/// What was read of one source, in the order of the timeline.
#[derive(Debug, Clone)]
pub struct Run<E> {
    entries: VecDeque<E>,
    ended: bool,
}

impl<E: Placed> Run<E> {
    /// Entries, and whether there are no more behind them.
    pub fn new(entries: Vec<E>, ended: bool) -> Self {
        Self { entries: entries.into(), ended }
    }

    /// Nobody knows here what comes next.
    fn is_dry(&self) -> bool {
        self.entries.is_empty() && !self.ended
    }

    fn head(&self) -> Option<Place> {
        self.entries.front().map(Placed::place)
    }
}

/// What a page needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// What stands behind this place; `None`: from the first entry on.
    pub after: Option<Place>,
    /// So many entries of each source.
    pub count: usize,
}

/// A page that is woven from several sources: some were read once for the whole page, others are read piece by piece, so that
/// little of what then has no room is in memory.
#[derive(Debug)]
pub struct Weave<E> {
    order: Order,
    after: Option<Place>,
    page: Filling<E>,
    once: Vec<Run<E>>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// There is more than the page has.
    Full,
    /// The timeline ends with the page.
    Ended,
}

impl<E: Placed> Weave<E> {
    /// An empty page of what stands behind a place, and what was read for all of it.
    pub fn new(order: Order, size: PageSize, after: Option<Place>, once: Vec<Run<E>>) -> Self {
        Self { order, after, page: Filling::new(size.get()), once, state: State::Open }
    }

    /// What to read of the other sources and [`add`](Self::add); `None`: the page is complete.
    pub fn wants(&self) -> Option<Wanted> {
        (self.state == State::Open).then(|| Wanted { after: self.after, count: self.page.step() })
    }

    /// Adds what was wanted, as far as it is certain that nothing stands before it: up to the end of the first source of
    /// which there is more to read. What is left of `pieces` is wanted again.
    pub fn add(&mut self, mut pieces: Vec<Run<E>>) {
        while self.state == State::Open {
            let runs = || self.once.iter().chain(&pieces);
            if runs().any(Run::is_dry) {
                break;
            }
            let heads = runs().enumerate().filter_map(|(at, run)| Some((at, run.head()?)));
            let Some((at, place)) = heads.min_by(|one, other| self.order.compare(one.1, other.1)) else {
                self.state = State::Ended;
                break;
            };
            let entry =
                self.once.iter_mut().chain(&mut pieces).nth(at).and_then(|run| run.entries.pop_front());
            let Some(entry) = entry else { break };
            let bytes = entry.text_bytes();
            match self.page.takes(entry, bytes) {
                true => self.after = Some(place),
                false => self.state = State::Full,
            }
        }
        if self.state == State::Open && self.once.iter().any(Run::is_dry) {
            self.state = State::Full;
        }
    }

    /// The page, and behind which place the next one begins, if there is one.
    pub fn page(self) -> (Vec<E>, Option<Place>) {
        let next = self.after.filter(|_| self.state != State::Ended);
        (self.page.items(), next)
    }
}
