//! A mention reaches its reader's mailbox, and what the note says stays in the organization's own systems unless it decided otherwise.

use std::path::PathBuf;
use std::time::Duration;

use kernel::{Clock, Role};
use proto::notifications::v1 as told;
use proto::notifications::v1::admin_service_client::AdminServiceClient;
use proto::routing::v1 as pb;
use testkit::{Bearer, Client, Engine};

use crate::cast::{assigned, customer_writes, eventually, message, route, team};
use crate::privacy::note_on;
use crate::world::{ORG, World};

/// In every note here.
const CANARY: &str = "canary-4c2d";

/// The folder of the SMTP server that `tests/run` has started.
fn sink() -> PathBuf {
    let folder = std::env::var_os("BACKCHANNEL_TEST_SMTP");
    folder.expect("BACKCHANNEL_TEST_SMTP names the folder of tests/smtp/sink: `tests/run servers`").into()
}

/// Processes that send email to the server, soon.
async fn with_email(engine: Engine) -> World {
    let said = std::fs::read(sink().join("sink.json")).expect("the SMTP server of the tests has started");
    let said: serde_json::Value = serde_json::from_slice(&said).unwrap();
    let (port, folder) = (said["ports"]["starttls"].to_string(), sink());
    let text = |key: &str| said[key].as_str().unwrap().to_owned();
    let (user, password, ca) = (text("user"), text("password"), folder.join("ca.pem"));
    let email = [
        ("EMAIL__HOST", "localhost"),
        ("EMAIL__PORT", &port),
        ("EMAIL__USER", &user),
        ("EMAIL__PASSWORD", &password),
        ("EMAIL__CA_FILE", ca.to_str().unwrap()),
        ("EMAIL__FROM", "Backchannel <alerts@backchannel.example>"),
        ("PLAN__EMAIL_DELAY_MS", "50"),
    ];
    let names: Vec<String> =
        email.iter().map(|(key, _)| format!("BACKCHANNEL_NOTIFICATIONS__{key}")).collect();
    let further: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(email.iter().map(|it| it.1)).collect();
    World::four_processes_with(engine, &further).await
}

/// The email at this place in a mailbox, as it arrived, once it is there.
async fn email(address: &str, number: usize) -> String {
    let folder = sink().join("mail").join(address);
    let arrived = || async { folder.join(format!("{number}.json")).exists().then_some(()) };
    eventually("an email", arrived).await;
    let raw = std::fs::read_to_string(folder.join(format!("{number}.eml"))).unwrap();
    assert!(!raw.contains("base64"), "it can be searched as it is: {raw}");
    raw
}

fn a_mention_becomes_an_email(engine: Engine) {
    testkit::run(async {
        let world = with_email(engine).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        let admin = world.as_one("admin", Role::Admin);
        let address = format!("ben.{}@people.example", Clock::system().new_id());
        let profile = pb::AgentProfile { email: address.clone(), ..Default::default() };
        let request = pb::UpdateAgentRequest {
            agent_id: team.agent("ben").agent_id.clone(),
            profile: Some(profile),
            ..Default::default()
        };
        admin.agents().update_agent(request).await.unwrap();
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "p-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let id = &conversation.conversation_id;
        let ana = team.agent("ana");
        let mention = format!("@ben {CANARY} he is lying");

        note_on(&ana.api, id, &mention).await;
        let mut number = 0;
        // The conversation may have been given to ben, who is told that as well.
        let first = loop {
            let raw = email(&address, number).await;
            number += 1;
            assert!(!raw.contains(CANARY) && !raw.contains("lying"), "{raw}");
            if raw.contains("mentioned you in a note") {
                break raw;
            }
        };
        assert!(first.contains(&format!("<conversation.{id}@backchannel.example>")), "{first}");

        let channel =
            world.wire.channel_for("/backchannel.notifications.v1.AdminService/UpdateSettings").unwrap();
        let bearer = Bearer::new(&world.token(ORG, "admin", Role::Admin));
        let mut settings = AdminServiceClient::new(Client::new(channel, bearer));
        let email_content = told::EmailContent::Excerpt.into();
        let request = told::UpdateSettingsRequest { email_content, ..Default::default() };
        settings.update_settings(request).await.unwrap();
        // Notes takes the answer that it had before for granted for so long.
        tokio::time::sleep(Duration::from_secs(5)).await;
        note_on(&ana.api, id, &mention).await;
        let raw = email(&address, number).await;
        assert!(raw.contains(CANARY), "{raw}");
        assert!(
            !world.logs().contains(CANARY) && !world.logs().contains(&address),
            "nor is anything of it in a log"
        );
        world.stop().await;
    });
}

// D4, N3
#[test]
fn on_sqlite_a_mention_becomes_an_email_without_the_note_unless_the_organization_wants_it() {
    a_mention_becomes_an_email(Engine::Sqlite);
}

// D4, N3
#[test]
fn on_postgres_a_mention_becomes_an_email_without_the_note_unless_the_organization_wants_it() {
    a_mention_becomes_an_email(Engine::Postgres);
}
