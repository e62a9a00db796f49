//! What every service turns from the contract's types into ours, and back, written once.
//!
//! Into ours is checked: a value that does not fit is INVALID_ARGUMENT and names the field, as the contract spells it.

use std::str::FromStr;

use kernel::{Malformed, Role, Timestamp};
use proto::common::v1 as pb;

use crate::{Caller, Fault};

const MICROS_PER_SECOND: i64 = 1_000_000;
const NANOS_PER_MICRO: i32 = 1_000;

/// The first second of year 1 and the last of year 9999: what `google.protobuf.Timestamp` allows.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The version that no row has: versions begin with 1.
const NO_VERSION: i64 = 0;

/// A moment for the wire.
#[must_use]
pub fn proto_time(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.as_micros();
    let below_second = i32::try_from(micros.rem_euclid(MICROS_PER_SECOND)).unwrap_or_default();
    prost_types::Timestamp {
        seconds: micros.div_euclid(MICROS_PER_SECOND),
        nanos: below_second * NANOS_PER_MICRO,
    }
}

/// A moment from the wire, to the microsecond: what is finer is cut off.
///
/// # Errors
/// INVALID_FIELD if it is not within the years 1 to 9999, or its nanoseconds are not below a second.
pub fn time_of(field: &str, time: &prost_types::Timestamp) -> Result<Timestamp, Fault> {
    if !SECONDS.contains(&time.seconds) || !(0..1_000_000_000).contains(&time.nanos) {
        return Err(Fault::invalid(field, "must be a time within the years 1 to 9999"));
    }
    let below_second = i64::from(time.nanos / NANOS_PER_MICRO);
    Ok(Timestamp::from_micros(time.seconds * MICROS_PER_SECOND + below_second))
}

/// An id, or anything else that is read from a text: `id_of::<NoteId>("note_id", &request.note_id)?`.
///
/// # Errors
/// INVALID_FIELD with what the type says is wrong with the text.
pub fn id_of<T: FromStr<Err = Malformed>>(field: &str, text: &str) -> Result<T, Fault> {
    text.parse().map_err(|malformed: Malformed| Fault::invalid(field, malformed.reason()))
}

/// Like [`id_of`], where the empty text means that there is none.
///
/// # Errors
/// As [`id_of`].
pub fn optional_id_of<T: FromStr<Err = Malformed>>(field: &str, text: &str) -> Result<Option<T>, Fault> {
    if text.is_empty() { Ok(None) } else { id_of(field, text).map(Some) }
}

/// Like [`id_of`] for a repeated field; a violation names its place, as `agent_ids[2]`.
///
/// # Errors
/// As [`id_of`].
pub fn ids_of<T: FromStr<Err = Malformed>>(field: &str, texts: &[String]) -> Result<Vec<T>, Fault> {
    texts.iter().enumerate().map(|(index, text)| id_of(&format!("{field}[{index}]"), text)).collect()
}

/// The etag of a row with this version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("v{version}")
}

/// The version a caller expects who sends this etag: none if it is empty. A text that is no etag of ours becomes a
/// version no row has, so that it answers as any other stale etag does.
#[must_use]
pub fn expected_version(etag: &str) -> Option<i64> {
    if etag.is_empty() {
        return None;
    }
    let digits = etag.strip_prefix('v').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    Some(digits.and_then(|digits| digits.parse().ok()).unwrap_or(NO_VERSION))
}

/// Who did something, as the contracts show it: the caller, called by the token's name or else by the subject.
#[must_use]
pub fn actor(caller: &Caller) -> pb::Actor {
    pb::Actor {
        subject: caller.subject.to_string(),
        role: proto_role(caller.role).into(),
        display_name: display_name(caller).to_owned(),
    }
}

/// What people call the caller: the token's name, or else the subject.
#[must_use]
pub fn display_name(caller: &Caller) -> &str {
    caller.name.as_deref().unwrap_or(caller.subject.as_str())
}

/// A role for the wire.
#[must_use]
pub fn proto_role(role: Role) -> pb::Role {
    match role {
        Role::Contact => pb::Role::Contact,
        Role::Agent => pb::Role::Agent,
        Role::Supervisor => pb::Role::Supervisor,
        Role::Admin => pb::Role::Admin,
        Role::Integration => pb::Role::Integration,
        Role::Service => pb::Role::Service,
    }
}

/// A role from the wire.
///
/// # Errors
/// INVALID_FIELD if the contract does not know it, or it is unspecified.
pub fn role_of(field: &str, role: i32) -> Result<Role, Fault> {
    match pb::Role::try_from(role) {
        Ok(pb::Role::Contact) => Ok(Role::Contact),
        Ok(pb::Role::Agent) => Ok(Role::Agent),
        Ok(pb::Role::Supervisor) => Ok(Role::Supervisor),
        Ok(pb::Role::Admin) => Ok(Role::Admin),
        Ok(pb::Role::Integration) => Ok(Role::Integration),
        Ok(pb::Role::Service) => Ok(Role::Service),
        Ok(pb::Role::Unspecified) | Err(_) => Err(Fault::invalid(field, "must be a role")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::NoteId;

    #[test]
    fn a_moment_comes_back_to_the_microsecond_before_and_after_1970() {
        for micros in [0, 1, 999_999, 1_700_000_000_123_456, -1, -1_000_001, -62_135_596_800_000_000] {
            let time = Timestamp::from_micros(micros);
            assert_eq!(time_of("at", &proto_time(time)).unwrap(), time);
        }
        assert_eq!(
            proto_time(Timestamp::from_micros(-1)),
            prost_types::Timestamp { seconds: -1, nanos: 999_999_000 }
        );
    }

    #[test]
    fn a_moment_outside_the_calendar_is_refused() {
        for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000)] {
            assert!(time_of("at", &prost_types::Timestamp { seconds, nanos }).is_err());
        }
    }

    #[test]
    fn an_absent_id_is_none_and_a_bad_one_names_its_place() {
        assert_eq!(optional_id_of::<NoteId>("note_id", "").unwrap(), None);
        assert!(id_of::<NoteId>("note_id", "").is_err());
        let texts = ["01890a5d-ac96-774b-bcce-b302099a8057".to_owned(), "x".to_owned()];
        let status = tonic::Status::from(ids_of::<NoteId>("note_ids", &texts).unwrap_err());
        let details = tonic_types::StatusExt::get_error_details(&status);
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "note_ids[1]");
    }

    #[test]
    fn an_etag_reads_back_and_a_foreign_one_is_no_version() {
        assert_eq!(expected_version(&etag(7)), Some(7));
        assert_eq!(expected_version(""), None);
        for foreign in ["7", "v", "vx", "v-1", "v+1", "W/\"1\"", "v99999999999999999999"] {
            assert_eq!(expected_version(foreign), Some(NO_VERSION), "{foreign}");
        }
    }

    #[test]
    fn every_role_reads_back() {
        for role in Role::ALL {
            assert_eq!(role_of("role", proto_role(role).into()).unwrap(), role);
        }
        assert!(role_of("role", 0).is_err() && role_of("role", 99).is_err());
    }
}
