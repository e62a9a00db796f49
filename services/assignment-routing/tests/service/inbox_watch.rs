//! R16 and P14: the inbox, live.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use kernel::{OrgId, Role};
use proto::common::v1::stream_start::Start;
use proto::common::v1::{ClosingReason, ErrorReason, StreamStart};
use proto::routing::v1::inbox_watch_service_client::InboxWatchServiceClient;
use proto::routing::v1::watch_inbox_response::Frame;
use proto::routing::v1::*;
use testkit::{Client, Engine};
use tonic::{Code, Status, Streaming};

use crate::erasure::{erase, tables};
use crate::inbox::{mention, note, read};
use crate::world::{World, inbound, refusal};

pub(crate) type Stream = Streaming<WatchInboxResponse>;

/// Longer than anything here takes, shorter than a person waits for a test that hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Every view that can be followed.
pub(crate) const ALL: [InboxView; 8] = [
    InboxView::Mine,
    InboxView::Unassigned,
    InboxView::Team,
    InboxView::Mentioned,
    InboxView::Unread,
    InboxView::All,
    InboxView::Resolved,
    InboxView::Snoozed,
];

pub(crate) fn from_now() -> Option<Start> {
    Some(Start::FromNow(()))
}

pub(crate) fn resume(token: &str) -> Option<Start> {
    Some(Start::ResumeToken(token.to_owned()))
}

pub(crate) async fn watch(
    client: Client,
    views: &[InboxView],
    start: Option<Start>,
) -> Result<Stream, Status> {
    let views = views.iter().map(|view| (*view).into()).collect();
    let request = WatchInboxRequest { views, start: Some(StreamStart { start }) };
    Ok(InboxWatchServiceClient::new(client).watch_inbox(request).await?.into_inner())
}

/// The next frame; none at the end.
pub(crate) async fn frame(stream: &mut Stream) -> Option<WatchInboxResponse> {
    tokio::time::timeout(PATIENCE, stream.message()).await.unwrap().unwrap()
}

/// A stream of `who` whose first frame has come, and that frame's token.
pub(crate) async fn opened_with_token(
    world: &World,
    who: &str,
    views: &[InboxView],
    start: Option<Start>,
) -> (Stream, String) {
    let mut stream = watch(world.client(who, Role::Agent), views, start).await.unwrap();
    let first = frame(&mut stream).await.unwrap();
    assert!(matches!(first.frame, Some(Frame::Opened(_))), "{first:?}");
    (stream, first.resume_token)
}

pub(crate) async fn opened(world: &World, who: &str, views: &[InboxView]) -> Stream {
    opened_with_token(world, who, views, from_now()).await.0
}

