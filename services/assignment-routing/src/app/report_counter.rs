//! Counting what happened, for reports (R19): beside the calls, a batch of conversations at a time, each from where it was counted to.
//! Whatever is interrupted begins anew, and nothing is counted twice: what is counted and how far it is are written together.

use std::collections::{BTreeMap, BTreeSet};

use db::Tx;
use kernel::{ConversationId, OrgId};

use super::App;
use crate::domain::report::Counts;
use crate::domain::report_tally::{Standing, Tally};
use crate::error::Error;
use crate::store;
use crate::store::reports::CountFrom;

/// Organizations read at once.
const ORGANIZATIONS: i64 = 100;

/// Conversations counted in one transaction, which is short: on SQLite all other writes wait for it.
const CONVERSATIONS: i64 = 250;

/// Entries of their histories counted in one transaction.
const ENTRIES: usize = 1_000;

/// Rows written by one statement.
const ROWS: usize = 1_000;

impl App {
    /// Counts a batch for each organization of which something is to be counted; says whether there is more to do at once.
    ///
    /// # Errors
    /// [`Error::Db`] of the first organization where it failed; those behind it are looked at all the same.
    pub async fn count_for_reports(&self) -> Result<bool, Error> {
        let (mut more, mut failed, mut after) = (false, None, String::new());
        loop {
            let read = self.db.read_system(move |tx| {
                Box::pin(
                    async move { store::report_marks::list_organizations(tx, &after, ORGANIZATIONS).await },
                )
            });
            let organizations: Vec<OrgId> = read.await?;
            for org in &organizations {
                match self.db.write(org, |tx| Box::pin(count_batch(tx))).await {
                    Ok(left) => more |= left,
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
            match organizations.last() {
                Some(last) if i64::try_from(organizations.len()) == Ok(ORGANIZATIONS) => {
                    after = last.to_string();
                }
                _ => return failed.map_or(Ok(more), Err),
            }
        }
    }
}

/// Counts conversations that are marked, or else some of those there were before there were marks; says whether there is more to do.
async fn count_batch(tx: &mut Tx) -> Result<bool, Error> {
    if !store::report_marks::try_lock(tx).await? {
        // Whoever counts now goes on until nothing is left.
        return Ok(false);
    }
    let marks = store::report_marks::list_marks(tx, CONVERSATIONS).await?;
    if marks.is_empty() {
        return count_backlog(tx).await;
    }
    let ids: BTreeSet<ConversationId> = marks.iter().map(|(_, id)| *id).collect();
    let left = count(tx, &ids).await?;
    let counted = |id: &ConversationId| left.is_none_or(|left| *id < left);
    let done: Vec<i64> = marks.iter().filter(|(_, id)| counted(id)).map(|(number, _)| *number).collect();
    store::report_marks::delete_marks(tx, &done).await?;
    let more = left.is_some() || i64::try_from(marks.len()) == Ok(CONVERSATIONS);
    Ok(more || store::report_marks::find_backlog(tx).await?.is_some())
}

async fn count_backlog(tx: &mut Tx) -> Result<bool, Error> {
    let Some(to) = store::report_marks::find_backlog(tx).await? else { return Ok(false) };
    let behind = store::report_marks::list_behind(tx, to, CONVERSATIONS).await?;
    let Some(last) = behind.last() else {
        store::report_marks::delete_backlog(tx).await?;
        return Ok(false);
    };
    let left = count(tx, &behind.iter().copied().collect()).await?;
    let counted = |id: &&ConversationId| left.is_none_or(|left| **id < left);
    let to = if left.is_none() { Some(last) } else { behind.iter().rev().find(counted) };
    if let Some(to) = to {
        store::report_marks::save_backlog(tx, *to).await?;
    }
    Ok(true)
}

/// Counts what is new of these conversations, under the organization's lock. Where that is too much for one transaction, the first
/// conversation, by id, of which something is left.
async fn count(tx: &mut Tx, ids: &BTreeSet<ConversationId>) -> Result<Option<ConversationId>, Error> {
    let asked: Vec<ConversationId> = ids.iter().copied().collect();
    let there: BTreeSet<_> = store::conversations::list_existing(tx, &asked).await?.into_iter().collect();
    let mut standings: BTreeMap<ConversationId, Standing> =
        store::reports::list_standings(tx, &asked).await?.into_iter().collect();
    // One that is gone and has no standing was closed: what may be left of its history was counted.
    let known = asked.iter().filter(|id| there.contains(id) || standings.contains_key(id));
    let from: Vec<CountFrom> = known.map(|id| count_from(*id, standings.get(id))).collect();
    let entries = store::reports::list_entries(tx, &from, i64::try_from(ENTRIES).unwrap_or(i64::MAX)).await?;
    let left = if entries.len() < ENTRIES { None } else { entries.last().map(|(id, _)| *id) };
    let mut tally = Tally::default();
    let mut changed = BTreeSet::new();
    for (id, entry) in &entries {
        standings.entry(*id).or_insert_with(|| Standing::before(entry)).count(entry, &mut tally);
        changed.insert(*id);
    }
    let gone: Vec<ConversationId> = standings
        .keys()
        .copied()
        .filter(|id| !there.contains(id) && left.is_none_or(|left| *id < left))
        .collect();
    for id in &gone {
        if let Some(standing) = standings.remove(id) {
            standing.close(tx.clock().now(), &mut tally);
        }
    }
    store::reports::delete_standings(tx, &gone).await?;
    let changed: Vec<_> = standings.into_iter().filter(|(id, _)| changed.contains(id)).collect();
    store::reports::save_standings(tx, &changed).await?;
    add(tx, tally).await?;
    Ok(left)
}

fn count_from(conversation: ConversationId, standing: Option<&Standing>) -> CountFrom {
    CountFrom {
        conversation,
        counted_to: standing.map_or(kernel::Timestamp::from_micros(i64::MIN), |it| it.counted_to),
        answered: standing.is_some_and(|it| it.answered),
    }
}

async fn add(tx: &mut Tx, tally: Tally) -> Result<(), Error> {
    let something = |(_, counts): &(_, Counts)| *counts != Counts::default();
    let counts: Vec<_> = tally.counts.into_iter().filter(something).collect();
    for rows in counts.chunks(ROWS) {
        store::reports::add_counts(tx, rows).await?;
    }
    let waits: Vec<_> = tally.waits.into_iter().collect();
    for rows in waits.chunks(ROWS) {
        store::reports::add_waits(tx, rows).await?;
    }
    let shares: Vec<_> = tally.shares.into_iter().collect();
    for rows in shares.chunks(ROWS) {
        store::report_shares::add_shares(tx, rows).await?;
    }
    Ok(())
}

/// Counts the rest of conversations that are about to be removed, whose rows are locked, and forgets them: from now on they are open with
/// nobody. What was counted stays, and tells of no conversation.
pub(super) async fn close(tx: &mut Tx, ids: &[ConversationId]) -> Result<(), Error> {
    store::report_marks::lock(tx).await?;
    let ids: BTreeSet<ConversationId> = ids.iter().copied().collect();
    while count(tx, &ids).await?.is_some() {}
    let ids: Vec<ConversationId> = ids.into_iter().collect();
    let (mut tally, now) = (Tally::default(), tx.clock().now());
    for (_, standing) in store::reports::list_standings(tx, &ids).await? {
        standing.close(now, &mut tally);
    }
    store::reports::delete_standings(tx, &ids).await?;
    add(tx, tally).await
}
