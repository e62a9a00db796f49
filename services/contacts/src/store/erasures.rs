//! The tables `erasures` and `erasure_parts`.

use db::{DbError, Engine, Json, Tx};
use erasure::{ErasureId, Removed};
use kernel::{ContactId, OrgId, Role, Subject, Timestamp};
use uuid::Uuid;

use crate::domain::{Actor, ErasingService, Erasure, ErasurePart};

/// The columns of an [`ErasureRow`].
macro_rules! columns {
    () => {
        "erasure_id, contact_id, requester_subject, requester_role, requester_name, create_time, end_time"
    };
}

/// An erasure without its parts and without those who had been merged into the contact.
#[derive(Debug, Clone, db::FromRow)]
pub struct ErasureRow {
    /// The key.
    pub erasure_id: ErasureId,
    contact_id: ContactId,
    requester_subject: Subject,
    requester_role: String,
    requester_name: String,
    create_time: Timestamp,
    end_time: Option<Timestamp>,
}

impl ErasureRow {
    /// The erasure whose row this is.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] for a role that is none, which the program never writes.
    pub fn with(self, covered: Vec<ContactId>, parts: Vec<ErasurePart>) -> Result<Erasure, DbError> {
        let role = Role::parse(&self.requester_role)
            .map_err(|_| DbError::Corrupt("column requester_role holds no role".to_owned()))?;
        Ok(Erasure {
            erasure_id: self.erasure_id,
            contact_id: self.contact_id,
            merged: covered.into_iter().filter(|contact| *contact != self.contact_id).collect(),
            parts,
            requester: Actor { subject: self.requester_subject, role, display_name: self.requester_name },
            create_time: self.create_time,
            end_time: self.end_time,
        })
    }
}

#[derive(db::FromRow)]
struct PartRow {
    erasure_id: ErasureId,
    service: String,
    removed: Json<Vec<Removed>>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    waiting_since: Option<Timestamp>,
    failures: i64,
}

impl PartRow {
    fn part(self) -> Result<(ErasureId, ErasurePart), DbError> {
        let service = ErasingService::of_name(&self.service)
            .ok_or_else(|| DbError::Corrupt("column service holds no service".to_owned()))?;
        let part = ErasurePart {
            service,
            removed: self.removed.0,
            start_time: self.start_time,
            end_time: self.end_time,
            waiting_since: self.waiting_since,
            failures: self.failures,
        };
        Ok((self.erasure_id, part))
    }
}

/// Stores a new erasure, for a worker to take at once. Its parts are stored by [`save_part`].
///
/// # Errors
/// As for every statement.
pub async fn insert(tx: &mut Tx, erasure: &Erasure) -> Result<(), DbError> {
    const SQL: &str = concat!(
        "INSERT INTO erasures (org_id, ",
        columns!(),
        ", next_attempt_time) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL, $7)"
    );
    let query = tx.query(SQL).bind(erasure.erasure_id).bind(erasure.contact_id);
    let query = query.bind(&erasure.requester.subject).bind(erasure.requester.role.as_str());
    query.bind(&erasure.requester.display_name).bind(erasure.create_time).execute(tx).await?;
    Ok(())
}

/// Stores how far a part is.
///
/// # Errors
/// As for every statement.
pub async fn save_part(tx: &mut Tx, erasure: ErasureId, part: &ErasurePart) -> Result<(), DbError> {
    const SQL: &str = "INSERT INTO erasure_parts
            (org_id, erasure_id, service, removed, start_time, end_time, waiting_since, failures)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (org_id, erasure_id, service) DO UPDATE SET removed = excluded.removed,
            start_time = excluded.start_time, end_time = excluded.end_time, waiting_since = excluded.waiting_since,
            failures = excluded.failures";
    let query = tx.query(SQL).bind(erasure).bind(part.service.as_str()).bind(Json(&part.removed));
    let query = query.bind(part.start_time).bind(part.end_time).bind(part.waiting_since);
    query.bind(part.failures).execute(tx).await?;
    Ok(())
}

/// The erasure of this id.
///
/// # Errors
/// As for every statement.
pub async fn find(tx: &mut Tx, id: ErasureId) -> Result<Option<ErasureRow>, DbError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM erasures WHERE org_id = $1 AND erasure_id = $2");
    tx.query(SQL).bind(id).fetch_optional(tx).await
}

