//! Who writes to whom, and what comes of it.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use proto::notifications::v1::NotificationType;
use tonic::Code;

use super::{Office, people, to_person, to_thread};
use crate::world::{refusal, violated};

testkit::on_both_databases! {
    // I1, D1
    async fn a_supervisor_writes_on_a_conversation_and_the_agent_who_has_it_gets_it(engine) {
        let office = Office::on(engine).await;
        let (message, thread) = office.sent(&mut office.supervisor("eve"), "Ask for the *order number*", None).await;
        assert_eq!(message.body, "Ask for the *order number*");
        assert_eq!(message.author.as_ref().unwrap().role(), proto::common::v1::Role::Supervisor);
        assert_eq!((thread.agent_subject.as_str(), people(&thread)), ("sub-ana", vec!["sub-ana", "sub-eve"]));
        assert_eq!(thread.people[0].display_name, "ana of acme");
        assert_eq!(office.seen(&mut office.agent("ana")).await, ["Ask for the *order number*"]);

        let (told, routed) = office.world.peers.told(1).await;
        assert_eq!((told.len(), routed.len()), (1, 0), "nothing of it moves what others see of the conversation");
        assert_eq!(told[0].r#type(), NotificationType::InternalMessage);
        assert_eq!(told[0].recipient_subjects, ["sub-ana"]);
        assert_eq!(told[0].conversation_id, office.world.conversation);
        assert_eq!(told[0].actor.as_ref().unwrap().subject, "sub-eve");
        assert!(!format!("{told:?}").contains("order"), "never with the text");
    }

    // I2
    async fn both_sides_reply_and_everybody_in_the_thread_reads_all_of_it(engine) {
        let office = Office::on(engine).await;
        let (_, thread) = office.sent(&mut office.supervisor("eve"), "1", None).await;
        office.sent(&mut office.agent("ana"), "2", None).await;
        office.sent(&mut office.supervisor("eve"), "3", None).await;
        let (_, again) = office.sent(&mut office.supervisor("sam"), "4", to_thread(&thread)).await;
        assert_eq!(again.internal_thread_id, thread.internal_thread_id);
        let (last, _) = office.sent(&mut office.agent("ana"), "5", None).await;
        for by in [&mut office.agent("ana"), &mut office.supervisor("eve"), &mut office.supervisor("sam")] {
            assert_eq!(office.seen(by).await, ["1", "2", "3", "4", "5"]);
        }
        let listed = office.agent("ana").list_internal_messages(office.page(0, "")).await.unwrap().into_inner();
        assert_eq!(listed.messages.last(), Some(&last), "as it was answered");
        assert_eq!(listed.threads.len(), 1);
        let thread = &listed.threads[0];
        assert_eq!(people(thread), ["sub-ana", "sub-eve", "sub-sam"], "whoever writes is one of its people");
        assert_eq!(thread.last_message_time, last.create_time);
        assert!(listed.messages.is_sorted_by_key(|it| it.create_time.map(|time| (time.seconds, time.nanos))));

        let (told, _) = office.world.peers.told(5).await;
        let mut told: Vec<_> = told.iter().map(|event| event.recipient_subjects.join(" ")).collect();
        told.sort_unstable();
        assert_eq!(told, ["sub-ana", "sub-ana", "sub-ana sub-eve", "sub-eve", "sub-eve sub-sam"], "never the author");
    }

    // I3
    async fn an_agent_calls_a_supervisor_and_it_is_the_same_kind_of_thread(engine) {
        let office = Office::on(engine).await;
        let mut ana = office.agent("ana");
        let (_, called) = office.sent(&mut ana, "May I refund?", to_person(&office.eve)).await;
        assert_eq!((called.agent_subject.as_str(), people(&called)), ("sub-ana", vec!["sub-ana", "sub-eve"]));
        // The supervisor answers without naming anybody: the agent has the conversation.
        let (_, answered) = office.sent(&mut office.supervisor("eve"), "Up to 50", None).await;
        assert_eq!(answered.internal_thread_id, called.internal_thread_id);
        let (_, second) = office.sent(&mut ana, "Sam, and 80?", to_person(&office.sam)).await;
        assert_eq!(people(&second), ["sub-ana", "sub-eve", "sub-sam"]);
        assert_eq!(office.seen(&mut office.supervisor("sam")).await, ["May I refund?", "Up to 50", "Sam, and 80?"]);
        let (told, _) = office.world.peers.told(3).await;
        let call = told.iter().find(|event| event.recipient_subjects == ["sub-eve"]).unwrap();
        assert_eq!(call.reason, "sub-ana wrote you an internal message");
    }

    // I3
    async fn agents_call_supervisors_and_admins_only_and_nobody_themselves(engine) {
        let office = Office::on(engine).await;
        let refused = [
            office.try_send(&mut office.agent("ana"), "hi", to_person(&office.bob)).await,
            office.try_send(&mut office.agent("ana"), "hi", to_person(&office.ana)).await,
            office.try_send(&mut office.supervisor("eve"), "hi", to_person(&office.eve)).await,
        ];
        for refused in refused {
            let (code, reason, status) = refusal(refused);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
            assert_eq!(violated(&status), ["recipient_agent_id"]);
        }
        let admin = office.world.peers.person("root", Role::Admin);
        office.sent(&mut office.agent("ana"), "hi", to_person(&admin)).await;
        let nobody = to_person(&crate::world::request_id());
        let (code, _, _) = refusal(office.try_send(&mut office.agent("ana"), "hi", nobody).await);
        assert_eq!(code, Code::NotFound);
    }

    // I1, I3
    async fn where_it_is_not_clear_who_is_meant_a_recipient_is_needed(engine) {
        let office = Office::on(engine).await;
        let unclear = |answer| {
            let (code, reason, _) = refusal(answer);
            assert_eq!((code, reason), (Code::FailedPrecondition, Some(ErrorReason::RecipientNeeded)));
        };
        // An agent who has written to nobody yet.
        unclear(office.try_send(&mut office.agent("ana"), "help", None).await);
        // Nobody has the conversation: then the supervisor names the agent.
        office.world.peers.assign(&office.world.conversation, None);
        unclear(office.try_send(&mut office.supervisor("eve"), "hi", None).await);
        let (_, with_bob) = office.sent(&mut office.supervisor("eve"), "Bob, take this", to_person(&office.bob)).await;
        assert_eq!(with_bob.agent_subject, "sub-bob");
        // A supervisor who has it and calls an admin has a thread of their own; after it is given away, a message without a
        // recipient could be for its people or for the new agent, and goes to neither.
        office.world.peers.assign(&office.world.conversation, Some(&office.sam));
        let (_, own) = office.sent(&mut office.supervisor("eve"), "Sam, yours?", None).await;
        assert_eq!(own.agent_subject, "sub-sam");
        let (_, reply) = office.sent(&mut office.supervisor("sam"), "Mine", None).await;
        assert_eq!(reply.internal_thread_id, own.internal_thread_id);
        office.world.peers.assign(&office.world.conversation, Some(&office.ana));
        unclear(office.try_send(&mut office.supervisor("sam"), "not mine any more", None).await);
        office.sent(&mut office.supervisor("sam"), "not mine any more", to_thread(&own)).await;
        assert!(office.agent("ana").list_internal_messages(office.page(0, "")).await.is_err(), "nothing was for Ana");
    }

    // I1
    async fn nobody_needs_a_profile_to_write_or_to_be_answered(engine) {
        let office = Office::on(engine).await;
        // Neither of the two is known to routing.
        let mut newcomer = office.agent("newcomer");
        let (_, thread) = office.sent(&mut newcomer, "I am new: what now?", to_person(&office.eve)).await;
        let mut boss = office.as_one_of("acme", "boss", Role::Admin);
        let (_, answered) = office.sent(&mut boss, "Welcome", to_thread(&thread)).await;
        assert_eq!(people(&answered), ["sub-boss", "sub-eve", "sub-newcomer"]);
        assert_eq!(office.seen(&mut newcomer).await, ["I am new: what now?", "Welcome"]);
        office.sent(&mut boss, "and you, Ana?", None).await;
        assert_eq!(office.seen(&mut office.agent("ana")).await, ["and you, Ana?"]);
    }

    // I1, I2, I5
    async fn the_next_agent_does_not_see_what_was_said_to_the_one_before(engine) {
        let office = Office::on(engine).await;
        let (_, with_ana) = office.sent(&mut office.supervisor("eve"), "Ana, that was rude", None).await;
        office.world.peers.assign(&office.world.conversation, Some(&office.bob));
        let hidden = office.agent("bob").list_internal_messages(office.page(0, "")).await;
        assert_eq!(refusal(hidden).0, Code::NotFound, "to have the conversation is not to be in the thread");
        let (_, with_bob) = office.sent(&mut office.supervisor("eve"), "Bob, be kind", None).await;
        assert_ne!(with_bob.internal_thread_id, with_ana.internal_thread_id);
        assert_eq!(people(&with_bob), ["sub-bob", "sub-eve"]);
        assert_eq!(office.seen(&mut office.agent("bob")).await, ["Bob, be kind"]);
        // The one before keeps their thread, and can go on in it.
        office.sent(&mut office.agent("ana"), "I am sorry", None).await;
        assert_eq!(office.seen(&mut office.agent("ana")).await, ["Ana, that was rude", "I am sorry"]);
        assert_eq!(
            office.seen(&mut office.supervisor("sam")).await,
            ["Ana, that was rude", "Bob, be kind", "I am sorry"],
            "supervisors see the whole exchange in one order"
        );
        let one = ListInternalMessagesRequest { internal_thread_id: with_bob.internal_thread_id, ..office.page(0, "") };
        let one = office.supervisor("sam").list_internal_messages(one).await.unwrap().into_inner();
        assert_eq!((one.messages.len(), one.threads.len()), (1, 1));
    }
}
