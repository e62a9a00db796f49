//! Live streams under faults: readers that stall, tokens that end.
//!
//! | module | story |
//! |---|---|
//! | [`stalled`] | hundreds who read nothing cost little, and hold nobody up |
//! | [`expired`] | every stream ends with the token it was opened with |
//! | [`outage`] | streams on which nothing happens end when the database is away |
//!
//! Cuts and resumption (fault 12), and NATS that is gone (fault 7), are in the tests of notifications.
//! `BACKCHANNEL_TEST_FAULTS=full` runs the figures of the fault table; otherwise a few of each.

mod expired;
mod outage;
mod stalled;
