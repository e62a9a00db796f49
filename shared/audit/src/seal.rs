//! The sealer: gives each record its place in the chain of its organization.

use std::collections::BTreeMap;
use std::time::Duration;

use db::{BoxFuture, Db, DbError, Engine, Tx};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::chain::Head;
use crate::row::{COLUMNS, Record};

/// Between two looks while nothing waits.
const EVERY: Duration = Duration::from_millis(500);

/// After the database refused.
const PAUSE: Duration = Duration::from_secs(1);

/// Records of one transaction: short, so that callers' writes do not wait behind it.
const BATCH: usize = 500;

/// How long the last records are sealed at the end before that is left to the next start.
const DRAIN: Duration = Duration::from_secs(5);

/// Seals the records of a service. Every replica may run one: they take turns, a batch each.
#[derive(Debug, Clone)]
pub struct Sealer {
    service: &'static str,
    db: Db,
}

/// What one look did.
enum Look {
    /// So many records were sealed; perhaps there are more.
    Sealed(usize),
    /// Another sealer is at it.
    Taken,
}

impl Sealer {
    /// A sealer of the records in `db`. `service` is part of every chain's beginning: with another name every chain
    /// there is would be broken.
    #[must_use]
    pub fn new(service: &'static str, db: Db) -> Self {
        Self { service, db }
    }

    /// Seals until `shutdown`, then what is left, for a few seconds.
    // Not `async fn`: see `db::Db::open`.
    pub fn run(self, shutdown: CancellationToken) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            loop {
                let pause = match self.seal_all().await {
                    Ok(_) => EVERY,
                    Err(error) => {
                        tracing::warn!(service = self.service, %error, "audit records not sealed; tried again soon");
                        PAUSE
                    }
                };
                tokio::select! {
                    () = shutdown.cancelled() => break,
                    () = tokio::time::sleep(pause) => {}
                }
            }
            // What the last calls left; what is not done in time waits in its table.
            let _ = tokio::time::timeout(DRAIN, self.seal_all()).await;
        })
    }

    /// Seals everything that waits, unless another sealer is at it; tells how many records this one sealed.
    ///
    /// # Errors
    /// [`DbError`]; the batches before it are sealed.
    // Not `async fn`: see `db::Db::open`.
    pub fn seal_all(&self) -> BoxFuture<'_, Result<usize, DbError>> {
        Box::pin(async move {
            let mut sealed = 0;
            loop {
                // A look that takes no lock: most find nothing.
                if !self.db.read_system(|tx| Box::pin(anything_waits(tx))).await? {
                    return Ok(sealed);
                }
                let service = self.service;
                match self.db.write_system(move |tx| Box::pin(seal_batch(tx, service))).await? {
                    Look::Sealed(count) => sealed += count,
                    Look::Taken => return Ok(sealed),
                }
            }
        })
    }
}

/// One batch: all of it or nothing. What two sealers could do wrong fails by itself: the same sequence twice by the key of
/// `audit_events`, the same record twice by its index, a record that another took meanwhile by the count of the delete.
async fn seal_batch(tx: &mut Tx, service: &'static str) -> Result<Look, DbError> {
    if !my_turn(tx).await? {
        return Ok(Look::Taken);
    }
    let mut records = list_waiting(tx).await?;
    if records.is_empty() {
        return Ok(Look::Sealed(0));
    }
    let mut heads = find_heads(tx, &records).await?;
    for record in &mut records {
        let head = heads.entry(record.org_id.clone()).or_insert_with(|| Head::start(service, &record.org_id));
        *head = head.after(record);
        record.sequence = head.sequence;
        record.hash = Some(head.hash.to_vec());
    }
    let ids: Vec<Uuid> = records.iter().map(|record| record.event_id).collect();
    insert_sealed(tx, &records).await?;
    save_heads(tx, &heads).await?;
    if forget_waiting(tx, &ids).await? != ids.len() as u64 {
        return Err(DbError::Busy);
    }
    let sealed = ids.len();
    tx.after_commit(move || {
        metrics::counter!("audit_sealed_total", "service" => service).increment(sealed as u64);
    });
    Ok(Look::Sealed(sealed))
}

