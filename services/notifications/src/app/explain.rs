//! Why somebody was, or was not, told something outside of their feed, and what became of it.

use std::collections::HashMap;

use db::Tx;
use kernel::{NotificationId, Subject};
use rpc::Caller;
use zones::WallClock;

use super::App;
use crate::domain::Sequence;
use crate::domain::attempt::Attempt;
use crate::domain::delivery::DeliveryId;
use crate::domain::explain::ChannelOutcome;
use crate::domain::plan::{Decision, Plan};
use crate::domain::preferences::Channel;
use crate::error::Error;
use crate::store::delivery_list::{self, Delivery};
use crate::store::{attempts, entries, plans};

/// What happened to an entry.
#[derive(Debug)]
pub struct Explanation {
    /// The entry.
    pub notification_id: NotificationId,
    /// Whose feed it is in.
    pub subject: Subject,
    /// What the person's clocks show.
    pub clock: WallClock,
    /// Outside of the feed, in the order of channels.
    pub channels: Vec<ChannelExplanation>,
}

/// What happened on one channel.
#[derive(Debug)]
pub struct ChannelExplanation {
    /// The channel.
    pub channel: Channel,
    /// What became of the entry.
    pub outcome: ChannelOutcome,
    /// What was decided, and why.
    pub decision: Decision,
    /// How many entries are told together.
    pub together: u64,
    /// What carried it, and each attempt.
    pub deliveries: Vec<(Delivery, Vec<Attempt>)>,
}

impl App {
    /// Explains an entry: of the caller's own feed, or for admins of anybody's.
    ///
    /// # Errors
    /// [`Error::NoSuchNotification`], [`Error::Db`].
    pub async fn explain(&self, caller: &Caller, id: NotificationId) -> Result<Explanation, Error> {
        let own = (caller.role != kernel::Role::Admin).then(|| caller.subject.clone());
        let read = self.db.read(&caller.org, move |tx| Box::pin(async move { read(tx, id, own).await }));
        let (subject, channels) = read.await?;
        // Without routing, times are told in UTC.
        let person = self.people.find(&caller.org, &subject).await.ok().flatten();
        let clock = person.map_or_else(WallClock::default, |person| person.zone.clock());
        Ok(Explanation { notification_id: id, subject, clock, channels })
    }
}

async fn read(
    tx: &mut Tx,
    id: NotificationId,
    own: Option<Subject>,
) -> Result<(Subject, Vec<ChannelExplanation>), Error> {
    let (subject, place) = entries::find_place(tx, id).await?.ok_or(Error::NoSuchNotification)?;
    if own.is_some_and(|own| own != subject) {
        return Err(Error::NoSuchNotification);
    }
    let channels = match plans::find(tx, &subject, place).await? {
        Some((plan, _)) => planned(tx, plan).await?,
        None => unplanned(tx, &subject, place).await?,
    };
    Ok((subject, channels))
}

async fn unplanned(
    tx: &mut Tx,
    subject: &Subject,
    place: Sequence,
) -> Result<Vec<ChannelExplanation>, Error> {
    let passed = plans::planned_through(tx, subject).await? >= place;
    let outcome = if passed { ChannelOutcome::NeverPlanned } else { ChannelOutcome::NotPlannedYet };
    let channel = |channel| ChannelExplanation {
        channel,
        outcome,
        decision: Decision::default(),
        together: 0,
        deliveries: Vec::new(),
    };
    Ok(Channel::ALL.map(channel).into())
}

async fn planned(tx: &mut Tx, plan: Plan) -> Result<Vec<ChannelExplanation>, Error> {
    let told = [&plan.email, &plan.push].into_iter().flat_map(|decision| &decision.told);
    let ids: Vec<DeliveryId> = told.flat_map(|told| told.deliveries.iter().copied()).collect();
    let mut attempts: HashMap<DeliveryId, Vec<Attempt>> = HashMap::new();
    for (delivery, attempt) in attempts::of_deliveries(tx, &ids).await? {
        attempts.entry(delivery).or_default().push(attempt);
    }
    let deliveries = delivery_list::of_ids(tx, &ids).await?;
    let mut channels = Vec::with_capacity(Channel::ALL.len());
    for (channel, decision) in [(Channel::Email, plan.email), (Channel::Push, plan.push)] {
        let told = decision.told.as_ref();
        let is_theirs = |it: &&Delivery| told.is_some_and(|told| told.deliveries.contains(&it.delivery_id));
        let theirs: Vec<Delivery> = deliveries.iter().filter(is_theirs).cloned().collect();
        let states: Vec<_> = theirs.iter().map(|it| it.state).collect();
        let together = match told {
            Some(told) => plans::count_in(tx, told.bundle_id).await?.unsigned_abs(),
            None => 0,
        };
        let with_attempts = |it: Delivery| {
            let attempts = attempts.remove(&it.delivery_id).unwrap_or_default();
            (it, attempts)
        };
        channels.push(ChannelExplanation {
            channel,
            outcome: ChannelOutcome::of(&decision, &states),
            decision,
            together,
            deliveries: theirs.into_iter().map(with_attempts).collect(),
        });
    }
    Ok(channels)
}
