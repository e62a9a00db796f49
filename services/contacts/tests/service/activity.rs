//! C8: what happened around a contact.

use std::collections::HashSet;
use std::time::Duration;

use db::test_support::TestDb;
use kernel::{Clock, OrgId, Role};
use proto::common::v1::{Actor, EventDisposition, Role as Said};
use proto::contacts::v1::activity_event::Event;
use proto::contacts::v1::activity_event_service_client::ActivityEventServiceClient;
use proto::contacts::v1::activity_service_client::ActivityServiceClient;
use proto::contacts::v1::block_service_client::BlockServiceClient;
use proto::contacts::v1::*;
use testkit::{Client, Suite, on_both_databases};
use tonic::{Code, Status};

use crate::desk::{agent, app, by, client, create, named, origin, refusal, resolve, suite, texts};

const NEW_YEAR: i64 = 1_767_225_600;

type Activities = ActivityServiceClient<Client>;

fn activities(suite: &Suite) -> Activities {
    ActivityServiceClient::new(suite.client("acme", "ana", Role::Agent))
}

fn events(suite: &Suite, org: &str) -> ActivityEventServiceClient<Client> {
    ActivityEventServiceClient::new(suite.client(org, "routing", Role::Service))
}

async fn list(of: &mut Activities, contact_id: &str) -> Result<Vec<Activity>, Status> {
    let request = ListContactActivityRequest { contact_id: contact_id.to_owned(), ..Default::default() };
    Ok(of.list_contact_activity(request).await?.into_inner().activities)
}

fn kinds(activities: &[Activity]) -> Vec<ActivityKind> {
    activities.iter().map(Activity::kind).collect()
}

fn id() -> String {
    Clock::system().new_id().to_string()
}

/// That a conversation with the contact was resolved by Ben, so many seconds after New Year.
fn resolved(contact_id: &str, second: i64) -> ActivityEvent {
    ActivityEvent {
        event_id: id(),
        contact_id: contact_id.to_owned(),
        occur_time: Some(prost_types::Timestamp { seconds: NEW_YEAR + second, nanos: 0 }),
        actor: Some(Actor {
            subject: "ben".to_owned(),
            role: Said::Agent.into(),
            display_name: "Ben".to_owned(),
        }),
        event: Some(Event::ConversationResolved(ConversationResolved { conversation_id: id() })),
    }
}

async fn apply(
    events: &mut ActivityEventServiceClient<Client>,
    all: Vec<ActivityEvent>,
) -> Result<Vec<EventDisposition>, Status> {
    let request = ApplyActivityEventsRequest { events: all };
    let outcomes = events.apply_activity_events(request).await?.into_inner().outcomes;
    Ok(outcomes.iter().map(|outcome| outcome.disposition()).collect())
}

