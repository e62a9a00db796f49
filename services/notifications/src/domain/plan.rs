//! What is done so that a person learns of an entry of their feed where they are: whether it is told by email and by push, when, and
//! together with what. Pure: everything it has to know comes in, and it answers with what to do and why.

use std::collections::HashSet;
use std::time::Duration;

use kernel::{ConversationId, Subject, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zones::WallClock;

use super::bundle::{Bundle, BundleId, BundleKind};
use super::cause::Cause;
use super::delivery::{self, Body, DeliveryId, NewDelivery};
use super::preferences::{Channel, Effective, Verdict};
use super::recent::{EMAIL, Open, PUSH, Pace, Place, Recent, Track, URGENT_EMAIL, URGENT_PUSH};
use super::{Notification, NotificationType};

/// How long an entry waits before it leaves the feed by a channel, for who reads it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undo {
    /// Before an email.
    pub email: Duration,
    /// Before a push.
    pub push: Duration,
}

impl Default for Undo {
    /// 15 and 3 seconds.
    fn default() -> Self {
        Self { email: Duration::from_secs(15), push: Duration::from_secs(3) }
    }
}

/// A device of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its id, as deliveries name it.
    pub destination: String,
    /// By which way it is reached.
    pub channel: delivery::Channel,
}

/// The person whose feed has the entries.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// Who.
    pub subject: &'a Subject,
    /// What they, and their organization, want.
    pub effective: Effective<'a>,
    /// What their clocks show.
    pub clock: &'a WallClock,
    /// Conversations they muted.
    pub muted: &'a HashSet<ConversationId>,
    /// Why no email can reach them; none if one can.
    pub no_email: Option<Cause>,
    /// Why no push can reach them; none if one can.
    pub no_push: Option<Cause>,
    /// Their devices.
    pub devices: &'a [Device],
    /// How long entries wait.
    pub undo: Undo,
}

/// What is done with one entry on one channel.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Decision {
    /// Why; at least one.
    pub causes: Vec<Cause>,
    /// The bundle that tells it; none if nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
}

/// How an entry is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// In this bundle.
    pub bundle_id: BundleId,
    /// Which is of this kind.
    pub kind: BundleKind,
    /// When it is due, as planned.
    pub due: Timestamp,
    /// What carries it.
    pub deliveries: Vec<DeliveryId>,
}

/// What is done with one entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Plan {
    /// By email.
    pub email: Decision,
    /// By push.
    pub push: Decision,
}

/// A plan, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Deliveries to be queued for it; none if the entry joins bundles that have theirs.
    pub deliveries: Vec<NewDelivery>,
}

/// Plans one entry of a person's feed. Their entries come in the order of the feed; `recent` is what came out of the one before.
pub fn plan(
    event: &Notification,
    reader: &Reader<'_>,
    recent: &mut Recent,
    now: Timestamp,
    new_id: &mut dyn FnMut() -> Uuid,
) -> Planned {
    let mut planner = Planner { event, reader, now, new_id, deliveries: Vec::new() };
    let email = planner.email(recent);
    let push = planner.push(recent);
    Planned { plan: Plan { email, push }, deliveries: planner.deliveries }
}

struct Planner<'a> {
    event: &'a Notification,
    reader: &'a Reader<'a>,
    now: Timestamp,
    new_id: &'a mut dyn FnMut() -> Uuid,
    deliveries: Vec<NewDelivery>,
}

