//! What one device of a person does with entries, the others learn (D3).

use db::Tx;
use kernel::Subject;
use outbox::Wake;

use super::{App, FEED_TOPIC, Owner};
use crate::domain::notification::Changed;
use crate::domain::{Cursor, Handled};
use crate::error::Error;
use crate::store::{handling, heads};

/// What a person did with entries since a reader looked.
#[derive(Debug)]
pub(crate) struct Done {
    /// Unread ones now.
    pub(crate) unread: i64,
    /// What changed, as it is now.
    pub(crate) changed: Vec<Changed>,
    /// The place behind all of that.
    pub(super) through: Handled,
}

impl Done {
    /// What a reader does not know of, changes of at most `room` entries; nothing, if it knows all or there is no room.
    pub(super) async fn unknown_at(
        tx: &mut Tx,
        subject: &Subject,
        reader: Cursor,
        handlings: i64,
        room: i64,
    ) -> Result<Option<Self>, Error> {
        match reader.handled {
            Some(known) if reader.knows_less(handlings) && room > 0 => {
                Self::behind(tx, subject, known, handlings, room).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn behind(
        tx: &mut Tx,
        subject: &Subject,
        known: Handled,
        handlings: i64,
        room: i64,
    ) -> Result<Self, Error> {
        let changed = handling::changed_after(tx, subject, known, room).await?;
        let now = tx.now().await?;
        let unread = heads::count(tx, subject, now).await?.unread;
        let all = i64::try_from(changed.len()).unwrap_or(i64::MAX) < room;
        let through = match changed.last() {
            Some(last) if !all => Handled { handling: last.last_handling, entry: last.sequence },
            // On PostgreSQL the second statement may see more than the first.
            Some(last) => Handled::all_through(last.last_handling.max(handlings)),
            None => Handled::all_through(handlings),
        };
        Ok(Self { unread, changed, through })
    }
}

/// Lets the devices of a person look, once it is durable, that the person did something with entries.
pub(super) struct HandledWake {
    wake: Wake,
    owner: Owner,
}

impl HandledWake {
    pub(super) fn tell(self, tx: &mut Tx) {
        let Self { wake, owner } = self;
        tx.after_commit(move || wake.publish(FEED_TOPIC, &owner.org, owner.subject.as_str()));
    }
}

impl App {
    pub(super) fn handled(&self, owner: &Owner) -> HandledWake {
        HandledWake { wake: self.wake.clone(), owner: owner.clone() }
    }
}
