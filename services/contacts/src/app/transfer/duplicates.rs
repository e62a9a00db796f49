//! What a batch's contacts may share with others, and with one another (C6).

use std::collections::{BTreeMap, BTreeSet};

use db::{DbError, Tx};
use kernel::ContactId;
use uuid::Uuid;

use crate::app::duplicates::MOST_PAIRED;
use crate::domain::transfer::Held;
use crate::domain::{DuplicateKey, duplicate_keys};
use crate::store::batch;
use crate::store::duplicates::{self, Pair};

/// Keys whose holders one statement reads.
const KEYS: usize = 50;
/// Pairs that one statement takes.
const PAIRS: usize = 400;

/// Stores what the contacts may share, where it is another than before, and suggests pairs.
pub(super) async fn follow(tx: &mut Tx, held: &[&Held]) -> Result<(), DbError> {
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for one in held {
        let before = one.before.as_ref().map(duplicate_keys).unwrap_or_default();
        let now = duplicate_keys(&one.now);
        let id = one.now.contact_id;
        gone.extend(before.difference(&now).map(|key| (id, key.clone())));
        come.extend(now.difference(&before).map(|key| (id, key.clone())));
    }
    batch::remove_duplicate_keys(tx, &gone).await?;
    batch::remove_duplicate_pairs(tx, &gone).await?;
    let keys: BTreeSet<DuplicateKey> = come.iter().map(|(_, key)| key.clone()).collect();
    let keys: Vec<DuplicateKey> = keys.into_iter().collect();
    // A single contact holds its keys meanwhile. For a batch's, which may be thousands, PostgreSQL has no room: a pair is missed where
    // its two contacts come from two transactions at the same moment.
    let shared = batch::list_shared_keys(tx, &keys).await?;
    batch::insert_duplicate_keys(tx, &come).await?;
    let mut pairs = among(&come);
    for some in shared.chunks(KEYS) {
        // One more than somebody is paired with: they may be one of them.
        let holders = duplicates::list_holders(tx, nobody(), some, MOST_PAIRED + 1).await?;
        for holder in holders {
            let key = holder.key();
            let with = come.iter().filter(|(id, one)| *one == key && *id != holder.contact_id);
            pairs.extend(with.map(|(id, key)| (Pair::of(*id, holder.contact_id), key.clone())));
        }
    }
    for some in pairs.chunks(PAIRS) {
        let asked: Vec<Pair> = some.iter().map(|(pair, _)| *pair).collect();
        let dismissed = duplicates::list_dismissed(tx, &asked).await?;
        let mut new = some.to_vec();
        new.retain(|(pair, _)| !dismissed.contains(pair));
        duplicates::insert_pairs(tx, &new).await?;
    }
    Ok(())
}

/// Pairs of contacts that got the same key in this batch.
fn among(come: &[(ContactId, DuplicateKey)]) -> Vec<(Pair, DuplicateKey)> {
    let mut by_key: BTreeMap<&DuplicateKey, Vec<ContactId>> = BTreeMap::new();
    for (id, key) in come {
        by_key.entry(key).or_default().push(*id);
    }
    let most = usize::try_from(MOST_PAIRED).unwrap_or_default();
    let mut pairs = Vec::new();
    for (key, ids) in by_key {
        for (place, id) in ids.iter().enumerate() {
            let before = ids[..place].iter().rev().take(most);
            pairs.extend(before.map(|other| (Pair::of(*id, *other), key.clone())));
        }
    }
    pairs
}

/// The id of no contact.
fn nobody() -> ContactId {
    ContactId::from_uuid(Uuid::nil())
}
