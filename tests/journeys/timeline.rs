//! A conversation with everything around it, as its people see it, and how it is handed over.

use kernel::Role;
use proto::notes::v1 as notes;
use proto::notes::v1::timeline_entry::Entry;
use proto::notifications::v1::NotificationType;
use proto::routing::v1 as pb;
use suite::client::Session;
use tonic::Code;

use crate::cast::{Agent, Ear, assigned, customer_writes, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::internal_messages::tell;
use crate::privacy::seen_by_contact;
use crate::world::{ORG, World, in_every_shape};

/// A conversation's timeline as somebody reads it, with pages of a size.
async fn timeline(
    by: &Session,
    id: &str,
    order: notes::TimelineOrder,
    page_size: i32,
) -> Vec<notes::TimelineEntry> {
    let mut page = notes::ListTimelineRequest {
        conversation_id: id.to_owned(),
        page_size,
        order: order.into(),
        ..Default::default()
    };
    let mut entries = Vec::new();
    loop {
        let answer = by.timeline().list_timeline(page.clone()).await.unwrap().into_inner();
        entries.extend(answer.entries);
        if answer.next_page_token.is_empty() {
            return entries;
        }
        page.page_token = answer.next_page_token;
    }
}

/// What an entry shows, and whether the customer sees it.
fn line(it: &notes::TimelineEntry) -> String {
    let open = match it.visibility() {
        notes::TimelineVisibility::CustomerFacing => "customer: ",
        _ => "",
    };
    let text = match it.entry.clone().unwrap() {
        Entry::Message(message) => message.text,
        Entry::Note(note) => format!("note {}", note.body),
        Entry::InternalMessage(message) => format!("internal {}", message.body),
        Entry::Event(event) => {
            let had =
                |person: Option<pb::Person>| person.map_or(String::new(), |it| format!(" {}", it.username));
            format!("{}{}{}", event.r#type().as_str_name(), had(event.previous_assignee), had(event.assignee))
        }
    };
    format!("{open}{text}")
}

async fn answers(agent: &Agent, conversation: &str, turn: u32, text: &str) {
    let answer = pb::RecordMessageRequest {
        direction: pb::Direction::Outbound.into(),
        ..message("airline", conversation, turn, text)
    };
    agent.api.conversations().record_message(answer).await.unwrap();
}

in_every_shape! {
    // N10 N9 I5 N3
    async fn a_conversation_is_handed_over_and_everybody_reads_as_much_of_it_as_is_theirs(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let began = customer_writes(&world, message("airline", "t-1", 0, "my bag is lost")).await;
        let it = assigned(&world, &began.conversation.unwrap().conversation_id).await;
        let id = it.conversation_id.clone();
        let first = team.agent(&it.assignee.clone().unwrap().subject);
        let second = team.other_than(&first.subject);
        let supervisor = world.as_one("paula", Role::Supervisor);
        note_on_contact(&first.api, &it.contact_id, &id, "flies often").await;
        answers(first, "t-1", 1, "which flight?").await;
        tell(&supervisor, &id, "offer her a voucher", None).await;

        // The first agent hands it over: the second is told with its urgency, takes over, and says so.
        let mut ears = [Ear::open(&first.api).await, Ear::open(&second.api).await];
        let customer_before = seen_by_contact(&world, &it).await;
        let handoff = notes::NewHandoff {
            receiver_username: second.subject.clone(),
            steps_taken: "asked for the flight".into(),
            urgency: notes::HandoffUrgency::Urgent.into(),
            ..Default::default()
        };
        let request = notes::CreateNoteRequest {
            conversation_id: id.clone(),
            body: "Her bag was last seen in Lisbon".into(),
            handoff: Some(handoff),
            ..Default::default()
        };
        let note = first.api.notes().create_note(request).await.unwrap().into_inner().note.unwrap();
        assert_eq!(seen_by_contact(&world, &it).await, customer_before, "the customer sees nothing of it");
        let current = pb::GetConversationRequest { conversation_id: id.clone() };
        let current = first.api.conversations().get_conversation(current).await.unwrap().into_inner().conversation.unwrap();
        let give = pb::AssignConversationRequest {
            conversation_id: id.clone(),
            etag: current.etag,
            target: Some(pb::assign_conversation_request::Target::AgentId(second.agent_id.clone())),
            ..Default::default()
        };
        first.api.assignments().assign_conversation(give).await.unwrap();
        let told = ears[1].hears_of(NotificationType::Handoff).await;
        assert_eq!(told.note_id, note.note_id);
        assert!(told.reason.contains("urgency: urgent") && !told.reason.contains("Lisbon"), "{}", told.reason);
        let waiting = notes::ListUnacknowledgedNotesRequest::default();
        let waiting = second.api.acknowledgements().list_unacknowledged_notes(waiting).await.unwrap().into_inner().notes;
        assert_eq!(waiting, std::slice::from_ref(&note));
        let request = notes::AcknowledgeNoteRequest { note_id: note.note_id.clone(), etag: note.etag.clone() };
        let refused = first.api.acknowledgements().acknowledge_note(request.clone()).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
        let taken = second.api.acknowledgements().acknowledge_note(request).await.unwrap().into_inner().note.unwrap();
        assert!(taken.handoff.unwrap().acknowledgement.is_some());
        assert_eq!(ears[0].hears_of(NotificationType::Handoff).await.note_id, note.note_id);
        answers(second, "t-1", 2, "we found it").await;
        let resolve = pb::ResolveConversationRequest { conversation_id: id.clone(), etag: String::new() };
        second.api.conversations().resolve_conversation(resolve).await.unwrap();

        let whole = [
            "customer: my bag is lost".to_owned(),
            "HISTORY_EVENT_TYPE_QUEUED".to_owned(),
            format!("HISTORY_EVENT_TYPE_ASSIGNED {}", first.subject),
            "note flies often".to_owned(),
            "customer: which flight?".to_owned(),
            "internal offer her a voucher".to_owned(),
            "note Her bag was last seen in Lisbon".to_owned(),
            format!("HISTORY_EVENT_TYPE_ASSIGNED {} {}", first.subject, second.subject),
            "customer: we found it".to_owned(),
            "HISTORY_EVENT_TYPE_RESOLVED".to_owned(),
        ];
        let read = timeline(&supervisor, &id, notes::TimelineOrder::OldestFirst, 200).await;
        assert_eq!(read.iter().map(line).collect::<Vec<_>>(), whole);
        for order in [notes::TimelineOrder::OldestFirst, notes::TimelineOrder::NewestFirst] {
            let mut one_by_one = timeline(&supervisor, &id, order, 1).await;
            if order == notes::TimelineOrder::NewestFirst {
                one_by_one.reverse();
            }
            assert_eq!(one_by_one, read, "one by one it is the same");
        }
        assert_eq!(timeline(&first.api, &id, notes::TimelineOrder::OldestFirst, 3).await, read, "her thread, hers to read");
        let theirs = timeline(&second.api, &id, notes::TimelineOrder::OldestFirst, 3).await;
        let without: Vec<_> = whole.into_iter().filter(|line| !line.starts_with("internal")).collect();
        assert_eq!(theirs.iter().map(line).collect::<Vec<_>>(), without);

        let customer = world.wire.bearing(&world.token(ORG, &it.contact_id, Role::Contact)).unwrap();
        let request = notes::ListTimelineRequest { conversation_id: id, ..Default::default() };
        assert_eq!(customer.timeline().list_timeline(request).await.unwrap_err().code(), Code::PermissionDenied);
        world.stop().await;
    }
}
