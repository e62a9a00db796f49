//! What is planned for an entry, why, and what became of it.

use std::time::Duration;

use kernel::{Clock, Role};
use proto::common::v1::Role as ProtoRole;
use proto::notifications::v1 as pb;
use proto::notifications::v1::device_service_client::DeviceServiceClient;
use proto::notifications::v1::erasure_service_client::ErasureServiceClient;
use proto::notifications::v1::register_device_request::Address;
use proto::notifications::v1::{
    ChannelOutcome, DeliveryCause, DeliveryChannel, DeliveryState, NotificationType,
};
use proto::routing::v1::Agent;
use testkit::{Engine, Suite};
use tonic::Code;

use super::{Preferences, World, causes, seconds, section, update};
use crate::support::routing::Routing;
use crate::support::{PATIENCE, builder_beside, event, ingest, list, mention, notify, person, read};

/// Of the example of RFC 8291.
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// Registers a browser of ana's, whose push service is nowhere.
pub(super) async fn register(suite: &Suite, name: &str) {
    let mut devices = DeviceServiceClient::new(suite.client("acme", "ana", Role::Agent));
    let endpoint = format!("https://push.invalid/{name}");
    let address = Address::WebPush(pb::WebPushSubscription {
        endpoint,
        p256dh: P256DH.to_owned(),
        auth: AUTH.to_owned(),
    });
    let request = pb::RegisterDeviceRequest { address: Some(address), display_name: name.to_owned() };
    devices.register_device(request).await.unwrap();
}