/// The next change, and the token behind it. Counts and signs of life are passed over.
async fn change(stream: &mut Stream) -> (InboxChange, String) {
    let change = async {
        loop {
            let next = frame(stream).await.unwrap();
            match next.frame.unwrap() {
                Frame::Change(change) => return (change, next.resume_token),
                Frame::Counts(_) | Frame::Heartbeat(_) => {}
                other => panic!("not a change: {other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, change).await.unwrap()
}

/// The first state of a conversation in the stream that is as expected. What is still on its way from before is passed over.
async fn until(stream: &mut Stream, it: &Conversation, views: &[InboxView], unread: bool) -> InboxChange {
    loop {
        let (change, _) = change(stream).await;
        let is = (change.conversation_id.as_str(), change.views().collect::<Vec<_>>());
        let flag = change.entry.as_ref().is_some_and(|entry| entry.unread);
        if is == (it.conversation_id.as_str(), views.to_vec()) && flag == unread {
            return change;
        }
    }
}

pub(crate) async fn assigned_to(world: &World, it: &Conversation, agent: &Agent) -> Conversation {
    world.assign("root", &world.read(&it.conversation_id).await, agent).await.unwrap()
}

testkit::on_both_databases! {
    // R16
    async fn a_conversation_comes_changes_and_leaves_the_views_of_who_follows_them(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let mut stream = opened(&world, "ana", &[]).await;
        let it = world.begin("c-1").await;
        let (came, _) = change(&mut stream).await;
        assert_eq!(came.views().collect::<Vec<_>>(), [InboxView::Unassigned]);
        assert_eq!(came.entry.unwrap().conversation, Some(world.read(&it.conversation_id).await));

        let it = assigned_to(&world, &it, &ana).await;
        let mine = until(&mut stream, &it, &[InboxView::Mine, InboxView::Unread], true).await;
        assert_eq!(mine.entry.unwrap().conversation, Some(it.clone()));
        read(&world, "ana", &it).await;
        until(&mut stream, &it, &[InboxView::Mine], false).await;
        world.record(inbound("c-1", "2")).await;
        until(&mut stream, &it, &[InboxView::Mine, InboxView::Unread], true).await;
        read(&world, "ana", &it).await;
        until(&mut stream, &it, &[InboxView::Mine], false).await;
        note(&world, &it, "ben").await;
        until(&mut stream, &it, &[InboxView::Mine, InboxView::Unread], true).await;
        mention(&world, &it, &["ana"]).await;
        let views = [InboxView::Mine, InboxView::Mentioned, InboxView::Unread];
        assert!(until(&mut stream, &it, &views, true).await.entry.unwrap().mentioned);

        assigned_to(&world, &it, &ben).await;
        until(&mut stream, &it, &[InboxView::Mentioned, InboxView::Unread], true).await;
        world.resolve(&it.conversation_id).await;
        let gone = until(&mut stream, &it, &[], false).await;
        assert_eq!(gone.entry, None);
        // It comes back to who was mentioned in it, though it was in no view of theirs any more.
        world.record(inbound("c-1", "3")).await;
        until(&mut stream, &it, &[InboxView::Mentioned, InboxView::Unread], true).await;
    }

    // R16
    async fn who_follows_a_view_hears_of_nothing_else(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let mut stream = opened(&world, "ana", &[InboxView::Mine]).await;
        let theirs = world.begin("theirs").await;
        let theirs = assigned_to(&world, &theirs, &ben).await;
        mention(&world, &theirs, &["ben"]).await;
        read(&world, "ben", &theirs).await;
        let globex = world.suite.client("globex", "ana", Role::Integration);
        let mut globex = conversation_service_client::ConversationServiceClient::new(globex);
        globex.record_message(inbound("foreign", "1")).await.unwrap();
        let mine = world.begin("mine").await;
        assigned_to(&world, &mine, &ana).await;
        let (first, _) = change(&mut stream).await;
        assert_eq!((first.conversation_id, first.views), (mine.conversation_id, vec![InboxView::Mine.into()]));
    }

    // R16
    async fn who_joins_a_team_or_leaves_it_is_told_to_list_it_and_hears_of_it_from_then_on(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let team = world.team("billing", &[]).await;
        world.route("true", &team).await;
        let mut stream = opened(&world, "ana", &[InboxView::Team]).await;
        world.begin("before").await;
        let members = |team: &Team| (team.team_id.clone(), vec![ana.agent_id.clone()]);
        let (team_id, agent_ids) = members(&team);
        world.teams().add_team_members(AddTeamMembersRequest { team_id, agent_ids }).await.unwrap();
        let told = loop {
            match frame(&mut stream).await.unwrap().frame.unwrap() {
                Frame::TeamsChanged(told) => break told,
                Frame::Counts(_) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(told.views().collect::<Vec<_>>(), [InboxView::Team]);
        assert_eq!(world.view("ana", InboxView::Team).await.len(), 1);
        let after = world.begin("after").await;
        until(&mut stream, &after, &[InboxView::Team], true).await;
        let (team_id, agent_ids) = members(&team);
        world.teams().remove_team_members(RemoveTeamMembersRequest { team_id, agent_ids }).await.unwrap();
        loop {
            match frame(&mut stream).await.unwrap().frame.unwrap() {
                Frame::TeamsChanged(_) => break,
                Frame::Counts(_) | Frame::Change(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    // R16 P12
    async fn an_erased_conversation_leaves_every_view(engine) {
        let world = World::on(engine).await;
        let mut stream = opened(&world, "ana", &[InboxView::All]).await;
        let it = world.begin("c-1").await;
        until(&mut stream, &it, &[InboxView::All], true).await;
        erase(&world, &world.request_id(), &[&it.contact_id]).await;
        assert_eq!(until(&mut stream, &it, &[], false).await.entry, None);
    }

    // R16, P14, P1
    async fn a_resume_token_works_for_its_own_person_and_views_only(engine) {
        let world = World::on(engine).await;
        let views = [InboxView::Mine, InboxView::All];
        let (_, token) = opened_with_token(&world, "ana", &views, from_now()).await;
        let client = |org: &str, who: &str| world.suite.client(org, who, Role::Agent);
        for (client, views, token) in [
            (client("acme", "ben"), &views[..], token.as_str()),
            (client("globex", "ana"), &views[..], token.as_str()),
            (client("acme", "ana"), &views[..1], token.as_str()),
            (client("acme", "ana"), &views[..], "garbage"),
        ] {
            let refused = watch(client, views, resume(token)).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
        // In whichever order they are named, they are the same views.
        let other_order = [InboxView::All, InboxView::Mine, InboxView::Mine];
        opened_with_token(&world, "ana", &other_order, resume(&token)).await;
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let refused = watch(world.client("ana", role), &views, from_now()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        }
        let refused = watch(client("acme", "ana"), &[InboxView::Any], from_now()).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }

    // R16, P14, fault 13
    async fn who_resumes_behind_what_is_kept_lists_again_and_then_misses_nothing(engine) {
        let world = World::on(engine).await;
        let (_, token) = opened_with_token(&world, "ana", &[InboxView::All], from_now()).await;
        let it = world.begin("c-1").await;
        // What a quarter of an hour would do: only what was read within a minute of what is forgotten may be missed.
        let (db, org) = (tables(&world).await, OrgId::parse("acme").unwrap());
        let forget = db.write(&org, |tx| {
            Box::pin(assignment_routing::store::inbox_log::forget_before(tx, Duration::from_secs(60)))
        });
        forget.await.unwrap();
        let (mut behind, _) = opened_with_token(&world, "ana", &[InboxView::All], resume(&token)).await;
        let last = frame(&mut behind).await.unwrap();
        assert!(matches!(last.frame, Some(Frame::ResyncRequired(_))), "{last:?}");
        assert!(frame(&mut behind).await.is_none());
        db.close().await;
        let earliest = Some(Start::Earliest(()));
        let (mut from_start, _) = opened_with_token(&world, "ana", &[InboxView::All], earliest).await;
        world.record(inbound("c-1", "2")).await;
        until(&mut from_start, &it, &[InboxView::All], true).await;
    }

    // R16: each way in which an inbox changes wakes its streams.
    async fn a_wake_up_brings_a_change_in_much_less_than_a_poll(engine) {
        let world = World::configured(engine, |config| {
            config.routing = serde_json::from_value(serde_json::json!({ "inbox_poll_ms": 60_000 })).unwrap();
        })
        .await;
        let ana = world.online("ana").await;
        let team = world.team("billing", &[]).await;
        let mut stream = opened(&world, "ana", &ALL).await;
        let begin = Instant::now();
        let it = world.begin("c-1").await;
        change(&mut stream).await;
        let id = it.conversation_id.as_str();
        note(&world, &it, "ben").await;
        change(&mut stream).await;
        read(&world, "ana", &it).await;
        change(&mut stream).await;
        assigned_to(&world, &it, &ana).await;
        change(&mut stream).await;
        world.resolve(id).await;
        change(&mut stream).await;
        world.record(inbound("c-1", "2")).await;
        change(&mut stream).await;
        let request = UpdateConversationRequest { conversation_id: id.into(), subject: "bag".into(), ..Default::default() };
        world.conversations("ana", Role::Agent).update_conversation(request).await.unwrap();
        change(&mut stream).await;
        let target = assign_conversation_request::Target::TeamId(team.team_id.clone());
        let it = world.order("ana", &world.read(id).await, target).await.unwrap();
        change(&mut stream).await;
        // And by the assigner.
        let members = AddTeamMembersRequest { team_id: team.team_id, agent_ids: vec![ana.agent_id] };
        world.teams().add_team_members(members).await.unwrap();
        loop {
            let next = frame(&mut stream).await.unwrap().frame.unwrap();
            if let Frame::Change(InboxChange { conversation_id, entry: Some(entry), .. }) = next
                && conversation_id == it.conversation_id
                && entry.conversation.unwrap().assignee.is_some()
            {
                break;
            }
        }
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    }

    // P14
    async fn a_restart_closes_streams_in_band_and_they_resume_on_the_new_process(engine) {
        let mut world = World::on(engine).await;
        let mut stream = opened(&world, "ana", &[InboxView::All]).await;
        let it = world.begin("c-1").await;
        until(&mut stream, &it, &[InboxView::All], true).await;
        let reader = tokio::spawn(async move {
            loop {
                let next = frame(&mut stream).await.unwrap();
                if let Some(Frame::Closing(closing)) = &next.frame {
                    return (closing.reason(), next.resume_token, frame(&mut stream).await);
                }
            }
        });
        world.suite.restart().await;
        let (reason, token, end) = reader.await.unwrap();
        assert_eq!((reason, end), (ClosingReason::Shutdown, None));
        let second = world.begin("c-2").await;
        let (mut resumed, _) = opened_with_token(&world, "ana", &[InboxView::All], resume(&token)).await;
        let (first, _) = change(&mut resumed).await;
        assert_eq!(first.conversation_id, second.conversation_id);
    }
}

// R16, fault 7: two processes on one database, without NATS between them.
#[test]
fn a_change_made_by_another_process_arrives_without_any_wake_up() {
    testkit::run(async {
        let here = World::on(Engine::Postgres).await;
        let there = here.beside(|_| {}).await;
        let mut stream = opened(&here, "ana", &[InboxView::All]).await;
        let (mut known, mut token) = (HashMap::new(), String::new());
        for number in 1..=5 {
            let it = there.begin(&format!("c-{number}")).await;
            let (change, behind) = change(&mut stream).await;
            assert_eq!(change.conversation_id, it.conversation_id);
            known.insert(it.conversation_id, number);
            token = behind;
        }
        // Resumed on the other replica: its token is as good there.
        let it = here.begin("once more").await;
        let (mut resumed, _) = opened_with_token(&there, "ana", &[InboxView::All], resume(&token)).await;
        assert_eq!(change(&mut resumed).await.0.conversation_id, it.conversation_id);
        assert_eq!(known.len(), 5);
    });
}
