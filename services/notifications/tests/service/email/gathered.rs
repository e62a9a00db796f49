//! Emails that tell several things: digests and storms, by a clock that the test moves.

use std::time::Duration;

use kernel::{Clock, Role};
use proto::common::v1::Role as ProtoRole;
use proto::notifications::v1 as pb;
use proto::notifications::v1::preference_service_client::PreferenceServiceClient;
use proto::notifications::v1::{ChannelOutcome, DeliveryCause};
use proto::routing::v1::Agent;
use testkit::{Engine, Suite};
use tokio::time::Instant;

use super::mailbox::Mailbox;
use super::section;
use crate::support::routing::Routing;
use crate::support::{NEW_YEAR, PATIENCE, builder_beside, ingest, list, mention, notify, person, read};

/// Ana and her mailbox, at new year.
async fn at_new_year(engine: Engine) -> (Suite, Mailbox) {
    let (routing, mailbox) = (Routing::default(), Mailbox::new("ana"));
    let profile = routing.person("acme", "ana", ProtoRole::Agent);
    routing.put("acme", Agent { email: mailbox.address().to_owned(), ..profile });
    let started = builder_beside(engine, &routing).with_fake_clock(NEW_YEAR).configured(|config| {
        config.notifications = serde_json::from_value(section("clear", 15_000)).unwrap();
    });
    (started.start().await, mailbox)
}

fn preferences(suite: &Suite) -> PreferenceServiceClient<testkit::Client> {
    PreferenceServiceClient::new(suite.client("acme", "ana", Role::Agent))
}

/// What became of ana's email about an entry, once it is this, or waits for this cause.
async fn until(
    suite: &Suite,
    entry: &pb::Notification,
    outcome: ChannelOutcome,
    cause: DeliveryCause,
) -> pb::ChannelExplanation {
    let patience = Instant::now() + PATIENCE;
    loop {
        let request = pb::ExplainDeliveryRequest { notification_id: entry.notification_id.clone() };
        let answer = preferences(suite).explain_delivery(request).await.unwrap().into_inner();
        let email = answer.channels[1].clone();
        if email.outcome() == outcome && email.reasons[0].cause() == cause {
            return email;
        }
        assert!(Instant::now() < patience, "never {outcome:?}: {email:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

testkit::on_both_databases! {
    // D6
    async fn a_digest_is_one_email_a_window_with_what_is_still_unread(engine) {
        let (suite, mailbox) = at_new_year(engine).await;
        let hourly = pb::Digest { frequency: pb::DigestFrequency::Hourly.into(), minute: 0 };
        let request = pb::UpdatePreferencesRequest { digest: Some(hourly), ..Default::default() };
        preferences(&suite).update_preferences(request).await.unwrap();
        let told: Vec<_> = (1..=3).map(|number| pb::NotificationEvent {
            reason: format!("Eve mentioned you, number {number}"),
            ..mention(&["ana"])
        }).collect();
        notify(&mut ingest(&suite, "acme"), told).await;
        let mut ana = person(&suite, "acme", "ana");
        let entries = list(&mut ana).await;
        until(&suite, &entries[0], ChannelOutcome::Waiting, DeliveryCause::Digest).await;
        read(&mut ana, &[&entries[1].notification_id]).await;
        suite.hand().advance(Duration::from_secs(3_601));
        let email = mailbox.email(0).await;
        for (number, there) in [(1, true), (2, false), (3, true)] {
            assert_eq!(email.text.contains(&format!("number {number}")), there, "{}", email.text);
        }
        // When it was written, not when the window began.
        assert!(email.header("Date").starts_with("Thu, 01 Jan 2026 01:00:"), "{}", email.header("Date"));
        let told = until(&suite, &entries[0], ChannelOutcome::Told, DeliveryCause::Digest).await;
        assert_eq!((told.told_together, mailbox.count()), (3, 1));
        // The next window has nothing, and so no email; what comes then is in the one after.
        suite.hand().advance(Duration::from_secs(3_601));
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let entry = list(&mut person(&suite, "acme", "ana")).await.remove(0);
        until(&suite, &entry, ChannelOutcome::Waiting, DeliveryCause::Digest).await;
        assert_eq!(mailbox.count(), 1);
        suite.hand().advance(Duration::from_secs(3_601));
        mailbox.email(1).await;
    }

    // D6
    async fn a_storm_ends_in_one_email_that_lists_twenty_and_counts_the_rest(engine) {
        let (suite, mailbox) = at_new_year(engine).await;
        let conversations: Vec<String> = (0..3).map(|_| Clock::system().new_id().to_string()).collect();
        let told = (0..30).map(|number| pb::NotificationEvent {
            conversation_id: conversations[number % 3].clone(),
            reason: format!("Eve mentioned you, number {number}."),
            ..mention(&["ana"])
        });
        notify(&mut ingest(&suite, "acme"), told.collect()).await;
        let entries = list(&mut person(&suite, "acme", "ana")).await;
        let waits = until(&suite, &entries[0], ChannelOutcome::Waiting, DeliveryCause::Storm).await;
        assert_eq!(waits.told_together, 25);
        suite.hand().advance(Duration::from_secs(16));
        // Marked as sent before time passes: an email whose mark comes after its lease is sent again.
        for entry in &entries[25..] {
            until(&suite, entry, ChannelOutcome::Told, DeliveryCause::UndoDelay).await;
        }
        assert_eq!(mailbox.count(), 5);
        suite.hand().advance(Duration::from_secs(300));
        let email = mailbox.email(5).await;
        assert_eq!(email.header("Subject"), "25 mentions in 3 conversations");
        let listed: Vec<usize> =
            (0..30).filter(|number| email.text.contains(&format!("number {number}\r\n"))).collect();
        assert_eq!(listed, (10..30).collect::<Vec<_>>(), "the newest twenty");
        assert!(email.text.contains("… and 5 more"), "{}", email.text);
        assert_eq!(mailbox.count(), 6);
    }

    // D6
    async fn what_is_due_when_its_person_wants_quiet_waits_until_that_ends(engine) {
        let (suite, mailbox) = at_new_year(engine).await;
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let entry = list(&mut person(&suite, "acme", "ana")).await.remove(0);
        until(&suite, &entry, ChannelOutcome::Waiting, DeliveryCause::UndoDelay).await;
        // Chosen after it was planned.
        let window = pb::QuietWindow { weekdays: vec![], start_minute: 0, end_minute: 10 };
        let quiet_hours = Some(pb::QuietHours { windows: vec![window] });
        let request = pb::UpdatePreferencesRequest { quiet_hours, ..Default::default() };
        preferences(&suite).update_preferences(request).await.unwrap();
        suite.hand().advance(Duration::from_secs(16));
        let patience = Instant::now() + PATIENCE;
        loop {
            let email = until(&suite, &entry, ChannelOutcome::Waiting, DeliveryCause::UndoDelay).await;
            if email.deliveries[0].attempts.iter().any(|attempt| attempt.error == "QUIET") {
                break;
            }
            assert!(Instant::now() < patience, "{email:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!((mailbox.count(), mailbox.tries()), (0, 0));
        suite.hand().advance(Duration::from_secs(600));
        mailbox.email(0).await;
    }
}
