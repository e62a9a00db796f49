//! What merges leave behind in contacts: who an address was of before, and where else somebody's data was for a while.

use std::ops::Range;

use kernel::{ContactId, MergeId, Timestamp};

/// Who an address was of before the merges that stand, which lead to its owner: as they are taken back it goes from one to the other.
/// Nobody, where it was always the owner's. `merges` tells with which the address returns, from whom and into whom; of those into one
/// contact the latest, which is the first to be taken back, comes first.
pub fn first_owner(owner: ContactId, merges: &[(ContactId, ContactId)]) -> Option<ContactId> {
    let mut first = owner;
    // Each is gone through once at most.
    for _ in merges {
        match merges.iter().find(|(_, into)| *into == first) {
            Some((from, _)) => first = *from,
            None => break,
        }
    }
    (first != owner).then_some(first)
}

/// That a contact had somebody else's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The contact.
    pub contact: ContactId,
    /// At which of its versions.
    pub versions: Range<i64>,
    /// From when on.
    pub since: Timestamp,
    /// Until when; nothing: it still has it.
    pub until: Option<Timestamp>,
}

/// A merge, as far as it leads data from one contact to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The merge.
    pub merge_id: MergeId,
    /// The contact that went.
    pub from: ContactId,
    /// What came of it for the contact that stayed.
    pub held: Held,
}

#[cfg(test)]
mod tests {
    use kernel::ContactId;
    use uuid::Uuid;

    use super::first_owner;

    #[test]
    fn an_address_goes_back_through_the_latest_merges() {
        let [a, b, c, d] = [1, 2, 3, 4].map(|n| ContactId::from_uuid(Uuid::from_u128(n)));
        assert_eq!(first_owner(b, &[]), None);
        assert_eq!(first_owner(b, &[(a, b)]), Some(a));
        assert_eq!(first_owner(c, &[(b, c), (a, b)]), Some(a), "through both");
        assert_eq!(first_owner(b, &[(d, b), (a, b)]), Some(d), "it came to D after A had lost it");
        assert_eq!(first_owner(d, &[(a, b)]), None, "it is neither's any more");
    }
}
