//! What is known around a contact, here and elsewhere, in one answer (C7).

use std::sync::Arc;

use db::Tx;
use kernel::{ContactId, OrgId};
use proto::notes::v1::Note;
use proto::routing::v1::Conversation;
use rpc::Call;
use uuid::Uuid;

use super::{App, activity, survivor};
use crate::Error;
use crate::domain::{Activity, Contact, ContactList, ListId, Missing, Shown};
use crate::peers::Peers;
use crate::store::lists;

/// What a panel is asked for.
#[derive(Debug, Clone, Copy)]
pub struct GetPanel {
    /// Around whom.
    pub contact_id: ContactId,
    /// Entries of each section, at most.
    pub section_size: i32,
}

/// What there is to show.
#[derive(Debug, Clone)]
pub struct Panel {
    /// What is known here.
    pub own: Own,
    /// What notes answered.
    pub notes: Result<Shown<Note>, Missing>,
    /// What routing answered.
    pub conversations: Result<Shown<Conversation>, Missing>,
}

/// What of a panel this service knows itself.
#[derive(Debug, Clone)]
pub struct Own {
    /// The contact.
    pub contact: Contact,
    /// Lists the contact is on, newest list first.
    pub lists: Shown<ContactList>,
    /// What happened around the contact, newest first.
    pub activities: Shown<Activity>,
}

/// The use case: it asks other services, which no other one here does.
#[derive(Debug, Clone)]
pub struct Panels {
    app: Arc<App>,
    peers: Peers,
}

impl Panels {
    /// Panels of the contacts of this application, with what these peers know.
    pub fn new(app: Arc<App>, peers: Peers) -> Self {
        Self { app, peers }
    }

    /// Reads a panel. What is known here is read first, and then the others are asked, both at once: they learn nothing of who is not
    /// a contact, and no transaction waits for them.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`], [`Error::Database`]. A peer's failure is none: its section says so.
    pub async fn get(&self, call: &Call, get: GetPanel) -> Result<Panel, Error> {
        let section_size = get.section_size;
        let own = self.app.own_part(&call.caller.org, get).await?;
        // Who stands for the one that was asked for.
        let contact_id = own.contact.contact_id;
        let (notes, conversations) = tokio::join!(
            self.peers.notes(call, contact_id, section_size),
            self.peers.conversations(call, contact_id, section_size),
        );
        Ok(Panel { own, notes, conversations })
    }
}

impl App {
    async fn own_part(&self, org: &OrgId, get: GetPanel) -> Result<Own, Error> {
        self.db.read(org, move |tx| Box::pin(own_part(tx, get))).await
    }
}

async fn own_part(tx: &mut Tx, get: GetPanel) -> Result<Own, Error> {
    let GetPanel { contact_id, section_size } = get;
    let size = usize::try_from(section_size).unwrap_or_default();
    let contact = survivor::get(tx, contact_id).await?;
    let contact_id = contact.contact_id;
    // No id is greater.
    let first = ListId::from_uuid(Uuid::max());
    let mut of_contact = lists::list_of(tx, contact_id, first, i64::from(section_size) + 1).await?;
    let more = of_contact.len() > size;
    of_contact.truncate(size);
    let (activities, last) = activity::page(tx, contact_id, activity::newest(), size).await?;
    Ok(Own {
        contact,
        lists: Shown { entries: of_contact, more },
        activities: Shown { entries: activities, more: last.is_some() },
    })
}
