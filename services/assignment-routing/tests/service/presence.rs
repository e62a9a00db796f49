//! R18: who is at a conversation at this moment.

use std::time::Duration;

use kernel::Role;
use proto::common::v1::{ClosingReason, ErrorReason};
use proto::routing::v1::presence_service_client::PresenceServiceClient;
use proto::routing::v1::watch_presence_response::Frame;
use proto::routing::v1::*;
use testkit::{Client, Engine};
use tonic::{Code, Status, Streaming};

use crate::world::{World, refusal};

type Stream = Streaming<WatchPresenceResponse>;

/// Who does what, by username.
type Doing = Vec<(String, PresenceActivity)>;

/// Longer than anything here takes, shorter than a person waits for a test that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

fn presence(world: &World, who: &str, role: Role) -> PresenceServiceClient<Client> {
    PresenceServiceClient::new(world.client(who, role))
}

async fn say(world: &World, who: &str, id: &str, activity: PresenceActivity) -> Result<Doing, Status> {
    let request = ReportPresenceRequest { conversation_id: id.to_owned(), activity: activity.into() };
    let answer = presence(world, who, Role::Agent).report_presence(request).await?.into_inner();
    Ok(doing(&answer.presence.unwrap()))
}

fn doing(it: &ConversationPresence) -> Doing {
    it.people.iter().map(|it| (it.person.clone().unwrap().username, it.activity())).collect()
}

async fn watch(mut client: PresenceServiceClient<Client>, ids: &[&str]) -> Result<Stream, Status> {
    let conversation_ids = ids.iter().map(|id| (*id).to_owned()).collect();
    Ok(client.watch_presence(WatchPresenceRequest { conversation_ids }).await?.into_inner())
}

async fn frame(stream: &mut Stream) -> Option<Frame> {
    let next = tokio::time::timeout(PATIENCE, stream.message()).await.unwrap();
    next.unwrap().map(|next| next.frame.unwrap())
}

/// A stream behind its opening.
async fn opened(world: &World, who: &str, ids: &[&str]) -> Stream {
    let mut stream = watch(presence(world, who, Role::Agent), ids).await.unwrap();
    let first = frame(&mut stream).await;
    assert!(matches!(first, Some(Frame::Opened(_))), "{first:?}");
    stream
}

