//! What agents and supervisors write each other about a conversation.

use kernel::{ConversationId, Role, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Author, Body};

kernel::id_type! {
    /// One internal message.
    InternalMessageId,
    /// What one agent and the supervisors write each other about a conversation.
    InternalThreadId,
}

/// People of one thread, at most: each is told of every message, and each page of threads names them all.
pub const MOST_PEOPLE: usize = 50;

/// An internal message. It is never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalMessage {
    /// Its id.
    pub message_id: InternalMessageId,
    /// The thread it is in.
    pub thread_id: InternalThreadId,
    /// The conversation it is about.
    pub conversation_id: ConversationId,
    /// Who wrote it.
    pub author: Author,
    /// What it says.
    pub body: Body,
    /// When it was written: later than every message of the conversation before it.
    pub create_time: Timestamp,
}

/// A person inside, by the name of all services and by that of people.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The `sub` of their tokens.
    pub subject: Subject,
    /// What people call them.
    pub display_name: String,
}

impl std::fmt::Debug for Person {
    /// Without the name, which is personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("subject", &self.subject).finish_non_exhaustive()
    }
}

impl From<&Author> for Person {
    fn from(author: &Author) -> Self {
        Self { subject: author.subject.clone(), display_name: author.display_name.clone() }
    }
}

/// One of a thread's people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    pub person: Person,
    /// Messages of others that they have not read.
    pub unread: i64,
}

/// What one agent and the supervisors write each other about a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InternalThread {
    /// Its id.
    pub thread_id: InternalThreadId,
    /// The conversation it is about.
    pub conversation_id: ConversationId,
    /// The agent whose thread it is, whoever has the conversation now.
    pub agent_subject: Subject,
    /// Everybody in it, by subject.
    pub people: Vec<Member>,
    /// When its latest message was written.
    pub last_message_time: Timestamp,
    /// When it was opened.
    pub create_time: Timestamp,
}

impl InternalThread {
    /// Messages of others that this person has not read; none for who is not in it.
    pub fn unread_by(&self, subject: &Subject) -> i64 {
        let member = self.people.iter().find(|member| member.person.subject == *subject);
        member.map_or(0, |member| member.unread)
    }

    /// Everybody in it but one.
    pub fn others_than(&self, subject: &Subject) -> Vec<Subject> {
        let others = self.people.iter().map(|member| &member.person.subject);
        others.filter(|other| *other != subject).cloned().collect()
    }
}

/// Which threads a person sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// All of the organization: supervisors and admins.
    Everything,
    /// Those whose people include this person: everybody else.
    Own(Subject),
}

impl Sight {
    /// What somebody with this role sees.
    pub fn of(role: Role, subject: &Subject) -> Self {
        match role {
            Role::Supervisor | Role::Admin => Self::Everything,
            _ => Self::Own(subject.clone()),
        }
    }

    /// The person whose threads alone are seen.
    pub fn only_of(&self) -> Option<&Subject> {
        match self {
            Self::Everything => None,
            Self::Own(subject) => Some(subject),
        }
    }
}

/// A message that was sent, without its text: the answer that is kept for retries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The message's id.
    pub message_id: InternalMessageId,
    /// Who wrote it.
    pub author: Author,
    /// Its thread, as it was then.
    pub thread: InternalThread,
}

impl Sent {
    /// The whole answer again: a retry brings the same text.
    pub fn with_body(self, body: Body) -> (InternalMessage, InternalThread) {
        let message = InternalMessage {
            message_id: self.message_id,
            thread_id: self.thread.thread_id,
            conversation_id: self.thread.conversation_id,
            author: self.author,
            body,
            create_time: self.thread.last_message_time,
        };
        (message, self.thread)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Clock, Role, Subject, Timestamp};

    use super::{InternalThread, Member, Person, Sent, Sight};
    use crate::domain::{Author, Body};

    fn subject(name: &str) -> Subject {
        Subject::parse(name).unwrap()
    }

    fn sent() -> Sent {
        let clock = Clock::system();
        let member = |name: &str, unread| Member {
            person: Person { subject: subject(name), display_name: "Secret Name".to_owned() },
            unread,
        };
        Sent {
            message_id: clock.new_id().into(),
            author: Author {
                subject: subject("eve"),
                role: Role::Supervisor,
                display_name: "Secret Name".to_owned(),
            },
            thread: InternalThread {
                thread_id: clock.new_id().into(),
                conversation_id: clock.new_id().into(),
                agent_subject: subject("ana"),
                people: vec![member("ana", 3), member("eve", 0)],
                last_message_time: Timestamp::from_micros(7),
                create_time: Timestamp::from_micros(1),
            },
        }
    }

    // I5
    #[test]
    fn supervisors_and_admins_see_every_thread_and_everybody_else_their_own() {
        for role in Role::ALL {
            let all = matches!(role, Role::Supervisor | Role::Admin);
            assert_eq!(Sight::of(role, &subject("ana")).only_of().is_none(), all, "{role}");
        }
    }

    #[test]
    fn what_is_kept_for_a_retry_is_the_answer_without_its_text() {
        let (message, thread) = sent().with_body(Body::parse("secret".to_owned()).unwrap());
        assert_eq!((message.create_time, message.thread_id), (thread.last_message_time, thread.thread_id));
        assert!(!serde_json::to_string(&sent()).unwrap().contains("secret"));
        assert_eq!((thread.unread_by(&subject("ana")), thread.unread_by(&subject("bob"))), (3, 0));
        assert_eq!(thread.others_than(&subject("eve")), [subject("ana")]);
    }

    #[test]
    fn debug_shows_neither_text_nor_name() {
        let (message, thread) = sent().with_body(Body::parse("secret".to_owned()).unwrap());
        let shown = format!("{message:?} {thread:?} {:?}", sent());
        assert!(!shown.to_lowercase().contains("secret"), "{shown}");
    }
}
