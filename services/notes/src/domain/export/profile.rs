//! What of a conversation is in a file. Decided here and nowhere else.

use kernel::Role;

use super::history::{Entry, Heading};
use crate::domain::timeline::Kind;

/// How much of a conversation a file shows. Each shows what the one before it shows, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// What the customer wrote or could see.
    CustomerSafe,
    /// And the notes on the conversation.
    WithNotes,
    /// And internal messages, what happened to the conversation, and how it stands inside.
    Full,
}

impl Profile {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomerSafe => "customer_safe",
            Self::WithNotes => "with_notes",
            Self::Full => "full",
        }
    }

    /// Whether somebody with this role may take a file of it.
    pub fn is_open_to(self, role: Role) -> bool {
        match self {
            Self::CustomerSafe | Self::WithNotes => {
                matches!(role, Role::Agent | Role::Supervisor | Role::Admin)
            }
            Self::Full => matches!(role, Role::Supervisor | Role::Admin),
        }
    }

    /// Whether entries of this kind are in a file. Notes on the contact are in none: they belong to the person.
    pub fn shows(self, kind: Kind) -> bool {
        match kind {
            Kind::Message => true,
            Kind::Note => self >= Self::WithNotes,
            Kind::InternalMessage | Kind::Event => self >= Self::Full,
            Kind::ContactNote => false,
        }
    }

    /// The entry as it is in a file, if it is in it.
    pub fn admit(self, mut entry: Entry) -> Option<Entry> {
        if !self.shows(entry.kind()) {
            return None;
        }
        match &mut entry {
            // Who answers a customer shows them a name. How services call that person is for people inside.
            Entry::Message(message) if self == Self::CustomerSafe => {
                if let Some(author) = &mut message.author {
                    author.identity = None;
                }
            }
            // A file cannot be taken back: it does not say again what somebody had deleted, not even to admins.
            Entry::Note(note) if note.deletion.is_some() => {
                note.body.clear();
                note.handoff = None;
            }
            Entry::Message(_) | Entry::Note(_) | Entry::InternalMessage(_) | Entry::Event(_) => {}
        }
        Some(entry)
    }

    /// The heading as it is in a file.
    #[must_use]
    pub fn heading(self, heading: Heading) -> Heading {
        let inside = heading.inside.filter(|_| self >= Self::Full);
        Heading { inside, ..heading }
    }
}
