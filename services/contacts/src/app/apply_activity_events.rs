//! What routing and notes tell of a contact becomes activity, each event once (C8).

use std::collections::{BTreeMap, BTreeSet, HashSet};

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{ContactId, EventId, OrgId};

use super::{App, survivor};
use crate::Error;
use crate::domain::{Activity, ActivityId};
use crate::store::{activity, contacts, merges};

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It took effect now. Of a contact who is not there any more that is none.
    Now,
    /// It had taken effect before.
    Before,
}

impl App {
    /// Keeps what other services tell: one outcome for each, in order. The id of an activity is that of its event.
    ///
    /// # Errors
    /// [`Error::Database`]; then none took effect.
    pub async fn apply_activity_events(
        &self,
        org: &OrgId,
        origin: Origin,
        told: Vec<Activity>,
    ) -> Result<Vec<Applied>, Error> {
        self.db.write(org, move |tx| Box::pin(apply(tx, told, origin))).await
    }
}

async fn apply(tx: &mut Tx, told: Vec<Activity>, origin: Origin) -> Result<Vec<Applied>, Error> {
    let ids: Vec<EventId> = told.iter().map(event_id).collect();
    let mut new = outbox::first_time(tx, &ids).await?;
    audit::record(tx, &origin, &Event::each("event.apply", &new)).await?;
    let mut outcomes = Vec::with_capacity(told.len());
    let mut fresh = Vec::with_capacity(new.len());
    for activity in told {
        // Removed with its first place, so that a second one in the same batch is a repeat.
        outcomes.push(if new.remove(&event_id(&activity)) {
            fresh.push(activity);
            Applied::Now
        } else {
            Applied::Before
        });
    }
    let kept = kept(tx, fresh).await?;
    activity::record(tx, &kept).await?;
    Ok(outcomes)
}

/// Those whose contact is there, or somebody who stands for them. A contact comes before everything that is told of them, so who is
/// not there is gone: what happened around them is nobody's any more, and telling it again would not help. What happened around somebody
/// who was merged away returns with them.
async fn kept(tx: &mut Tx, mut activities: Vec<Activity>) -> Result<Vec<Activity>, Error> {
    let mut there = hold(tx, &activities).await?;
    let absent = |activity: &&mut Activity| !there.contains(&activity.contact_id);
    let mut merged: Vec<&mut Activity> = activities.iter_mut().filter(absent).collect();
    let gone: Vec<ContactId> = merged.iter().map(|activity| activity.contact_id).collect();
    let stand = survivor::each(tx, gone.clone()).await?;
    let mut late: BTreeMap<ContactId, Vec<ActivityId>> = BTreeMap::new();
    for (activity, stands) in merged.iter_mut().zip(&stand) {
        if activity.contact_id != *stands {
            late.entry(activity.contact_id).or_default().push(activity.activity_id);
            activity.contact_id = *stands;
        }
    }
    if !late.is_empty() {
        there = hold(tx, &activities).await?;
        // A merge was taken back before those who stood for them were held: told again, it is theirs.
        if survivor::each(tx, gone).await? != stand {
            return Err(DbError::Busy.into());
        }
    }
    for (contact, activities) in &late {
        merges::remember_late(tx, *contact, activities).await?;
    }
    activities.retain(|activity| there.contains(&activity.contact_id));
    Ok(activities)
}

/// Which of their contacts are there, neither merged away nor erased until the transaction ends.
async fn hold(tx: &mut Tx, activities: &[Activity]) -> Result<HashSet<ContactId>, Error> {
    let named: BTreeSet<ContactId> = activities.iter().map(|activity| activity.contact_id).collect();
    let named: Vec<ContactId> = named.into_iter().collect();
    Ok(contacts::hold(tx, &named).await?.into_iter().collect())
}

fn event_id(activity: &Activity) -> EventId {
    EventId::from_uuid(activity.activity_id.as_uuid())
}
