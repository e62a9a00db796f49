//! Who reads.

use kernel::{ContactId, Role, Subject};

/// Whose eyes a contact is shown to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Somebody of the organization, or a program of it.
    Inside,
    /// A contact, who sees nobody but themselves.
    Contact(Subject),
}

impl Viewer {
    /// The viewer that a token's role and subject make.
    pub fn new(role: Role, subject: &Subject) -> Self {
        match role {
            Role::Contact => Self::Contact(subject.clone()),
            Role::Agent | Role::Supervisor | Role::Admin | Role::Integration | Role::Service => Self::Inside,
        }
    }

    /// Whether this contact may be shown.
    pub fn may_see(&self, contact: ContactId) -> bool {
        match self {
            Self::Inside => true,
            Self::Contact(subject) => ContactId::parse(subject.as_str()) == Ok(contact),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Viewer;
    use kernel::{ContactId, Role, Subject};

    #[test]
    fn a_contact_sees_nobody_but_themselves() {
        let own = ContactId::parse("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        let other = ContactId::parse("01890a5d-ac96-774b-bcce-b302099a8058").unwrap();
        for role in Role::ALL {
            let viewer = Viewer::new(role, &Subject::parse(&own.to_string()).unwrap());
            assert!(viewer.may_see(own));
            assert_eq!(viewer.may_see(other), role != Role::Contact, "{role}");
        }
        assert!(!Viewer::new(Role::Contact, &Subject::parse("ana").unwrap()).may_see(own));
    }
}
