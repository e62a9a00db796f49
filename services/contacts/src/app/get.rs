//! One contact is read.

use kernel::{ContactId, OrgId};

use super::{App, whole};
use crate::Error;
use crate::domain::{Contact, Viewer};

impl App {
    /// Reads a contact.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`], also when the viewer may not see the one there is.
    pub async fn get_contact(&self, org: &OrgId, viewer: &Viewer, id: ContactId) -> Result<Contact, Error> {
        if !viewer.may_see(id) {
            return Err(Error::NoSuchContact);
        }
        self.db.read(org, move |tx| Box::pin(whole::get(tx, id))).await
    }
}
