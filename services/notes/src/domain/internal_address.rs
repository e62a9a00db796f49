//! For whom an internal message is, and so in which thread it is written.

use kernel::Role;

use super::Author;
use super::internal_message::Person;

/// A person whom a message names as its recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Who.
    pub person: Person,
    /// What they are to the organization.
    pub role: Role,
}

/// Whose thread a message is written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The agent whose thread it is.
    pub agent: Person,
    /// Whom the agent calls into it.
    pub called: Option<Person>,
}

/// Why a message is for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unaddressed {
    /// The recipient is the writer.
    #[error("this is yourself: name somebody else")]
    Yourself,
    /// An agent writes to somebody who is neither supervisor nor admin.
    #[error("must be a supervisor or an admin")]
    NoSupervisor,
    /// An agent who has no thread here names nobody.
    #[error("you have no thread on this conversation: name the supervisor or admin whom you call")]
    NobodyCalled,
    /// A supervisor names nobody, and nobody has the conversation.
    #[error("nobody has this conversation: name the agent to whom you write")]
    NobodyAssigned,
    /// A supervisor in whose own thread others wrote names nobody, and somebody else has the conversation.
    #[error(
        "you have a thread of your own on this conversation, which another has: name the thread or the recipient"
    )]
    Ambiguous,
}

impl Unaddressed {
    /// Whether the recipient is wrong; otherwise one is missing.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::Yourself | Self::NoSupervisor)
    }
}

/// Decides for whom a message is that names no thread.
///
/// An agent writes in their own thread, to which they may call a supervisor or admin. A supervisor or admin writes in the
/// thread of whom they name, or else of who has the conversation. `has_own` says whether the writer has a thread of their
/// own here: a supervisor has one who had the conversation, or to whom another supervisor wrote. Whoever could be meant in
/// two ways is asked, as a reply in the wrong thread cannot be taken back.
///
/// # Errors
/// [`Unaddressed`].
pub fn address(
    writer: &Author,
    has_own: bool,
    assignee: Option<Person>,
    recipient: Option<Recipient>,
) -> Result<Address, Unaddressed> {
    let own = |called| Address { agent: Person::from(writer), called };
    let to = |agent| Address { agent, called: None };
    let supervises = |role| matches!(role, Role::Supervisor | Role::Admin);
    match recipient {
        Some(recipient) if recipient.person.subject == writer.subject => Err(Unaddressed::Yourself),
        Some(recipient) if supervises(writer.role) => Ok(to(recipient.person)),
        Some(recipient) if supervises(recipient.role) => Ok(own(Some(recipient.person))),
        Some(_) => Err(Unaddressed::NoSupervisor),
        None if !supervises(writer.role) && has_own => Ok(own(None)),
        None if !supervises(writer.role) => Err(Unaddressed::NobodyCalled),
        None => match assignee.filter(|assignee| assignee.subject != writer.subject) {
            Some(_) if has_own => Err(Unaddressed::Ambiguous),
            Some(assignee) => Ok(to(assignee)),
            None if has_own => Ok(own(None)),
            None => Err(Unaddressed::NobodyAssigned),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Author, Person, Recipient, Role, Unaddressed, address};
    use kernel::Subject;

    fn person(name: &str) -> Person {
        Person { subject: Subject::parse(name).unwrap(), display_name: name.to_owned() }
    }

    fn writer(name: &str, role: Role) -> Author {
        Author { subject: Subject::parse(name).unwrap(), role, display_name: name.to_owned() }
    }

    /// Whose thread, and who is called.
    type Decided = Result<(String, Option<String>), Unaddressed>;

    fn decided(by: (&str, Role), has_own: bool, assignee: &str, recipient: Option<(&str, Role)>) -> Decided {
        let assignee = Some(assignee).filter(|name| !name.is_empty()).map(person);
        let recipient = recipient.map(|(name, role)| Recipient { person: person(name), role });
        let name = |person: Person| person.subject.to_string();
        address(&writer(by.0, by.1), has_own, assignee, recipient)
            .map(|Address { agent, called }| (name(agent), called.map(name)))
    }

    fn thread_of(agent: &str) -> Decided {
        Ok((agent.to_owned(), None))
    }

    const ANA: (&str, Role) = ("ana", Role::Agent);
    const BOB: (&str, Role) = ("bob", Role::Agent);
    const EVE: (&str, Role) = ("eve", Role::Supervisor);
    const ROOT: (&str, Role) = ("root", Role::Admin);

    // I1
    #[test]
    fn a_supervisor_writes_to_who_has_the_conversation_or_to_whom_they_name() {
        assert_eq!(decided(EVE, false, "ana", None), thread_of("ana"));
        assert_eq!(decided(ROOT, false, "ana", Some(BOB)), thread_of("bob"));
        assert_eq!(decided(EVE, false, "", None), Err(Unaddressed::NobodyAssigned));
        assert_eq!(decided(EVE, false, "", Some(ANA)), thread_of("ana"));
        assert_eq!(decided(EVE, false, "eve", None), Err(Unaddressed::NobodyAssigned));
    }

    // I3
    #[test]
    fn an_agent_writes_in_their_own_thread_and_calls_supervisors_and_admins_only() {
        let called = |name: &str| Ok(("ana".to_owned(), Some(name.to_owned())));
        assert_eq!(decided(ANA, false, "bob", Some(EVE)), called("eve"));
        assert_eq!(decided(ANA, true, "ana", Some(ROOT)), called("root"));
        assert_eq!(decided(ANA, true, "bob", None), thread_of("ana"));
        assert_eq!(decided(ANA, false, "ana", None), Err(Unaddressed::NobodyCalled));
        assert_eq!(decided(ANA, false, "ana", Some(BOB)), Err(Unaddressed::NoSupervisor));
    }

    // I2
    #[test]
    fn a_supervisor_who_could_mean_two_threads_is_asked() {
        assert_eq!(decided(EVE, true, "eve", None), thread_of("eve"));
        assert_eq!(decided(EVE, true, "", None), thread_of("eve"));
        assert_eq!(decided(EVE, true, "ana", None), Err(Unaddressed::Ambiguous));
        assert_eq!(decided(EVE, true, "ana", Some(ANA)), thread_of("ana"));
    }

    #[test]
    fn nobody_writes_to_themselves() {
        for by in [ANA, EVE, ROOT] {
            assert_eq!(decided(by, true, "ana", Some(by)), Err(Unaddressed::Yourself));
        }
    }
}
