//! A supervisor corrects an agent behind the customer's back, the agent calls one, and nobody else learns of it.

use kernel::Role;
use proto::notes::v1 as notes;
use proto::notifications::v1 as feed;
use proto::routing::v1 as pb;
use suite::client::Session;
use tonic::Code;

use crate::cast::{Agent, Ear, assigned, customer_writes, message, route, team};
use crate::privacy::seen_by_contact;
use crate::raw::{Answer, Values, call};
use crate::world::{ORG, World, in_every_shape};

/// In every internal message here, and nowhere else.
const CANARY: &str = "canary-between-us-4b8e17";

/// Writes an internal message, to a person or to whoever is meant.
pub(crate) async fn tell(
    by: &Session,
    conversation_id: &str,
    body: &str,
    recipient: Option<&str>,
) -> (notes::InternalMessage, notes::InternalThread) {
    let request = notes::SendInternalMessageRequest {
        conversation_id: conversation_id.to_owned(),
        body: body.to_owned(),
        to: recipient.map(|id| notes::send_internal_message_request::To::RecipientAgentId(id.to_owned())),
        request_id: String::new(),
    };
    let answer = by.internal_messages().send_internal_message(request).await.unwrap().into_inner();
    (answer.message.unwrap(), answer.thread.unwrap())
}

/// The internal messages that somebody sees on a conversation.
async fn exchange(by: &Session, conversation_id: &str) -> Vec<notes::InternalMessage> {
    let request = notes::ListInternalMessagesRequest {
        conversation_id: conversation_id.to_owned(),
        ..Default::default()
    };
    by.internal_messages().list_internal_messages(request).await.unwrap().into_inner().messages
}

fn texts(messages: &[notes::InternalMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.body.as_str()).collect()
}

async fn unread(by: &Session) -> i64 {
    let request = notes::GetInternalUnreadCountsRequest::default();
    by.internal_messages().get_internal_unread_counts(request).await.unwrap().into_inner().total_unread_count
}

/// The agent answers the customer.
async fn answer(agent: &Agent, source: &str, conversation: &str, turn: u32, text: &str) {
    let answer = pb::RecordMessageRequest {
        direction: pb::Direction::Outbound.into(),
        ..message(source, conversation, turn, text)
    };
    agent.api.conversations().record_message(answer).await.unwrap();
}

async fn listed(by: &Session, view: pb::InboxView, sort: pb::ConversationSort) -> Vec<pb::Conversation> {
    let request = pb::ListConversationsRequest { view: view.into(), sort: sort.into(), ..Default::default() };
    let entries = by.conversations().list_conversations(request).await.unwrap().into_inner().entries;
    entries.into_iter().filter_map(|entry| entry.conversation).collect()
}

async fn messages(by: &Session, conversation_id: &str) -> Vec<String> {
    let request =
        pb::ListMessagesRequest { conversation_id: conversation_id.to_owned(), ..Default::default() };
    let listed = by.conversations().list_messages(request).await.unwrap().into_inner().messages;
    listed.into_iter().map(|message| message.text).collect()
}

async fn resolve(by: &Session, conversation_id: &str) {
    let request =
        pb::ResolveConversationRequest { conversation_id: conversation_id.to_owned(), etag: String::new() };
    by.conversations().resolve_conversation(request).await.unwrap();
}

