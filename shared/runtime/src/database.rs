//! What a database's refusal is to a caller.

use std::time::Duration;

use db::DbError;
use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::Code;

/// A full disk stays full until a person frees it.
const UNTIL_FREED: Duration = Duration::from_secs(10);

/// The fault of a database error that means nothing to the service itself: for the `error.rs` of each. What may succeed
/// a little later is UNAVAILABLE, a full disk RESOURCE_EXHAUSTED, everything else our own fault.
pub fn database(error: DbError) -> Fault {
    if error == DbError::Full {
        tracing::error!(%error, "nothing can be written until space is freed");
        let message = "the disk of the database is full: nothing was changed, reads go on";
        return Fault::new(Code::ResourceExhausted, ErrorReason::StorageFull, message)
            .with_metadata("dependency", "database")
            .quota("database", "free space on the disk of the database")
            .retry_after(UNTIL_FREED);
    }
    if error == DbError::Busy {
        tracing::warn!(%error, "the database did not do it");
        return Fault::in_the_way("database");
    }
    if error.is_transient() {
        tracing::warn!(%error, "the database did not do it");
        return Fault::unavailable("database");
    }
    Fault::internal(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    // P8
    #[test]
    fn a_full_disk_is_told_apart_from_a_database_that_does_not_answer() {
        let reason = |error: DbError| (database(error.clone()).code(), database(error).reason());
        assert_eq!(reason(DbError::Full), (Code::ResourceExhausted, ErrorReason::StorageFull));
        assert_eq!(reason(DbError::Busy), (Code::Unavailable, ErrorReason::DependencyUnavailable));
        let busy = database(DbError::Busy);
        assert!(busy.message().contains("nothing happened"), "it did answer: {busy}");
        assert_eq!(reason(DbError::NoRow), (Code::Internal, ErrorReason::Internal));
    }
}
