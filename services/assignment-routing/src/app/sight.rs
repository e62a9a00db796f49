//! What of conversations a caller may see.

use kernel::{ContactId, OrgId, Role};
use rpc::Caller;

use super::App;
use crate::domain::conversation::Conversation;
use crate::error::Error;

/// Which conversations, and how much of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// All of the organization, whole.
    Everything,
    /// A contact's own, without what is internal.
    Own(ContactId),
    /// None: a contact whose token names nobody we could know.
    Nothing,
}

impl Sight {
    /// What this caller sees.
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        match caller.role {
            Role::Contact => ContactId::parse(caller.subject.as_str()).map_or(Self::Nothing, Self::Own),
            _ => Self::Everything,
        }
    }

    /// Whether it includes a conversation.
    #[must_use]
    pub fn includes(self, conversation: &Conversation) -> bool {
        match self {
            Self::Everything => true,
            Self::Own(contact) => conversation.contact == contact,
            Self::Nothing => false,
        }
    }

    /// Whether what is internal is shown.
    #[must_use]
    pub fn inside(self) -> bool {
        self == Self::Everything
    }
}

impl App {
    /// What this caller sees. A contact who was merged away sees what whoever stands for them does: it is the same person.
    pub(super) async fn sight(&self, caller: &Caller) -> Result<Sight, Error> {
        match Sight::of(caller) {
            Sight::Own(own) => self.home(&caller.org, own).await.map(Sight::Own),
            sight => Ok(sight),
        }
    }

    /// The contact, or who stands for it.
    pub(super) async fn home(&self, org: &OrgId, contact: ContactId) -> Result<ContactId, Error> {
        let home = self.db.read(org, move |tx| merges::home_of(tx, contact)).await?;
        Ok(home.contact_id)
    }
}
