//! Where else the data of somebody who is erased was (P12): in contacts into whom they were merged once. Those contacts have given it
//! back; merges which were made meanwhile still have it, and so have answers that were kept meanwhile.

use std::collections::BTreeSet;

use db::{DbError, Tx};
use kernel::{ContactId, MergeId};

use crate::domain::Held;
use crate::store::traces;

/// What has something of somebody.
#[derive(Debug)]
pub(super) struct Traces {
    /// Merges of others, all of them taken back.
    pub(super) merges: Vec<MergeId>,
    /// Contacts who had it for a while.
    pub(super) held: Vec<Held>,
}

/// What has something of these contacts, beside what they are in themselves: merges of theirs, and contacts who go with them. Before
/// their merges are removed.
pub(super) async fn of(tx: &mut Tx, erased: &[ContactId]) -> Result<Traces, DbError> {
    let through = traces::list_from(tx, erased).await?.into_iter().map(|trace| trace.held);
    let mut left: Vec<Held> = through.filter(|held| !erased.contains(&held.contact)).collect();
    let (mut merges, mut followed, mut held) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    while let Some(next) = left.pop() {
        for trace in traces::list_during(tx, &next).await? {
            merges.insert(trace.merge_id);
            // It went on to the contact into which that one was merged.
            if trace.from == next.contact && followed.insert(trace.merge_id) {
                left.push(trace.held);
            }
        }
        held.push(next);
    }
    Ok(Traces { merges: merges.into_iter().collect(), held })
}
