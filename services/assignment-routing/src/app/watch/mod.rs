//! The caller's inbox, live (R16): ordered, none missing, resumable after any cut.
//!
//! | file | what is in it |
//! |---|---|
//! | [`feed`] | a stream: which changes concern its reader, and how they are shown |
//! | [`offered`] | what is offered to its reader |
//! | [`reader`] | how a stream reads on, from the ring or from the log |
//! | [`hub`] | one reader of the log for all streams of a process; its ring |
//! | [`tally`] | when a stream counts its views |
//! | [`forget`] | old changes are forgotten |

mod feed;
mod forget;
pub mod hub;
mod offered;
mod pace;
mod reader;
mod tally;

use std::sync::{Arc, Mutex};

use db::Tx;
use proto::routing::v1::WatchInboxResponse;
use rpc::stream::{Live, Rhythm, Start, live_at};
use rpc::{Call, Fault};
use tokio::sync::OnceCell;

use super::App;
use crate::domain::interest::Interest;
use crate::domain::view::View;
use feed::LiveInbox;
use pace::Pace;
use reader::Reader;
use tally::Tally;

/// The topic of wake-ups: something that inboxes show changed. One key for all of an organization: who has it is read from the log.
const TOPIC: &str = "routing-inbox";
/// See [`TOPIC`].
const KEY: &str = "all";
/// What resume tokens are sealed as.
const TOKEN: &str = "routing.inbox";

impl App {
    /// Follows views of the caller's inbox, given in the order of [`View::COUNTED`].
    ///
    /// # Errors
    /// [`Fault`] of a token that is not of this stream, or of the database.
    pub async fn watch_inbox(
        self: &Arc<Self>,
        call: &Call,
        views: Vec<View>,
        start: Start,
    ) -> Result<Live<WatchInboxResponse>, Fault> {
        let agent = self.agent_of(&call.caller).await?;
        let org = call.caller.org.clone();
        let poll = self.settings.inbox_poll(self.db.engine());
        let hub = self.hubs.of(&self.db, &org);
        let feed = LiveInbox {
            bell: self.wake.bell(TOPIC, &org, KEY),
            binding: format!("{org} {} {views:?}", call.caller.subject).into_bytes(),
            interest: Mutex::new(Interest {
                subject: call.caller.subject.to_string(),
                agent: agent.id,
                teams: Default::default(),
                views,
                mentioned: None,
            }),
            tally: Mutex::new(Tally::new()),
            pace: Pace::default(),
            resume_at: OnceCell::new(),
            poll,
            reader: Reader { db: self.db.clone(), org, hub },
            app: Arc::clone(self),
        };
        let rhythm = Rhythm { poll, ..Rhythm::default() };
        live_at(rhythm, call, start, feed, self.streams_end.clone()).await
    }

    /// Wakes whoever follows an inbox, here and in other processes, once the transaction is durable. One that is not woken looks by
    /// itself soon.
    pub(super) fn ring_inboxes(&self, tx: &mut Tx) {
        let Some(org) = tx.org().cloned() else { return };
        let wake = self.wake.clone();
        tx.after_commit(move || wake.publish(TOPIC, &org, KEY));
    }
}
