//! A conversation is given away with a handoff: one call in routing, a note in notes, an alert in notifications.

use kernel::Role;
use proto::notes::v1 as notes;
use proto::notifications::v1::NotificationType;
use proto::routing::v1 as pb;

use crate::cast::{Ear, assigned, customer_writes, eventually, message, route, team};
use crate::privacy::seen_by_contact;
use crate::world::{World, in_every_shape};

in_every_shape! {
    // R14 N9 N3
    async fn whoever_is_given_a_conversation_finds_the_handoff_among_its_notes_and_the_customer_sees_nothing_of_it(world: World) {
        let team = team(&world, "bags", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let began = customer_writes(&world, message("airline", "h-1", 0, "my bag is lost")).await;
        let it = assigned(&world, &began.conversation.unwrap().conversation_id).await;
        let first = team.agent(&it.assignee.clone().unwrap().subject);
        let second = team.other_than(&first.subject);
        let mut ears = [Ear::open(&first.api).await, Ear::open(&second.api).await];
        let customer_before = seen_by_contact(&world, &it).await;
        let give = pb::AssignConversationRequest {
            conversation_id: it.conversation_id.clone(),
            etag: it.etag.clone(),
            target: Some(pb::assign_conversation_request::Target::AgentId(second.agent_id.clone())),
            handoff: Some(pb::Handoff {
                summary: "Her bag was last seen in Lisbon".into(),
                steps_taken: "asked the airline".into(),
                urgency: pb::HandoffUrgency::Urgent.into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        first.api.assignments().assign_conversation(give).await.unwrap();

        let told = ears[1].hears_of(NotificationType::Handoff).await;
        assert!(told.reason.contains("urgency: urgent") && !told.reason.contains("Lisbon"), "{}", told.reason);
        let note = eventually("the handoff is among the notes", || async {
            let waiting = notes::ListUnacknowledgedNotesRequest::default();
            let waiting = second.api.acknowledgements().list_unacknowledged_notes(waiting).await;
            waiting.unwrap().into_inner().notes.pop()
        })
        .await;
        assert_eq!((&note.note_id, note.body.as_str()), (&told.note_id, "Her bag was last seen in Lisbon"));
        assert_eq!(note.author.clone().unwrap().subject, first.subject);
        let listed = notes::ListNotesRequest { conversation_id: it.conversation_id.clone(), ..Default::default() };
        let listed = world.as_one("paula", Role::Supervisor).notes().list_notes(listed).await.unwrap().into_inner().notes;
        assert_eq!(listed, std::slice::from_ref(&note));
        let taken = notes::AcknowledgeNoteRequest { note_id: note.note_id.clone(), etag: note.etag };
        second.api.acknowledgements().acknowledge_note(taken).await.unwrap();
        assert_eq!(ears[0].hears_of(NotificationType::Handoff).await.note_id, note.note_id);
        assert_eq!(seen_by_contact(&world, &it).await, customer_before);
        world.stop().await;
    }
}
