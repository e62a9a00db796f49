//! Emails that arrive, and those that do not have to.

use kernel::Role;
use proto::common::v1::{Actor, Role as ProtoRole};
use proto::notifications::v1 as pb;
use proto::notifications::v1::{DeliveryState, NotificationType};
use proto::routing::v1::Agent;

use super::{SOON, World, section};
use crate::support::{event, ingest, list, mention, notify, person, read};

/// That Eve mentioned ana.
fn eve_mentions_ana() -> pb::NotificationEvent {
    let (subject, display_name) = ("eve".to_owned(), "Eve".to_owned());
    let actor = Actor { subject, role: ProtoRole::Supervisor.into(), display_name };
    pb::NotificationEvent {
        actor: Some(actor),
        reason: "Eve mentioned you in a note".to_owned(),
        ..mention(&["ana"])
    }
}

testkit::on_both_databases! {
    // D4
    async fn an_email_comes_over_starttls_and_over_tls_to_who_was_told(engine) {
        for port in ["starttls", "implicit"] {
            let world = World::over(engine, port).await;
            let told = eve_mentions_ana();
            notify(&mut ingest(&world.suite, "acme"), vec![told.clone()]).await;
            let email = world.ana.email(0).await;
            assert!(email.tls && email.user.as_deref() == Some("backchannel"), "{port}");
            assert_eq!((email.from.as_str(), &email.to), ("alerts@backchannel.example", &vec![world.ana.address().to_owned()]));
            assert_eq!(email.header("From"), "Backchannel <alerts@backchannel.example>");
            assert_eq!(email.header("To"), format!("\"Ana Lima\" <{}>", world.ana.address()));
            assert_eq!(email.header("Subject"), "Eve mentioned you in a note");
            assert_eq!(email.header("Auto-Submitted"), "auto-generated");
            assert_eq!(email.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
            let link = format!("https://console.example/c/{}", told.conversation_id);
            for body in [&email.text, &email.html] {
                for part in ["Hello Ana Lima,", "Eve mentioned you in a note", &link, "https://console.example/settings"] {
                    assert!(body.contains(part), "{part}: {body}");
                }
            }
            assert!(email.html.starts_with("<!doctype html>"));
            world.suite.stop().await;
        }
    }

    // D4
    async fn emails_about_one_conversation_are_one_thread_and_each_has_its_own_id(engine) {
        let world = World::over(engine, "clear").await;
        let (first, elsewhere) = (eve_mentions_ana(), eve_mentions_ana());
        let again = pb::NotificationEvent { conversation_id: first.conversation_id.clone(), ..eve_mentions_ana() };
        let mut emails = Vec::new();
        // One after the other, so that each has an email of its own.
        for (number, told) in [first.clone(), again, elsewhere].into_iter().enumerate() {
            notify(&mut ingest(&world.suite, "acme"), vec![told]).await;
            emails.push(world.ana.email(number).await);
        }
        let root = format!("<conversation.{}@backchannel.example>", first.conversation_id);
        let roots: Vec<&str> = emails.iter().map(|email| email.header("In-Reply-To")).collect();
        assert_eq!(roots[..2], [root.as_str(); 2]);
        assert_ne!(roots[2], root);
        let mut ids: Vec<&str> = emails.iter().map(|email| email.header("Message-ID")).collect();
        assert!(ids.iter().all(|id| id.ends_with("@backchannel.example>")), "{ids:?}");
        ids.dedup();
        assert_eq!(ids.len(), 3);
        assert!(emails.iter().all(|email| email.header("References") == email.header("In-Reply-To")));
    }

    // D4
    async fn what_is_read_within_the_undo_delay_is_not_sent(engine) {
        let world = World::after(engine, 5_000).await;
        let mut ana = person(&world.suite, "acme", "ana");
        notify(&mut ingest(&world.suite, "acme"), vec![eve_mentions_ana()]).await;
        world.planned().await;
        let entry = list(&mut ana).await.remove(0);
        read(&mut ana, &[&entry.notification_id]).await;
        let (_, attempts) = world.tried(DeliveryState::Skipped).await;
        assert_eq!(attempts.last().unwrap().error, "READ");
        assert_eq!((world.ana.count(), world.ana.tries()), (0, 0));
    }

    // D4
    async fn an_email_is_in_the_language_and_the_time_of_its_reader(engine) {
        let world = World::over(engine, "clear").await;
        let profile = world.routing.person("acme", "ana", ProtoRole::Agent);
        world.routing.put("acme", Agent {
            display_name: "Ana".to_owned(),
            email: world.ana.address().to_owned(),
            languages: vec!["nl".to_owned(), "de-AT".to_owned()],
            time_zone: "America/Sao_Paulo".to_owned(),
            ..profile
        });
        // 2026-11-22T17:03:00Z.
        let occur_time = Some(prost_types::Timestamp { seconds: 1_795_366_980, nanos: 0 });
        notify(&mut ingest(&world.suite, "acme"), vec![pb::NotificationEvent { occur_time, ..eve_mentions_ana() }]).await;
        let email = world.ana.email(0).await;
        assert!(email.html.contains("<html lang=\"de\">"));
        for body in [&email.text, &email.html] {
            for part in ["Guten Tag Ana,", "Eve hat Sie in einer Notiz erwähnt", "22. November 2026, 14:03 (America/Sao_Paulo)"] {
                assert!(body.contains(part), "{part}: {body}");
            }
        }
    }

    // D4
    async fn a_hostile_name_adds_no_header_and_no_recipient_on_the_wire(engine) {
        let world = World::over(engine, "clear").await;
        let profile = world.routing.person("acme", "ana", ProtoRole::Agent);
        world.routing.put("acme", Agent {
            display_name: "Ana\r\nBcc: eve@evil.example\r\n\r\n<script>alert(1)</script>".to_owned(),
            email: world.ana.address().to_owned(),
            ..profile
        });
        notify(&mut ingest(&world.suite, "acme"), vec![eve_mentions_ana()]).await;
        let email = world.ana.email(0).await;
        assert_eq!(email.to, [world.ana.address()]);
        let names: Vec<&str> = email.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert!(!names.contains(&"Bcc") && names.len() == 12, "{names:?}");
        assert!(!email.html.contains("<script>"), "{}", email.html);
    }

    // D4, D1
    async fn who_has_no_address_gets_no_email_and_everybody_else_does(engine) {
        let world = World::with(engine, section("clear", SOON), "ana").await;
        world.routing.put("acme", Agent { email: String::new(), ..world.routing.person("acme", "ben", ProtoRole::Agent) });
        let told = event(NotificationType::Assigned, &["ana", "ben", "nobody"]);
        notify(&mut ingest(&world.suite, "acme"), vec![told]).await;
        world.ana.email(0).await;
        // In the feed it is in any case.
        assert_eq!(list(&mut person(&world.suite, "acme", "ben")).await.len(), 1);
        assert_eq!(world.ana.count(), 1);
    }
}

// D4
#[test]
fn without_a_server_for_email_nothing_is_planned_and_everything_else_works() {
    testkit::run(async {
        let suite = crate::support::suite(testkit::Engine::Sqlite).await;
        notify(&mut ingest(&suite, "acme"), vec![eve_mentions_ana()]).await;
        assert_eq!(list(&mut person(&suite, "acme", "ana")).await.len(), 1);
        let client = suite.client("acme", "root", Role::Admin);
        let mut deliveries = pb::delivery_service_client::DeliveryServiceClient::new(client);
        let listed =
            deliveries.list_deliveries(pb::ListDeliveriesRequest::default()).await.unwrap().into_inner();
        assert!(listed.deliveries.is_empty());
    });
}
