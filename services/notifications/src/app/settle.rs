//! What became of a delivery is written down: by whoever still holds the claim, and by nobody else.

use db::{DbError, Tx};
use uuid::Uuid;

use super::App;
use crate::domain::attempt::Verdict;
use crate::domain::backoff::Standing;
use crate::domain::delivery::{DeliveryState, Outcome, Why};
use crate::error::Error;
use crate::store::attempts;
use crate::store::delivery_claims::{self, Claimed};
use crate::store::destinations::{self, Queue};

impl App {
    /// Writes down what became of an attempt; tells whether the claim was still held. If it was not, somebody else carries the delivery
    /// by now, and says what becomes of it.
    ///
    /// # Errors
    /// [`Error::Db`]: nothing is written, and it may be tried again.
    pub async fn settle(&self, fence: Uuid, claimed: &Claimed, outcome: &Outcome) -> Result<bool, Error> {
        let (claimed, outcome) = (claimed.clone(), outcome.clone());
        // The last byte of a fresh id is random: that is all that jitter needs.
        let jitter = self.clock.new_id().as_bytes()[15];
        let settled = self.db.write_system(move |tx| {
            Box::pin(async move { settle(tx, fence, &claimed, &outcome, jitter).await.map_err(Error::Db) })
        });
        settled.await
    }
}

async fn settle(
    tx: &mut Tx,
    fence: Uuid,
    claimed: &Claimed,
    outcome: &Outcome,
    jitter: u8,
) -> Result<bool, DbError> {
    let job = &claimed.job;
    let (org, id) = (&job.org, job.delivery_id);
    let queue = Queue { channel: job.channel, destination: job.destination.clone() };
    let standing = destinations::lock(tx, org, &queue).await?.unwrap_or(Standing::NEW);
    let now = tx.now().await?;
    let why = outcome.why().map(Why::text);
    let held = match outcome.verdict(claimed.tries, now, jitter) {
        Verdict::Again(due_time) => {
            let tries = claimed.tries;
            delivery_claims::mark_again(tx, org, id, fence, due_time, tries, why.unwrap_or_default()).await?
        }
        Verdict::Postponed(due_time) => {
            let tries = claimed.tries - 1;
            delivery_claims::mark_again(tx, org, id, fence, due_time, tries, why.unwrap_or_default()).await?
        }
        Verdict::Done(state) => {
            let held = delivery_claims::mark_done(tx, org, id, fence, state, why, now).await?;
            if held && !claimed.lane.is_empty() {
                delivery_claims::bring_forward(tx, org, &queue, &claimed.lane).await?;
            }
            if held && state == DeliveryState::Failed {
                let channel = job.channel.as_str();
                tx.after_commit(move || {
                    metrics::counter!("deliveries_given_up_total", "channel" => channel).increment(1)
                });
            }
            held
        }
    };
    attempts::end(tx, org, id, job.attempt, outcome.ending(), outcome.why(), now).await?;
    if held {
        destinations::put_standing(tx, org, &queue, &standing.after(outcome, now, jitter)).await?;
    }
    Ok(held)
}
