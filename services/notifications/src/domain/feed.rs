//! The order of a person's feed: 1, 2, 3 and so on, without gaps, whoever writes at the same time.

use std::collections::{BTreeMap, HashMap};

use kernel::{NotificationId, Subject};
use serde::{Deserialize, Serialize};

use super::Event;

/// A place in one person's feed; the first entry has 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, db::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Sequence(i64);

impl Sequence {
    /// Before the first entry.
    pub const START: Self = Self(0);
    /// Behind every entry.
    pub const END: Self = Self(i64::MAX);

    /// The place with this number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The place `steps` before this one.
    const fn back(self, steps: i64) -> Self {
        Self(self.0 - steps)
    }
}

/// The end of a person's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct Head {
    /// Of the newest entry.
    pub sequence: Sequence,
    /// The newest entry that retention took away: behind it the feed is complete.
    pub forgotten_through: Sequence,
    /// How often the person did something with entries.
    pub handlings: i64,
}

impl Head {
    /// The head of somebody who was never told anything.
    pub const EMPTY: Self =
        Self { sequence: Sequence::START, forgotten_through: Sequence::START, handlings: 0 };
}

/// A place in what a person did with entries: all of the handlings before this one are behind it, and of this one the entries up to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handled {
    /// Which of the person's handlings.
    pub handling: i64,
    /// The last of the entries that it changed.
    pub entry: Sequence,
}

impl Handled {
    /// Behind everything that the person did so far.
    pub const fn all_of(head: Head) -> Self {
        Self::all_through(head.handlings)
    }

    /// Behind everything that the person did, up to this handling.
    pub const fn all_through(handling: i64) -> Self {
        Self { handling, entry: Sequence::END }
    }

    /// The last handling all of which is behind this place.
    fn whole(self) -> i64 {
        if self.entry == Sequence::END { self.handling } else { self.handling - 1 }
    }
}

/// How far a reader is. Sealed, it is a resume token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last entry the reader has.
    pub after: Sequence,
    /// Entries up to here may be missing: they were gone when the reader began at the earliest entry still kept.
    pub sparse_through: Sequence,
    /// What the reader knows of what the person did with entries. A token that was given before there was this has none: then the reader
    /// knows what its list says.
    #[serde(default)]
    pub handled: Option<Handled>,
}

impl Cursor {
    /// At the end of the feed.
    pub const fn now(head: Head) -> Self {
        Self { after: head.sequence, sparse_through: Sequence::START, handled: Some(Handled::all_of(head)) }
    }

    /// Before the oldest entry still kept. Retention takes read entries first, so there may be gaps among the old ones.
    pub const fn earliest(head: Head) -> Self {
        let handled = Some(Handled::all_of(head));
        Self { after: Sequence::START, sparse_through: head.forgotten_through, handled }
    }

    /// The cursor of a reader who now has the entry at `sequence` as well.
    #[must_use]
    pub const fn past(self, sequence: Sequence) -> Self {
        Self { after: sequence, ..self }
    }

    /// The cursor of a reader who now also knows what the person did up to here.
    #[must_use]
    pub const fn knowing(self, handled: Handled) -> Self {
        Self { handled: Some(handled), ..self }
    }

    /// True when the person did something that the reader does not know of.
    pub fn knows_less(self, handlings: i64) -> bool {
        self.handled.is_some_and(|handled| handled.whole() < handlings)
    }

    /// One number for how far the reader is, in entries and in what was done with them: it is behind a head exactly if its number is less.
    pub fn progress(self) -> i64 {
        self.after.0 + self.handled.map_or(0, Handled::whole)
    }

    /// True when the next entries, oldest first, follow this place without a gap: then nothing was missed.
    pub fn is_followed_by(self, mut next: impl Iterator<Item = Sequence>) -> bool {
        next.try_fold(self.after.0, |last, sequence| (sequence.0 == last + 1).then_some(sequence.0)).is_some()
    }

    /// True when the reader knows of something that, after a restore from a backup, the person never did.
    pub fn knows_more(self, handlings: i64) -> bool {
        self.handled.is_some_and(|handled| handled.whole() > handlings)
    }

    /// True when something this reader has not seen is gone for ever: retention passed it, or (after a restore from a
    /// backup) the feed ends before the place where the reader is.
    pub fn has_missed_something(self, head: Head) -> bool {
        head.forgotten_through > self.after.max(self.sparse_through)
            || head.sequence < self.after
            || self.knows_more(head.handlings)
    }
}

/// How many entries each person gets. In the order of the people, which is the order in which their heads must be
/// locked: two batches that lock the same heads in different orders would wait for each other.
pub fn growth<'a>(events: &[&'a Event]) -> BTreeMap<&'a Subject, i64> {
    let mut growth = BTreeMap::new();
    for recipient in events.iter().flat_map(|event| &event.recipients) {
        *growth.entry(recipient).or_insert(0) += 1;
    }
    growth
}

/// A new entry: one event in one person's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Whose feed.
    pub recipient: &'a Subject,
    /// Its place there.
    pub sequence: Sequence,
    /// Its id.
    pub notification_id: NotificationId,
    /// What it tells.
    pub event: &'a Event,
}