in_every_shape! {
    // I1 I2 I4 D1
    async fn a_supervisor_corrects_an_agent_who_thanks_and_answers_the_customer_better(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "i-1", 0, "I lost my boarding pass")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let agent = team.agent(&conversation.assignee.clone().unwrap().subject);
        answer(agent, "airline", "i-1", 1, "Not my problem.").await;
        customer_writes(&world, message("airline", "i-1", 2, "So what do I do?")).await;

        // The supervisor looks over what waits.
        let supervisor = world.as_one("paula", Role::Supervisor);
        let waiting = listed(&supervisor, pb::InboxView::All, pb::ConversationSort::LongestWaiting).await;
        assert_eq!(waiting[0].conversation_id, conversation.conversation_id);
        assert!(waiting[0].waiting_since_time.is_some());
        let said = messages(&supervisor, &conversation.conversation_id).await;
        assert_eq!(said, ["I lost my boarding pass", "Not my problem.", "So what do I do?"]);
        let (mut agents_ear, mut supervisors_ear) = (Ear::open(&agent.api).await, Ear::open(&supervisor).await);
        let correction = "Be kind, please: ask for the **booking code**, it can be printed again.";
        let (_, thread) = tell(&supervisor, &conversation.conversation_id, correction, None).await;
        assert_eq!(thread.agent_subject, agent.subject);

        // The agent is told, reads it, and thanks.
        let told = agents_ear.hears_of(feed::NotificationType::InternalMessage).await;
        assert_eq!(told.conversation_id, conversation.conversation_id);
        assert!(!told.reason.contains("booking"), "a notification carries no content");
        assert_eq!(unread(&agent.api).await, 1);
        let read = exchange(&agent.api, &conversation.conversation_id).await;
        assert_eq!(texts(&read), [correction]);
        let mark = notes::MarkInternalMessagesReadRequest {
            conversation_id: conversation.conversation_id.clone(),
            up_to_internal_message_id: read[0].internal_message_id.clone(),
        };
        let marked = agent.api.internal_messages().mark_internal_messages_read(mark).await.unwrap().into_inner();
        assert_eq!((marked.unread_count, marked.total_unread_count), (0, 0));
        tell(&agent.api, &conversation.conversation_id, "Thank you, I will.", None).await;
        let told = supervisors_ear.hears_of(feed::NotificationType::InternalMessage).await;
        assert_eq!(told.actor.unwrap().subject, agent.subject);
        assert_eq!(unread(&supervisor).await, 1);

        // And answers the customer better, who sees what was written to them and nothing else.
        answer(agent, "airline", "i-1", 3, "I am sorry. What is your booking code?").await;
        let contact = world.as_one(&conversation.contact_id, Role::Contact);
        assert_eq!(
            messages(&contact, &conversation.conversation_id).await,
            ["I lost my boarding pass", "Not my problem.", "So what do I do?", "I am sorry. What is your booking code?"]
        );
        world.stop().await;
    }

    // I2 I3 I5
    async fn the_whole_exchange_is_in_the_history_after_the_conversation_is_resolved(world: World) {
        let team = team(&world, "claims", &["ana", "ben"]).await;
        route(&world, "insurance", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("insurance", "i-2", 0, "where is my claim")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let agent = team.agent(&conversation.assignee.clone().unwrap().subject);
        let admin = world.as_one("admin", Role::Admin);
        let profile = pb::AgentProfile {
            username: "p.souza".into(),
            display_name: "Paula Souza".into(),
            role: proto::common::v1::Role::Supervisor.into(),
            ..Default::default()
        };
        let request =
            pb::CreateAgentRequest { subject: "paula".into(), profile: Some(profile), ..Default::default() };
        admin.agents().create_agent(request).await.unwrap();

        // The agent finds a supervisor by name and calls her.
        let search =
            pb::SearchPeopleRequest { query: "souz".into(), supervisors_only: true, ..Default::default() };
        let found = agent.api.directory().search_people(search).await.unwrap().into_inner().people;
        let [paula] = found.as_slice() else { panic!("one Paula: {found:?}") };
        let paula = paula.person.clone().unwrap();
        let supervisor = world.as_one("paula", Role::Supervisor);
        let mut ear = Ear::open(&supervisor).await;
        let id = &conversation.conversation_id;
        let (_, called) = tell(&agent.api, id, "May I pay 80?", Some(&paula.agent_id)).await;
        assert_eq!(ear.hears_of(feed::NotificationType::InternalMessage).await.conversation_id, *id);
        let (_, answered) = tell(&supervisor, id, "Up to 100.", None).await;
        assert_eq!(called.internal_thread_id, answered.internal_thread_id, "the same thread");
        tell(&agent.api, id, "Done, thanks.", None).await;
        resolve(&agent.api, id).await;

        // Later another supervisor reads it in the history.
        let later = world.as_one("quentin", Role::Supervisor);
        let resolved = listed(&later, pb::InboxView::Resolved, pb::ConversationSort::LastActivity).await;
        assert_eq!(resolved[0].conversation_id, *id);
        let whole = exchange(&later, id).await;
        assert_eq!(texts(&whole), ["May I pay 80?", "Up to 100.", "Done, thanks."]);
        let authors: Vec<_> = whole.iter().map(|message| message.author.clone().unwrap().subject).collect();
        assert_eq!(authors, [agent.subject.as_str(), "paula", agent.subject.as_str()]);
        assert_eq!(exchange(&agent.api, id).await, whole, "and so does the agent");
        let other = notes::ListInternalMessagesRequest { conversation_id: id.clone(), ..Default::default() };
        let other = team.other_than(&agent.subject).api.internal_messages().list_internal_messages(other).await;
        assert_eq!(other.unwrap_err().code(), Code::NotFound);
        world.stop().await;
    }

    // I5 N3
    async fn no_rpc_shows_an_internal_message_to_a_contact_or_to_another_agent(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "i-3", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let agent = team.agent(&conversation.assignee.clone().unwrap().subject);
        let other = team.other_than(&agent.subject);
        let supervisor = world.as_one("paula", Role::Supervisor);
        let me = supervisor.agents().get_my_agent(pb::GetMyAgentRequest {}).await.unwrap().into_inner().agent.unwrap();

        let outsiders = [
            world.token(ORG, &conversation.contact_id, Role::Contact),
            world.token(ORG, &other.subject, Role::Agent),
        ];
        let known = Values::from([
            ("conversation_id", conversation.conversation_id.clone()),
            ("contact_id", conversation.contact_id.clone()),
            ("agent_id", agent.agent_id.clone()),
            ("recipient_agent_id", me.agent_id.clone()),
            ("team_id", team.team_id.clone()),
            ("handle", agent.subject.clone()),
            ("query", "canary".to_owned()),
        ]);
        let mut before = Vec::new();
        for token in &outsiders {
            before.push(all_that_is_read(&world, token, &known).await);
        }
        let contact_before = seen_by_contact(&world, &conversation).await;

        let mut ear = Ear::open(&agent.api).await;
        let id = &conversation.conversation_id;
        let (mut last, mut thread) = tell(&supervisor, id, &format!("{CANARY} 0: he is lying"), None).await;
        for number in 1..20 {
            let by = if number % 2 == 0 { &supervisor } else { &agent.api };
            (last, thread) = tell(by, id, &format!("{CANARY} {number}: he is lying"), None).await;
        }
        let told = ear.hears_of(feed::NotificationType::InternalMessage).await;
        // The last of it has left the outbox when the last one told has heard of it.
        for _ in 0..9 {
            ear.hears_of(feed::NotificationType::InternalMessage).await;
        }

        for (token, before) in outsiders.iter().zip(before) {
            assert_eq!(all_that_is_read(&world, token, &known).await, before, "twenty messages changed not one byte");
        }
        assert_eq!(seen_by_contact(&world, &conversation).await, contact_before);
        let mut named = known;
        named.extend([
            ("internal_thread_id", thread.internal_thread_id.clone()),
            ("up_to_internal_message_id", last.internal_message_id.clone()),
            ("notification_id", told.notification_id.clone()),
        ]);
        let private = [CANARY, "he is lying", &thread.internal_thread_id, &last.internal_message_id, &told.notification_id];
        for (token, role) in outsiders.iter().zip([Role::Contact, Role::Agent]) {
            for method in proto::METHODS {
                let answer = call(&world, token, method, &named).await;
                for private in private {
                    assert!(!answer.contains(private), "{} as {role:?} shows {private}: {answer:?}", method.path);
                }
                if role == Role::Contact && method.path.starts_with("/backchannel.notes.") {
                    assert_eq!(answer.code(), Some(Code::PermissionDenied), "{}: {answer:?}", method.path);
                }
            }
        }
        // The other agent's own thread, which the walk has opened, is theirs alone: nothing of the first is in it.
        let own = exchange(&other.api, id).await;
        assert!(own.iter().all(|message| message.author.as_ref().unwrap().subject == other.subject), "{own:?}");
        assert_eq!(exchange(&agent.api, id).await.len(), 20, "nor is anything of theirs in the first");
        world.stop().await;
    }
}

/// What every RPC that only reads answers to somebody.
async fn all_that_is_read(world: &World, token: &str, values: &Values) -> Vec<(&'static str, Seen)> {
    let mut seen = Vec::new();
    for method in proto::METHODS {
        let reads = method.idempotency == proto::Idempotency::NoSideEffects && !method.server_streaming;
        if reads {
            seen.push((method.path, Seen::from(call(world, token, method, values).await)));
        }
    }
    assert!(seen.len() > 10, "the walk reaches the contracts");
    seen
}

/// An answer that can be compared with another.
#[derive(Debug, PartialEq)]
struct Seen(Vec<bytes::Bytes>, Option<(Code, String)>);

impl From<Answer> for Seen {
    fn from(answer: Answer) -> Self {
        Self(answer.messages, answer.status.map(|status| (status.code(), status.message().to_owned())))
    }
}
