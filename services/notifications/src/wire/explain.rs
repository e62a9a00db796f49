//! An explanation for the wire.

use kernel::Timestamp;
use proto::notifications::v1 as pb;
use rpc::convert::proto_time;
use zones::WallClock;

use crate::app::explain::{ChannelExplanation, Explanation};
use crate::domain::attempt::Attempt;
use crate::domain::cause::Cause;
use crate::domain::explain::{self, ChannelOutcome};
use crate::domain::preferences::Channel;
use crate::store::delivery_list::Delivery;

impl From<Explanation> for pb::ExplainDeliveryResponse {
    fn from(it: Explanation) -> Self {
        let channels = it.channels.into_iter().map(|channel| explained(channel, &it.clock));
        Self {
            notification_id: it.notification_id.to_string(),
            subject: it.subject.to_string(),
            channels: std::iter::once(in_app()).chain(channels).collect(),
        }
    }
}

/// The feed has every entry: whoever can ask about one has it there.
fn in_app() -> pb::ChannelExplanation {
    let sentence = "It is in the person's feed.".to_owned();
    let reason = pb::DeliveryReason {
        cause: pb::DeliveryCause::InFeed.into(),
        sentence: sentence.clone(),
        time: None,
    };
    pb::ChannelExplanation {
        channel: pb::NotificationChannel::InApp.into(),
        outcome: pb::ChannelOutcome::Told.into(),
        summary: sentence,
        reasons: vec![reason],
        due_time: None,
        told_together: 1,
        deliveries: Vec::new(),
    }
}

fn explained(it: ChannelExplanation, clock: &WallClock) -> pb::ChannelExplanation {
    let ChannelExplanation { channel, outcome, decision, together, deliveries } = it;
    let told = |(delivery, attempts): (Delivery, Vec<Attempt>)| pb::ExplainedDelivery {
        delivery: Some(pb::Delivery::from(delivery)),
        attempts: attempts.into_iter().map(pb::DeliveryAttempt::from).collect(),
    };
    // The deciding cause is the last one.
    let causes = decision.causes.iter().rev();
    let mut reasons: Vec<pb::DeliveryReason> = causes.map(|cause| reason(*cause, clock)).collect();
    reasons.extend(not_planned(outcome));
    pb::ChannelExplanation {
        channel: match channel {
            Channel::Email => pb::NotificationChannel::Email,
            Channel::Push => pb::NotificationChannel::Push,
        }
        .into(),
        outcome: proto_outcome(outcome).into(),
        summary: explain::summary(channel, outcome, &decision, together, clock),
        reasons,
        due_time: decision.told.as_ref().map(|told| proto_time(told.due)),
        told_together: i64::try_from(together).unwrap_or(i64::MAX),
        deliveries: deliveries.into_iter().map(told).collect(),
    }
}

fn not_planned(outcome: ChannelOutcome) -> Option<pb::DeliveryReason> {
    let (cause, sentence) = match outcome {
        ChannelOutcome::NotPlannedYet => {
            (pb::DeliveryCause::NotPlannedYet, "It is not planned yet; that takes a moment.")
        }
        ChannelOutcome::NeverPlanned => (
            pb::DeliveryCause::NotPlanned,
            "When it came, nobody could be told anything outside of the feed, or the person had no device.",
        ),
        _ => return None,
    };
    Some(pb::DeliveryReason { cause: cause.into(), sentence: sentence.to_owned(), time: None })
}

fn proto_outcome(outcome: ChannelOutcome) -> pb::ChannelOutcome {
    match outcome {
        ChannelOutcome::NotPlannedYet => pb::ChannelOutcome::Waiting,
        ChannelOutcome::NeverPlanned | ChannelOutcome::NotTold => pb::ChannelOutcome::NotTold,
        ChannelOutcome::Waiting => pb::ChannelOutcome::Waiting,
        ChannelOutcome::Told => pb::ChannelOutcome::Told,
        ChannelOutcome::Skipped => pb::ChannelOutcome::Skipped,
        ChannelOutcome::Failed => pb::ChannelOutcome::Failed,
        ChannelOutcome::Forgotten => pb::ChannelOutcome::Forgotten,
    }
}

fn reason(cause: Cause, clock: &WallClock) -> pb::DeliveryReason {
    let (code, time) = coded(cause);
    pb::DeliveryReason {
        cause: code.into(),
        sentence: explain::sentence(cause, clock),
        time: time.map(proto_time),
    }
}

fn coded(cause: Cause) -> (pb::DeliveryCause, Option<Timestamp>) {
    use pb::DeliveryCause as Theirs;
    match cause {
        Cause::Forced => (Theirs::Forced, None),
        Cause::TypeOn => (Theirs::TypeOn, None),
        Cause::DefaultOn => (Theirs::DefaultOn, None),
        Cause::ChannelOff => (Theirs::ChannelOff, None),
        Cause::TypeOff => (Theirs::TypeOff, None),
        Cause::DefaultOff => (Theirs::DefaultOff, None),
        Cause::Muted => (Theirs::Muted, None),
        Cause::Handled => (Theirs::Handled, None),
        Cause::NotConfigured => (Theirs::NotConfigured, None),
        Cause::NobodyThere => (Theirs::NobodyThere, None),
        Cause::NoAddress => (Theirs::NoAddress, None),
        Cause::NoDevice => (Theirs::NoDevice, None),
        Cause::Urgent => (Theirs::Urgent, None),
        Cause::Undo { until } => (Theirs::UndoDelay, Some(until)),
        Cause::Quiet { until } => (Theirs::QuietHours, Some(until)),
        Cause::Digest { due } => (Theirs::Digest, Some(due)),
        Cause::Storm { due } => (Theirs::Storm, Some(due)),
        Cause::Unknown => (Theirs::Unspecified, None),
    }
}
