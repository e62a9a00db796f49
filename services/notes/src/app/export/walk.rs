//! From a conversation's timeline to the entries of a file, page by page.

use kernel::{PageSize, Subject};
use rpc::Call;

use crate::app::App;
use crate::app::timeline::{Private, Stretch};
use crate::domain::export::pdf::{MOST_BYTES, MOST_ENTRIES};
use crate::domain::export::{Edition, Entry, Order, Profile};
use crate::domain::internal_message::Sight;
use crate::domain::timeline::{self, Kind};
use crate::error::Error;
use crate::wire;

/// A walk through what was there when the file was asked for.
pub(super) struct Walk {
    app: App,
    call: Call,
    edition: Edition,
    /// The next stretch; none: the walk is over.
    next: Option<Stretch>,
}

impl Walk {
    pub(super) fn new(app: App, call: Call, order: Order, edition: Edition) -> Self {
        let subject = call.caller.subject.clone();
        let stretch = Stretch {
            conversation_id: order.conversation_id,
            order: timeline::Order::OldestFirst,
            size: PageSize::MOST,
            after: None,
            private: private(order.profile, &subject, &call),
        };
        Self { app, call, edition, next: Some(stretch) }
    }

    /// The next entries of the file, oldest first; `None` at the end. A page may have none.
    ///
    /// # Errors
    /// [`Error::Stopping`], [`Error::Routing`], [`Error::Database`].
    pub(super) async fn step(&mut self) -> Result<Option<Vec<Entry>>, Error> {
        let Some(stretch) = self.next.take() else { return Ok(None) };
        if self.app.streams_end.is_cancelled() {
            return Err(Error::Stopping);
        }
        let (found, next) = self.app.read_timeline(&self.call, stretch.clone()).await?;
        let (profile, until) = (self.edition.profile, self.edition.export_time);
        let ended = found.last().is_some_and(|last| last.place.time > until);
        let mut entries = Vec::with_capacity(found.len());
        for entry in found.into_iter().take_while(|entry| entry.place.time <= until) {
            entries.extend(profile.admit(wire::export::entry(entry).map_err(Error::Routing)?));
        }
        self.next = next.filter(|_| !ended).map(|after| Stretch { after: Some(after), ..stretch });
        Ok(Some(entries))
    }

    /// All entries of the file at once.
    ///
    /// # Errors
    /// [`Error::TooLongForPdf`], and those of [`step`](Self::step).
    pub(super) async fn all(mut self) -> Result<Vec<Entry>, Error> {
        let (mut all, mut bytes) = (Vec::new(), 0);
        while let Some(entries) = self.step().await? {
            bytes += entries.iter().map(Entry::text_bytes).sum::<usize>();
            all.extend(entries);
            if all.len() > MOST_ENTRIES || bytes > MOST_BYTES {
                return Err(Error::TooLongForPdf);
            }
        }
        Ok(all)
    }
}

/// What of the private a profile shows is read, and nothing else.
fn private(profile: Profile, subject: &Subject, call: &Call) -> Private {
    let messages = profile.shows(Kind::InternalMessage).then(|| Sight::of(call.caller.role, subject));
    Private { notes: profile.shows(Kind::Note), internal_messages: messages }
}
