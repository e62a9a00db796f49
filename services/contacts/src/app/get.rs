//! One contact is read.

use kernel::{ContactId, OrgId};

use super::{App, survivor};
use crate::Error;
use crate::domain::{Contact, Viewer};

impl App {
    /// Reads a contact, or who stands for it if it was merged away: whoever knows its id, a contact's own token too, is answered.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`], also when the viewer may not see the one there is.
    pub async fn get_contact(&self, org: &OrgId, viewer: &Viewer, id: ContactId) -> Result<Contact, Error> {
        if !viewer.may_see(id) {
            return Err(Error::NoSuchContact);
        }
        self.db.read(org, move |tx| Box::pin(survivor::get(tx, id))).await
    }
}
