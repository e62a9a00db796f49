//! Writing an internal message.

use std::time::Duration;

use audit::Origin;
use db::{Retry, Tx};
use futures::future::try_join;
use kernel::{AgentId, Clock, ConversationId, Role, Timestamp};
use outbox::Outbox;
use rpc::Call;

use super::{require_enabled, sight, with_people};
use crate::app::App;
use crate::domain::internal_address::{Address, Unaddressed, address};
use crate::domain::internal_message::{
    InternalMessage, InternalMessageId, InternalThread, InternalThreadId, MOST_PEOPLE, Person, Sent,
};
use crate::domain::{Author, Body};
use crate::error::Error;
use crate::{events, store};

/// To whom somebody says that they write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// They do not say: whoever is meant by who they are, and by who has the conversation.
    Unsaid,
    /// This person.
    Person(AgentId),
    /// The people of this thread.
    Thread(InternalThreadId),
}

/// An internal message somebody wants to write.
#[derive(Debug)]
pub struct NewInternalMessage {
    /// About which conversation.
    pub conversation_id: ConversationId,
    /// Who writes it.
    pub author: Author,
    /// The text.
    pub body: Body,
    /// To whom.
    pub to: To,
    /// The request, for the audit trail.
    pub origin: Origin,
}

/// Where a message belongs.
enum Belongs {
    /// Into this thread.
    In(InternalThreadId),
    /// Into the thread of this agent, which there may not be yet.
    With(Address),
    /// Nowhere. Said in the transaction, where a retry has its first answer whatever became of the conversation since.
    Nowhere(Unaddressed),
}

struct Draft {
    outbox: Outbox,
    clock: Clock,
    now: Timestamp,
    belongs: Belongs,
    message_id: InternalMessageId,
    /// The id of the thread, if this opens one.
    thread_id: InternalThreadId,
    new: NewInternalMessage,
}

impl App {
    /// Writes an internal message in the thread where it belongs, which it opens if there is none, and tells everybody
    /// else in it. A retry has the first answer.
    ///
    /// # Errors
    /// [`Error::DisabledBySetting`], [`Error::NoSuchInternalThread`], [`Error::Unaddressed`], [`Error::TooManyPeople`],
    /// [`Error::Routing`] if the conversation or the recipient is not there or routing does not answer, [`Error::Reused`],
    /// [`Error::Database`]; nothing is written then.
    pub async fn send_internal_message(
        &self,
        call: &Call,
        retry: Retry,
        new: NewInternalMessage,
    ) -> Result<(InternalMessage, InternalThread), Error> {
        let (belongs, body) = (self.place_of(call, &new).await?, new.body.clone());
        let (clock, request_id) = (self.clock.clone(), retry.request_id);
        let draft = Draft {
            outbox: self.outbox.clone(),
            now: clock.now(),
            message_id: clock.new_id().into(),
            thread_id: clock.new_id().into(),
            clock,
            belongs,
            new,
        };
        let sent = self.db.write_once(&call.caller.org, retry, move |tx| Box::pin(write(tx, draft)));
        let sent: Sent = sent.await.map_err(|error: Error| error.of_request(request_id))?;
        Ok(sent.with_body(body))
    }

    /// Where the message belongs. Routing is asked as the caller, and only about what the threads here do not say: an
    /// agent goes on writing while it is away, and so does whoever names the thread.
    async fn place_of(&self, call: &Call, new: &NewInternalMessage) -> Result<Belongs, Error> {
        let (conversation_id, to, sight) = (new.conversation_id, new.to, sight(&call.caller));
        let subject = call.caller.subject.clone();
        let known = self.db.read(&call.caller.org, move |tx| {
            Box::pin(async move {
                use store::internal_messages::threads::{find_thread_of, find_visible_thread};
                require_enabled(tx).await?;
                Ok::<_, Error>(match to {
                    To::Thread(id) => find_visible_thread(tx, &sight, conversation_id, id).await?,
                    To::Unsaid | To::Person(_) => find_thread_of(tx, conversation_id, &subject).await?,
                })
            })
        });
        let (recipient, own) = match (to, known.await?) {
            (To::Thread(_), found) => return found.map(Belongs::In).ok_or(Error::NoSuchInternalThread),
            (To::Unsaid, Some(own)) if new.author.role == Role::Agent => return Ok(Belongs::In(own)),
            (To::Unsaid, own) => (None, own),
            (To::Person(recipient), own) => (Some(recipient), own),
        };
        let assignee = self.peers.find_assignee(call, conversation_id);
        let (assignee, recipient) = try_join(assignee, self.peers.find_recipient(call, recipient)).await?;
        let address = address(&new.author, own.is_some(), assignee, recipient);
        Ok(address.map_or_else(Belongs::Nowhere, Belongs::With))
    }
}

async fn write(tx: &mut Tx, draft: Draft) -> Result<Sent, Error> {
    use store::internal_messages::{conversations, messages, people, threads};
    require_enabled(tx).await?;
    let NewInternalMessage { conversation_id, author, body, origin, .. } = draft.new;
    let create_time = conversations::next_time(tx, conversation_id, draft.now).await?;
    let mut joining = vec![Person::from(&author)];
    let thread = match draft.belongs {
        Belongs::In(id) => threads::continue_thread(tx, id, create_time).await?,
        Belongs::With(Address { agent, called }) => {
            let opened =
                threads::open_thread(tx, draft.thread_id, conversation_id, &agent.subject, create_time).await;
            joining.push(agent);
            joining.extend(called);
            opened?
        }
        Belongs::Nowhere(why) => return Err(why.into()),
    };
    people::join(tx, &thread, &joining, create_time.minus(Duration::from_micros(1))).await?;
    let members = people::count_message(tx, thread.thread_id, &Person::from(&author)).await?;
    if members.len() > MOST_PEOPLE {
        return Err(Error::TooManyPeople);
    }
    let thread = with_people(thread, members);
    let message = InternalMessage {
        message_id: draft.message_id,
        thread_id: thread.thread_id,
        conversation_id,
        author,
        body,
        create_time,
    };
    messages::insert_message(tx, &message).await?;
    let done = audit::Event::new("internal_message.create", message.message_id);
    audit::record(tx, &origin, &[done]).await?;
    let told = thread.others_than(&message.author.subject);
    draft.outbox.record(tx, &events::of_internal_message(&draft.clock, &message, &told)).await?;
    Ok(Sent { message_id: message.message_id, author: message.author, thread })
}
