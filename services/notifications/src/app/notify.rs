//! Events become entries in feeds: each event once, each recipient one entry, each feed without a gap.

use std::collections::HashSet;

use audit::Origin;
use db::{DbError, Tx};
use erasure::Kind;
use kernel::{EventId, OrgId, Subject};
use uuid::Uuid;

use super::{App, FEED_TOPIC};
use crate::domain::{Event, feed};
use crate::error::Error;
use crate::store::{entries, heads};

/// The most entries of one transaction, unless a single event has more. The relay's batches are far below; a larger one
/// is cut between events, so that it does not hold up the other writers.
const ENTRIES: usize = 2_000;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It took effect now.
    Now,
    /// It had taken effect before.
    Before,
}

impl App {
    /// Tells people about the events of an organization; answers for each, in order.
    ///
    /// # Errors
    /// [`Error::Db`]: perhaps some took effect. Sent again, those are [`Applied::Before`].
    pub async fn notify(
        &self,
        org: &OrgId,
        origin: Origin,
        events: Vec<Event>,
    ) -> Result<Vec<Applied>, Error> {
        let mut applied = Vec::with_capacity(events.len());
        for part in parts(events) {
            let (org_of_wake, wake, origin) = (org.clone(), self.wake.clone(), origin.clone());
            let excerpts = self.wanting_excerpts.is(org);
            let part = self.db.write(org, move |tx| {
                Box::pin(async move {
                    let (applied, told) = apply(tx, &part, excerpts, &origin).await?;
                    tx.after_commit(move || {
                        told.iter()
                            .for_each(|subject| wake.publish(FEED_TOPIC, &org_of_wake, subject.as_str()));
                    });
                    Ok::<_, Error>(applied)
                })
            });
            applied.extend(part.await?);
        }
        Ok(applied)
    }
}

/// Applies events in one transaction; tells who has something new.
async fn apply(
    tx: &mut Tx,
    events: &[Event],
    excerpts: bool,
    origin: &Origin,
) -> Result<(Vec<Applied>, Vec<Subject>), DbError> {
    let now = tx.now().await?;
    let ids: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
    let erased = erased(tx, events).await?;
    let mut new = outbox::first_time(tx, &ids).await?;
    for known in entries::known_events(tx, &ids).await? {
        new.remove(&known);
    }
    let (mut fresh, applied) = sort_out(events, new);
    // Of what was erased nobody is told, and the sender need not know.
    fresh.retain(|event| event.conversation_id.is_none_or(|id| !erased.contains(&id.as_uuid())));
    let growth = feed::growth(&fresh);
    let ends = heads::grow(tx, &growth, now).await?;
    let clock = tx.clock().clone();
    let placed = feed::place(&fresh, &ends, || clock.new_id().into());
    entries::insert(tx, &placed, now).await?;
    if excerpts {
        super::excerpts::keep(tx, &fresh, now).await?;
    }
    // One for an event, not for each of its recipients.
    let applied_now = fresh.iter().map(|event| event.event_id);
    audit::record(tx, origin, &audit::Event::each("event.notify", applied_now)).await?;
    let added = placed.len() as u64;
    tx.after_commit(move || metrics::counter!("feed_entries_total").increment(added));
    Ok((applied, ends.into_keys().collect()))
}

/// Which of the events' conversations are erased; nobody erases another before the transaction ends.
async fn erased(tx: &mut Tx, events: &[Event]) -> Result<HashSet<Uuid>, DbError> {
    let named: Vec<Uuid> =
        events.iter().filter_map(|event| event.conversation_id).map(|id| id.as_uuid()).collect();
    erasure::hold(tx, Kind::Conversation, &named).await?;
    erasure::list_buried(tx, Kind::Conversation, &named).await
}

/// The events that take effect now, each once, and the answer for all.
fn sort_out(events: &[Event], mut new: HashSet<EventId>) -> (Vec<&Event>, Vec<Applied>) {
    let mut fresh = Vec::with_capacity(new.len());
    let mut applied = Vec::with_capacity(events.len());
    for event in events {
        // Removed with its first place, so that a second one in the same batch is a repeat.
        if new.remove(&event.event_id) {
            fresh.push(event);
            applied.push(Applied::Now);
        } else {
            applied.push(Applied::Before);
        }
    }
    (fresh, applied)
}

/// Cuts a batch between events, in order.
fn parts(events: Vec<Event>) -> Vec<Vec<Event>> {
    let mut parts: Vec<Vec<Event>> = Vec::new();
    let mut room = 0;
    for event in events {
        let entries = event.recipients.len();
        match parts.last_mut() {
            Some(part) if entries <= room => part.push(event),
            _ => {
                parts.push(vec![event]);
                room = ENTRIES;
            }
        }
        room = room.saturating_sub(entries);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NotificationType, Reason};
    use kernel::{Clock, Timestamp};

    fn event(recipients: usize) -> Event {
        Event {
            event_id: Clock::system().new_id().into(),
            kind: NotificationType::Assigned,
            recipients: (0..recipients).map(|n| Subject::parse(&format!("p{n}")).unwrap()).collect(),
            reason: Reason::parse("because").unwrap(),
            conversation_id: None,
            note_id: None,
            actor: None,
            occur_time: Timestamp::from_micros(0),
            excerpt: None,
        }
    }

    #[test]
    fn an_event_that_comes_twice_in_a_batch_takes_effect_once() {
        let one = event(1);
        let events = vec![one.clone(), event(2), one];
        let new = events.iter().map(|event| event.event_id).collect();
        let (fresh, applied) = sort_out(&events, new);
        assert_eq!(fresh.len(), 2);
        assert_eq!(applied, [Applied::Now, Applied::Now, Applied::Before]);
    }

    #[test]
    fn a_batch_is_cut_between_events_and_keeps_its_order() {
        let events: Vec<Event> = [900, 900, 900, 1, 1_000, 1_000].into_iter().map(event).collect();
        let ids: Vec<EventId> = events.iter().map(|event| event.event_id).collect();
        let parts = parts(events);
        let sizes: Vec<Vec<usize>> =
            parts.iter().map(|part| part.iter().map(|event| event.recipients.len()).collect()).collect();
        assert_eq!(sizes, [vec![900, 900], vec![900, 1, 1_000], vec![1_000]]);
        assert_eq!(parts.iter().flatten().map(|event| event.event_id).collect::<Vec<_>>(), ids);
    }
}