testkit::on_both_databases! {
    // D4, D5, D6
    async fn an_entry_is_planned_for_email_and_for_each_device_and_explained(engine) {
        let mut world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        register(&world.suite, "laptop").await;
        register(&world.suite, "phone").await;
        let entry = world.tell(mention(&["ana", "ben"])).await;
        let [in_app, email, push] = world.explained(&mut ana, &entry).await;
        assert_eq!((in_app.outcome(), in_app.summary.as_str()), (ChannelOutcome::Told, "It is in the person's feed."));
        assert_eq!((email.outcome(), push.outcome()), (ChannelOutcome::Waiting, ChannelOutcome::Waiting));
        for (channel, due) in [(&email, 15), (&push, 3)] {
            assert_eq!(causes(channel), [DeliveryCause::UndoDelay, DeliveryCause::DefaultOn]);
            assert_eq!((seconds(channel.due_time), channel.told_together), (due, 1));
        }
        assert_eq!(
            email.summary,
            "It will be told by email, as planned on 1 January 2026, 00:00:15 (UTC+00:00). It waits until 1 January 2026, \
             00:00:15 (UTC+00:00), and is not told if it is read by then."
        );
        assert_eq!((email.deliveries.len(), push.deliveries.len()), (1, 2));
        let queued = world.deliveries("ana").await;
        let of = |channel| queued.iter().filter(|it| it.channel() == channel).count();
        assert_eq!((of(DeliveryChannel::Email), of(DeliveryChannel::WebPush)), (1, 2));
        assert_eq!(world.deliveries("ben").await.len(), 1, "he has no device");
    }

    // D6
    async fn people_ask_about_their_own_entries_and_admins_about_anybodys(engine) {
        let mut world = World::on(engine).await;
        let entry = world.tell(mention(&["ana"])).await;
        let asked = pb::ExplainDeliveryRequest { notification_id: entry.notification_id.clone() };
        let refused = world.preferences("ben").explain_delivery(asked.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let elsewhere = world.suite.client("globex", "root", Role::Admin);
        let refused = Preferences::new(elsewhere).explain_delivery(asked.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
        let answer = world.admin().explain_delivery(asked).await.unwrap().into_inner();
        assert_eq!((answer.subject.as_str(), answer.channels.len()), ("ana", 3));
    }

    // D4, D6
    async fn who_cannot_be_reached_is_explained_and_gets_the_entry_in_the_feed(engine) {
        let mut world = World::on(engine).await;
        let ben = world.routing.person("acme", "ben", ProtoRole::Agent);
        world.routing.put("acme", Agent { email: String::new(), ..ben });
        world.tell(mention(&["ana", "ben", "zoe"])).await;
        for (name, cause) in [("ben", DeliveryCause::NoAddress), ("zoe", DeliveryCause::NobodyThere)] {
            let entry = list(&mut person(&world.suite, "acme", name)).await.remove(0);
            let [_, email, push] = world.explained(&mut world.preferences(name), &entry).await;
            assert_eq!((email.outcome(), causes(&email)), (ChannelOutcome::NotTold, vec![cause, DeliveryCause::DefaultOn]));
            assert_eq!(causes(&push), [DeliveryCause::NoDevice, DeliveryCause::DefaultOn]);
            assert!(world.deliveries(name).await.is_empty());
        }
    }

    // D4, D6
    async fn who_has_an_address_since_a_moment_ago_is_mailed(engine) {
        let mut world = World::on(engine).await;
        let ben = world.routing.person("acme", "ben", ProtoRole::Agent);
        world.routing.put("acme", Agent { email: String::new(), ..ben });
        let told = async |world: &mut World, name: &str| {
            world.tell(mention(&["ana", name])).await;
            let entry = list(&mut person(&world.suite, "acme", name)).await.remove(0);
            let [_, email, _] = world.explained(&mut world.preferences(name), &entry).await;
            email
        };
        for (name, cause) in [("ben", DeliveryCause::NoAddress), ("zoe", DeliveryCause::NobodyThere)] {
            let email = told(&mut world, name).await;
            assert_eq!(causes(&email), [cause, DeliveryCause::DefaultOn]);
            world.routing.person("acme", name, ProtoRole::Agent);
            assert_eq!(told(&mut world, name).await.outcome(), ChannelOutcome::Waiting);
        }
    }

    // D6
    async fn a_slow_answer_about_one_organization_does_not_hold_up_another(engine) {
        let world = World::on(engine).await;
        world.routing.is_slow(Duration::from_millis(400));
        let patience = tokio::time::Instant::now() + PATIENCE;
        // Somebody new each time: about the others nobody asks.
        for number in 0.. {
            let name = format!("reader{number}");
            for org in ["acme", "umbrella"] {
                notify(&mut ingest(&world.suite, org), vec![mention(&[&name])]).await;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            if world.routing.most_at_once() > 1 {
                break;
            }
            assert!(tokio::time::Instant::now() < patience, "routing is asked about one after the other");
        }
        world.suite.stop().await;
    }

    // D6
    async fn quiet_hours_are_those_of_the_zone_in_the_persons_profile(engine) {
        let mut world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        // New year in UTC is nine in the morning in Tokyo.
        let profile = world.routing.person("acme", "ana", ProtoRole::Agent);
        world.routing.put("acme", Agent { time_zone: "Asia/Tokyo".to_owned(), ..profile });
        let window = pb::QuietWindow { weekdays: vec![], start_minute: 8 * 60, end_minute: 10 * 60 };
        let quiet_hours = Some(pb::QuietHours { windows: vec![window] });
        update(&mut ana, pb::UpdatePreferencesRequest { quiet_hours, ..Default::default() }).await;
        let first = world.tell(mention(&["ana"])).await;
        let [_, email, _] = world.explained(&mut ana, &first).await;
        assert_eq!(causes(&email), [DeliveryCause::QuietHours, DeliveryCause::DefaultOn]);
        assert_eq!(seconds(email.due_time), 3_600);
        assert!(email.reasons[0].sentence.contains("1 January 2026, 10:00:00 (UTC+09:00)"), "{email:?}");
        // What comes later waits in the same email; what cannot wait does not.
        let second = world.tell(event(NotificationType::Assigned, &["ana"])).await;
        let [_, email, _] = world.explained(&mut ana, &second).await;
        assert_eq!((email.told_together, world.deliveries("ana").await.len()), (2, 1));
        let breach = world.tell(event(NotificationType::SlaBreach, &["ana"])).await;
        let [_, email, _] = world.explained(&mut ana, &breach).await;
        assert_eq!(causes(&email), [DeliveryCause::UndoDelay, DeliveryCause::Urgent, DeliveryCause::DefaultOn]);
    }

    // D4, D6
    async fn what_is_read_before_it_is_due_is_skipped_and_that_is_explained(engine) {
        let mut world = World::on(engine).await;
        let entry = world.tell(mention(&["ana"])).await;
        world.explained(&mut world.preferences("ana"), &entry).await;
        read(&mut person(&world.suite, "acme", "ana"), &[&entry.notification_id]).await;
        world.suite.hand().advance(Duration::from_secs(16));
        let email = until(&world, &entry, ChannelOutcome::Skipped).await;
        let [delivery] = email.deliveries.as_slice() else { panic!("one email: {email:?}") };
        assert_eq!(delivery.delivery.as_ref().unwrap().state(), DeliveryState::Skipped);
        assert_eq!(delivery.attempts[0].error, "READ");
    }

    // D6
    async fn what_is_switched_off_after_it_was_planned_is_not_told(engine) {
        let mut world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        let entry = world.tell(mention(&["ana"])).await;
        world.explained(&mut ana, &entry).await;
        let off = pb::UpdatePreferencesRequest { email: pb::Switch::Off.into(), ..Default::default() };
        update(&mut ana, off).await;
        world.suite.hand().advance(Duration::from_secs(16));
        let email = until(&world, &entry, ChannelOutcome::Skipped).await;
        assert_eq!(email.deliveries[0].attempts[0].error, "UNWANTED");
    }

    // D6
    async fn while_routing_does_not_answer_plans_wait_and_feeds_do_not(engine) {
        let mut world = World::on(engine).await;
        world.routing.is_down(true);
        let entry = world.tell(mention(&["ana"])).await;
        let asked = world.routing.asked();
        let patience = tokio::time::Instant::now() + PATIENCE;
        while world.routing.asked() < asked + 2 {
            assert!(tokio::time::Instant::now() < patience, "routing is not asked again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(world.deliveries("ana").await.is_empty());
        world.routing.is_down(false);
        let [_, email, _] = world.explained(&mut world.preferences("ana"), &entry).await;
        assert_eq!(email.outcome(), ChannelOutcome::Waiting);
    }

    // P12, D6
    async fn an_erased_conversation_takes_its_plans_and_mutes_with_it(engine) {
        let mut world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        let told = mention(&["ana"]);
        world.routing.conversation("acme", &told.conversation_id);
        let mute = pb::MuteConversationRequest { conversation_id: told.conversation_id.clone() };
        ana.mute_conversation(mute).await.unwrap();
        let entry = world.tell(told.clone()).await;
        world.explained(&mut ana, &entry).await;
        let mut erasure = ErasureServiceClient::new(world.suite.client("acme", "contacts", Role::Service));
        let request = pb::EraseConversationsRequest {
            erasure_id: Clock::system().new_id().to_string(),
            conversation_ids: vec![told.conversation_id],
        };
        let removed = loop {
            let answer = erasure.erase_conversations(request.clone()).await.unwrap().into_inner();
            if answer.done {
                break answer.removed;
            }
        };
        let mut kinds: Vec<(&str, i64)> = removed.iter().map(|it| (it.kind.as_str(), it.count)).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [("mutes", 1), ("notifications", 1)]);
        let asked = pb::ExplainDeliveryRequest { notification_id: entry.notification_id };
        assert_eq!(world.admin().explain_delivery(asked).await.unwrap_err().code(), Code::NotFound);
        assert!(ana.list_mutes(pb::ListMutesRequest::default()).await.unwrap().into_inner().mutes.is_empty());
    }

    // D6
    async fn without_email_and_without_a_device_nothing_is_planned_and_that_is_explained(engine) {
        let suite = crate::support::suite(engine).await;
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let entry = list(&mut person(&suite, "acme", "ana")).await.remove(0);
        let mut ana = Preferences::new(suite.client("acme", "ana", Role::Agent));
        let patience = tokio::time::Instant::now() + PATIENCE;
        loop {
            let request = pb::ExplainDeliveryRequest { notification_id: entry.notification_id.clone() };
            let channels = ana.explain_delivery(request).await.unwrap().into_inner().channels;
            if causes(&channels[1]) == [DeliveryCause::NotPlanned] {
                assert_eq!(channels[1].outcome(), ChannelOutcome::NotTold);
                break;
            }
            assert!(tokio::time::Instant::now() < patience, "{channels:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// What became of ana's email about an entry, once it is this.
async fn until(world: &World, entry: &pb::Notification, outcome: ChannelOutcome) -> pb::ChannelExplanation {
    let patience = tokio::time::Instant::now() + PATIENCE;
    loop {
        let [_, email, _] = world.explained(&mut world.admin(), entry).await;
        if email.outcome() == outcome {
            return email;
        }
        assert!(tokio::time::Instant::now() < patience, "never {outcome:?}: {email:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

// D6
#[test]
fn two_processes_plan_every_entry_once() {
    testkit::run(async {
        let routing = Routing::default();
        let people: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
        for name in &people {
            routing.person("acme", name, ProtoRole::Agent);
        }
        // Nothing is due within an hour.
        let configured = |config: &mut runtime::Config| {
            config.notifications = serde_json::from_value(section(3_600_000)).unwrap();
        };
        let here = builder_beside(Engine::Postgres, &routing).configured(configured).start().await;
        let (database, data) = (here.database_url().unwrap(), here.data().to_owned());
        let there =
            builder_beside(Engine::Sqlite, &routing).configured(configured).configured(move |config| {
                config.database = Some(runtime::Secret::new(database));
                config.data = data;
            });
        let there = there.start().await;
        let names: Vec<&str> = people.iter().map(String::as_str).collect();
        // Four each: all of them are told one by one.
        for suite in [&here, &there, &here, &there] {
            notify(&mut ingest(suite, "acme"), vec![mention(&names)]).await;
        }
        for name in &people {
            let mut asks = Preferences::new(here.client("acme", name, Role::Agent));
            let entries = list(&mut person(&here, "acme", name)).await;
            assert_eq!(entries.len(), 4);
            let mut bundles = std::collections::BTreeSet::new();
            for entry in &entries {
                let patience = tokio::time::Instant::now() + PATIENCE;
                let email = loop {
                    let request =
                        pb::ExplainDeliveryRequest { notification_id: entry.notification_id.clone() };
                    let email = asks.explain_delivery(request).await.unwrap().into_inner().channels.remove(1);
                    if email.outcome() == ChannelOutcome::Waiting && !email.deliveries.is_empty() {
                        break email;
                    }
                    assert!(tokio::time::Instant::now() < patience, "{email:?}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                };
                assert_eq!(email.told_together, 1);
                bundles.insert(email.deliveries[0].delivery.as_ref().unwrap().delivery_id.clone());
            }
            assert_eq!(bundles.len(), 4);
        }
        let mut admin =
            pb::delivery_service_client::DeliveryServiceClient::new(here.client("acme", "root", Role::Admin));
        let all = pb::ListDeliveriesRequest { page_size: 200, ..Default::default() };
        assert_eq!(admin.list_deliveries(all).await.unwrap().into_inner().deliveries.len(), 80);
        there.stop().await;
        here.stop().await;
    });
}