on_both_databases! {
    // C8
    async fn what_colleagues_do_to_a_contact_is_listed_newest_first_with_who_and_when(engine) {
        let suite = suite(engine).await;
        let mut ana = agent(&suite);
        let mut adapter = client(&suite, "acme", "chat-adapter", Role::Integration);
        let zoe = resolve(&mut adapter, "chat", "visitor-1").await.unwrap().contact.unwrap();
        resolve(&mut adapter, "chat", "visitor-1").await.unwrap();
        let tag = |add: &[&str], remove: &[&str]| TagContactRequest {
            contact_id: zoe.contact_id.clone(), add: texts(add), remove: texts(remove),
        };
        ana.tag_contact(tag(&["vip", "new"], &[])).await.unwrap();
        ana.tag_contact(tag(&["vip"], &[])).await.unwrap();
        ana.tag_contact(tag(&["old"], &["new"])).await.unwrap();
        let mut blocks = BlockServiceClient::new(suite.client("acme", "sue", Role::Supervisor));
        let block = BlockContactRequest { contact_id: zoe.contact_id.clone(), reason: "spam".to_owned() };
        blocks.block_contact(block).await.unwrap();
        blocks.unblock_contact(UnblockContactRequest { contact_id: zoe.contact_id.clone() }).await.unwrap();

        let all = list(&mut activities(&suite), &zoe.contact_id).await.unwrap();
        use ActivityKind::{Blocked, Created, Tagged, Unblocked, Untagged};
        assert_eq!(kinds(&all), [Unblocked, Blocked, Untagged, Tagged, Tagged, Created]);
        let by: Vec<_> = all.iter().map(|one| one.actor.as_ref().unwrap().subject.as_str()).collect();
        assert_eq!(by, ["sue", "sue", "ana", "ana", "ana", "chat-adapter"]);
        assert_eq!(all[0].actor.as_ref().unwrap().role(), Said::Supervisor);
        assert_eq!((&all[1].reason, &all[2].tags), (&"spam".to_owned(), &texts(&["new"])));
        assert_eq!((&all[3].tags, &all[4].tags), (&texts(&["old"]), &texts(&["new", "vip"])));
        let times: Vec<_> = all.iter().map(|one| one.occur_time.as_ref().unwrap()).map(|at| (at.seconds, at.nanos)).collect();
        assert!(times.is_sorted_by(|later, earlier| later >= earlier), "{times:?}");
        assert_eq!(all.iter().map(|one| &one.activity_id).collect::<HashSet<_>>().len(), 6);
        suite.stop().await;
    }

    // C8
    async fn what_other_services_tell_is_listed_by_when_it_happened_each_event_once(engine) {
        let suite = suite(engine).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap().contact_id;
        let mut events = events(&suite, "acme");
        let (later, earlier) = (resolved(&zoe, 60), resolved(&zoe, 30));
        let conversation = id();
        let note = ActivityEvent {
            event: Some(Event::NoteWritten(NoteWritten { conversation_id: conversation.clone() })),
            ..resolved(&zoe, 45)
        };
        let opened = ActivityEvent {
            event: Some(Event::ConversationOpened(ConversationOpened { conversation_id: conversation.clone() })),
            actor: None,
            ..resolved(&zoe, 10)
        };
        let reopened = ActivityEvent {
            event: Some(Event::ConversationReopened(ConversationReopened { conversation_id: conversation.clone() })),
            ..resolved(&zoe, 70)
        };
        use EventDisposition::{Applied, Duplicate};
        let batch = vec![later.clone(), earlier, later.clone(), note, opened, reopened];
        assert_eq!(apply(&mut events, batch).await.unwrap(), [Applied, Applied, Duplicate, Applied, Applied, Applied]);
        assert_eq!(apply(&mut events, vec![later.clone()]).await.unwrap(), [Duplicate]);

        let all = list(&mut activities(&suite), &zoe).await.unwrap();
        use ActivityKind::{ConversationOpened as Opened, ConversationReopened as Reopened, ConversationResolved as Resolved};
        assert_eq!(kinds(&all), [ActivityKind::Created, Reopened, Resolved, ActivityKind::NoteAdded, Resolved, Opened]);
        assert_eq!((&all[2].activity_id, &all[2].actor, &all[2].occur_time), (&later.event_id, &later.actor, &later.occur_time));
        assert_eq!((&all[3].conversation_id, &all[5].conversation_id), (&conversation, &conversation));
        assert_eq!(all[5].actor, None);
        suite.stop().await;
    }

    // C8 P1
    async fn an_event_of_a_contact_who_is_not_there_is_done_with_and_takes_no_other_along(engine) {
        let suite = suite(engine).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap().contact_id;
        let eve = create(&mut client(&suite, "globex", "eve", Role::Agent), named("Eve")).await.unwrap().contact_id;
        let mut events = events(&suite, "acme");
        let gone = resolved(&id(), 1);
        let batch = vec![gone.clone(), resolved(&eve, 2), resolved(&zoe, 3)];
        assert_eq!(apply(&mut events, batch).await.unwrap(), [EventDisposition::Applied; 3]);
        assert_eq!(apply(&mut events, vec![gone]).await.unwrap(), [EventDisposition::Duplicate]);
        let mut activities = activities(&suite);
        assert_eq!(list(&mut activities, &zoe).await.unwrap().len(), 2);
        let mut theirs = ActivityServiceClient::new(suite.client("globex", "eve", Role::Agent));
        assert_eq!(kinds(&list(&mut theirs, &eve).await.unwrap()), [ActivityKind::Created], "another organization's is not touched");
        let answers = [list(&mut activities, &eve).await.unwrap_err(), list(&mut activities, &id()).await.unwrap_err()];
        assert_eq!(refusal(&answers[0]), refusal(&answers[1]));
        assert_eq!(answers[0].code(), Code::NotFound);
        suite.stop().await;
    }

    // C8 P7
    async fn pages_go_through_all_of_it_even_what_happened_at_one_moment(engine) {
        let suite = suite(engine).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap().contact_id;
        let told: Vec<_> = (0..97).map(|number| resolved(&zoe, number / 10)).collect();
        apply(&mut events(&suite, "acme"), told).await.unwrap();
        let mut activities = activities(&suite);
        let whole = list(&mut activities, &zoe).await.unwrap();
        assert_eq!(whole.len(), 50);
        let mut request = ListContactActivityRequest { contact_id: zoe.clone(), page_size: 33, ..Default::default() };
        let (mut sizes, mut all) = (Vec::new(), Vec::new());
        loop {
            let page = activities.list_contact_activity(request.clone()).await.unwrap().into_inner();
            sizes.push(page.activities.len());
            all.extend(page.activities);
            // What comes meanwhile is newer, and moves nobody.
            apply(&mut events(&suite, "acme"), vec![resolved(&zoe, 1_000)]).await.unwrap();
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(sizes, [33, 33, 32]);
        assert_eq!(all[..50], whole[..]);
        assert_eq!(all.iter().map(|one| &one.activity_id).collect::<HashSet<_>>().len(), 98);

        let first = activities.list_contact_activity(ListContactActivityRequest { page_token: String::new(), ..request.clone() }).await;
        let foreign = create(&mut agent(&suite), named("Another")).await.unwrap().contact_id;
        let token = first.unwrap().into_inner().next_page_token;
        let misused = ListContactActivityRequest { contact_id: foreign, page_token: token, ..Default::default() };
        let refused = activities.list_contact_activity(misused).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "INVALID_PAGE_TOKEN");
        suite.stop().await;
    }

    // C8 P7
    async fn a_page_of_many_tags_ends_at_two_mebibytes(engine) {
        let suite = suite(engine).await;
        let mut ana = agent(&suite);
        let zoe = create(&mut ana, named("Zoë")).await.unwrap().contact_id;
        let tags: Vec<String> = (0..50).map(|number| format!("{number:02}{}", "𝄞".repeat(62))).collect();
        for _ in 0..85 {
            let tag = |add: &[String], remove: &[String]| TagContactRequest {
                contact_id: zoe.clone(), add: add.to_vec(), remove: remove.to_vec(),
            };
            ana.tag_contact(tag(&tags, &[])).await.unwrap();
            ana.tag_contact(tag(&[], &tags)).await.unwrap();
        }
        let mut activities = activities(&suite);
        let request = ListContactActivityRequest { contact_id: zoe, page_size: 200, page_token: String::new() };
        let page = activities.list_contact_activity(request.clone()).await.unwrap().into_inner();
        // 50 tags of 250 bytes each.
        assert_eq!(page.activities.len(), 2 * 1024 * 1024 / 12_500);
        let rest = ListContactActivityRequest { page_token: page.next_page_token, ..request };
        let rest = activities.list_contact_activity(rest).await.unwrap().into_inner();
        assert_eq!((page.activities.len() + rest.activities.len(), rest.next_page_token.as_str()), (171, ""));
        suite.stop().await;
    }

    // C8 P2
    async fn activity_is_for_colleagues_and_events_are_for_services(engine) {
        let suite = suite(engine).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap().contact_id;
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let mut curious = ActivityServiceClient::new(suite.client("acme", &zoe, role));
            assert_eq!(refusal(&list(&mut curious, &zoe).await.unwrap_err()).1, "ROLE_NOT_ALLOWED", "{role}");
        }
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Service) {
            let mut liar = ActivityEventServiceClient::new(suite.client("acme", &zoe, role));
            assert_eq!(refusal(&apply(&mut liar, vec![resolved(&zoe, 1)]).await.unwrap_err()).1, "ROLE_NOT_ALLOWED", "{role}");
        }
        let mut events = events(&suite, "acme");
        for broken in [
            ActivityEvent { event: None, ..resolved(&zoe, 1) },
            ActivityEvent { occur_time: None, ..resolved(&zoe, 1) },
            ActivityEvent { event_id: "x".to_owned(), ..resolved(&zoe, 1) },
            ActivityEvent { actor: Some(Actor::default()), ..resolved(&zoe, 1) },
        ] {
            assert_eq!(apply(&mut events, vec![broken]).await.unwrap_err().code(), Code::InvalidArgument);
        }
        suite.stop().await;
    }
}