impl Planner<'_> {
    fn email(&mut self, recent: &mut Recent) -> Decision {
        let mut causes = match self.wanted(Channel::Email, self.reader.no_email) {
            Ok(causes) => causes,
            Err(causes) => return Decision { causes, told: None },
        };
        let urgent = self.urgent(&mut causes);
        if let Some(due) = self.digest_due(urgent) {
            let told = self.told(Channel::Email, BundleKind::Digest, due, Some(&mut recent.digest));
            causes.push(Cause::Digest { due: told.due });
            return Decision { causes, told: Some(told) };
        }
        let (track, pace) =
            if urgent { (&mut recent.urgent_email, URGENT_EMAIL) } else { (&mut recent.email, EMAIL) };
        self.paced(Channel::Email, self.reader.undo.email, track, pace, urgent, causes)
    }

    fn push(&mut self, recent: &mut Recent) -> Decision {
        let mut causes = match self.wanted(Channel::Push, self.reader.no_push) {
            Ok(causes) => causes,
            Err(causes) => return Decision { causes, told: None },
        };
        let urgent = self.urgent(&mut causes);
        let (track, pace) =
            if urgent { (&mut recent.urgent_push, URGENT_PUSH) } else { (&mut recent.push, PUSH) };
        self.paced(Channel::Push, self.reader.undo.push, track, pace, urgent, causes)
    }

    /// Why the entry is to be told on a channel; or else, why it is not.
    fn wanted(&self, channel: Channel, obstacle: Option<Cause>) -> Result<Vec<Cause>, Vec<Cause>> {
        let verdict = self.reader.effective.verdict(self.event.kind, channel);
        let cause = Cause::from(verdict);
        let muted = self.event.conversation_id.is_some_and(|id| self.reader.muted.contains(&id));
        if !verdict.wanted() {
            return Err(vec![cause]);
        }
        if muted && verdict != Verdict::Forced {
            return Err(vec![Cause::Muted]);
        }
        if let Some(obstacle) = obstacle {
            return Err(vec![cause, obstacle]);
        }
        let handled = self.event.handling.unread() == 0
            || self.event.handling.snooze_until_time.is_some_and(|until| until > self.now);
        if handled { Err(vec![cause, Cause::Handled]) } else { Ok(vec![cause]) }
    }

    fn urgent(&self, causes: &mut Vec<Cause>) -> bool {
        let urgent = self.reader.effective.urgent(self.event.kind);
        causes.extend(urgent.then_some(Cause::Urgent));
        urgent
    }

    /// When the digest is due into which the entry falls, if it falls into one.
    fn digest_due(&self, urgent: bool) -> Option<Timestamp> {
        let due = self.reader.effective.digest().next(self.now, self.reader.clock).filter(|_| !urgent)?;
        Some(self.quiet_end(due).unwrap_or(due))
    }

    fn quiet_end(&self, time: Timestamp) -> Option<Timestamp> {
        self.reader.effective.quiet().end(time, self.reader.clock)
    }

    /// Tells the entry by itself, or in a bundle if much comes or the person wants quiet.
    fn paced(
        &mut self,
        channel: Channel,
        undo: Duration,
        track: &mut Track,
        pace: Pace,
        urgent: bool,
        mut causes: Vec<Cause>,
    ) -> Decision {
        let due = self.event.create_time.plus(undo).max(self.now);
        let place = track.place(pace, self.now, due, |time| self.quiet_end(time).filter(|_| !urgent));
        let told = self.told(channel, place.kind(), place.due(), track.slot(place));
        causes.push(match place {
            Place::Single(_) => Cause::Undo { until: told.due },
            Place::Quiet(_) => Cause::Quiet { until: told.due },
            Place::Storm(_) => Cause::Storm { due: told.due },
        });
        Decision { causes, told: Some(told) }
    }

    /// The bundle that tells the entry: the one that is open in the slot, if it is not due later than a new one would be.
    fn told(
        &mut self,
        channel: Channel,
        kind: BundleKind,
        due: Timestamp,
        slot: Option<&mut Option<Open>>,
    ) -> Told {
        let open = slot.as_ref().and_then(|slot| slot.as_ref());
        if let Some(open) = open.filter(|open| open.due > self.now && open.due <= due) {
            return Told {
                bundle_id: open.bundle_id,
                kind,
                due: open.due,
                deliveries: open.deliveries.clone(),
            };
        }
        let bundle_id = BundleId::from_uuid((self.new_id)());
        let deliveries = self.deliver(channel, Bundle { bundle_id, kind }, due);
        if let Some(slot) = slot {
            *slot = Some(Open { bundle_id, due, deliveries: deliveries.clone() });
        }
        Told { bundle_id, kind, due, deliveries }
    }

    /// Deliveries of a bundle: one email, or one push to each device.
    fn deliver(&mut self, channel: Channel, bundle: Bundle, due_time: Timestamp) -> Vec<DeliveryId> {
        let email = [Device { destination: String::new(), channel: delivery::Channel::Email }];
        let targets = match channel {
            Channel::Email => &email[..],
            Channel::Push => self.reader.devices,
        };
        let mut ids = Vec::with_capacity(targets.len());
        for target in targets {
            let delivery_id = DeliveryId::from_uuid((self.new_id)());
            ids.push(delivery_id);
            self.deliveries.push(NewDelivery {
                delivery_id,
                channel: target.channel,
                subject: Some(self.reader.subject.clone()),
                destination: target.destination.clone(),
                lane: String::new(),
                body: Body::of(&bundle),
                due_time,
            });
        }
        ids
    }
}

/// Which types a person still hears of on a channel, and which of these whatever they mute: for what is told later than it was planned.
#[must_use]
pub fn still_wanted(
    effective: &Effective<'_>,
    channel: Channel,
) -> (Vec<NotificationType>, Vec<NotificationType>) {
    let of = |wanted: fn(Verdict) -> bool| {
        let kinds = NotificationType::ALL.into_iter();
        kinds.filter(|kind| wanted(effective.verdict(*kind, channel))).collect()
    };
    (of(Verdict::wanted), of(|verdict| verdict == Verdict::Forced))
}

#[cfg(test)]
mod tests;
