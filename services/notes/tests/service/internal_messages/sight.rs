//! Who sees a thread, and who cannot tell that there is one.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::{Code, Status};

use super::{Internal, Office, people, to_person, to_thread};
use crate::world::{refusal, request_id};

/// What a refusal is, to the byte.
fn bytes<T: std::fmt::Debug>(answer: Result<tonic::Response<T>, Status>) -> (Code, String, Vec<u8>) {
    let status = answer.unwrap_err();
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

/// Everything that somebody who names a conversation, a thread and a message can ask.
async fn asked(
    by: &mut Internal,
    conversation: &str,
    thread: &str,
    message: &str,
) -> Vec<(Code, String, Vec<u8>)> {
    let list = ListInternalMessagesRequest { conversation_id: conversation.to_owned(), ..Default::default() };
    let of_thread = ListInternalMessagesRequest { internal_thread_id: thread.to_owned(), ..list.clone() };
    let send = SendInternalMessageRequest {
        conversation_id: conversation.to_owned(),
        body: "hello?".to_owned(),
        to: Some(send_internal_message_request::To::InternalThreadId(thread.to_owned())),
        request_id: String::new(),
    };
    let mark =
        MarkInternalMessagesReadRequest { conversation_id: conversation.to_owned(), ..Default::default() };
    let mark_message =
        MarkInternalMessagesReadRequest { up_to_internal_message_id: message.to_owned(), ..mark.clone() };
    vec![
        bytes(by.list_internal_messages(list).await),
        bytes(by.list_internal_messages(of_thread).await),
        bytes(by.send_internal_message(send).await),
        bytes(by.mark_internal_messages_read(mark).await),
        bytes(by.mark_internal_messages_read(mark_message).await),
    ]
}

testkit::on_both_databases! {
    // I5
    async fn for_another_agent_a_thread_is_as_one_that_never_existed(engine) {
        let office = Office::on(engine).await;
        let (message, thread) = office.sent(&mut office.supervisor("eve"), "between us", None).await;
        office.sent(&mut office.agent("ana"), "yes", None).await;
        let mut bob = office.agent("bob");
        let there = asked(
            &mut bob,
            &office.world.conversation,
            &thread.internal_thread_id,
            &message.internal_message_id,
        )
        .await;
        let absent = asked(&mut bob, &request_id(), &request_id(), &request_id()).await;
        assert_eq!(there, absent);
        assert!(there.iter().all(|(code, _, _)| *code == Code::NotFound), "{there:?}");
        assert_eq!(office.unread(&mut bob).await, (0, 0));
        let threads = bob.list_internal_threads(ListInternalThreadsRequest::default()).await.unwrap().into_inner();
        assert!(threads.threads.is_empty());

        // Nor does it show when they open a thread of their own: not in the answer, the list, or the counts.
        let (_, own) = office.sent(&mut bob, "Eve, a question", to_person(&office.eve)).await;
        assert_ne!(own.internal_thread_id, thread.internal_thread_id);
        assert_eq!(own.people.len(), 2);
        assert_eq!(own.create_time, own.last_message_time);
        assert_eq!(office.seen(&mut bob).await, ["Eve, a question"]);
        let foreign = office.try_send(&mut bob, "let me in", to_thread(&thread)).await;
        assert_eq!(refusal(foreign).0, Code::NotFound);
        let foreign = office.up_to(Some(&message));
        assert_eq!(refusal(bob.mark_internal_messages_read(foreign).await).0, Code::NotFound);
        assert_eq!(office.seen(&mut office.agent("ana")).await, ["between us", "yes"], "and Ana sees nothing of it");
    }

    // I5
    async fn supervisors_and_admins_see_every_thread_and_take_part_in_none_by_reading(engine) {
        let office = Office::on(engine).await;
        office.sent(&mut office.supervisor("eve"), "hello", None).await;
        for role in [Role::Supervisor, Role::Admin] {
            let mut other = office.as_one_of("acme", "watcher", role);
            assert_eq!(office.seen(&mut other).await, ["hello"]);
            let read = other.mark_internal_messages_read(office.up_to(None)).await.unwrap().into_inner();
            assert_eq!((read.unread_count, read.total_unread_count), (0, 0));
        }
        let (_, thread) = office.sent(&mut office.agent("ana"), "yes", None).await;
        assert_eq!(people(&thread), ["sub-ana", "sub-eve"]);
        let elsewhere = ListInternalMessagesRequest { conversation_id: request_id(), ..office.page(0, "") };
        let absent = office.supervisor("eve").list_internal_messages(elsewhere).await;
        assert_eq!(refusal(absent).0, Code::NotFound);
        // A thread belongs to its conversation: under another one it is not there.
        let other = office.world.peers.conversation("acme");
        let request = SendInternalMessageRequest { conversation_id: other, ..office.saying("hm", to_thread(&thread)) };
        assert_eq!(refusal(office.supervisor("eve").send_internal_message(request).await).0, Code::NotFound);
    }

    // I5
    async fn who_was_a_supervisor_keeps_the_threads_they_are_in_and_no_others(engine) {
        let office = Office::on(engine).await;
        let (_, with_ana) = office.sent(&mut office.supervisor("eve"), "mine", None).await;
        office.sent(&mut office.supervisor("sam"), "Bob!", to_person(&office.bob)).await;
        assert_eq!(office.seen(&mut office.supervisor("eve")).await, ["mine", "Bob!"]);
        let mut demoted = office.agent("eve");
        assert_eq!(office.seen(&mut demoted).await, ["mine"]);
        office.sent(&mut demoted, "still here", to_thread(&with_ana)).await;
    }

    // I5, N3
    async fn contacts_integrations_and_services_are_refused_before_anything_is_read(engine) {
        let office = Office::on(engine).await;
        let (message, thread) = office.sent(&mut office.supervisor("eve"), "secret", None).await;
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let mut outsider = office.as_one_of("acme", "ana", role);
            let ids = (&office.world.conversation, &thread.internal_thread_id, &message.internal_message_id);
            let mut refusals = asked(&mut outsider, ids.0, ids.1, ids.2).await;
            let threads = outsider.list_internal_threads(ListInternalThreadsRequest::default()).await;
            refusals.push(bytes(threads));
            let counts = outsider.get_internal_unread_counts(GetInternalUnreadCountsRequest::default()).await;
            refusals.push(bytes(counts));
            assert!(refusals.iter().all(|(code, _, _)| *code == Code::PermissionDenied), "{role:?}: {refusals:?}");
        }
    }

    // I5, P1
    async fn another_organization_finds_nothing(engine) {
        let office = Office::on(engine).await;
        let (message, thread) = office.sent(&mut office.supervisor("eve"), "ours", None).await;
        let mut foreign = office.as_one_of("globex", "eve", Role::Admin);
        let ids = (&office.world.conversation, &thread.internal_thread_id, &message.internal_message_id);
        let theirs = asked(&mut foreign, ids.0, ids.1, ids.2).await;
        assert_eq!(theirs, asked(&mut foreign, &request_id(), &request_id(), &request_id()).await);
        // Nor can they write to our people or on our conversation.
        let conversation = foreign.send_internal_message(office.saying("hi", None)).await;
        let (code, reason, _) = refusal(conversation);
        assert_eq!((code, reason), (Code::NotFound, Some(ErrorReason::NotFound)));
        let person = foreign.send_internal_message(office.saying("hi", to_person(&office.ana))).await;
        assert_eq!(refusal(person).0, Code::NotFound);
    }
}