/// Erasures asked for before `before`, newest first, at most `limit`, of one contact if asked.
///
/// # Errors
/// As for every statement.
pub async fn list(
    tx: &mut Tx,
    contact: Option<ContactId>,
    before: ErasureId,
    limit: i64,
) -> Result<Vec<ErasureRow>, DbError> {
    const ALL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM erasures WHERE org_id = $1 AND erasure_id < $2 ORDER BY erasure_id DESC LIMIT $3"
    );
    // A contact is erased once.
    const OF_CONTACT: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM erasures WHERE org_id = $1 AND erasure_id < $2 AND erasure_id IN (
            SELECT e.erasure_id FROM erased e WHERE e.org_id = $1 AND e.kind = 'contact' AND e.id = $4)
          ORDER BY erasure_id DESC LIMIT $3"
    );
    let sql = if contact.is_some() { OF_CONTACT } else { ALL };
    tx.query(sql).bind(before).bind(limit).bind_all(contact).fetch_all(tx).await
}

/// Everybody whom these erasures cover.
///
/// # Errors
/// As for every statement.
pub async fn list_covered(
    tx: &mut Tx,
    erasures: &[ErasureId],
) -> Result<Vec<(ErasureId, ContactId)>, DbError> {
    if erasures.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT erasure_id, id FROM erased WHERE org_id = $1 AND kind = 'contact' AND erasure_id IN {} ORDER BY id",
        db::rows(2, 1, erasures.len())
    );
    tx.query_dynamic(sql).bind_all(erasures.iter().copied()).fetch_all(tx).await
}

/// The parts of these erasures that were stored.
///
/// # Errors
/// As for every statement.
pub async fn list_parts(
    tx: &mut Tx,
    erasures: &[ErasureId],
) -> Result<Vec<(ErasureId, ErasurePart)>, DbError> {
    if erasures.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT erasure_id, service, removed, start_time, end_time, waiting_since, failures FROM erasure_parts \
         WHERE org_id = $1 AND erasure_id IN {}",
        db::rows(2, 1, erasures.len())
    );
    let rows: Vec<PartRow> = tx.query_dynamic(sql).bind_all(erasures.iter().copied()).fetch_all(tx).await?;
    rows.into_iter().map(PartRow::part).collect()
}

/// Whether an erasure of any organization may be taken (system scope). A read, so that idle workers cost no commit.
///
/// # Errors
/// As for every statement.
pub async fn anything_due(tx: &mut Tx, now: Timestamp) -> Result<bool, DbError> {
    const SQL: &str =
        "SELECT erasure_id FROM erasures WHERE end_time IS NULL AND next_attempt_time <= $1 LIMIT 1";
    let due: Option<ErasureId> = tx.query(SQL).bind(now).fetch_optional_value(tx).await?;
    Ok(due.is_some())
}

/// Takes the erasure that is due for longest, of any organization (system scope), until a time: whoever had it before cannot
/// [`extend`] or [`release`] it any more.
///
/// # Errors
/// As for every statement.
pub async fn claim(
    tx: &mut Tx,
    fence: Uuid,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<(OrgId, ErasureId)>, DbError> {
    let lock = match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => "",
        Engine::Postgres => " FOR UPDATE SKIP LOCKED",
    };
    let sql = format!(
        "UPDATE erasures SET fence = $1, next_attempt_time = $2 WHERE (org_id, erasure_id) IN (
             SELECT org_id, erasure_id FROM erasures WHERE end_time IS NULL AND next_attempt_time <= $3
             ORDER BY next_attempt_time LIMIT 1{lock})
         RETURNING org_id, erasure_id"
    );
    tx.query_dynamic(sql).bind(fence).bind(until).bind(now).fetch_optional(tx).await
}

/// Keeps a taken erasure until a later time; false if somebody else has taken it.
///
/// # Errors
/// As for every statement.
pub async fn extend(tx: &mut Tx, id: ErasureId, fence: Uuid, until: Timestamp) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE erasures SET next_attempt_time = $4
        WHERE org_id = $1 AND erasure_id = $2 AND fence = $3 AND end_time IS NULL";
    Ok(tx.query(SQL).bind(id).bind(fence).bind(until).execute(tx).await? == 1)
}

/// Gives a taken erasure back, to be taken again at a time, or ends it; false if somebody else has taken it.
///
/// # Errors
/// As for every statement.
pub async fn release(
    tx: &mut Tx,
    id: ErasureId,
    fence: Uuid,
    next: Timestamp,
    end_time: Option<Timestamp>,
) -> Result<bool, DbError> {
    const SQL: &str = "UPDATE erasures SET next_attempt_time = $4, end_time = $5, fence = NULL
        WHERE org_id = $1 AND erasure_id = $2 AND fence = $3 AND end_time IS NULL";
    Ok(tx.query(SQL).bind(id).bind(fence).bind(next).bind(end_time).execute(tx).await? == 1)
}
