//! What takes an offer back.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::assign_conversation_request::Target;
use proto::routing::v1::*;
use tonic::Code;

use crate::erasure::erase;
use crate::world::{World, refusal};

testkit::on_both_databases! {
    // R2, R12
    async fn who_goes_away_or_leaves_the_team_is_asked_no_more_and_has_refused_nothing(engine) {
        let (world, ana, ben) = World::two(engine).await;
        let team = world.asking(600, &[&ana, &ben]).await;
        let it = world.begin("c-1").await;
        let first = world.offered("ana", &it.conversation_id).await;
        world.pin("ana", &ana, Availability::Away).await;
        world.has_ended("ana", &first, "TAKEN_BACK").await;
        let second = world.offered("ben", &it.conversation_id).await;
        world.pin("ana", &ana, Availability::Online).await;
        world.pin("ben", &ben, Availability::Offline).await;
        world.has_ended("ben", &second, "TAKEN_BACK").await;
        let third = world.offered("ana", &it.conversation_id).await;
        let remove = RemoveTeamMembersRequest { team_id: team.team_id.clone(), agent_ids: vec![ana.agent_id.clone()] };
        world.teams().remove_team_members(remove).await.unwrap();
        world.has_ended("ana", &third, "TAKEN_BACK").await;
        let add = AddTeamMembersRequest { team_id: team.team_id, agent_ids: vec![ana.agent_id] };
        world.teams().add_team_members(add).await.unwrap();
        let fourth = world.offered("ana", &it.conversation_id).await;
        world.accept("ana", &fourth).await.unwrap();
        let decided = world.decisions(&it.conversation_id).await;
        assert!(decided.iter().flat_map(|it| &it.candidates).all(|it| it.exclusion() != Exclusion::Refused));
    }

    // R2, R12
    async fn whose_lease_is_over_is_asked_no_more(engine) {
        let world = World::at_new_year(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.online("ben").await);
        world.agents("ana", Role::Agent).send_heartbeat(SendHeartbeatRequest {}).await.unwrap();
        world.asking(600, &[&ana, &ben]).await;
        let it = world.begin("c-1").await;
        let offer = world.offered("ana", &it.conversation_id).await;
        world.suite.hand().advance(Duration::from_secs(60));
        world.offered("ben", &it.conversation_id).await;
        world.has_ended("ana", &offer, "TAKEN_BACK").await;
    }

    // R6, R8, R12
    async fn who_gives_resolves_or_snoozes_a_conversation_takes_its_offer_back(engine) {
        let (world, ana, ben) = World::two(engine).await;
        let bank = world.team("bank", &[&ben]).await;
        world.asking(600, &[&ana]).await;
        let mut offers = Vec::new();
        for name in ["to-ben", "to-bank", "resolved", "snoozed"] {
            let it = world.begin(name).await;
            offers.push((world.offered("ana", &it.conversation_id).await, it));
        }
        let now = async |place: usize| world.read(&offers[place].1.conversation_id).await;
        world.assign("ana", &now(0).await, &ben).await.unwrap();
        world.order("ana", &now(1).await, Target::TeamId(bank.team_id)).await.unwrap();
        world.resolve(&offers[2].1.conversation_id).await;
        let until = world.suite.clock().now().plus(Duration::from_secs(90));
        let snooze = SnoozeConversationRequest {
            conversation_id: offers[3].1.conversation_id.clone(),
            snooze_until_time: Some(rpc::convert::proto_time(until)),
            ..Default::default()
        };
        world.conversations("ana", Role::Agent).snooze_conversation(snooze).await.unwrap();
        for (offer, _) in &offers {
            world.has_ended("ana", offer, "TAKEN_BACK").await;
        }
        assert_eq!(world.offered_to("ana").await, vec![]);
        assert_eq!(world.assigned(&offers[1].1.conversation_id).await.assignee.unwrap().username, "ben", "a team that does not ask");
        // Opened again, it is offered anew.
        world.suite.hand().advance(Duration::from_secs(91));
        let again = world.offered("ana", &offers[3].1.conversation_id).await;
        assert_ne!(again.offer_id, offers[3].0.offer_id);
    }

    // R12, P12
    async fn erasing_the_contact_takes_the_offer_with_it(engine) {
        let (world, ana, _) = World::two(engine).await;
        world.settle(UpdateSettingsRequest { default_capacity_units: Some(1), ..Default::default() }).await;
        world.asking(600, &[&ana]).await;
        let it = world.begin("c-1").await;
        let offer = world.offered("ana", &it.conversation_id).await;
        let removed = erase(&world, &world.request_id(), &[&it.contact_id]).await;
        assert!(removed.contains(&("offers".to_owned(), 1)), "{removed:?}");
        let gone = world.accept("ana", &offer).await.unwrap_err();
        assert_eq!(refusal(&gone), (Code::NotFound, Some(ErrorReason::NotFound)));
        let next = world.begin("c-2").await;
        world.offered("ana", &next.conversation_id).await;
    }
}
