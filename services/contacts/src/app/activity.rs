//! What happened around a contact is kept, and listed (C8).

use db::{DbError, Tx};
use kernel::page::{Filling, limit};
use kernel::{ContactId, OrgId, PageSize, Timestamp};
use uuid::Uuid;

use super::{App, survivor};
use crate::Error;
use crate::domain::{Activity, ActivityId, Actor, Happened};
use crate::store::activity::{self, Place};
use crate::store::contacts;

const KIND: &str = "activity.list";

/// Which activities are asked for.
#[derive(Debug, Clone)]
pub struct ListActivity {
    /// Around whom.
    pub contact_id: ContactId,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Activities, newest first.
#[derive(Debug, Clone)]
pub struct ActivityPage {
    /// The page.
    pub activities: Vec<Activity>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Lists what happened around a contact, newest first.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`]; [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_activity(&self, org: &OrgId, list: ListActivity) -> Result<ActivityPage, Error> {
        let ListActivity { contact_id, page_size, page_token } = list;
        let binding = format!("{org}\n{contact_id}");
        let before = match page_token.as_str() {
            "" => newest(),
            token => {
                self.seal.open(KIND, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?
            }
        };
        let page = self.db.read(org, move |tx| {
            Box::pin(async move {
                let contact_id = survivor::find(tx, contact_id).await?.unwrap_or(contact_id);
                contacts::find(tx, contact_id).await?.ok_or(Error::NoSuchContact)?;
                Ok::<_, Error>(page(tx, contact_id, before, page_size.get()).await?)
            })
        });
        let (activities, last) = page.await?;
        let next_page_token =
            last.map(|last| self.seal.seal(KIND, binding.as_bytes(), &last)).unwrap_or_default();
        Ok(ActivityPage { activities, next_page_token })
    }
}

/// Before this place is everything.
pub(super) fn newest() -> Place {
    (Timestamp::from_micros(i64::MAX), ActivityId::from_uuid(Uuid::max()))
}

/// The activities before a place that fit on a page, and the last place of it, if there are more.
pub(super) async fn page(
    tx: &mut Tx,
    contact: ContactId,
    mut before: Place,
    size: usize,
) -> Result<(Vec<Activity>, Option<Place>), DbError> {
    let mut page = Filling::new(size);
    loop {
        let step = page.step();
        let some = activity::list(tx, contact, before, limit(step)).await?;
        let ended = some.len() < step;
        for activity in some {
            let (place, bytes) = ((activity.occur_time, activity.activity_id), activity.happened.weight());
            if !page.takes(activity, bytes) {
                return Ok((page.items(), Some(before)));
            }
            before = place;
        }
        if ended {
            return Ok((page.items(), None));
        }
    }
}

/// Keeps what happened to a contact now, in the transaction in which it happens.
pub(super) async fn keep(
    tx: &mut Tx,
    contact_id: ContactId,
    now: Timestamp,
    by: &Actor,
    all: impl IntoIterator<Item = Happened>,
) -> Result<(), DbError> {
    let clock = tx.clock().clone();
    let activity = |happened| Activity {
        activity_id: clock.new_id().into(),
        contact_id,
        occur_time: now,
        actor: Some(by.clone()),
        happened,
    };
    let activities: Vec<Activity> = all.into_iter().map(activity).collect();
    activity::record(tx, &activities).await
}
