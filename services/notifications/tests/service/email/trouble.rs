//! A server that does not take an email, and one that does not answer.

use proto::notifications::v1::{DeliveryOutcome, DeliveryState};

use super::mailbox::Mailbox;
use super::{SOON, World, section};
use crate::support::{ingest, mention, notify};

testkit::on_both_databases! {
    // D4, D7
    async fn an_address_that_the_server_refuses_is_given_up_at_once(engine) {
        let world = World::with(engine, section("clear", SOON), "refused").await;
        notify(&mut ingest(&world.suite, "acme"), vec![mention(&["ana"])]).await;
        let (delivery, attempts) = world.tried(DeliveryState::Failed).await;
        assert_eq!((delivery.attempt_count, world.ana.tries()), (1, 1));
        assert_eq!((attempts[0].outcome(), attempts[0].code), (DeliveryOutcome::Refused, 550));
        // What the server says may name the address: only its code is kept.
        assert!(!attempts[0].error.contains("mailbox") && !delivery.last_error.contains('@'), "{attempts:?}");
    }

    // D4, D7
    async fn a_full_mailbox_is_tried_again_and_nobody_else_waits_for_it(engine) {
        let world = World::with(engine, section("clear", SOON), "full").await;
        notify(&mut ingest(&world.suite, "acme"), vec![mention(&["ana"])]).await;
        let (delivery, attempts) = world.tried(DeliveryState::Waiting).await;
        assert_eq!((attempts[0].outcome(), attempts[0].code), (DeliveryOutcome::Failed, 452));
        assert!(delivery.due_time.is_some());
        let ben = Mailbox::new("ben");
        let profile = world.routing.person("acme", "ben", proto::common::v1::Role::Agent);
        world.routing.put("acme", proto::routing::v1::Agent { email: ben.address().to_owned(), ..profile });
        notify(&mut ingest(&world.suite, "acme"), vec![mention(&["ben"])]).await;
        ben.email(0).await;
    }

    // D4, D7
    async fn an_email_that_is_tried_again_is_the_same_email(engine) {
        let world = World::with(engine, section("clear", SOON), "busyonce").await;
        notify(&mut ingest(&world.suite, "acme"), vec![mention(&["ana"])]).await;
        let (delivery, _) = world.tried(DeliveryState::Waiting).await;
        let email = world.ana.email(0).await;
        assert_eq!(email.header("Message-ID"), format!("<{}@backchannel.example>", delivery.delivery_id));
        assert_eq!((world.ana.count(), world.ana.tries()), (1, 2));
    }

    // D4, D7
    async fn a_wrong_password_or_a_server_that_is_not_there_kills_no_email(engine) {
        let mut wrong = section("starttls", SOON);
        wrong["email"]["password"] = "wrong".into();
        let mut gone = section("clear", SOON);
        gone["email"]["port"] = 9.into();
        let mut stranger = section("implicit", SOON);
        stranger["email"].as_object_mut().unwrap().remove("ca_file");
        for (section, code) in [(wrong, 535), (gone, 0), (stranger, 0)] {
            let world = World::with(engine, section, "ana").await;
            notify(&mut ingest(&world.suite, "acme"), vec![mention(&["ana"])]).await;
            let (delivery, attempts) = world.tried(DeliveryState::Waiting).await;
            assert_eq!((attempts[0].outcome(), attempts[0].code), (DeliveryOutcome::Unreachable, code), "{delivery:?}");
            assert_eq!(world.ana.tries(), 0, "nothing was handed in");
            world.suite.stop().await;
        }
    }
}
