//! Work beside the calls.

use db::Db;
use runtime::Worker;

/// The service's workers.
pub(crate) fn workers(db: Db) -> Vec<Worker> {
    vec![Worker::forget_answers(db)]
}