/// So many activities of a day, so many days ago.
async fn happened(db: &TestDb, org: &OrgId, days_ago: u64, count: usize) {
    use contacts::domain::{Activity, Actor, Happened};
    let contact = made(db, org).await;
    let at = db.clock.now().minus(Duration::from_secs(days_ago * 86_400));
    let activity = |_| Activity {
        activity_id: db.clock.new_id().into(),
        contact_id: contact.contact_id,
        occur_time: at,
        actor: None::<Actor>,
        happened: Happened::Unblocked,
    };
    let all: Vec<Activity> = (0..count).map(activity).collect();
    let written =
        db.write(org, move |tx| Box::pin(async move { contacts::store::activity::record(tx, &all).await }));
    written.await.unwrap();
}

/// A contact made now.
async fn made(db: &TestDb, org: &OrgId) -> contacts::domain::Contact {
    use contacts::domain::{Address, Channel, Line};
    let address = Address::parse(Channel::parse("chat").unwrap(), &id()).unwrap();
    let resolve = contacts::app::ResolveContact { address, display_name: Line::default(), by: by() };
    app(db).resolve_contact(org, origin(), resolve).await.unwrap().contact
}

async fn kept(db: &TestDb, org: &OrgId) -> i64 {
    let counted = db.read(org, |tx| {
        Box::pin(async move {
            tx.query("SELECT COUNT(*) FROM contact_activities WHERE org_id = $1").fetch_value(tx).await
        })
    });
    counted.await.unwrap()
}

