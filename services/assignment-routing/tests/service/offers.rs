//! Teams that ask before they give.

mod passed_over;
mod taken_back;

use std::time::Duration;

use kernel::Role;
use proto::common::v1::{AuditFilter, ErrorReason};
use proto::notifications::v1::NotificationType;
use proto::routing::v1::admin_service_client::AdminServiceClient;
use proto::routing::v1::history_service_client::HistoryServiceClient;
use proto::routing::v1::offer_service_client::OfferServiceClient;
use proto::routing::v1::watch_inbox_response::Frame;
use proto::routing::v1::*;
use testkit::{Client, Engine};
use tonic::{Code, Status};

use crate::inbox_watch::{frame, opened};
use crate::world::{World, metadata, refusal};

fn seconds(seconds: i64) -> Option<prost_types::Duration> {
    Some(prost_types::Duration { seconds, nanos: 0 })
}

impl World {
    fn offers(&self, subject: &str) -> OfferServiceClient<Client> {
        OfferServiceClient::new(self.client(subject, Role::Agent))
    }

    /// A team that asks, and gets every new conversation.
    async fn asking(&self, timeout: i64, members: &[&Agent]) -> Team {
        let request = CreateTeamRequest {
            handle: "airline".into(),
            agent_ids: members.iter().map(|agent| agent.agent_id.clone()).collect(),
            assignment_mode: AssignmentMode::Offer.into(),
            offer_timeout: seconds(timeout),
            ..CreateTeamRequest::default()
        };
        let team = self.teams().create_team(request).await.unwrap().into_inner().team.unwrap();
        self.route("", &team).await;
        team
    }

    async fn offered_to(&self, subject: &str) -> Vec<Offer> {
        self.offers(subject).list_offers(ListOffersRequest::default()).await.unwrap().into_inner().offers
    }

