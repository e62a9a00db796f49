//! Inbox views, their counts, and what is unread.

use std::collections::HashMap;

use kernel::Role;
use proto::common::v1::{ErrorReason, EventDisposition};
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, outbound, refusal};

async fn apply(world: &World, it: &Conversation, event: conversation_event::Event) -> EventDisposition {
    let event = ConversationEvent {
        event_id: world.request_id(),
        conversation_id: it.conversation_id.clone(),
        occur_time: Some(prost_types::Timestamp { seconds: 1_767_225_600, nanos: 0 }),
        event: Some(event),
    };
    let answer = world.events().apply_events(ApplyEventsRequest { events: vec![event] }).await.unwrap();
    answer.into_inner().outcomes[0].disposition()
}

/// Tells routing that somebody wrote a note.
pub(crate) async fn note(world: &World, it: &Conversation, author: &str) {
    let event = conversation_event::Event::NoteAdded(NoteAdded { author_subject: author.into() });
    assert_eq!(apply(world, it, event).await, EventDisposition::Applied);
}

/// Tells routing that people were mentioned.
pub(crate) async fn mention(world: &World, it: &Conversation, subjects: &[&str]) {
    let subjects = subjects.iter().map(|subject| (*subject).to_owned()).collect();
    let event = conversation_event::Event::PeopleMentioned(PeopleMentioned { subjects });
    assert_eq!(apply(world, it, event).await, EventDisposition::Applied);
}

pub(crate) async fn read(world: &World, subject: &str, it: &Conversation) {
    let request = MarkConversationReadRequest { conversation_id: it.conversation_id.clone() };
    world.conversations(subject, Role::Agent).mark_conversation_read(request).await.unwrap();
}

/// Unread and mentioned, of the only conversation in ALL.
async fn flags(world: &World, subject: &str) -> (bool, bool) {
    let entries = world.view(subject, InboxView::All).await;
    (entries[0].unread, entries[0].mentioned)
}

async fn counts(world: &World, subject: &str) -> HashMap<InboxView, i64> {
    let answer = world.conversations(subject, Role::Agent).get_inbox_counts(GetInboxCountsRequest {}).await;
    let counts = answer.unwrap().into_inner().counts;
    assert_eq!(counts.len(), 8, "one entry for each view");
    counts.into_iter().map(|count| (count.view(), count.count)).collect()
}

fn externals(entries: &[InboxEntry]) -> Vec<&str> {
    entries.iter().filter_map(|entry| entry.conversation.as_ref()).map(|it| it.external_id.as_str()).collect()
}

