//! Workflows at work while queues are served.

use kernel::Role;
use proto::routing::v1::*;

use crate::world::{World, assign_team, inbound};

const MANY: usize = 40;

testkit::on_both_databases! {
    // R9, faults 8
    async fn a_conversation_that_a_workflow_moves_is_not_given_away_by_the_team_it_left(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let (first, other) = (world.team("first", &[&ana]).await, world.team("other", &[&ben]).await);
        world.on_trigger(Trigger::ConversationCreated, "", vec![assign_team(&first)]).await;
        world.on_trigger(Trigger::MessageReceived, "message.text == 'move'", vec![assign_team(&other)]).await;
        let mut ids = Vec::new();
        for index in 0..MANY {
            ids.push(world.begin(&format!("c-{index}")).await.conversation_id);
        }
        // Ana comes, and her queue is served, while messages move the conversations.
        let moving = (0..MANY).map(|index| {
            let message = RecordMessageRequest { text: "move".into(), ..inbound(&format!("c-{index}"), "2") };
            let mut adapter = world.adapter();
            async move { adapter.record_message(message).await.unwrap() }
        });
        let coming = world.pin("ana", &ana, Availability::Online);
        futures::future::join(futures::future::join_all(moving), coming).await;
        // Whatever was given before it moved was taken back.
        for id in &ids {
            let it = world.read(id).await;
            assert_eq!((it.team_id.as_str(), &it.assignee), (other.team_id.as_str(), &None), "{id}");
        }
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
        world.pin("ben", &ben, Availability::Online).await;
        for id in &ids {
            assert_eq!(world.assigned(id).await.assignee.unwrap().username, "ben");
        }
        let request = GetAgentRequest { agent_id: ben.agent_id };
        let ben = world.agents("ana", Role::Agent).get_agent(request).await.unwrap().into_inner().agent.unwrap();
        assert_eq!(usize::try_from(ben.open_conversation_count), Ok(MANY));
    }
}
