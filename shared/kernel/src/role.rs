//! What a caller is.

use crate::Malformed;

/// The role in a token; each RPC's contract names those it admits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// A person outside: sees their own conversations and nothing private.
    Contact,
    /// A person inside who works on conversations.
    Agent,
    /// An agent who also sees and moves other people's work.
    Supervisor,
    /// Sets up the organization.
    Admin,
    /// A product of the organization, pushing messages in.
    Integration,
    /// One of our own services, acting for itself.
    Service,
}

impl Role {
    /// Every role, in the order of the contract.
    pub const ALL: [Self; 6] =
        [Self::Contact, Self::Agent, Self::Supervisor, Self::Admin, Self::Integration, Self::Service];

    /// As the token's `role` claim spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Agent => "agent",
            Self::Supervisor => "supervisor",
            Self::Admin => "admin",
            Self::Integration => "integration",
            Self::Service => "service",
        }
    }

    /// Reads the token's `role` claim.
    ///
    /// # Errors
    /// [`Malformed`] for anything that is not exactly one of the roles.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or_else(|| {
            Malformed::new("is not a role: contact, agent, supervisor, admin, integration or service")
        })
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn every_role_reads_back_and_nothing_else_does() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        for bad in ["", "Admin", "root", "admin "] {
            assert!(Role::parse(bad).is_err(), "{bad:?}");
        }
    }
}
