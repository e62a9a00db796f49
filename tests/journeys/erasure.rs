//! A person is erased from all services, though processes are killed meanwhile: the report says what went, and nothing is left
//! of them anywhere.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use kernel::{Clock, Role};
use proto::contacts::v1 as contacts;
use proto::contacts::v1::erasure_service_client::ErasureServiceClient;
use proto::contacts::v1::merge_service_client::MergeServiceClient;
use proto::notifications::v1 as feed;
use proto::routing::v1 as pb;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use testkit::{Engine, PostgresDatabase};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::cast::{Team, assigned, customer_writes, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::internal_messages::tell;
use crate::privacy::note_on;
use crate::world::{ORG, SERVICES, World};

/// In everything that anybody knows or writes about the person, and nowhere else.
const MARKER: &str = "markermia";

/// Conversations of the person, and messages in each.
const CONVERSATIONS: u32 = 30;
const MESSAGES: u32 = 3;

/// Whoever is killed while having an erasure keeps it for ten seconds.
const PATIENCE: Duration = Duration::from_secs(90);

type Bearer = Box<dyn FnMut(Request<()>) -> Result<Request<()>, tonic::Status> + Send>;

/// A connection of an admin to contacts.
fn admin(world: &World) -> InterceptedService<Channel, Bearer> {
    let token = world.token(ORG, "admin", Role::Admin);
    let token: MetadataValue<Ascii> = format!("Bearer {token}").parse().unwrap();
    let channel = world.wire.channel_for("/backchannel.contacts.v1.ErasureService/GetErasure").unwrap();
    let bearer: Bearer = Box::new(move |mut request| {
        request.metadata_mut().insert("authorization", token.clone());
        Ok(request)
    });
    InterceptedService::new(channel, bearer)
}

async fn read(world: &World, erasure_id: &str) -> Result<contacts::Erasure, tonic::Status> {
    let request = contacts::GetErasureRequest { erasure_id: erasure_id.to_owned() };
    Ok(ErasureServiceClient::new(admin(world)).get_erasure(request).await?.into_inner().erasure.unwrap())
}

fn part(erasure: &contacts::Erasure, service: contacts::ErasingService) -> &contacts::ErasurePart {
    erasure.parts.iter().find(|part| part.service() == service).unwrap()
}

/// The erasure, once it is as it should be.
async fn once(
    world: &World,
    erasure_id: &str,
    wanted: impl Fn(&contacts::Erasure) -> bool,
) -> contacts::Erasure {
    let begun = std::time::Instant::now();
    loop {
        // Contacts may just have been killed.
        let erasure = read(world, erasure_id).await;
        match erasure {
            Ok(erasure) if wanted(&erasure) => return erasure,
            found => assert!(begun.elapsed() < PATIENCE, "it stays like this: {found:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn removed(erasure: &contacts::Erasure, service: contacts::ErasingService) -> BTreeMap<String, i64> {
    part(erasure, service).removed.iter().map(|it| (it.kind.clone(), it.count)).collect()
}

/// A message of the person.
fn from_mia(conversation: u32, turn: u32) -> pb::RecordMessageRequest {
    pb::RecordMessageRequest {
        contact_address: format!("{MARKER}-on-chat"),
        contact_display_name: format!("{MARKER} Example"),
        subject: format!("{MARKER} asks"),
        tags: vec![format!("{MARKER}-tag")],
        ..message("airline", &format!("{MARKER}-{conversation}"), turn, &format!("I am {MARKER}"))
    }
}

/// Everything that there can be about a person; the contact, and the one who was merged into it.
async fn seed(world: &World, team: &Team) -> (contacts::Contact, String) {
    let mut ids = Vec::new();
    let mut contact_id = String::new();
    for conversation in 0..CONVERSATIONS {
        for turn in 0..MESSAGES {
            let recorded = customer_writes(world, from_mia(conversation, turn)).await.conversation.unwrap();
            contact_id.clone_from(&recorded.contact_id);
            if turn == 0 {
                ids.push(recorded.conversation_id);
            }
        }
    }
    for id in &ids {
        assigned(world, id).await;
    }
    let supervisor = world.as_one("supervisor", Role::Supervisor);
    let [ana, ben] = [&team.agents[0], &team.agents[1]];
    for id in ids.iter().take(10) {
        let body = format!("{MARKER} is ill @{}", ben.subject);
        let note = note_on(&ana.api, id, &body).await;
        let edit = proto::notes::v1::UpdateNoteRequest {
            note_id: note.note_id,
            body: format!("{MARKER} is well again @{}", ben.subject),
            etag: note.etag,
            ..Default::default()
        };
        ana.api.notes().update_note(edit).await.unwrap();
        tell(&supervisor, id, &format!("be kind to {MARKER}"), None).await;
    }
    note_on_contact(&ana.api, &contact_id, &ids[0], &format!("{MARKER} has two children")).await;
    let double = merged(world, &contact_id).await;
    let request = contacts::GetContactRequest { contact_id };
    let mia = world.as_one("admin", Role::Admin).contacts().get_contact(request).await.unwrap();
    (mia.into_inner().contact.unwrap(), double)
}

/// Makes the person's second contact, with everything that contacts can know, and merges it into the first.
async fn merged(world: &World, into_contact_id: &str) -> String {
    let api = world.as_one("admin", Role::Admin);
    let profile = contacts::ContactProfile {
        display_name: format!("{MARKER} Example"),
        company: format!("{MARKER} Inc"),
        emails: vec![format!("{MARKER}@example.com")],
        external_id: format!("crm-{MARKER}"),
        ..Default::default()
    };
    let request = contacts::CreateContactRequest {
        profile: Some(profile),
        tags: vec![format!("{MARKER}-tag")],
        request_id: Clock::system().new_id().to_string(),
        ..Default::default()
    };
    let double = api.contacts().create_contact(request).await.unwrap().into_inner().contact.unwrap();
    let request = contacts::MergeContactsRequest {
        from_contact_id: double.contact_id.clone(),
        into_contact_id: into_contact_id.to_owned(),
        request_id: Clock::system().new_id().to_string(),
        ..Default::default()
    };
    MergeServiceClient::new(admin(world)).merge_contacts(request).await.unwrap();
    double.contact_id
}

/// How many notifications the team has.
async fn told(team: &Team) -> i64 {
    let mut told = 0;
    for agent in &team.agents {
        let request = feed::ListNotificationsRequest { page_size: 200, ..Default::default() };
        let page = agent.api.notifications().list_notifications(request).await.unwrap().into_inner();
        told += i64::try_from(page.notifications.len()).unwrap();
    }
    told
}

testkit::on_both_databases! {
    // P12, faults 1 and 32
    async fn nothing_is_left_of_an_erased_person_though_processes_are_killed_meanwhile(engine) {
        let mut world = World::four_processes(engine).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let (mia, double) = seed(&world, &team).await;
        let other = customer_writes(&world, message("airline", "other", 0, "hello")).await.conversation.unwrap();
        let other = assigned(&world, &other.conversation_id).await;
        // One for each assignment and internal message, and for each mention.
        let expected = i64::from(CONVERSATIONS) + 1 + 10 + 10;
        crate::cast::eventually("everybody was told", || async {
            (told(&team).await == expected).then_some(())
        })
        .await;

        world.process("notes").kill().await;
        let request = contacts::EraseContactRequest {
            contact_id: mia.contact_id.clone(),
            etag: mia.etag.clone(),
            request_id: Clock::system().new_id().to_string(),
        };
        let erasure = ErasureServiceClient::new(admin(&world)).erase_contact(request).await.unwrap();
        let erasure = erasure.into_inner().erasure.unwrap();
        assert_eq!(erasure.merged_contact_ids, [double]);
        let id = erasure.erasure_id;
        use proto::contacts::v1::ErasingService::{Contacts, Notes, Notifications, Routing};
        world.process("contacts").kill().await;
        world.process("contacts").restart().await;
        once(&world, &id, |it| part(it, Notes).waiting_since_time.is_some()).await;
        world.process("routing").kill().await;
        world.process("routing").restart().await;
        world.process("notes").restart().await;
        world.process("contacts").kill().await;
        world.process("contacts").restart().await;
        let done = once(&world, &id, |it| it.state() == contacts::ErasureState::Done).await;

        let routing = removed(&done, Routing);
        assert_eq!(routing["conversations"], i64::from(CONVERSATIONS));
        assert_eq!(routing["messages"], i64::from(CONVERSATIONS * MESSAGES));
        assert_eq!(routing["assignments"], i64::from(CONVERSATIONS));
        let notes = removed(&done, Notes);
        assert_eq!((notes["notes"], notes["note_revisions"], notes["internal_messages"]), (11, 10, 10));
        assert_eq!(removed(&done, Notifications)["notifications"], expected - 1, "all but the one about another");
        let ours = removed(&done, Contacts);
        assert_eq!((ours["contacts"], ours["merges"]), (1, 1));

        // The address is somebody new's; the other customer's work is untouched.
        let again = customer_writes(&world, message("airline", "other", 1, "me again")).await.conversation.unwrap();
        assert_eq!(again.conversation_id, other.conversation_id);
        assert_eq!(told(&team).await, 1);

        let logs = world.logs();
        assert!(!logs.contains(MARKER), "in a log");
        let (data, database) = world.leave().await;
        match engine {
            Engine::Sqlite => nothing_in_files(&data).await,
            Engine::Postgres => nothing_in_tables(&database.unwrap()).await,
        }
    }

    // P12
    async fn the_address_of_an_erased_person_is_somebody_new_from_the_first_message_on(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let old = customer_writes(&world, from_mia(1, 0)).await.conversation.unwrap();
        assigned(&world, &old.conversation_id).await;
        let request = contacts::GetContactRequest { contact_id: old.contact_id.clone() };
        let mia = world.as_one("admin", Role::Admin).contacts().get_contact(request).await.unwrap();
        let mia = mia.into_inner().contact.unwrap();
        let request = contacts::EraseContactRequest {
            contact_id: mia.contact_id.clone(),
            etag: mia.etag,
            request_id: String::new(),
        };
        let erasure = ErasureServiceClient::new(admin(&world)).erase_contact(request).await.unwrap();
        let id = erasure.into_inner().erasure.unwrap().erasure_id;
        once(&world, &id, |it| it.state() == contacts::ErasureState::Done).await;

        let new = customer_writes(&world, from_mia(1, 7)).await;
        assert!(new.conversation_created, "nothing is left to go on with");
        assert_ne!(new.conversation.unwrap().contact_id, old.contact_id);
        world.stop().await;
    }
}

/// No byte of the person in any file of SQLite, once what is free was given back.
async fn nothing_in_files(data: &TempDir) {
    for (_, service) in SERVICES {
        let name = service.trim_start_matches("assignment-");
        let file = data.path().join(format!("{name}.db"));
        let mut connection = SqliteConnection::connect(file.to_str().unwrap()).await.unwrap();
        sqlx::raw_sql("VACUUM").execute(&mut connection).await.unwrap();
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        for path in [file.clone(), file.with_extension("db-wal")] {
            assert!(!holds_marker(&path), "{}", path.display());
        }
        assert!(file.exists());
    }
}

fn holds_marker(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap_or_default().to_ascii_lowercase();
    bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes())
}

/// No row of any table of any service names the person, be it in bytes.
#[expect(
    clippy::disallowed_methods,
    reason = "looks into tables of all services and tenants, as no service can"
)]
async fn nothing_in_tables(database: &PostgresDatabase) {
    let mut connection = PgConnection::connect(&database.url()).await.unwrap();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_schema::text, table_name::text FROM information_schema.tables
         WHERE table_schema IN ('contacts', 'routing', 'notes', 'notifications') AND table_type = 'BASE TABLE'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(tables.len() > 60, "{}", tables.len());
    let hex: String = MARKER.bytes().map(|byte| format!("{byte:02x}")).collect();
    for (schema, table) in tables {
        let sql = format!(
            "SELECT COUNT(*) FROM {schema}.{table} t WHERE t::text ILIKE '%{MARKER}%' OR t::text LIKE '%{hex}%'"
        );
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        assert_eq!(found, 0, "{schema}.{table}");
    }
}
