//! What agents and supervisors write each other about a conversation.
//!
//! | file | story |
//! |---|---|
//! | [`threads`] | who writes to whom, and what comes of it |
//! | [`sight`] | who sees a thread, and who cannot tell that there is one |
//! | [`unread`] | what a person has not read |
//! | [`limits`] | retries, sizes, pages, outages, the setting |

mod limits;
mod sight;
mod threads;
mod unread;

use kernel::Role;
use proto::notes::v1::internal_message_service_client::InternalMessageServiceClient;
use proto::notes::v1::send_internal_message_request::To;
use proto::notes::v1::*;
use testkit::{Client, Engine};
use tonic::{Response, Status};

use crate::world::World;

type Internal = InternalMessageServiceClient<Client>;

/// A conversation that the agent Ana has; Bob is another agent, Eve and Sam are supervisors.
struct Office {
    world: World,
    ana: String,
    bob: String,
    eve: String,
    sam: String,
}

impl Office {
    async fn on(engine: Engine) -> Self {
        let world = World::on(engine).await;
        let [ana, bob] = ["ana", "bob"].map(|name| world.peers.person(name, Role::Agent));
        let [eve, sam] = ["eve", "sam"].map(|name| world.peers.person(name, Role::Supervisor));
        world.peers.assign(&world.conversation, Some(&ana));
        Self { world, ana, bob, eve, sam }
    }

    /// The service as seen by an agent.
    fn agent(&self, name: &str) -> Internal {
        self.as_one_of("acme", name, Role::Agent)
    }

    /// The service as seen by a supervisor.
    fn supervisor(&self, name: &str) -> Internal {
        self.as_one_of("acme", name, Role::Supervisor)
    }

    fn as_one_of(&self, org: &str, name: &str, role: Role) -> Internal {
        let client = self.world.suite.client(org, &format!("sub-{name}"), role);
        InternalMessageServiceClient::new(client).max_decoding_message_size(4 << 20)
    }

    /// A request to write on the office's conversation.
    fn saying(&self, body: &str, to: Option<To>) -> SendInternalMessageRequest {
        SendInternalMessageRequest {
            conversation_id: self.world.conversation.clone(),
            body: body.to_owned(),
            to,
            request_id: String::new(),
        }
    }

    async fn try_send(
        &self,
        by: &mut Internal,
        body: &str,
        to: Option<To>,
    ) -> Result<Response<SendInternalMessageResponse>, Status> {
        by.send_internal_message(self.saying(body, to)).await
    }

    /// Writes, and gives the message and its thread.
    async fn sent(&self, by: &mut Internal, body: &str, to: Option<To>) -> (InternalMessage, InternalThread) {
        let answer = self.try_send(by, body, to).await.unwrap().into_inner();
        (answer.message.unwrap(), answer.thread.unwrap())
    }

    /// A request for a page of the office's conversation.
    fn page(&self, size: i32, token: &str) -> ListInternalMessagesRequest {
        ListInternalMessagesRequest {
            conversation_id: self.world.conversation.clone(),
            internal_thread_id: String::new(),
            page_size: size,
            page_token: token.to_owned(),
        }
    }

    /// The texts that somebody sees on the office's conversation.
    async fn seen(&self, by: &mut Internal) -> Vec<String> {
        let answer = by.list_internal_messages(self.page(200, "")).await.unwrap().into_inner();
        answer.messages.into_iter().map(|message| message.body).collect()
    }

    /// What somebody has not read: in total, and of the office's conversation.
    async fn unread(&self, by: &mut Internal) -> (i64, i32) {
        let request =
            GetInternalUnreadCountsRequest { conversation_ids: vec![self.world.conversation.clone()] };
        let answer = by.get_internal_unread_counts(request).await.unwrap().into_inner();
        (answer.total_unread_count, answer.conversations.first().map_or(0, |counted| counted.unread_count))
    }

    /// A request to move the cursor, to a message or the end.
    fn up_to(&self, message: Option<&InternalMessage>) -> MarkInternalMessagesReadRequest {
        MarkInternalMessagesReadRequest {
            conversation_id: self.world.conversation.clone(),
            up_to_internal_message_id: message
                .map(|message| message.internal_message_id.clone())
                .unwrap_or_default(),
        }
    }
}

fn to_person(agent_id: &str) -> Option<To> {
    Some(To::RecipientAgentId(agent_id.to_owned()))
}

fn to_thread(thread: &InternalThread) -> Option<To> {
    Some(To::InternalThreadId(thread.internal_thread_id.clone()))
}

fn people(thread: &InternalThread) -> Vec<&str> {
    thread.people.iter().map(|person| person.subject.as_str()).collect()
}
