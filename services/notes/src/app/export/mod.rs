//! A conversation's history as a file (N11).
//!
//! Who may, and whether there is such a conversation, is clear before anything else. Then the audit trail has it, in a transaction of
//! its own; then the first byte goes out. What is read for the file is read page by page while it goes out, and what the profile does
//! not show is not even read.

mod file;
mod walk;

use audit::{Event, Origin};
use db::Tx;
use futures::Stream;
use rpc::Call;

use super::App;
use crate::domain::export::{Edition, Heading, Order};
use crate::error::Error;
use crate::store;
use crate::wire;
use zones::Zone;

/// How many PDFs of a process are made at once: each may have 16 MiB of text, and all of it is needed before there is a first page.
pub const PDFS_AT_ONCE: usize = 2;

/// A piece of what a caller gets.
#[derive(Debug)]
pub enum Piece {
    /// What follows.
    Opened {
        /// The file.
        order: Order,
        /// What it says about itself.
        edition: Edition,
    },
    /// The next bytes.
    Chunk(Vec<u8>),
    /// The file is whole.
    Finished {
        /// The bytes of all chunks.
        size: u64,
        /// Their SHA-256.
        sha256: [u8; 32],
        /// Entries in the file.
        entries: u64,
        /// Characters for which a box stands.
        unshown: u64,
    },
}

impl App {
    /// Opens a file of a conversation's history.
    ///
    /// # Errors
    /// [`Error::ProfileNotOpen`], [`Error::Routing`] if the conversation is not there or routing does not answer,
    /// [`Error::Contacts`], [`Error::Database`]. Later ones are in the stream, and [`Error::TooLongForPdf`].
    pub async fn export_conversation(
        &self,
        call: &Call,
        order: Order,
    ) -> Result<impl Stream<Item = Result<Piece, Error>> + Send + use<>, Error> {
        let role = call.caller.role;
        if !order.profile.is_open_to(role) {
            return Err(Error::ProfileNotOpen { role, method: call.method.path });
        }
        let heading = self.heading(call, order).await?;
        let origin = runtime::origin(call);
        let record = self.db.write(&call.caller.org, move |tx| Box::pin(opened(tx, order, origin)));
        let zone = record.await?;
        let edition = Edition { profile: order.profile, export_time: self.clock.now(), zone };
        Ok(file::stream(self.clone(), call.clone(), order, edition, heading))
    }

    /// What the file says about the conversation.
    async fn heading(&self, call: &Call, order: Order) -> Result<Heading, Error> {
        let conversation = self.peers.conversation(call, order.conversation_id).await?;
        let name = self.peers.find_contact_name(call, &conversation.contact_id).await?;
        let heading = wire::export::heading(conversation, name.unwrap_or_default());
        Ok(order.profile.heading(heading.map_err(Error::Routing)?))
    }
}

/// Leaves the record, and reads in which zone the organization tells times.
async fn opened(tx: &mut Tx, order: Order, origin: Origin) -> Result<Zone, Error> {
    audit::record(tx, &origin, &[Event::new(order.action(), order.conversation_id)]).await?;
    Ok(store::settings::find_settings(tx).await?.time_zone)
}
