//! D1: events in, each once.

use crate::support::*;
use kernel::Role;
use proto::common::v1::{Actor, ErrorReason, EventDisposition, Role as ProtoRole};
use proto::notifications::v1 as pb;
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use rpc::reason_of;
use tonic::Code;

testkit::on_both_databases! {
    // D1
    async fn each_recipient_gets_one_entry_per_event_with_everything_the_event_says(engine) {
        let suite = suite(engine).await;
        let (mut ana, mut ben) = (person(&suite, "acme", "ana"), person(&suite, "acme", "ben"));
        let actor = Actor { subject: "eve".into(), role: ProtoRole::Supervisor.into(), display_name: "Eve".into() };
        let event = pb::NotificationEvent { actor: Some(actor), ..mention(&["ana", "ben", "ana"]) };
        let outcomes = notify(&mut ingest(&suite, "acme"), vec![event.clone()]).await;
        assert_eq!(dispositions(&outcomes), [EventDisposition::Applied]);
        assert_eq!(outcomes[0].event_id, event.event_id);
        for person in [&mut ana, &mut ben] {
            let entries = list(person).await;
            assert_eq!(sequences(&entries), [1]);
            let entry = &entries[0];
            assert_eq!((entry.r#type, &entry.reason), (event.r#type, &event.reason));
            assert_eq!((&entry.conversation_id, entry.note_id.as_str()), (&event.conversation_id, ""));
            assert_eq!((&entry.actor, entry.occur_time), (&event.actor, event.occur_time));
            assert!(entry.create_time.is_some() && entry.read_time.is_none());
        }
        assert_ne!(list(&mut ana).await[0].notification_id, list(&mut ben).await[0].notification_id);
    }

    // D1
    async fn an_event_that_comes_again_changes_nothing(engine) {
        let suite = suite(engine).await;
        let (mut ingest, mut ana) = (ingest(&suite, "acme"), person(&suite, "acme", "ana"));
        let (first, second) = (mention(&["ana"]), mention(&["ana"]));
        notify(&mut ingest, vec![first.clone()]).await;
        // Again with another event, twice in one batch, and with other contents under the same id.
        let again = notify(&mut ingest, vec![first.clone(), second.clone(), second.clone()]).await;
        use EventDisposition::{Applied, Duplicate};
        assert_eq!(dispositions(&again), [Duplicate, Applied, Duplicate]);
        let altered = pb::NotificationEvent { reason: "something else".into(), ..first };
        assert_eq!(dispositions(&notify(&mut ingest, vec![altered]).await), [Duplicate]);
        assert_eq!(sequences(&list(&mut ana).await), [2, 1]);
        assert_eq!(count(&mut ana).await, (2, 2));
    }

    // D1
    async fn an_event_that_cannot_be_stored_is_refused_and_its_neighbours_are_not(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        let bad = pb::NotificationEvent { reason: "a\nb".into(), ..mention(&["ana"]) };
        let events = vec![mention(&["ana"]), bad.clone(), mention(&["a b"]), mention(&["ana"])];
        let mut ingest = ingest(&suite, "acme");
        let outcomes = notify(&mut ingest, events).await;
        use EventDisposition::{Applied, Refused};
        assert_eq!(dispositions(&outcomes), [Applied, Refused, Refused, Applied]);
        assert!(outcomes[1].reason.starts_with("reason:"), "{}", outcomes[1].reason);
        assert_eq!(sequences(&list(&mut ana).await), [2, 1]);
        // Nothing is remembered of a refused event: put right, it takes effect.
        let right = pb::NotificationEvent { reason: "a b".into(), ..bad };
        assert_eq!(dispositions(&notify(&mut ingest, vec![right]).await), [Applied]);
    }

    // D1
    async fn the_same_event_id_in_another_organization_is_another_event(engine) {
        let suite = suite(engine).await;
        let event = mention(&["ana"]);
        for org in ["acme", "umbrella"] {
            let outcomes = notify(&mut ingest(&suite, org), vec![event.clone()]).await;
            assert_eq!(dispositions(&outcomes), [EventDisposition::Applied], "{org}");
            assert_eq!(sequences(&list(&mut person(&suite, org, "ana")).await), [1], "{org}");
        }
    }

    // D1, D3
    async fn batches_at_the_same_time_to_the_same_people_leave_no_gap(engine) {
        const SENDERS: usize = 8;
        const BATCHES: usize = 40;
        let suite = suite(engine).await;
        let people = ["ana", "ben", "cleo", "dan"];
        let senders = (0..SENDERS).map(|sender| {
            let mut ingest = ingest(&suite, "acme");
            tokio::spawn(async move {
                let mut busy = 0;
                for batch in 0..BATCHES {
                    // Each in another order of people: whoever locks in the order of arrival comes to a standstill.
                    let mut order = people;
                    order.rotate_left((sender + batch) % people.len());
                    let events = order.iter().map(|first| mention(&[first, order[0], order[3]])).collect();
                    let (outcomes, refusals) = notify_patiently(&mut ingest, events).await;
                    assert!(dispositions(&outcomes).iter().all(|it| *it == EventDisposition::Applied));
                    busy += refusals;
                }
                busy
            })
        });
        let mut busy = 0;
        for sender in senders.collect::<Vec<_>>() {
            busy += sender.await.unwrap();
        }
        // Without one order of locking many batches run into deadlocks; a slow machine may refuse one or two.
        assert!(busy <= 2, "{busy} batches were in each other's way");
        let mut total = 0;
        for subject in people {
            let mut person = person(&suite, "acme", subject);
            let (unread, latest) = count(&mut person).await;
            let request = pb::ListNotificationsRequest { page_size: 200, ..Default::default() };
            let (entries, _) = all_pages(&mut person, request).await;
            let expected: Vec<i64> = (1..=latest).rev().collect();
            assert_eq!((sequences(&entries), unread), (expected, latest), "{subject}");
            total += latest;
        }
        // Of four events in a batch, two tell two people and two tell three.
        assert_eq!(total, (SENDERS * BATCHES * 10) as i64);
    }

    // D1
    async fn the_same_batch_sent_by_many_at_once_takes_effect_once(engine) {
        let suite = suite(engine).await;
        let events: Vec<_> = (0..20).map(|_| mention(&["ana", "ben"])).collect();
        let senders: Vec<_> = (0..6)
            .map(|sender| {
                let (mut ingest, mut events) = (ingest(&suite, "acme"), events.clone());
                events.rotate_left(sender * 3);
                tokio::spawn(async move { dispositions(&notify(&mut ingest, events).await) })
            })
            .collect();
        let mut applied = 0;
        for sender in senders {
            let outcomes = sender.await.unwrap();
            applied += outcomes.iter().filter(|it| **it == EventDisposition::Applied).count();
        }
        assert_eq!(applied, 20);
        assert_eq!(count(&mut person(&suite, "acme", "ben")).await, (20, 20));
    }

    // D1
    async fn a_full_batch_to_a_thousand_people_arrives_whole(engine) {
        let suite = suite(engine).await;
        let everybody: Vec<String> = (0..1_000).map(|number| format!("p{number}")).collect();
        let everybody: Vec<&str> = everybody.iter().map(String::as_str).collect();
        let events = (0..5).map(|_| mention(&everybody)).collect();
        let outcomes = notify(&mut ingest(&suite, "acme"), events).await;
        assert!(dispositions(&outcomes).iter().all(|it| *it == EventDisposition::Applied));
        for subject in ["p0", "p999"] {
            assert_eq!(sequences(&list(&mut person(&suite, "acme", subject)).await), [5, 4, 3, 2, 1]);
        }
    }

    // P2, P3
    async fn only_services_notify(engine) {
        let suite = suite(engine).await;
        for role in [Role::Contact, Role::Agent, Role::Supervisor, Role::Admin, Role::Integration] {
            let mut client = IngestServiceClient::new(suite.client("acme", "eve", role));
            let refused = client.notify(pb::NotifyRequest { events: vec![mention(&["ana"])] }).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
            assert_eq!(reason_of(&refused), Some(ErrorReason::RoleNotAllowed));
        }
        assert_eq!(count(&mut person(&suite, "acme", "ana")).await, (0, 0));
    }

    // P4
    async fn a_request_against_the_contract_is_refused_as_a_whole(engine) {
        let suite = suite(engine).await;
        let mut ingest = ingest(&suite, "acme");
        let unknown = pb::NotificationEvent { r#type: 0, ..mention(&["ana"]) };
        for events in [vec![], vec![unknown], vec![mention(&[])], vec![mention(&["ana"]); 101]] {
            let refused = ingest.notify(pb::NotifyRequest { events }).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason_of(&refused), Some(ErrorReason::InvalidField));
        }
    }
}
