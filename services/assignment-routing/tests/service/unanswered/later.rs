//! Work that reaches agents who are offline already, and replies that come late or are told late.

use super::*;

impl World {
    /// Puts a conversation aside for so many seconds.
    async fn put_aside(&self, it: &Conversation, seconds: i64) {
        let until = crate::world::NEW_YEAR.as_micros() / 1_000_000 + seconds;
        let request = SnoozeConversationRequest {
            conversation_id: it.conversation_id.clone(),
            snooze_until_time: Some(prost_types::Timestamp { seconds: until, nanos: 0 }),
            ..Default::default()
        };
        self.conversations("root", Role::Admin).snooze_conversation(request).await.unwrap();
    }
}

testkit::on_both_databases! {
    // R13
    async fn what_reaches_who_is_offline_already_is_theirs_for_a_grace_from_then_on(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("bags", &[]).await;
        let unanswered = world.left_to("c-1", &ana, &team).await;
        let answered = world.left_to("c-2", &ana, &team).await;
        world.record(outbound("c-2", "2")).await;
        let aside = world.left_to("c-3", &ana, &team).await;
        world.put_aside(&aside, 300).await;
        world.leave("ana", &ana).await;
        world.pass(60);
        world.until(&unanswered.conversation_id, |it| it.assignee.is_none()).await;

        let given = world.left_to("c-4", &ana, &team).await;
        world.record(inbound("c-2", "3")).await;
        world.pass(59);
        world.record(inbound("c-2", "4")).await;
        for it in [&answered, &given] {
            assert_eq!(holder(&world.read(&it.conversation_id).await), "ana", "the grace is not over");
        }
        world.pass(1);
        for it in [&answered, &given] {
            world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
            let why = world.because(&it.conversation_id, DecisionCause::AgentOffline).await;
            assert_eq!(why.previous_assignee.unwrap().username, "ana");
        }

        world.pass(180);
        world.until(&aside.conversation_id, |it| it.status() == ConversationStatus::Open).await;
        assert_eq!(holder(&world.read(&aside.conversation_id).await), "ana");
        world.pass(60);
        world.until(&aside.conversation_id, |it| it.assignee.is_none()).await;
    }

    // R13
    async fn who_was_back_in_between_has_a_grace_of_their_own(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("bags", &[]).await;
        world.leave("ana", &ana).await;
        let it = world.left_to("c-1", &ana, &team).await;
        world.pass(50);
        world.online("ana").await;
        world.leave("ana", &ana).await;
        world.pass(30);
        let other = world.online("ben").await;
        let later = world.left_to("c-2", &other, &team).await;
        world.leave("ben", &other).await;
        assert_eq!(holder(&world.read(&it.conversation_id).await), "ana");
        world.pass(30);
        world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
        assert_eq!(holder(&world.read(&later.conversation_id).await), "ben");
    }

    // R13
    async fn a_message_that_comes_late_leaves_its_agent_the_whole_time_to_reply(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("bags", &[&ana]).await;
        world.limit(&team, 60, ReplyLimitAction::Requeue).await;
        let it = world.left_to("c-1", &ana, &team).await;
        world.record(outbound("c-1", "2")).await;
        world.pin("ana", &ana, Availability::Away).await;
        world.pass(600);
        let sent_time = Some(rpc::convert::proto_time(crate::world::NEW_YEAR.plus(std::time::Duration::from_secs(300))));
        world.record(RecordMessageRequest { sent_time, ..inbound("c-1", "3") }).await;
        world.pass(59);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert_eq!(holder(&world.read(&it.conversation_id).await), "ana");
        world.pass(1);
        world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
    }

    // R4, R13
    async fn an_answer_that_comes_late_does_not_end_a_newer_wait(engine) {
        let world = World::at_new_year(engine).await;
        let at = |seconds| Some(rpc::convert::proto_time(crate::world::NEW_YEAR.plus(std::time::Duration::from_secs(seconds))));
        world.begin("c-1").await;
        world.pass(20);
        world.record(RecordMessageRequest { sent_time: at(10), ..outbound("c-1", "2") }).await;
        world.pass(20);
        let asked = world.record(inbound("c-1", "3")).await.conversation.unwrap();
        let late = world.record(RecordMessageRequest { sent_time: at(15), ..outbound("c-1", "4") }).await;
        let late = late.conversation.unwrap();
        assert_eq!((late.message_count, late.waiting_since_time), (4, asked.waiting_since_time));
        let answered = world.record(outbound("c-1", "5")).await.conversation.unwrap();
        assert_eq!(answered.waiting_since_time, None);
    }

    // R13
    async fn with_a_grace_for_the_first_time_it_begins_for_who_is_offline(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let team = world.team("bags", &[]).await;
        world.settle(UpdateSettingsRequest { offline_grace: seconds(0), ..Default::default() }).await;
        let it = world.left_to("c-1", &ana, &team).await;
        world.leave("ana", &ana).await;
        world.pass(600);
        world.settle(UpdateSettingsRequest { offline_grace: seconds(30), ..Default::default() }).await;
        world.pass(29);
        assert_eq!(holder(&world.read(&it.conversation_id).await), "ana");
        world.pass(1);
        world.until(&it.conversation_id, |it| it.assignee.is_none()).await;
    }
}
