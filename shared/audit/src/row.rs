//! A record as it is stored.

use db::DbError;
use kernel::{Role, Timestamp};
use uuid::Uuid;

/// The columns of [`Record`] that both tables have.
pub(crate) const COLUMNS: &str = "org_id, event_id, actor_subject, actor_role, action, object_kind, object_id, method, \
                                  request_id, trace_id";

/// Bits of a UUIDv7 behind its milliseconds.
const BEHIND_TIME: u32 = 80;

/// What was done, as it is stored. Texts are as they were found, so that an altered record can be read and told.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Record {
    /// Whose record.
    pub org_id: String,
    /// Its id, which carries the time.
    pub event_id: Uuid,
    /// Who did it.
    pub actor_subject: String,
    /// With which role.
    pub actor_role: String,
    /// What was done.
    pub action: String,
    /// The kind of the object.
    pub object_kind: String,
    /// The object.
    pub object_id: String,
    /// The RPC or the worker.
    pub method: String,
    /// The request.
    pub request_id: Option<Uuid>,
    /// Its trace.
    pub trace_id: Option<String>,
    /// Its place in the chain, from 1; 0 while it is not sealed.
    pub sequence: i64,
    /// Its hash; none while it is not sealed.
    pub hash: Option<Vec<u8>>,
}

impl Record {
    /// When it was done, to the millisecond.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        let millis = i64::try_from(self.event_id.as_u128() >> BEHIND_TIME).unwrap_or(i64::MAX);
        Timestamp::from_micros(millis.saturating_mul(1_000))
    }

    /// The role as such.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] for a text that is none, which the program never writes.
    pub fn role(&self) -> Result<Role, DbError> {
        let role = Role::parse(&self.actor_role);
        role.map_err(|_| DbError::Corrupt("actor_role of an audit record is no role".to_owned()))
    }
}

/// The least id that an event of this time, or a later one, can have.
pub(crate) fn first_id_at(time: Timestamp) -> Uuid {
    // An event's time is its id's milliseconds: those from here on, rounded up, are not before `time`.
    let millis = u128::try_from(time.as_micros()).unwrap_or(0).div_ceil(1_000);
    Uuid::from_u128((millis & 0xffff_ffff_ffff) << BEHIND_TIME)
}
