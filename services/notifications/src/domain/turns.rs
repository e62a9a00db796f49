//! Whose turn it is: how many deliveries of each organization and each destination are claimed at once.

use std::collections::HashMap;
use std::hash::Hash;

/// A destination that has something due, of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting<O> {
    /// Whose.
    pub org: O,
    /// How many deliveries it may be given now: its limit less those under way.
    pub room: usize,
}

/// How many deliveries each destination gets of `free` places, in order: nobody more than their room, and no organization more than an
/// even share of the places while others wait. What an organization leaves of its share stays free for the next look.
pub fn share<O: Eq + Hash + Copy>(free: usize, waiting: &[Waiting<O>]) -> Vec<usize> {
    let mut taken: HashMap<O, usize> = HashMap::new();
    for destination in waiting.iter().filter(|destination| destination.room > 0) {
        taken.entry(destination.org).or_insert(0);
    }
    let each = if taken.is_empty() { 0 } else { free.div_ceil(taken.len()) };
    let mut left = free;
    let grant = |destination: &Waiting<O>| {
        let Some(taken) = taken.get_mut(&destination.org) else { return 0 };
        let given = destination.room.min(each - *taken).min(left);
        *taken += given;
        left -= given;
        given
    };
    waiting.iter().map(grant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn waiting(destinations: &[(u8, usize)]) -> Vec<Waiting<u8>> {
        destinations.iter().map(|(org, room)| Waiting { org: *org, room: *room }).collect()
    }

    // D7
    #[test]
    fn one_delivery_of_a_small_organization_goes_out_beside_a_noisy_one() {
        assert_eq!(share(8, &waiting(&[(1, 4), (2, 4), (1, 4), (1, 4)])), [4, 4, 0, 0]);
        assert_eq!(share(1, &waiting(&[(2, 4), (1, 4)])), [1, 0]);
        assert_eq!(share(32, &waiting(&[(1, 4), (1, 4)])), [4, 4]);
        assert_eq!(share(0, &waiting(&[(1, 4)])), [0]);
    }

    proptest! {
        // D7
        #[test]
        fn nobody_gets_more_than_their_share_and_no_place_is_given_twice(
            free in 0_usize..100, destinations in proptest::collection::vec((0_u8..9, 0_usize..9), 0..40),
        ) {
            let waiting = waiting(&destinations);
            let given = share(free, &waiting);
            prop_assert_eq!(given.len(), waiting.len());
            prop_assert!(given.iter().sum::<usize>() <= free);
            let able: std::collections::BTreeSet<u8> =
                waiting.iter().filter(|it| it.room > 0).map(|it| it.org).collect();
            for org in &able {
                let theirs = waiting.iter().zip(&given).filter(|(it, _)| it.org == *org);
                prop_assert!(theirs.map(|(_, given)| given).sum::<usize>() <= free.div_ceil(able.len()));
            }
            prop_assert!(waiting.iter().zip(&given).all(|(it, given)| *given <= it.room));
            prop_assert_eq!(free > 0 && !able.is_empty(), given.iter().any(|given| *given > 0));
        }
    }
}
