//! An agent mutes a conversation that they see, and learns why they heard of something in the feed only.

use kernel::{Clock, Role};
use proto::notifications::v1 as told;
use tonic::Code;

use crate::cast::{Ear, assigned, customer_writes, eventually, message, route, team};
use crate::privacy::note_on;
use crate::world::{World, in_every_shape};

in_every_shape! {
    // D6
    async fn an_agent_mutes_what_they_see_and_asks_why_they_were_not_told(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "m-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = team.agent(&conversation.assignee.unwrap().subject);
        let reader = team.other_than(&author.subject);
        let mut preferences = reader.api.preferences();
        let mute = |conversation_id: &str| told::MuteConversationRequest { conversation_id: conversation_id.to_owned() };
        let muted = preferences.mute_conversation(mute(&conversation.conversation_id)).await.unwrap().into_inner();
        assert_eq!(muted.mute.unwrap().conversation_id, conversation.conversation_id);
        let nobodys = Clock::system().new_id().to_string();
        assert_eq!(preferences.mute_conversation(mute(&nobodys)).await.unwrap_err().code(), Code::NotFound);
        let elsewhere = world.as_one_of("globex", "mallory", Role::Admin);
        let foreign = elsewhere.preferences().mute_conversation(mute(&conversation.conversation_id)).await;
        assert_eq!(foreign.unwrap_err().code(), Code::NotFound);

        // Muted or not, the feed has it.
        let mut ear = Ear::open(&reader.api).await;
        note_on(&author.api, &conversation.conversation_id, &format!("@{} look", reader.subject)).await;
        let entry = ear.hears_of(told::NotificationType::Mentioned).await;
        let explained = eventually("it is explained", || async {
            let request = told::ExplainDeliveryRequest { notification_id: entry.notification_id.clone() };
            let answer = reader.api.preferences().explain_delivery(request).await.unwrap().into_inner();
            // Nobody has set up email here, and nobody has a device.
            let passed = answer.channels[1].reasons[0].cause() == told::DeliveryCause::NotPlanned;
            passed.then_some(answer)
        });
        let explained = explained.await;
        let outcomes: Vec<_> = explained.channels.iter().map(told::ChannelExplanation::outcome).collect();
        let not_told = told::ChannelOutcome::NotTold;
        assert_eq!(outcomes, [told::ChannelOutcome::Told, not_told, not_told]);
        world.stop().await;
    }
}