/// Who is where, as the stream tells next.
async fn told(stream: &mut Stream) -> (String, Doing) {
    let told = async {
        loop {
            match frame(stream).await.unwrap() {
                Frame::Presence(it) => return (it.conversation_id.clone(), doing(&it)),
                Frame::Heartbeat(_) => {}
                other => panic!("not who is there: {other:?}"),
            }
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap()
}

fn who(expected: &[(&str, PresenceActivity)]) -> Doing {
    expected.iter().map(|(who, activity)| ((*who).to_owned(), *activity)).collect()
}

use PresenceActivity::{Left, Typing, Viewing};

testkit::on_both_databases! {
    // R18
    async fn others_see_who_looks_at_a_conversation_and_who_writes_in_it(engine) {
        let world = World::on(engine).await;
        let (one, two) = (world.begin("c-1").await.conversation_id, world.begin("c-2").await.conversation_id);
        assert_eq!(say(&world, "ana", &one, Viewing).await.unwrap(), who(&[("ana", Viewing)]));
        let mut stream = opened(&world, "ben", &[&one, &two, &one]).await;
        let first = [told(&mut stream).await, told(&mut stream).await];
        assert_eq!(first, [(one.clone(), who(&[("ana", Viewing)])), (two.clone(), vec![])], "as it is at the opening");
        say(&world, "ana", &one, Typing).await.unwrap();
        assert_eq!(told(&mut stream).await, (one.clone(), who(&[("ana", Typing)])));
        // What is said again is no news: the next thing told is another.
        say(&world, "ana", &one, Typing).await.unwrap();
        assert_eq!(say(&world, "ben", &two, Viewing).await.unwrap(), who(&[("ben", Viewing)]));
        assert_eq!(told(&mut stream).await, (two.clone(), who(&[("ben", Viewing)])));
        let both = say(&world, "ben", &one, Typing).await.unwrap();
        assert_eq!(both, who(&[("ana", Typing), ("ben", Typing)]));
        assert_eq!(told(&mut stream).await, (one.clone(), both));
        assert_eq!(say(&world, "ana", &one, Left).await.unwrap(), who(&[("ben", Typing)]));
        assert_eq!(told(&mut stream).await, (one, who(&[("ben", Typing)])));
    }

    // R18
    async fn who_says_nothing_more_is_gone_by_themselves_and_a_restart_remembers_nobody(engine) {
        let mut world = World::at_new_year(engine).await;
        let id = world.begin("c-1").await.conversation_id;
        let mut stream = opened(&world, "ben", &[&id]).await;
        assert_eq!(told(&mut stream).await.1, vec![]);
        say(&world, "ana", &id, Typing).await.unwrap();
        assert_eq!(told(&mut stream).await.1, who(&[("ana", Typing)]));
        world.suite.hand().advance(Duration::from_secs(6));
        assert_eq!(told(&mut stream).await.1, who(&[("ana", Viewing)]));
        world.suite.hand().advance(Duration::from_secs(9));
        assert_eq!(told(&mut stream).await.1, vec![]);
        say(&world, "ana", &id, Typing).await.unwrap();
        assert_eq!(told(&mut stream).await.1, who(&[("ana", Typing)]));
        let last = tokio::spawn(async move { frame(&mut stream).await });
        world.suite.restart().await;
        let Some(Frame::Closing(closing)) = last.await.unwrap() else { panic!("closed in band") };
        assert_eq!(closing.reason(), ClosingReason::Shutdown);
        let mut stream = opened(&world, "ben", &[&id]).await;
        assert_eq!(told(&mut stream).await.1, vec![]);
    }

    // R18
    async fn contacts_and_channels_neither_say_nor_see_who_is_there(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        let request =
            ReportPresenceRequest { conversation_id: it.conversation_id.clone(), activity: Viewing.into() };
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let refused = presence(&world, &it.contact_id, role).report_presence(request.clone()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
            let refused = watch(presence(&world, &it.contact_id, role), &[&it.conversation_id]).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        }
    }

    // R18 P1
    async fn nobody_is_at_a_conversation_that_is_absent_or_anothers(engine) {
        let world = World::on(engine).await;
        let ours = world.begin("c-1").await.conversation_id;
        say(&world, "ana", &ours, Viewing).await.unwrap();
        let absent = world.request_id();
        let mut answers = Vec::new();
        for id in [&ours, &absent] {
            let mut globex = PresenceServiceClient::new(world.suite.client("globex", "ana", Role::Admin));
            let request = ReportPresenceRequest { conversation_id: id.clone(), activity: Typing.into() };
            let said = globex.report_presence(request).await.unwrap_err();
            let watched = watch(globex, &[id]).await.unwrap_err();
            for refused in [said, watched] {
                assert_eq!(refusal(&refused), (Code::NotFound, Some(ErrorReason::NotFound)));
                answers.push(refused.message().to_owned());
            }
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(say(&world, "ben", &ours, Viewing).await.unwrap().len(), 2, "nobody else came");
        let nothing = say(&world, "ana", &ours, PresenceActivity::Unspecified).await.unwrap_err();
        assert_eq!(refusal(&nothing), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        let none = watch(presence(&world, "ana", Role::Agent), &[]).await.unwrap_err();
        assert_eq!(none.code(), Code::InvalidArgument);
    }
}

// R18: two processes on one database, with NATS between them.
#[test]
fn who_is_said_to_be_there_in_one_process_is_seen_in_the_others() {
    testkit::run(async {
        let address = std::env::var("BACKCHANNEL_TEST_NATS").unwrap();
        let nats = |address: String| {
            move |config: &mut runtime::Config| config.nats = Some(runtime::Secret::new(address))
        };
        let here = World::configured(Engine::Postgres, nats(address.clone())).await;
        let there = here.beside(nats(address)).await;
        let id = here.begin("c-1").await.conversation_id;
        let mut stream = opened(&there, "ben", &[&id]).await;
        assert_eq!(told(&mut stream).await.1, vec![]);
        let again = async {
            // As clients do: what was said before both were connected is lost, and said again.
            loop {
                say(&here, "ana", &id, Typing).await.unwrap();
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::select! {
            _ = again => {}
            seen = told(&mut stream) => assert_eq!(seen.1, who(&[("ana", Typing)])),
        }
        say(&here, "ana", &id, Left).await.unwrap();
        loop {
            if told(&mut stream).await.1.is_empty() {
                break;
            }
        }
    });
}