    /// What is offered of a conversation to somebody, once it is.
    async fn offered(&self, subject: &str, id: &str) -> Offer {
        for _ in 0..400 {
            let offers = self.offered_to(subject).await;
            let of_it = |offer: &Offer| offer.conversation.as_ref().unwrap().conversation_id == id;
            if let Some(offer) = offers.into_iter().find(of_it) {
                return offer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it is not offered to {subject}");
    }

    async fn accept(&self, subject: &str, offer: &Offer) -> Result<Conversation, Status> {
        let request = AcceptOfferRequest { offer_id: offer.offer_id.clone() };
        Ok(self.offers(subject).accept_offer(request).await?.into_inner().conversation.unwrap())
    }

    async fn reject(&self, subject: &str, offer: &Offer, reason: &str) -> Result<(), Status> {
        let request = RejectOfferRequest { offer_id: offer.offer_id.clone(), reason: reason.into() };
        self.offers(subject).reject_offer(request).await.map(drop)
    }

    /// That an offer has ended, and how.
    async fn has_ended(&self, subject: &str, offer: &Offer, state: &str) {
        let late = self.accept(subject, offer).await.unwrap_err();
        assert_eq!(refusal(&late), (Code::FailedPrecondition, Some(ErrorReason::OfferEnded)));
        assert_eq!(metadata(&late, "state").unwrap(), state);
        assert_eq!(metadata(&late, "offer_id").unwrap(), offer.offer_id);
    }

    async fn two(engine: Engine) -> (Self, Agent, Agent) {
        let world = Self::at_new_year(engine).await;
        let (ana, ben) = (world.online("ana").await, world.online("ben").await);
        (world, ana, ben)
    }
}

testkit::on_both_databases! {
    // R12
    async fn an_offered_conversation_is_nobodys_until_its_agent_accepts_and_then_theirs(engine) {
        let (world, ana, ben) = World::two(engine).await;
        let team = world.asking(30, &[&ana, &ben]).await;
        let it = world.begin("c-1").await;
        let offer = world.offered("ana", &it.conversation_id).await;
        let waiting = world.read(&it.conversation_id).await;
        assert_eq!((offer.conversation.clone(), offer.state()), (Some(waiting.clone()), OfferState::Open));
        assert_eq!((waiting.assignee, &offer.team_id, offer.units), (None, &team.team_id, 1));
        let lasts = offer.expire_time.unwrap().seconds - offer.offer_time.unwrap().seconds;
        assert_eq!(lasts, 30);
        let told = world.told(1).await;
        assert_eq!((told[0].r#type(), &told[0].recipient_subjects), (NotificationType::Offered, &vec!["ana".to_owned()]));
        assert_eq!(told[0].reason, "A conversation of team @airline is offered to you: accept it within 30 seconds.");
        assert_eq!((world.offered_to("ben").await, world.agent("ana").await.open_conversation_count), (vec![], 0));

        let foreign = world.accept("ben", &offer).await.unwrap_err();
        assert_eq!(refusal(&foreign), (Code::PermissionDenied, Some(ErrorReason::NotTheReceiver)));
        assert_eq!(metadata(&foreign, "offer_id").unwrap(), offer.offer_id);
        let nothing = Offer { offer_id: world.request_id(), ..Default::default() };
        let absent = world.accept("ana", &nothing).await.unwrap_err();
        assert_eq!(refusal(&absent), (Code::NotFound, Some(ErrorReason::NotFound)));

        let accepted = world.accept("ana", &offer).await.unwrap();
        assert_eq!(accepted.assignee.as_ref().unwrap().username, "ana");
        assert_eq!(world.accept("ana", &offer).await.unwrap(), accepted, "a retry");
        let other = world.reject("ana", &offer, "").await.unwrap_err();
        assert_eq!(metadata(&other, "state").unwrap(), "ACCEPTED");
        assert_eq!((world.offered_to("ana").await, world.agent("ana").await.open_conversation_count), (vec![], 1));

        let decided = world.decisions(&it.conversation_id).await;
        assert_eq!((decided[0].cause(), decided[0].outcome()), (DecisionCause::Offer, DecisionOutcome::Assigned));
        assert_eq!(decided[0].summary, "ana accepted the offer of a team.");
        assert_eq!((decided[1].outcome(), decided[1].chosen.as_ref().unwrap().username.as_str()), (DecisionOutcome::Offered, "ana"));
        let made = decided[1].offer.as_ref().unwrap();
        assert_eq!((&made.offer_id, made.state(), made.end_time.is_some()), (&offer.offer_id, OfferState::Accepted, true));
        assert_eq!(
            decided[1].summary,
            "It was the turn of ana by round robin: 2 of 2 agents could take it; workflow \"route\" chose the team. It was \
             offered to ana. ana accepted."
        );
        let mut histories = HistoryServiceClient::new(world.client("ana", Role::Agent));
        let request = GetHistoryRequest { conversation_id: it.conversation_id, ..Default::default() };
        let history = histories.get_history(request).await.unwrap().into_inner();
        let last = history.events.last().unwrap();
        assert_eq!((last.r#type(), last.actor.as_ref().unwrap().subject.as_str()), (HistoryEventType::Assigned, "ana"));
    }

    // R12
    async fn who_rejects_is_not_asked_again_before_everybody_else_was_and_had_a_rest(engine) {
        let (world, ana, ben) = World::two(engine).await;
        world.asking(30, &[&ana, &ben]).await;
        let it = world.begin("c-1").await;
        let first = world.offered("ana", &it.conversation_id).await;
        world.reject("ana", &first, "I do not speak Spanish").await.unwrap();
        world.reject("ana", &first, "another reason").await.unwrap();
        world.has_ended("ana", &first, "REJECTED").await;
        let second = world.offered("ben", &it.conversation_id).await;
        world.reject("ben", &second, "").await.unwrap();
        let decided = world.decided(&it.conversation_id, 3).await;
        assert_eq!(decided[0].outcome(), DecisionOutcome::Queued);
        assert!(decided[0].summary.starts_with("None of 2 agents could take it (2 asked a moment ago)"), "{}", decided[0].summary);
        let asked = |name: &str| {
            let of = |it: &&Candidate| it.agent.as_ref().unwrap().username == name;
            decided[1].candidates.iter().find(of).unwrap().exclusion()
        };
        assert_eq!((asked("ana"), asked("ben")), (Exclusion::Refused, Exclusion::Unspecified));
        let made = decided[2].offer.as_ref().unwrap();
        assert_eq!((made.state(), made.reason.as_str()), (OfferState::Rejected, "I do not speak Spanish"));
        assert!(decided[2].summary.ends_with("It was offered to ana. ana declined."), "{}", decided[2].summary);
        world.suite.hand().advance(Duration::from_secs(29));
        assert_eq!((world.offered_to("ana").await, world.offered_to("ben").await), (vec![], vec![]));
        world.suite.hand().advance(Duration::from_secs(1));
        let third = world.offered("ana", &it.conversation_id).await;
        assert_ne!(third.offer_id, first.offer_id);
        world.accept("ana", &third).await.unwrap();
    }

    // R12
    async fn who_does_not_answer_in_time_loses_the_offer_and_the_next_one_is_asked(engine) {
        let (world, ana, ben) = World::two(engine).await;
        world.asking(5, &[&ana, &ben]).await;
        let it = world.begin("c-1").await;
        let offer = world.offered("ana", &it.conversation_id).await;
        world.suite.hand().advance(Duration::from_secs(5));
        world.has_ended("ana", &offer, "TIMED_OUT").await;
        assert_eq!(world.offered_to("ana").await, vec![]);
        let next = world.offered("ben", &it.conversation_id).await;
        world.has_ended("ana", &offer, "TIMED_OUT").await;
        let decided = world.decisions(&it.conversation_id).await;
        assert_eq!(decided[1].offer.as_ref().unwrap().state(), OfferState::TimedOut);
        world.accept("ben", &next).await.unwrap();
        assert_eq!(world.agent("ana").await.open_conversation_count, 0);
    }

    // R3, R12
    async fn what_is_offered_is_reserved_in_the_capacity_until_it_ends(engine) {
        let (world, ana, _) = World::two(engine).await;
        world.settle(UpdateSettingsRequest { default_capacity_units: Some(1), ..Default::default() }).await;
        world.asking(30, &[&ana]).await;
        let one = world.begin("c-1").await;
        let offer = world.offered("ana", &one.conversation_id).await;
        let two = world.begin("c-2").await;
        let decided = world.decided(&two.conversation_id, 1).await;
        assert_eq!((decided[0].outcome(), decided[0].candidates[0].exclusion()), (DecisionOutcome::Queued, Exclusion::NoCapacity));
        assert_eq!((decided[0].candidates[0].open_conversation_count, decided[0].candidates[0].open_units), (0, 1));
        world.reject("ana", &offer, "").await.unwrap();
        let offer = world.offered("ana", &two.conversation_id).await;
        // To whom it is offered it is given by hand within the same capacity.
        let given = world.assign("ben", &world.read(&two.conversation_id).await, &ana).await.unwrap();
        assert_eq!(given.assignee.unwrap().username, "ana");
        assert!(!world.decisions(&two.conversation_id).await[0].over_capacity);
        world.has_ended("ana", &offer, "TAKEN_BACK").await;
        world.suite.hand().advance(Duration::from_secs(60));
        world.resolve(&two.conversation_id).await;
        world.offered("ana", &one.conversation_id).await;
    }

    // R12, R16
    async fn offers_come_and_go_in_the_stream_of_their_agent_alone(engine) {
        let (world, ana, ben) = World::two(engine).await;
        let mut hers = opened(&world, "ana", &[InboxView::Mine]).await;
        let mut his = opened(&world, "ben", &[InboxView::Mine]).await;
        world.asking(600, &[&ana]).await;
        let it = world.begin("c-1").await;
        let change = async |stream: &mut crate::inbox_watch::Stream| loop {
            match frame(stream).await.unwrap().frame.unwrap() {
                Frame::OfferChange(change) => return change,
                Frame::Counts(_) | Frame::Heartbeat(_) | Frame::TeamsChanged(_) | Frame::Change(_) => {}
                other => panic!("not expected: {other:?}"),
            }
        };
        let came = change(&mut hers).await;
        assert_eq!(came.conversation_id, it.conversation_id);
        let offer = came.offer.unwrap();
        assert_eq!(offer, world.offered("ana", &it.conversation_id).await);
        world.accept("ana", &offer).await.unwrap();
        let gone = change(&mut hers).await;
        assert_eq!((gone.conversation_id, gone.offer), (it.conversation_id, None));
        // He hears of his own only.
        let add = AddTeamMembersRequest { team_id: offer.team_id, agent_ids: vec![ben.agent_id] };
        world.teams().add_team_members(add).await.unwrap();
        world.pin("ana", &ana, Availability::Away).await;
        let next = world.begin("c-2").await;
        assert_eq!(change(&mut his).await.conversation_id, next.conversation_id);
    }

    // R12
    async fn offers_are_listed_page_by_page_and_nobody_gets_more_than_they_can_weigh(engine) {
        let (world, ana, _) = World::two(engine).await;
        world.asking(600, &[&ana]).await;
        let mut ids = Vec::new();
        for number in 0..6 {
            let it = world.begin(&format!("c-{number}")).await;
            world.decided(&it.conversation_id, 1).await;
            ids.push(it.conversation_id);
        }
        let decided = world.decisions(&ids[5]).await;
        assert_eq!(decided[0].candidates[0].exclusion(), Exclusion::OffersOpen);
        let mut listed = Vec::new();
        let mut request = ListOffersRequest { page_size: 2, ..Default::default() };
        loop {
            let page = world.offers("ana").list_offers(request.clone()).await.unwrap().into_inner();
            listed.extend(page.offers.into_iter().map(|it| it.conversation.unwrap().conversation_id));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(listed, ids[..5]);
        request.page_token = "another".into();
        let refused = world.offers("ana").list_offers(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        let offer = world.offered_to("ana").await.remove(0);
        world.accept("ana", &offer).await.unwrap();
        world.offered("ana", &ids[5]).await;
    }

    // R12, P10
    async fn who_asked_and_who_answered_is_in_the_audit_trail(engine) {
        let (world, ana, ben) = World::two(engine).await;
        world.asking(5, &[&ana, &ben]).await;
        let it = world.begin("c-1").await;
        let rejected = world.offered("ana", &it.conversation_id).await;
        world.reject("ana", &rejected, "not now").await.unwrap();
        let forgotten = world.offered("ben", &it.conversation_id).await;
        world.suite.hand().advance(Duration::from_secs(5));
        world.decided(&it.conversation_id, 3).await;
        world.suite.hand().advance(Duration::from_secs(5));
        let accepted = world.offered("ana", &it.conversation_id).await;
        world.accept("ana", &accepted).await.unwrap();
        let trail = async |object_kind: &str, object_id: &str| {
            let filter = AuditFilter {
                object_kind: object_kind.into(),
                object_id: object_id.into(),
                ..AuditFilter::default()
            };
            let request = ListAuditEventsRequest { filter: Some(filter), ..Default::default() };
            let mut admin = AdminServiceClient::new(world.client("root", Role::Admin));
            let events = admin.list_audit_events(request).await.unwrap().into_inner().events;
            let deeds = events.into_iter().rev().map(|event| format!("{} {}", event.actor_subject, event.action));
            deeds.collect::<Vec<_>>().join(", ")
        };
        assert_eq!(
            trail("conversation", &it.conversation_id).await,
            "chat-adapter conversation.create, routing conversation.offer, routing conversation.offer, \
             routing conversation.offer, ana conversation.assign"
        );
        assert_eq!(trail("offer", &rejected.offer_id).await, "ana offer.reject");
        assert_eq!(trail("offer", &forgotten.offer_id).await, "routing offer.time_out");
    }

    // R12
    async fn a_team_that_does_not_ask_any_more_gives_at_once_what_is_not_offered(engine) {
        let (world, ana, _) = World::two(engine).await;
        let plain = world.team("plain", &[]).await;
        assert_eq!((plain.assignment_mode(), plain.offer_timeout), (AssignmentMode::AutoAccept, seconds(30)));
        let team = world.asking(600, &[&ana]).await;
        assert_eq!((team.assignment_mode(), team.offer_timeout), (AssignmentMode::Offer, seconds(600)));
        let it = world.begin("c-1").await;
        let offer = world.offered("ana", &it.conversation_id).await;
        let change = UpdateTeamRequest {
            team_id: team.team_id.clone(),
            assignment_mode: AssignmentMode::AutoAccept.into(),
            ..Default::default()
        };
        let changed = world.teams().update_team(change.clone()).await.unwrap().into_inner().team.unwrap();
        assert_eq!((changed.assignment_mode(), changed.offer_timeout), (AssignmentMode::AutoAccept, seconds(600)));
        let next = world.begin("c-2").await;
        assert_eq!(world.assigned(&next.conversation_id).await.assignee.unwrap().username, "ana");
        assert_eq!(world.read(&it.conversation_id).await.assignee, None, "it is offered still");
        world.reject("ana", &offer, "").await.unwrap();
        assert_eq!(world.assigned(&it.conversation_id).await.assignee.unwrap().username, "ana");
        for bad in [0, 4, 3_601, -5] {
            let change = UpdateTeamRequest { offer_timeout: seconds(bad), ..change.clone() };
            let refused = world.teams().update_team(change).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)), "{bad}");
        }
    }
}
