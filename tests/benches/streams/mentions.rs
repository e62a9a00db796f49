//! Notes are written, 200 a second whatever the answers take, each with a mention of somebody who listens.

use std::time::{Duration, Instant};

use kernel::Role;
use proto::notes::v1::CreateNoteRequest;
use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::routing::v1 as routing;
use proto::routing::v1::agent_service_client::AgentServiceClient;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use tokio::time::MissedTickBehavior;

use crate::listeners::{Ears, name};
use crate::server::Server;

const EVERY: Duration = Duration::from_millis(5);
/// The first seconds are not counted.
const WARM_UP: usize = 600;
const MEASURED: usize = 4_000;
const CONVERSATIONS: usize = 200;
/// People who are mentioned, in turn.
const MENTIONED: usize = 1_000;
/// How long the last ones may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long things took.
pub(crate) struct Times {
    pub(crate) answered: Vec<Duration>,
    pub(crate) heard: Vec<Duration>,
}

pub(crate) async fn measure(server: &Server, ears: &Ears, streams: usize) -> Times {
    let mentioned = MENTIONED.min(streams);
    let channels = [server.channel(), server.channel(), server.channel(), server.channel()];
    for number in 0..mentioned {
        let mut agents = AgentServiceClient::new(server.over(&channels[0], &name(number), Role::Agent));
        agents.get_my_agent(routing::GetMyAgentRequest {}).await.unwrap();
    }
    let conversations = conversations(server).await;
    let authors = channels
        .each_ref()
        .map(|channel| NoteServiceClient::new(server.over(channel, "author", Role::Supervisor)));
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = Vec::with_capacity(WARM_UP + MEASURED);
    for number in 0..WARM_UP + MEASURED {
        // When it should be sent, not when it is: what is late because of others counts.
        let begun = tick.tick().await.into_std();
        let mut notes = authors[number % authors.len()].clone();
        let request = CreateNoteRequest {
            conversation_id: conversations[number % CONVERSATIONS].clone(),
            body: format!("The customer asks again. @{} please look.", name(number % mentioned)),
            ..CreateNoteRequest::default()
        };
        calls.push(tokio::spawn(async move {
            let note = notes.create_note(request).await.unwrap().into_inner().note.unwrap();
            (note.note_id, begun, begun.elapsed())
        }));
    }
    let mut sent = Vec::new();
    for call in calls.into_iter().skip(WARM_UP) {
        sent.push(call.await.unwrap());
    }
    let since = Instant::now();
    while !sent.iter().all(|(id, ..)| ears.lock().unwrap().contains_key(id)) {
        assert!(since.elapsed() < PATIENCE, "somebody was not told");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let heard = ears.lock().unwrap();
    Times {
        answered: sent.iter().map(|(_, _, took)| *took).collect(),
        heard: sent.iter().map(|(id, begun, _)| heard[id].saturating_duration_since(*begun)).collect(),
    }
}

async fn conversations(server: &Server) -> Vec<String> {
    let client = server.over(&server.channel(), "adapter", Role::Integration);
    let mut channel = ConversationServiceClient::new(client);
    let mut made = Vec::with_capacity(CONVERSATIONS);
    for number in 0..CONVERSATIONS {
        let request = routing::RecordMessageRequest {
            channel: "chat".into(),
            external_id: format!("m-{number}"),
            direction: routing::Direction::Inbound.into(),
            conversation_external_id: format!("c-{number}"),
            contact_address: format!("p-{number}"),
            text: "hello".into(),
            ..Default::default()
        };
        let recorded = channel.record_message(request).await.unwrap().into_inner();
        made.push(recorded.conversation.unwrap().conversation_id);
    }
    made
}