testkit::on_both_databases! {
    // R7
    async fn each_view_has_what_belongs_to_it_and_the_counts_agree(engine) {
        let world = World::on(engine).await;
        let (ana, ben) = (world.agent("ana").await, world.agent("ben").await);
        let team = world.team("airline", &[&ana]).await;
        world.route("message.text.contains('team')", &team).await;
        let mine = world.begin("mine").await;
        world.assign("ana", &mine, &ana).await.unwrap();
        let others = world.begin("others").await;
        world.assign("ana", &others, &ben).await.unwrap();
        let teams = world.record(RecordMessageRequest { text: "team".into(), ..inbound("teams", "1") }).await;
        let done = world.begin("done").await;
        mention(&world, &done, &["ana"]).await;
        world.resolve(&done.conversation_id).await;
        mention(&world, &others, &["ana"]).await;
        world.begin("free").await;

        for (view, expected) in [
            (InboxView::Mine, vec!["mine"]),
            (InboxView::Unassigned, vec!["free", "teams"]),
            (InboxView::Team, vec!["teams"]),
            (InboxView::Mentioned, vec!["others"]),
            (InboxView::Unread, vec!["mine", "others"]),
            (InboxView::All, vec!["free", "mine", "others", "teams"]),
            (InboxView::Resolved, vec!["done"]),
            (InboxView::Snoozed, vec![]),
        ] {
            let entries = world.view("ana", view).await;
            let mut found = externals(&entries);
            found.sort_unstable();
            assert_eq!(found, expected, "{view:?}");
            assert_eq!(counts(&world, "ana").await[&view], found.len() as i64, "{view:?}");
        }
        let team_of_others = ListConversationsRequest {
            view: InboxView::Team.into(),
            team_id: team.team_id,
            ..Default::default()
        };
        let seen = world.conversations("ben", Role::Agent).list_conversations(team_of_others).await.unwrap();
        assert_eq!(seen.into_inner().entries[0].conversation, teams.conversation);
        assert!(world.view("ben", InboxView::Team).await.is_empty());
    }

    // R7
    async fn the_counts_agree_with_one_another_while_conversations_change_hands(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let mut all = Vec::new();
        for number in 0..6 {
            all.push(world.begin(&format!("c-{number}")).await);
        }
        let hands = futures::future::join_all(all.iter().map(|it| {
            let (world, ana) = (&world, &ana);
            async move {
                for round in 0..20 {
                    let target = match round % 2 {
                        0 => assign_conversation_request::Target::AgentId(ana.agent_id.clone()),
                        _ => assign_conversation_request::Target::Nobody(()),
                    };
                    let it = world.read(&it.conversation_id).await;
                    world.order("root", &it, target).await.unwrap();
                }
            }
        }));
        tokio::pin!(hands);
        let mut counted = 0;
        loop {
            tokio::select! {
                _ = &mut hands => break,
                now = counts(&world, "ana") => {
                    assert_eq!(now[&InboxView::Mine] + now[&InboxView::Unassigned], now[&InboxView::All]);
                    assert_eq!((now[&InboxView::All], now[&InboxView::Unread]), (6, now[&InboxView::Mine]));
                    counted += 1;
                }
            }
        }
        assert!(counted > 0);
    }

    // R7
    async fn views_are_sorted_by_activity_waiting_and_priority(engine) {
        let world = World::on(engine).await;
        for conversation in ["a", "b", "c"] {
            world.begin(conversation).await;
        }
        world.record(outbound("a", "2")).await;
        let urgent = world.view("ana", InboxView::All).await;
        let c = urgent.into_iter().filter_map(|entry| entry.conversation).find(|it| it.external_id == "c").unwrap();
        let request = UpdateConversationRequest {
            conversation_id: c.conversation_id,
            priority: Priority::Urgent.into(),
            ..Default::default()
        };
        world.conversations("ana", Role::Agent).update_conversation(request).await.unwrap();
        for (sort, expected) in [
            (ConversationSort::LastActivity, ["a", "c", "b"]),
            (ConversationSort::LongestWaiting, ["b", "c", "a"]),
            (ConversationSort::Priority, ["c", "b", "a"]),
        ] {
            // P7: page by page the order is the same, and nothing is missing.
            for page_size in [1, 2, 3] {
                let mut entries = Vec::new();
                let mut page_token = String::new();
                loop {
                    let request =
                        ListConversationsRequest { sort: sort.into(), page_size, page_token, ..Default::default() };
                    let page = world.conversations("ana", Role::Agent).list_conversations(request).await.unwrap();
                    let page = page.into_inner();
                    entries.extend(page.entries);
                    page_token = page.next_page_token;
                    if page_token.is_empty() {
                        break;
                    }
                }
                assert_eq!(externals(&entries), expected, "{sort:?} by {page_size}");
            }
        }
    }

    // P7
    async fn a_page_token_belongs_to_its_view_its_order_and_its_reader(engine) {
        let world = World::on(engine).await;
        for conversation in ["a", "b"] {
            world.begin(conversation).await;
        }
        let request = ListConversationsRequest { page_size: 1, ..Default::default() };
        let mut ana = world.conversations("ana", Role::Agent);
        let page_token = ana.list_conversations(request.clone()).await.unwrap().into_inner().next_page_token;
        let request = ListConversationsRequest { page_token, ..request };
        let other_view = ListConversationsRequest { view: InboxView::Unassigned.into(), ..request.clone() };
        let other_sort = ListConversationsRequest { sort: ConversationSort::Priority.into(), ..request.clone() };
        for refused in [
            ana.list_conversations(other_view).await.unwrap_err(),
            ana.list_conversations(other_sort).await.unwrap_err(),
            world.conversations("ben", Role::Agent).list_conversations(request).await.unwrap_err(),
        ] {
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
    }

    // R7
    async fn lists_narrow_by_contact_assignee_source_and_the_channels_own_id(engine) {
        let world = World::on(engine).await;
        let ana = world.agent("ana").await;
        let one = world.begin("c-1").await;
        world.record(RecordMessageRequest { source: "bank".into(), ..inbound("c-2", "1") }).await;
        world.assign("ana", &one, &ana).await.unwrap();
        let list = async |request: ListConversationsRequest| {
            let answer = world.conversations("ana", Role::Agent).list_conversations(request).await;
            externals(&answer.unwrap().into_inner().entries).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let all = ListConversationsRequest::default;
        assert_eq!(list(ListConversationsRequest { contact_id: one.contact_id.clone(), ..all() }).await, ["c-1"]);
        assert_eq!(list(ListConversationsRequest { assignee_id: ana.agent_id, ..all() }).await, ["c-1"]);
        assert_eq!(list(ListConversationsRequest { source: "bank".into(), ..all() }).await, ["c-2"]);
        world.resolve(&one.conversation_id).await;
        let by_id = ListConversationsRequest { external_id: "c-1".into(), channel: "chat".into(), ..all() };
        assert_eq!(list(by_id).await, ["c-1"], "in every status");
        let without = ListConversationsRequest { external_id: "c-1".into(), ..all() };
        let refused = world.conversations("ana", Role::Agent).list_conversations(without).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
    }

    // R7 C7
    async fn the_conversations_of_one_contact_are_listed_whatever_their_status(engine) {
        let world = World::on(engine).await;
        let mut all = Vec::new();
        for number in 1..=3 {
            let first = RecordMessageRequest { contact_address: "zoe".into(), ..inbound(&format!("c-{number}"), "1") };
            all.push(world.record(first).await.conversation.unwrap());
        }
        world.begin("of-another").await;
        world.resolve(&all[0].conversation_id).await;
        let mut ana = world.conversations("ana", Role::Agent);
        let mut request = ListConversationsRequest {
            view: InboxView::Any.into(),
            contact_id: all[0].contact_id.clone(),
            page_size: 2,
            ..Default::default()
        };
        let first = ana.list_conversations(request.clone()).await.unwrap().into_inner();
        assert_eq!(externals(&first.entries), ["c-3", "c-2"]);
        request.page_token = first.next_page_token;
        let second = ana.list_conversations(request).await.unwrap().into_inner();
        assert_eq!((externals(&second.entries), second.next_page_token.as_str()), (vec!["c-1"], ""));

        let everything = ListConversationsRequest { view: InboxView::Any.into(), ..Default::default() };
        let refused = ana.list_conversations(everything).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
    }

    // R7
    async fn only_customers_notes_of_others_and_mentions_make_a_conversation_unread(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        assert_eq!(flags(&world, "ana").await, (true, false));
        read(&world, "ana", &it).await;
        assert_eq!(flags(&world, "ana").await, (false, false));
        world.record(outbound("c-1", "2")).await;
        note(&world, &it, "ana").await;
        assert_eq!(flags(&world, "ana").await, (false, false), "an answer and one's own note are no news");
        note(&world, &it, "ben").await;
        assert_eq!(flags(&world, "ana").await, (true, false));
        read(&world, "ana", &it).await;
        mention(&world, &it, &["ana"]).await;
        assert_eq!(flags(&world, "ana").await, (true, true));
        read(&world, "ana", &it).await;
        assert_eq!(flags(&world, "ana").await, (false, false));
        assert_eq!(externals(&world.view("ana", InboxView::Mentioned).await), ["c-1"], "who was mentioned stays");
        world.record(inbound("c-1", "3")).await;
        assert_eq!(flags(&world, "ana").await, (true, false));
    }

    // R7
    async fn an_event_takes_effect_once_and_one_of_an_unknown_conversation_is_refused(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        read(&world, "ana", &it).await;
        let event = |conversation_id: &str, event_id: &str| ConversationEvent {
            event_id: event_id.to_owned(),
            conversation_id: conversation_id.to_owned(),
            occur_time: Some(prost_types::Timestamp::default()),
            event: Some(conversation_event::Event::NoteAdded(NoteAdded { author_subject: "ben".into() })),
        };
        let (first, lost) = (world.request_id(), world.request_id());
        let events = vec![
            event(&it.conversation_id, &first),
            event(&world.request_id(), &lost),
            event(&it.conversation_id, &first),
        ];
        let apply = async |events: Vec<ConversationEvent>| {
            let answer = world.events().apply_events(ApplyEventsRequest { events }).await.unwrap().into_inner();
            answer.outcomes.iter().map(|outcome| outcome.disposition()).collect::<Vec<_>>()
        };
        use EventDisposition::{Applied, Duplicate, Refused};
        assert_eq!(apply(events.clone()).await, [Applied, Refused, Duplicate]);
        read(&world, "ana", &it).await;
        assert_eq!(apply(events).await, [Duplicate, Refused, Duplicate], "what was refused is not remembered");
        assert_eq!(flags(&world, "ana").await, (false, false));
    }

    // P1
    async fn marking_an_unknown_conversation_as_read_is_not_found(engine) {
        let world = World::on(engine).await;
        let request = MarkConversationReadRequest { conversation_id: world.request_id() };
        let refused = world.conversations("ana", Role::Agent).mark_conversation_read(request).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::NotFound, Some(ErrorReason::NotFound)));
    }
}
