//! The relay's statements on the outbox table. All run in system scope: the relay serves every organization.

use std::time::Duration;

use db::{DbError, Engine, Tx};
use kernel::{EventId, OrgId, Timestamp};
use uuid::Uuid;

use crate::deliver::Outgoing;

/// One claimed row.
#[derive(Debug, db::FromRow)]
pub(crate) struct Claimed {
    pub(crate) seq: i64,
    pub(crate) org_id: OrgId,
    pub(crate) event_id: EventId,
    pub(crate) kind: String,
    pub(crate) ordering_key: Option<Uuid>,
    pub(crate) payload: Vec<u8>,
    pub(crate) attempts: i64,
    pub(crate) create_time: Timestamp,
    pub(crate) traceparent: Option<String>,
}

impl Claimed {
    pub(crate) fn outgoing(&self) -> Outgoing {
        Outgoing {
            event_id: self.event_id,
            kind: self.kind.clone(),
            key: self.ordering_key,
            payload: self.payload.clone(),
            create_time: self.create_time,
        }
    }
}

/// Claims up to `limit` due events of `target`, marking them with `fence` for the length of `lease`; oldest first, and
/// none whose ordering key has an earlier event unfinished.
pub(crate) async fn claim(
    tx: &mut Tx,
    target: &'static str,
    fence: Uuid,
    lease: Duration,
    limit: i64,
) -> Result<Vec<Claimed>, DbError> {
    one_at_a_time(tx, target).await?;
    let now = tx.now().await?;
    let mut claimed: Vec<Claimed> = tx
        .query(
            "UPDATE outbox SET state = 'claimed', fence = $1, claimed_until = $2 WHERE seq IN (
                SELECT o.seq FROM outbox o
                WHERE o.target = $3 AND o.state = 'pending' AND o.next_attempt_time <= $4
                    AND (o.ordering_key IS NULL OR NOT EXISTS (
                        SELECT 1 FROM outbox earlier
                        WHERE earlier.org_id = o.org_id AND earlier.target = o.target
                            AND earlier.ordering_key = o.ordering_key AND earlier.seq < o.seq
                            AND earlier.state <> 'dead'))
                ORDER BY o.seq LIMIT $5)
            RETURNING seq, org_id, event_id, kind, ordering_key, payload, attempts, create_time,
                traceparent",
        )
        .bind(fence)
        .bind(now.plus(lease))
        .bind(target)
        .bind(now)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    claimed.sort_unstable_by_key(|row| row.seq);
    Ok(claimed)
}

/// Lets the claims of one target happen one after the other on PostgreSQL. Skipping each other's locked rows is not
/// enough: a second relay would skip the first event of a key and take the next one. On SQLite the writer is alone.
async fn one_at_a_time(tx: &mut Tx, target: &'static str) -> Result<(), DbError> {
    if tx.engine() == Engine::Postgres {
        tx.query(
            "SELECT pg_advisory_xact_lock(hashtextextended('outbox ' || current_schema() || ' ' || $1, 0))",
        )
        .bind(target)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// Forgets the delivered events of a claim: all rows that still carry its fence. Returns how many there were, fewer
/// than claimed if the lease ran out and another relay took them.
pub(crate) async fn mark_done(tx: &mut Tx, fence: Uuid) -> Result<u64, DbError> {
    tx.query("DELETE FROM outbox WHERE fence = $1 AND state = 'claimed'").bind(fence).execute(tx).await
}

/// Puts one refused event back for another attempt after `wait`.
pub(crate) async fn mark_refused(
    tx: &mut Tx,
    fence: Uuid,
    seq: i64,
    wait: Duration,
    reason: &str,
) -> Result<u64, DbError> {
    let next = tx.now().await?.plus(wait);
    tx.query(
        "UPDATE outbox SET state = 'pending', fence = NULL, claimed_until = NULL, attempts = attempts + 1,
            next_attempt_time = $3, last_error = $4
        WHERE fence = $1 AND state = 'claimed' AND seq = $2",
    )
    .bind(fence)
    .bind(seq)
    .bind(next)
    .bind(reason.to_owned())
    .execute(tx)
    .await
}

/// Gives up on one event: it stays as a dead letter and no longer holds back the others of its key.
pub(crate) async fn mark_dead(tx: &mut Tx, fence: Uuid, seq: i64, reason: &str) -> Result<u64, DbError> {
    tx.query(
        "UPDATE outbox SET state = 'dead', fence = NULL, claimed_until = NULL, attempts = attempts + 1,
            last_error = $3
        WHERE fence = $1 AND state = 'claimed' AND seq = $2",
    )
    .bind(fence)
    .bind(seq)
    .bind(reason.to_owned())
    .execute(tx)
    .await
}

/// Puts events back whose peer could not be reached: a later attempt, and none counted.
pub(crate) async fn mark_undelivered(
    tx: &mut Tx,
    fence: Uuid,
    seqs: &[i64],
    wait: Duration,
    reason: &str,
) -> Result<u64, DbError> {
    let next = tx.now().await?.plus(wait);
    let sql = format!(
        "UPDATE outbox SET state = 'pending', fence = NULL, claimed_until = NULL, next_attempt_time = $2,
            last_error = $3
        WHERE fence = $1 AND state = 'claimed' AND seq IN {}",
        db::rows(4, 1, seqs.len())
    );
    let mut query = tx.query_dynamic(sql).bind(fence).bind(next).bind(reason.to_owned());
    for seq in seqs {
        query = query.bind(*seq);
    }
    query.execute(tx).await
}

/// Frees claims whose relay died or froze: whoever it was, its fence no longer marks anything.
pub(crate) async fn release_expired(tx: &mut Tx, target: &'static str) -> Result<u64, DbError> {
    let now = tx.now().await?;
    tx.query(
        "UPDATE outbox SET state = 'pending', fence = NULL, claimed_until = NULL
        WHERE state = 'claimed' AND target = $1 AND claimed_until <= $2",
    )
    .bind(target)
    .bind(now)
    .execute(tx)
    .await
}

/// Frees every claim of `target`. Only where a file has one process: what is claimed when it starts belongs to nobody.
pub(crate) async fn release_all(tx: &mut Tx, target: &'static str) -> Result<u64, DbError> {
    tx.query(
        "UPDATE outbox SET state = 'pending', fence = NULL, claimed_until = NULL
        WHERE state = 'claimed' AND target = $1",
    )
    .bind(target)
    .execute(tx)
    .await
}

/// Whether a claim or a release would find anything. A read, so that an idle relay costs no commit.
pub(crate) async fn anything_due(tx: &mut Tx, target: &'static str) -> Result<bool, DbError> {
    let now = tx.now().await?;
    let due: Option<i64> = tx
        .query(
            "SELECT seq FROM outbox
            WHERE target = $1 AND state = 'pending' AND next_attempt_time <= $2
            UNION ALL
            SELECT seq FROM outbox WHERE target = $1 AND state = 'claimed' AND claimed_until <= $2
            LIMIT 1",
        )
        .bind(target)
        .bind(now)
        .fetch_optional_value(tx)
        .await?;
    Ok(due.is_some())
}
