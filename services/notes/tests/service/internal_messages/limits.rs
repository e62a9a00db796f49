//! Retries, sizes, pages, outages, the setting.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::admin_service_client::AdminServiceClient;
use proto::notes::v1::*;
use tonic::Code;

use super::{Office, to_person, to_thread};
use crate::peers::Mood;
use crate::world::{metadata, refusal, request_id, violated};

testkit::on_both_databases! {
    // I1, P5
    async fn a_retry_has_the_first_answer_and_one_effect_even_after_the_conversation_was_given_away(engine) {
        let office = Office::on(engine).await;
        let request = SendInternalMessageRequest { request_id: request_id(), ..office.saying("once", None) };
        let mut eve = office.supervisor("eve");
        let first = eve.send_internal_message(request.clone()).await.unwrap().into_inner();
        for assignee in [Some(office.bob.as_str()), None] {
            office.world.peers.assign(&office.world.conversation, assignee);
            assert_eq!(eve.send_internal_message(request.clone()).await.unwrap().into_inner(), first);
        }
        assert_eq!(office.seen(&mut eve).await, ["once"]);
        assert_eq!(office.unread(&mut office.agent("ana")).await, (1, 1));
        assert_eq!(office.world.peers.told(1).await.0.len(), 1);
        let other = SendInternalMessageRequest { body: "twice".to_owned(), ..request };
        let (code, reason, _) = refusal(eve.send_internal_message(other).await);
        assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::RequestIdReused)));
    }

    // I7
    async fn switched_off_every_call_says_so_and_what_was_written_stays(engine) {
        let office = Office::on(engine).await;
        let (_, thread) = office.sent(&mut office.supervisor("eve"), "before", None).await;
        let mut admin = AdminServiceClient::new(office.world.suite.client("acme", "sub-root", Role::Admin));
        let mut switch = async |on| {
            let request = UpdateSettingsRequest { internal_messages_enabled: Some(on), ..Default::default() };
            admin.update_settings(request).await.unwrap();
        };
        switch(false).await;
        for role in [Role::Agent, Role::Supervisor, Role::Admin] {
            let mut by = office.as_one_of("acme", "ana", role);
            let refusals = [
                refusal(office.try_send(&mut by, "hi", to_thread(&thread)).await),
                refusal(office.try_send(&mut by, "hi", to_person(&office.eve)).await),
                refusal(by.list_internal_messages(office.page(0, "")).await),
                refusal(by.mark_internal_messages_read(office.up_to(None)).await),
                refusal(by.list_internal_threads(ListInternalThreadsRequest::default()).await),
                refusal(by.get_internal_unread_counts(GetInternalUnreadCountsRequest::default()).await),
            ];
            for (code, reason, status) in refusals {
                assert_eq!((code, reason), (Code::FailedPrecondition, Some(ErrorReason::DisabledBySetting)));
                assert_eq!(metadata(&status, "setting").as_deref(), Some("internal_messages_enabled"));
            }
        }
        // It is a decision of each organization.
        let elsewhere = office.as_one_of("globex", "ana", Role::Agent)
            .get_internal_unread_counts(GetInternalUnreadCountsRequest::default()).await;
        assert!(elsewhere.is_ok());
        switch(true).await;
        assert_eq!(office.seen(&mut office.agent("ana")).await, ["before"]);
    }

    // I1, P10
    async fn each_message_leaves_an_audit_record_without_its_text(engine) {
        let office = Office::on(engine).await;
        let (message, _) = office.sent(&mut office.supervisor("eve"), "secret", None).await;
        let mut admin = AdminServiceClient::new(office.world.suite.client("acme", "sub-root", Role::Admin));
        let events = admin.list_audit_events(ListAuditEventsRequest::default()).await.unwrap().into_inner().events;
        assert_eq!(events.len(), 1, "{events:?}");
        let event = &events[0];
        assert_eq!((event.action.as_str(), &event.object_id), ("internal_message.create", &message.internal_message_id));
        assert_eq!(event.actor_subject, "sub-eve");
        assert!(!format!("{event:?}").contains("secret"));
    }

    // I2, P7
    async fn pages_hold_each_message_once_and_long_ones_make_shorter_pages(engine) {
        let office = Office::on(engine).await;
        let (mut ana, mut eve) = (office.agent("ana"), office.supervisor("eve"));
        let text = |n: usize| format!("{n} {}", "x".repeat(65_000));
        for n in 0..40 {
            office.sent(&mut eve, &text(n), None).await;
        }
        for size in [200, 7] {
            let (mut all, mut pages, mut token) = (Vec::new(), 0, String::new());
            loop {
                let page = ana.list_internal_messages(office.page(size, &token)).await.unwrap().into_inner();
                assert_eq!(page.threads.len(), 1);
                all.extend(page.messages.into_iter().map(|message| message.body));
                pages += 1;
                if page.next_page_token.is_empty() {
                    break;
                }
                token = page.next_page_token;
            }
            assert!(pages > 1, "one answer would be too long for clients");
            assert_eq!(all, (0..40).map(text).collect::<Vec<_>>());
            // A token is for the person to whom it was given.
            let (code, reason, _) = refusal(eve.list_internal_messages(office.page(size, &token)).await);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
    }

    // I1
    async fn a_text_is_1_byte_to_64_kib(engine) {
        let office = Office::on(engine).await;
        let mut eve = office.supervisor("eve");
        office.sent(&mut eve, &"€".repeat(21_845), None).await;
        for body in [String::new(), " \n ".to_owned(), "€".repeat(21_846), "a\0b".to_owned()] {
            let (code, _, status) = refusal(office.try_send(&mut eve, &body, None).await);
            assert_eq!((code, violated(&status)), (Code::InvalidArgument, vec!["body".to_owned()]));
        }
        assert_eq!(office.seen(&mut eve).await.len(), 1);
    }

    // I1
    async fn a_thread_has_at_most_50_people(engine) {
        let office = Office::on(engine).await;
        let (_, thread) = office.sent(&mut office.supervisor("eve"), "0", None).await;
        for n in 2..50 {
            office.sent(&mut office.supervisor(&format!("s{n}")), "me too", to_thread(&thread)).await;
        }
        let (code, reason, status) = refusal(office.try_send(&mut office.supervisor("late"), "me?", to_thread(&thread)).await);
        assert_eq!((code, reason), (Code::FailedPrecondition, Some(ErrorReason::LimitReached)));
        assert_eq!(metadata(&status, "limit").as_deref(), Some("50"));
        let (_, thread) = office.sent(&mut office.agent("ana"), "enough", None).await;
        assert_eq!(thread.people.len(), 50, "who was refused is not in it");
    }

    // I2
    async fn while_routing_is_away_threads_go_on_and_none_is_opened(engine) {
        let office = Office::on(engine).await;
        let (_, thread) = office.sent(&mut office.supervisor("eve"), "1", None).await;
        office.world.peers.make_routing(Mood::Down);
        office.sent(&mut office.agent("ana"), "2", None).await;
        office.sent(&mut office.supervisor("eve"), "3", to_thread(&thread)).await;
        assert_eq!(office.seen(&mut office.agent("ana")).await, ["1", "2", "3"]);
        for answer in [
            office.try_send(&mut office.supervisor("sam"), "4", None).await,
            office.try_send(&mut office.agent("bob"), "4", to_person(&office.eve)).await,
        ] {
            let (code, reason, _) = refusal(answer);
            assert_eq!((code, reason), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
        }
    }
}