async fn anything_waits(tx: &mut Tx) -> Result<bool, DbError> {
    let one = tx.query("SELECT 1 FROM audit_queue LIMIT 1").fetch_optional_value::<i32>(tx).await?;
    Ok(one.is_some())
}

/// One sealer at a time: on PostgreSQL a lock of the schema until the end of the transaction, on SQLite the writer is
/// alone. Who does not get it leaves the work to who has it.
async fn my_turn(tx: &mut Tx) -> Result<bool, DbError> {
    match tx.engine() {
        Engine::Sqlite => Ok(true),
        Engine::Postgres => {
            tx.query("SELECT pg_try_advisory_xact_lock(hashtextextended('audit ' || current_schema(), 0))")
                .fetch_value(tx)
                .await
        }
    }
}

/// The next batch, of all organizations, oldest first, so that none waits behind a busy one.
async fn list_waiting(tx: &mut Tx) -> Result<Vec<Record>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS}, CAST(0 AS BIGINT) AS sequence, CAST(NULL AS BYTEA) AS hash FROM audit_queue
         ORDER BY event_id LIMIT $1"
    );
    tx.query_dynamic(sql).bind(BATCH as i64).fetch_all(tx).await
}

/// The ends of the chains that these records go on.
async fn find_heads(tx: &mut Tx, records: &[Record]) -> Result<BTreeMap<String, Head>, DbError> {
    let mut orgs: Vec<&str> = records.iter().map(|record| record.org_id.as_str()).collect();
    orgs.sort_unstable();
    orgs.dedup();
    let sql = format!(
        "SELECT org_id, sequence, hash FROM audit_heads WHERE org_id IN {}",
        db::rows(1, 1, orgs.len())
    );
    let query = orgs.iter().fold(tx.query_dynamic(sql), |query, org| query.bind((*org).to_owned()));
    let found: Vec<(String, i64, Vec<u8>)> = query.fetch_all(tx).await?;
    let head = |(org, sequence, hash): (String, i64, Vec<u8>)| {
        let hash = hash.try_into().map_err(|_| DbError::Corrupt("the hash of an audit head".to_owned()))?;
        Ok((org, Head { sequence, hash }))
    };
    found.into_iter().map(head).collect()
}

async fn insert_sealed(tx: &mut Tx, records: &[Record]) -> Result<(), DbError> {
    for records in records.chunks(db::ROWS) {
        let sql = format!(
            "INSERT INTO audit_events ({COLUMNS}, sequence, hash) VALUES {}",
            db::rows(1, records.len(), 12)
        );
        let query = records.iter().cloned().fold(tx.query_dynamic(sql), |query, record| {
            query
                .bind(record.org_id)
                .bind(record.event_id)
                .bind(record.actor_subject)
                .bind(record.actor_role)
                .bind(record.action)
                .bind(record.object_kind)
                .bind(record.object_id)
                .bind(record.method)
                .bind(record.request_id)
                .bind(record.trace_id)
                .bind(record.sequence)
                .bind(record.hash)
        });
        query.execute(tx).await?;
    }
    Ok(())
}

async fn save_heads(tx: &mut Tx, heads: &BTreeMap<String, Head>) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO audit_heads (org_id, sequence, hash) VALUES {}
         ON CONFLICT (org_id) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
        db::rows(1, heads.len(), 3)
    );
    let query = heads.iter().fold(tx.query_dynamic(sql), |query, (org, head)| {
        query.bind(org.clone()).bind(head.sequence).bind(head.hash.to_vec())
    });
    query.execute(tx).await.map(drop)
}

async fn forget_waiting(tx: &mut Tx, ids: &[Uuid]) -> Result<u64, DbError> {
    let sql = format!("DELETE FROM audit_queue WHERE event_id IN {}", db::rows(1, 1, ids.len()));
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).execute(tx).await
}