/// Gives every event its place in each recipient's feed, in the order of the events. `heads` are the ends of the feeds
/// after they grew by [`growth`].
pub fn place<'a>(
    events: &[&'a Event],
    heads: &HashMap<Subject, Sequence>,
    mut new_id: impl FnMut() -> NotificationId,
) -> Vec<Entry<'a>> {
    let mut left = growth(events);
    let mut entries = Vec::with_capacity(events.iter().map(|event| event.recipients.len()).sum());
    for event in events {
        for recipient in &event.recipients {
            let (Some(head), Some(left)) = (heads.get(recipient), left.get_mut(recipient)) else { continue };
            *left -= 1;
            entries.push(Entry { recipient, sequence: head.back(*left), notification_id: new_id(), event });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NotificationType, Reason};
    use kernel::{Clock, Timestamp};
    use proptest::prelude::*;

    fn event(clock: &Clock, recipients: &[u8]) -> Event {
        Event {
            event_id: clock.new_id().into(),
            kind: NotificationType::Mentioned,
            recipients: recipients.iter().map(|n| Subject::parse(&format!("p{n}")).unwrap()).collect(),
            reason: Reason::parse("because").unwrap(),
            conversation_id: None,
            note_id: None,
            actor: None,
            occur_time: Timestamp::from_micros(0),
            excerpt: None,
        }
    }

    proptest! {
        #[test]
        fn every_person_gets_their_events_in_order_without_a_gap(
            batch in proptest::collection::vec(proptest::collection::vec(0_u8..6, 1..5), 0..20),
            before in 0_i64..1_000,
        ) {
            let clock = Clock::system();
            let events: Vec<Event> = batch.iter().map(|recipients| event(&clock, recipients)).collect();
            let events: Vec<&Event> = events.iter().collect();
            let heads = growth(&events)
                .into_iter()
                .map(|(subject, grown)| (subject.clone(), Sequence::new(before + grown)))
                .collect();
            let entries = place(&events, &heads, || clock.new_id().into());
            for (subject, end) in &heads {
                let theirs: Vec<_> = entries.iter().filter(|entry| entry.recipient == subject).collect();
                let numbers: Vec<i64> = theirs.iter().map(|entry| entry.sequence.number()).collect();
                let expected: Vec<i64> = (before + 1..=end.number()).collect();
                prop_assert_eq!(numbers, expected);
                prop_assert!(theirs.is_sorted_by_key(|entry| entry.event.event_id));
            }
            let told: usize = events.iter().map(|event| event.recipients.len()).sum();
            prop_assert_eq!(entries.len(), told);
        }
    }

    fn head(sequence: i64, forgotten: i64) -> Head {
        let (sequence, forgotten_through) = (Sequence::new(sequence), Sequence::new(forgotten));
        Head { sequence, forgotten_through, handlings: 0 }
    }

    fn at(after: i64) -> Cursor {
        Cursor { after: Sequence::new(after), sparse_through: Sequence::START, handled: None }
    }

    // D3
    #[test]
    fn a_reader_knows_less_until_it_has_all_of_the_last_handling() {
        let seven = Head { handlings: 7, ..head(9, 0) };
        let cursor = Cursor::now(seven);
        assert!(!cursor.knows_less(7) && cursor.knows_less(8));
        assert_eq!(cursor.progress(), 16);
        let part = cursor.knowing(Handled { handling: 8, entry: Sequence::new(3) });
        assert!(!part.knows_less(7) && part.knows_less(8));
        assert_eq!(part.progress(), 16);
        assert!(!at(9).knows_less(8), "a token of an older version");
    }

    // D3
    #[test]
    fn a_token_given_before_read_state_was_streamed_still_opens() {
        let old: Cursor = serde_json::from_str(r#"{"after":4,"sparse_through":2}"#).unwrap();
        assert_eq!(old, Cursor { sparse_through: Sequence::new(2), ..at(4) });
    }

    #[test]
    fn a_gap_is_noticed() {
        let follows = |after, next: &[i64]| at(after).is_followed_by(next.iter().map(|n| Sequence::new(*n)));
        assert!(follows(0, &[1, 2, 3]) && follows(7, &[8]) && follows(7, &[]));
        assert!(!follows(0, &[2]) && !follows(0, &[1, 3]) && !follows(7, &[7]));
    }

    #[test]
    fn a_reader_behind_retention_has_missed_something_and_one_at_its_edge_has_not() {
        assert!(at(4).has_missed_something(head(9, 5)));
        assert!(!at(5).has_missed_something(head(9, 5)));
        assert!(!at(9).has_missed_something(head(9, 9)));
    }

    #[test]
    fn who_began_at_the_earliest_entry_has_not_missed_what_was_gone_then() {
        let cursor = Cursor::earliest(head(9, 5));
        assert!(!cursor.has_missed_something(head(9, 5)));
        assert!(!cursor.past(Sequence::new(3)).has_missed_something(head(9, 5)));
        assert!(cursor.past(Sequence::new(3)).has_missed_something(head(9, 6)));
    }

    #[test]
    fn a_feed_that_ends_before_its_reader_has_lost_something() {
        assert!(at(10).has_missed_something(head(9, 0)));
        let done = at(9).knowing(Handled::all_through(4));
        assert!(done.has_missed_something(Head { handlings: 3, ..head(9, 0) }));
        assert!(!done.has_missed_something(Head { handlings: 4, ..head(9, 0) }));
        // Not all of what it has a part of.
        let begun = at(9).knowing(Handled { handling: 4, entry: Sequence::new(2) });
        assert!(!begun.has_missed_something(Head { handlings: 3, ..head(9, 0) }));
    }
}
