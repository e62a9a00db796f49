//! Who is asked again, and who is not.

use super::*;

testkit::on_both_databases! {
    // R11, R12
    async fn who_just_came_online_is_asked_about_as_much_as_they_may_have_and_what_they_decline_does_not_count(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        let team = world.asking(30, &[&ana]).await;
        let ramp = UpdateTeamRequest {
            team_id: team.team_id,
            ramp_up_limit: 1,
            ramp_up_seconds: 3_600,
            ..Default::default()
        };
        world.teams().update_team(ramp).await.unwrap();
        let declined = world.begin("c-1").await;
        let offer = world.offered("ana", &declined.conversation_id).await;
        let it = world.begin("c-2").await;
        let why = world.decided(&it.conversation_id, 1).await;
        assert_eq!(why[0].candidates[0].exclusion(), Exclusion::RampingUp);
        world.reject("ana", &offer, "").await.unwrap();
        let offer = world.offered("ana", &it.conversation_id).await;
        world.accept("ana", &offer).await.unwrap();
        let more = world.begin("c-3").await;
        let why = world.decided(&more.conversation_id, 1).await;
        assert_eq!(why[0].candidates[0].exclusion(), Exclusion::RampingUp);
    }

    // R12
    async fn who_lets_three_offers_in_a_row_pass_is_away_until_they_say_otherwise(engine) {
        let world = World::attentive(engine).await;
        let ana = world.online("ana").await;
        world.asking(5, &[&ana]).await;
        let it = world.begin("c-1").await;
        let mut count = 0;
        let mut missed = async |times: usize| {
            for _ in 0..times {
                let offer = world.offered("ana", &it.conversation_id).await;
                world.pass(5);
                count += 2;
                world.decided(&it.conversation_id, count).await;
                world.has_ended("ana", &offer, "TIMED_OUT").await;
                world.pass(5);
            }
        };
        missed(2).await;
        assert_eq!(world.agent("ana").await.availability(), Availability::Online);
        missed(1).await;
        let away = world.agent("ana").await;
        assert_eq!((away.availability(), away.availability_pinned), (Availability::Away, true));
        let decided = world.decisions(&it.conversation_id).await;
        assert_eq!((decided.len(), decided[0].candidates[0].exclusion()), (6, Exclusion::Away));
        let told = world.told(4).await;
        let told = told.iter().find(|it| it.r#type() == NotificationType::NoReply).unwrap();
        assert_eq!(told.recipient_subjects, ["ana"]);
        assert!(told.reason.starts_with("You did not answer 3 offers in a row"), "{}", told.reason);
        let filter = AuditFilter { action: "agent.go_away".into(), ..AuditFilter::default() };
        let request = ListAuditEventsRequest { filter: Some(filter), ..Default::default() };
        let mut admin = AdminServiceClient::new(world.client("root", Role::Admin));
        let noted = admin.list_audit_events(request).await.unwrap().into_inner().events;
        assert_eq!(noted.iter().map(|it| it.object_id.as_str()).collect::<Vec<_>>(), [ana.agent_id.as_str()]);
        // Back again, they are asked, and what they missed before is forgotten.
        world.online("ana").await;
        missed(2).await;
        let offer = world.offered("ana", &it.conversation_id).await;
        world.reject("ana", &offer, "").await.unwrap();
        world.pass(5);
        missed(1).await;
        assert_eq!(world.agent("ana").await.availability(), Availability::Online);
    }

    // R12, R15
    async fn what_waits_again_after_an_offer_says_so(engine) {
        let world = World::attentive(engine).await;
        let ana = world.agent("ana").await;
        world.asking(30, &[&ana]).await;
        let it = world.begin("c-1").await;
        assert_eq!(world.decided(&it.conversation_id, 1).await[0].outcome(), DecisionOutcome::Queued);
        world.online("ana").await;
        let offer = world.offered("ana", &it.conversation_id).await;
        assert_eq!(world.decisions(&it.conversation_id).await[0].outcome(), DecisionOutcome::Offered);
        world.reject("ana", &offer, "").await.unwrap();
        let why = world.decided(&it.conversation_id, 3).await;
        assert_eq!(why[0].outcome(), DecisionOutcome::Queued);
        assert_eq!(why[0].candidates[0].exclusion(), Exclusion::Refused);
    }

    // R12, R13
    async fn who_left_the_customer_without_a_reply_is_asked_only_if_nobody_else_can_take_it(engine) {
        let world = World::attentive(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        let team = world.asking(30, &[&ana, &ben]).await;
        let limit = ReplyLimit { limit: seconds(60), then: ReplyLimitAction::NextAgent.into() };
        let request = UpdateTeamRequest { team_id: team.team_id, reply_limit: Some(limit), ..Default::default() };
        world.teams().update_team(request).await.unwrap();
        let it = world.begin("c-1").await;
        let declined = world.offered("ana", &it.conversation_id).await;
        world.reject("ana", &declined, "").await.unwrap();
        let taken = world.offered("ben", &it.conversation_id).await;
        world.accept("ben", &taken).await.unwrap();
        let between = world.begin("c-2").await;
        let hers = world.offered("ana", &between.conversation_id).await;
        world.accept("ana", &hers).await.unwrap();
        world.record(crate::world::outbound("c-2", "2")).await;

        // It is the turn of ben, who did not reply, and ana declined it when it waited before.
        world.pass(60);
        let again = world.offered("ana", &it.conversation_id).await;
        world.reject("ana", &again, "").await.unwrap();
        world.decided(&it.conversation_id, 6).await;
        world.pass(30);
        let once_more = world.offered("ana", &it.conversation_id).await;
        assert_eq!(world.offered_to("ben").await, vec![]);

        world.pin("ana", &ana, Availability::Away).await;
        world.has_ended("ana", &once_more, "TAKEN_BACK").await;
        world.offered("ben", &it.conversation_id).await;
    }
}
