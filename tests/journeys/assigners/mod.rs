//! Several processes of routing on one PostgreSQL: whatever becomes of one of them, work is given out once, fairly and within
//! capacity.
//!
//! | module | story |
//! |---|---|
//! | [`races`] | assigners and people of several processes are in one another's way |
//! | [`frozen`] | an assigner stops in the middle of a batch, and goes on when it is too late |
//! | [`clocks`] | the clock of a process is an hour off |
//! | [`gone`] | an agent is gone, and a process with them |
//! | [`replicas`], [`witness`] | the processes; what the tables say in the end, and what a trigger saw meanwhile |
//!
//! `BACKCHANNEL_TEST_FAULTS=full` runs the figures of the fault table, which take hours; otherwise a few of each.

mod clocks;
mod frozen;
mod gone;
mod races;
mod replicas;
mod witness;

/// How many of something: `full` is the figure of the fault table.
pub(crate) fn figure(few: usize, full: usize) -> usize {
    let wanted = std::env::var("BACKCHANNEL_TEST_FAULTS");
    if wanted.is_ok_and(|wanted| wanted == "full") { full } else { few }
}
