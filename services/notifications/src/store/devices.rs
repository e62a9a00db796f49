//! Where pushes go.

use db::{DbError, Tx};
use kernel::{OrgId, Subject, Timestamp};
use uuid::Uuid;

use crate::domain::device::{Address, BrowserKeys, Device, DeviceId, DeviceKind, NewDevice};

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "device_id, subject, kind, address, p256dh, auth, display_name, create_time, register_time"
    };
}

#[derive(db::FromRow)]
struct Row {
    device_id: DeviceId,
    subject: Subject,
    kind: DeviceKind,
    address: String,
    p256dh: Option<Vec<u8>>,
    auth: Option<Vec<u8>>,
    display_name: String,
    create_time: Timestamp,
    register_time: Timestamp,
}

impl TryFrom<Row> for Device {
    type Error = DbError;
    fn try_from(row: Row) -> Result<Self, DbError> {
        let address = match row.kind {
            DeviceKind::Fcm => Address::Fcm { token: row.address },
            DeviceKind::WebPush => {
                let keys = BrowserKeys::of(&row.p256dh.unwrap_or_default(), &row.auth.unwrap_or_default());
                let keys = keys.map_err(|_| DbError::Corrupt("a device without its keys".to_owned()))?;
                Address::WebPush { endpoint: row.address, keys }
            }
        };
        Ok(Self {
            device_id: row.device_id,
            subject: row.subject,
            address,
            name: row.display_name,
            create_time: row.create_time,
            register_time: row.register_time,
        })
    }
}

/// Stores a device as `subject`'s. One with this address is replaced: it stays the same device if it was this person's before, and is
/// a new one if it was somebody else's, so that nothing that waits for them reaches it.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn put(
    tx: &mut Tx,
    device_id: DeviceId,
    subject: &Subject,
    new: &NewDevice,
    now: Timestamp,
) -> Result<Device, DbError> {
    const SQL: &str = concat!(
        "INSERT INTO devices (org_id, ",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         ON CONFLICT (org_id, kind, address) DO UPDATE SET
             device_id = CASE WHEN devices.subject = excluded.subject THEN devices.device_id ELSE excluded.device_id END,
             create_time = CASE WHEN devices.subject = excluded.subject THEN devices.create_time
                 ELSE excluded.create_time END,
             subject = excluded.subject,
             p256dh = excluded.p256dh,
             auth = excluded.auth,
             display_name = excluded.display_name,
             register_time = excluded.register_time
         RETURNING ",
        columns!()
    );
    let keys = new.address.keys();
    let row: Row = tx
        .query(SQL)
        .bind(device_id)
        .bind(subject)
        .bind(new.address.kind().as_str())
        .bind(new.address.text())
        .bind(keys.map(BrowserKeys::public_bytes))
        .bind(keys.map(|keys| keys.secret().to_vec()))
        .bind(&new.name)
        .bind(now)
        .fetch_one(tx)
        .await?;
    row.try_into()
}

/// Removes those of a person's devices that `most` others were registered after; tells which.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_beyond(tx: &mut Tx, subject: &Subject, most: i64) -> Result<Vec<DeviceId>, DbError> {
    // SQLite takes no OFFSET without a LIMIT.
    tx.query(
        "DELETE FROM devices WHERE org_id = $1 AND device_id IN (
             SELECT device_id FROM devices WHERE org_id = $1 AND subject = $2
             ORDER BY register_time DESC, device_id DESC LIMIT 1000 OFFSET $3)
         RETURNING device_id",
    )
    .bind(subject)
    .bind(most)
    .fetch_values(tx)
    .await
}

/// Where a page of a person's devices ends.
pub type Place = (Timestamp, DeviceId);

/// At most `limit` of a person's devices, the one that was registered last first, from behind a place on.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list(
    tx: &mut Tx,
    subject: &Subject,
    behind: Option<Place>,
    limit: i64,
) -> Result<Vec<Device>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM devices WHERE org_id = $1 AND subject = $2 AND (register_time, device_id) < ($3, $4)
          ORDER BY register_time DESC, device_id DESC LIMIT $5"
    );
    let start = || (Timestamp::from_micros(i64::MAX), DeviceId::from_uuid(Uuid::max()));
    let (time, id) = behind.unwrap_or_else(start);
    let rows: Vec<Row> = tx.query(SQL).bind(subject).bind(time).bind(id).bind(limit).fetch_all(tx).await?;
    rows.into_iter().map(Device::try_from).collect()
}

/// A person's device.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn find(tx: &mut Tx, subject: &Subject, id: DeviceId) -> Result<Option<Device>, DbError> {
    const SQL: &str =
        concat!("SELECT ", columns!(), " FROM devices WHERE org_id = $1 AND device_id = $2 AND subject = $3");
    let row: Option<Row> = tx.query(SQL).bind(id).bind(subject).fetch_optional(tx).await?;
    row.map(Device::try_from).transpose()
}

/// To which devices of these people pushes go: whose, which, by which way. For the planner.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn of_people(
    tx: &mut Tx,
    subjects: &[Subject],
) -> Result<Vec<(Subject, DeviceId, DeviceKind)>, DbError> {
    if subjects.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT subject, device_id, kind FROM devices WHERE org_id = $1 AND subject IN {} ORDER BY subject, device_id",
        db::rows(2, 1, subjects.len())
    );
    tx.query_dynamic(sql).bind_all(subjects).fetch_all(tx).await
}

/// Removes a person's device; tells whether there was one.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove(tx: &mut Tx, subject: &Subject, id: DeviceId) -> Result<bool, DbError> {
    let removed = tx
        .query("DELETE FROM devices WHERE org_id = $1 AND device_id = $2 AND subject = $3")
        .bind(id)
        .bind(subject)
        .execute(tx);
    Ok(removed.await? > 0)
}

/// Removes a device that its push service says is no more; not one that was registered again since it was read.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_dead(tx: &mut Tx, device: &Device) -> Result<bool, DbError> {
    let removed = tx
        .query("DELETE FROM devices WHERE org_id = $1 AND device_id = $2 AND register_time = $3")
        .bind(device.device_id)
        .bind(device.register_time)
        .execute(tx);
    Ok(removed.await? > 0)
}

/// At most `limit` organizations with devices that were registered last before a moment (system scope).
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn orgs_with_idle(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<OrgId>, DbError> {
    tx.query("SELECT DISTINCT org_id FROM devices WHERE register_time < $1 LIMIT $2")
        .bind(before)
        .bind(limit)
        .fetch_values(tx)
        .await
}

/// Removes at most `limit` devices that were registered last before a moment; tells which.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn remove_idle(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<DeviceId>, DbError> {
    tx.query(
        "DELETE FROM devices WHERE org_id = $1 AND device_id IN (
             SELECT device_id FROM devices WHERE org_id = $1 AND register_time < $2
             ORDER BY register_time LIMIT $3)
         RETURNING device_id",
    )
    .bind(before)
    .bind(limit)
    .fetch_values(tx)
    .await
}
