//! Walking the chain: is every sealed record as it was sealed?

use db::{BoxFuture, DbError, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::chain::{Hash, Head};
use crate::row::{COLUMNS, Record};

/// Records of one step: what is in memory at most.
const STEP: i64 = 1_000;

/// How a broken chain shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The record does not fit its hash: it, or the hash before it, was altered, or it was put in.
    Altered,
    /// There is no record with this sequence.
    Removed,
    /// The record is before the beginning or behind the head.
    Inserted,
    /// The head does not fit the last record, or is gone.
    HeadAltered,
    /// The chain fits itself but not the head that was known before.
    Rewritten,
}

/// What a walk found, once it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Every record is as it was sealed.
    Intact,
    /// Something was changed.
    Broken {
        /// How it shows.
        defect: Defect,
        /// Where it shows first.
        sequence: i64,
        /// The bad record, where there is one.
        event_id: Option<Uuid>,
    },
}

impl Finding {
    fn broken(defect: Defect, sequence: i64) -> Self {
        Self::Broken { defect, sequence, event_id: None }
    }

    fn bad(defect: Defect, record: &Record) -> Self {
        Self::Broken { defect, sequence: record.sequence, event_id: Some(record.event_id) }
    }
}

/// A walk along the chain of an organization, up to the head it had when the walk began. It may be put down between two
/// steps, and be taken up elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walk {
    /// The last record that was verified.
    at: Head,
    /// How far to go.
    end: i64,
    /// The hash that the head says the last one has; none if there are records without a head.
    end_hash: Option<Hash>,
    known: Option<Head>,
}

impl Walk {
    /// Begins at the beginning. `known` is a head that was kept elsewhere.
    ///
    /// # Errors
    /// [`DbError`] of the reads.
    // Not `async fn`: see `db::Db::open`.
    pub fn begin<'t>(
        tx: &'t mut Tx,
        service: &'static str,
        known: Option<Head>,
    ) -> BoxFuture<'t, Result<Self, DbError>> {
        Box::pin(async move {
            let start = Head::start(service, tx.org().map_or("", |org| org.as_str()));
            let (end, end_hash) = match find_head(tx).await? {
                Some(head) => (head.sequence, Some(head.hash)),
                None => match find_last(tx).await? {
                    Some(last) => (last, None),
                    None => (start.sequence, Some(start.hash)),
                },
            };
            Ok(Self { at: start, end, end_hash, known })
        })
    }

    /// Verifies the next records: the walk behind them, and what it found if that is known now.
    ///
    /// # Errors
    /// [`DbError`] of the reads.
    // Not `async fn`: see `db::Db::open`.
    pub fn step(mut self, tx: &mut Tx) -> BoxFuture<'_, Result<(Self, Option<Finding>), DbError>> {
        Box::pin(async move {
            let records = self.list_next(tx).await?;
            let last = (records.len() as i64) < STEP;
            for record in records {
                if let Some(bad) = self.pass(&record) {
                    return Ok((self, Some(bad)));
                }
            }
            let found = if last { Some(self.arrive(tx).await?) } else { None };
            Ok((self, found))
        })
    }

    /// How many records were verified.
    #[must_use]
    pub fn verified(&self) -> i64 {
        self.at.sequence
    }

    /// The head the chain had when the walk began; none if it is gone.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.end_hash.map(|hash| Head { sequence: self.end, hash })
    }

    /// Passes the next record, or says what is wrong with it.
    fn pass(&mut self, record: &Record) -> Option<Finding> {
        let next = self.at.after(record);
        if record.sequence < next.sequence {
            return Some(Finding::bad(Defect::Inserted, record));
        }
        if record.sequence > next.sequence {
            return Some(Finding::broken(Defect::Removed, next.sequence));
        }
        if record.hash.as_deref() != Some(next.hash.as_slice()) {
            return Some(Finding::bad(Defect::Altered, record));
        }
        let known = self.known.filter(|known| known.sequence == next.sequence);
        if known.is_some_and(|known| known.hash != next.hash) {
            return Some(Finding::bad(Defect::Rewritten, record));
        }
        self.at = next;
        None
    }

    /// Looks whether the chain ends as it must. The head may be further by now.
    async fn arrive(&self, tx: &mut Tx) -> Result<Finding, DbError> {
        if self.at.sequence < self.end {
            return Ok(Finding::broken(Defect::Removed, self.at.sequence + 1));
        }
        if self.end_hash != Some(self.at.hash) {
            return Ok(Finding::broken(Defect::HeadAltered, self.end));
        }
        if let Some(known) = self.known {
            if known.sequence > self.end {
                return Ok(Finding::broken(Defect::Removed, self.end + 1));
            }
            if known.sequence == self.at.sequence && known.hash != self.at.hash {
                return Ok(Finding::broken(Defect::Rewritten, known.sequence));
            }
        }
        let now = find_head(tx).await?.map_or(0, |head| head.sequence);
        if now < self.end {
            return Ok(Finding::broken(Defect::HeadAltered, now));
        }
        Ok(match find_behind(tx, now).await? {
            Some((sequence, event_id)) => {
                Finding::Broken { defect: Defect::Inserted, sequence, event_id: Some(event_id) }
            }
            None => Finding::Intact,
        })
    }

    async fn list_next(&self, tx: &mut Tx) -> Result<Vec<Record>, DbError> {
        // At the beginning also what has no business to be there: sequences begin with 1.
        let after = if self.at.sequence == 0 { i64::MIN } else { self.at.sequence };
        let sql = format!(
            "SELECT {COLUMNS}, sequence, hash FROM audit_events
             WHERE org_id = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4"
        );
        tx.query_dynamic(sql).bind(after).bind(self.end).bind(STEP).fetch_all(tx).await
    }
}

/// How many records of the organization are not sealed yet.
///
/// # Errors
/// [`DbError`] of the read.
// Not `async fn`: see `db::Db::open`.
pub fn count_unsealed(tx: &mut Tx) -> BoxFuture<'_, Result<i64, DbError>> {
    Box::pin(
        async move { tx.query("SELECT COUNT(*) FROM audit_queue WHERE org_id = $1").fetch_value(tx).await },
    )
}

async fn find_head(tx: &mut Tx) -> Result<Option<Head>, DbError> {
    let head: Option<(i64, Vec<u8>)> =
        tx.query("SELECT sequence, hash FROM audit_heads WHERE org_id = $1").fetch_optional(tx).await?;
    // A hash of another length is none that a record can have.
    Ok(head.map(|(sequence, hash)| Head { sequence, hash: hash.try_into().unwrap_or_default() }))
}

async fn find_last(tx: &mut Tx) -> Result<Option<i64>, DbError> {
    tx.query("SELECT sequence FROM audit_events WHERE org_id = $1 ORDER BY sequence DESC LIMIT 1")
        .fetch_optional_value(tx)
        .await
}

async fn find_behind(tx: &mut Tx, sequence: i64) -> Result<Option<(i64, Uuid)>, DbError> {
    tx.query(
        "SELECT sequence, event_id FROM audit_events WHERE org_id = $1 AND sequence > $2
         ORDER BY sequence LIMIT 1",
    )
    .bind(sequence)
    .fetch_optional(tx)
    .await
}