// C8 P11
db::both_databases!(
    activity_goes_after_the_time_that_its_organization_set,
    contacts::store::MIGRATIONS,
    |db| async move {
        use contacts::app::UpdateSettings;
        use contacts::domain::{Days, SettingsChange};
        let (acme, globex) = (OrgId::parse("acme").unwrap(), OrgId::parse("globex").unwrap());
        for org in [&acme, &globex] {
            happened(&db, org, 10, 1_203).await;
            happened(&db, org, 3, 7).await;
            happened(&db, org, 731, 11).await;
        }
        let app = app(&db);
        // Everybody keeps two years, unless they say otherwise.
        assert_eq!(app.forget_activity().await.unwrap(), 22);
        let retry = db::Retry {
            caller: kernel::Subject::parse("root").unwrap(),
            method: "test",
            request_id: None,
            digest: [0; 32],
        };
        let change = SettingsChange { activity_retention: Some(Days::of(5).unwrap()) };
        app.update_settings(&acme, origin(), UpdateSettings { change, version: None, retry }).await.unwrap();
        assert_eq!(app.forget_activity().await.unwrap(), 1_203);
        assert_eq!(app.forget_activity().await.unwrap(), 0);
        // With the three that say when the contacts were made.
        assert_eq!((kept(&db, &acme).await, kept(&db, &globex).await), (10, 1_213));
    }
);
