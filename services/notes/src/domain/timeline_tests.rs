//! Any pages of a timeline give the same whole, whatever its sources say at a time.

use kernel::page::MOST_BYTES;
use kernel::{PageSize, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::timeline::{Kind, Order, Place, Placed, Run, Weave};

const KINDS: [Kind; 5] = [Kind::Message, Kind::Event, Kind::Note, Kind::ContactNote, Kind::InternalMessage];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry(Place, usize);

impl Placed for Entry {
    fn place(&self) -> Place {
        self.0
    }

    fn text_bytes(&self) -> usize {
        self.1
    }
}

/// What a table does with an edge: the entries of a kind behind it, in order, at most so many.
fn select(all: &[Entry], kind: Kind, order: Order, after: Option<Place>, limit: usize) -> Run<Entry> {
    let edge = order.edge(kind, after);
    let mut found: Vec<Entry> = all.iter().filter(|entry| entry.0.kind == kind).cloned().collect();
    found.sort_by_key(|entry| (entry.0.time, entry.0.id));
    match order {
        Order::OldestFirst => found.retain(|entry| (entry.0.time, entry.0.id) > (edge.time, edge.id)),
        Order::NewestFirst => {
            found.retain(|entry| (entry.0.time, entry.0.id) < (edge.time, edge.id));
            found.reverse();
        }
    }
    let ended = found.len() < limit;
    found.truncate(limit);
    Run::new(found, ended)
}

/// One page, read as the service reads it: routing once and with limits of its own, the rest piece by piece.
fn page(
    all: &[Entry],
    order: Order,
    size: PageSize,
    after: Option<Place>,
    routing: usize,
) -> (Vec<Entry>, Option<Place>) {
    let once = KINDS[..2].iter().map(|kind| select(all, *kind, order, after, routing)).collect();
    let mut weave = Weave::new(order, size, after, once);
    while let Some(wanted) = weave.wants() {
        let pieces = KINDS[2..].iter().map(|kind| select(all, *kind, order, wanted.after, wanted.count));
        weave.add(pieces.collect());
    }
    weave.page()
}

fn model(all: &[Entry], order: Order) -> Vec<Entry> {
    let mut sorted = all.to_vec();
    sorted.sort_by_key(Placed::place);
    if order == Order::NewestFirst {
        sorted.reverse();
    }
    sorted
}

/// Few times, so that many entries share one.
fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let entry =
        (0_i64..8, 0_usize..5, any::<u128>(), prop_oneof![9 => 0_usize..100, 1 => Just(MOST_BYTES / 2)]);
    let entry = entry.prop_map(|(time, kind, id, bytes)| {
        let place = Place { time: Timestamp::from_micros(time), kind: KINDS[kind], id: Uuid::from_u128(id) };
        Entry(place, bytes)
    });
    proptest::collection::vec(entry, 0..120)
}

fn orders() -> impl Strategy<Value = Order> {
    prop_oneof![Just(Order::OldestFirst), Just(Order::NewestFirst)]
}

proptest! {
    // N10
    #[test]
    fn pages_of_any_sizes_give_the_same_whole(
        all in entries(),
        order in orders(),
        sizes in proptest::collection::vec((1_i32..70, 1_usize..70), 1..8),
    ) {
        let (mut read, mut after) = (Vec::new(), None);
        for (size, routing) in sizes.iter().cycle() {
            let (entries, next) = page(&all, order, PageSize::of(*size).unwrap(), after, *routing);
            prop_assert!(entries.len() <= usize::try_from(*size).unwrap());
            let bytes: usize = entries.iter().map(Placed::text_bytes).sum();
            prop_assert!(bytes <= MOST_BYTES || entries.len() == 1);
            prop_assert!(!entries.is_empty() || next.is_none(), "a page goes on");
            prop_assert_eq!(next.is_some().then(|| entries.last().map(Placed::place)).flatten(), next);
            read.extend(entries);
            after = next;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(read, model(&all, order));
    }

    // N10
    #[test]
    fn what_is_written_meanwhile_moves_nothing_that_was_there(
        mut all in entries(),
        later in entries(),
        order in orders(),
        size in 1_i32..20,
    ) {
        let before = model(&all, order);
        let (mut read, mut after, mut later) = (Vec::new(), None, later.into_iter());
        loop {
            let (entries, next) = page(&all, order, PageSize::of(size).unwrap(), after, 3);
            read.extend(entries);
            after = next;
            if after.is_none() {
                break;
            }
            all.extend(later.next());
        }
        let places: Vec<Place> = read.iter().map(Placed::place).collect();
        prop_assert!(places.windows(2).all(|pair| match order {
            Order::OldestFirst => pair[0] < pair[1],
            Order::NewestFirst => pair[0] > pair[1],
        }), "in order, each once");
        read.retain(|entry| before.contains(entry));
        prop_assert_eq!(read, before, "none is missing");
    }
}

// N10
#[test]
fn a_source_that_does_not_know_what_comes_next_ends_the_page() {
    let at =
        |time, kind| Entry(Place { time: Timestamp::from_micros(time), kind, id: Uuid::from_u128(1) }, 0);
    let all = [at(1, Kind::Note), at(2, Kind::Message), at(3, Kind::Note), at(4, Kind::Message)];
    let (first, next) = page(&all, Order::OldestFirst, PageSize::MOST, None, 1);
    assert_eq!(first, all[..2], "the note at 3 has to wait: a message could stand before it");
    let (second, next) = page(&all, Order::OldestFirst, PageSize::MOST, next, 2);
    assert_eq!((second.as_slice(), next), (&all[2..], None));
}
