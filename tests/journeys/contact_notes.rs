//! What a colleague wrote on a customer is there in the next conversation with them, and an answer to it reaches her.

use kernel::Role;
use proto::notes::v1 as notes;
use proto::notifications::v1::NotificationType;
use suite::client::Session;

use crate::cast::{Ear, assigned, customer_writes, message, route, team};
use crate::privacy::seen_by_contact;
use crate::world::{World, in_every_shape};

/// Writes a note on the contact of a conversation.
pub(crate) async fn note_on_contact(
    author: &Session,
    contact_id: &str,
    conversation_id: &str,
    body: &str,
) -> notes::Note {
    let request = notes::CreateContactNoteRequest {
        contact_id: contact_id.to_owned(),
        conversation_id: conversation_id.to_owned(),
        body: body.to_owned(),
        ..Default::default()
    };
    author.contact_notes().create_contact_note(request).await.unwrap().into_inner().note.unwrap()
}

in_every_shape! {
    // N2 N4 N9
    async fn a_note_on_a_customer_is_there_in_their_next_conversation_and_its_author_hears_the_answer(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let first = customer_writes(&world, message("airline", "n-1", 0, "hello")).await;
        let first = assigned(&world, &first.conversation.unwrap().conversation_id).await;
        let author = team.agent(&first.assignee.clone().unwrap().subject);
        let body = "Prefers **German**";
        let note = note_on_contact(&author.api, &first.contact_id, &first.conversation_id, body).await;
        let pin = notes::PinNoteRequest { note_id: note.note_id.clone() };
        author.api.notes().pin_note(pin).await.unwrap();

        // The same customer comes back on another matter.
        let again = proto::routing::v1::RecordMessageRequest {
            contact_address: "customer-of-n-1".into(),
            ..message("airline", "n-2", 0, "me again")
        };
        let second = customer_writes(&world, again).await;
        let second = assigned(&world, &second.conversation.unwrap().conversation_id).await;
        assert_eq!(second.contact_id, first.contact_id);
        let before = seen_by_contact(&world, &second).await;
        let colleague = team.other_than(&author.subject);
        let list = notes::ListContactNotesRequest { contact_id: second.contact_id.clone(), ..Default::default() };
        let seen = colleague.api.contact_notes().list_contact_notes(list).await.unwrap().into_inner().notes;
        assert_eq!((seen.len(), seen[0].body.as_str()), (1, body));
        assert_eq!(seen[0].pin.as_ref().unwrap().actor.as_ref().unwrap().subject, author.subject);

        let mut ear = Ear::open(&author.api).await;
        let reply = notes::CreateContactNoteRequest {
            contact_id: second.contact_id.clone(),
            conversation_id: second.conversation_id.clone(),
            body: "And French".to_owned(),
            reply_to: note.note_id.clone(),
            ..Default::default()
        };
        let reply = colleague.api.contact_notes().create_contact_note(reply).await.unwrap().into_inner().note.unwrap();
        let told = ear.hears_of(NotificationType::NoteReply).await;
        assert_eq!((&told.note_id, &told.conversation_id), (&reply.note_id, &second.conversation_id));
        assert!(!told.reason.contains("French"), "a reason carries no content");
        let thread = notes::ListThreadRequest { note_id: reply.note_id, ..Default::default() };
        let thread = author.api.notes().list_thread(thread).await.unwrap().into_inner().notes;
        let texts: Vec<_> = thread.iter().map(|note| note.body.as_str()).collect();
        assert_eq!(texts, [body, "And French"]);
        assert_eq!(seen_by_contact(&world, &second).await, before, "the customer sees nothing of it");
        world.stop().await;
    }

    // N13 N6
    async fn a_note_made_from_a_template_lacks_no_required_field_and_stays(world: World) {
        let team = team(&world, "claims", &["ana"]).await;
        route(&world, "insurance", &team.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("insurance", "n-3", 0, "my car")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let supervisor = world.as_one("supervisor", Role::Supervisor);
        let field = notes::NoteTemplateField { key: "damage".into(), label: "Damage".into(), required: true };
        let request = notes::CreateNoteTemplateRequest {
            name: "Claim".into(),
            body: "Damage: {{damage}}".into(),
            fields: vec![field],
            ..Default::default()
        };
        let made = supervisor.note_templates().create_note_template(request).await.unwrap().into_inner();
        let value = notes::NoteTemplateValue { key: "damage".into(), value: "front".into() };
        let filling = |values| notes::NoteTemplateFilling {
            note_template_id: made.note_template.clone().unwrap().note_template_id,
            values,
        };
        let request = |values| notes::CreateNoteRequest {
            conversation_id: conversation.conversation_id.clone(),
            template: Some(filling(values)),
            ..Default::default()
        };
        let agent = &team.agents[0].api;
        let refused = agent.notes().create_note(request(vec![])).await.unwrap_err();
        assert_eq!(rpc::reason_of(&refused), Some(proto::common::v1::ErrorReason::TemplateFieldMissing));
        let note = agent.notes().create_note(request(vec![value])).await.unwrap().into_inner().note.unwrap();
        assert_eq!(note.body, "Damage: front");
        let delete = notes::DeleteNoteRequest { note_id: note.note_id, ..Default::default() };
        let refused = agent.notes().delete_note(delete).await.unwrap_err();
        assert_eq!(rpc::reason_of(&refused), Some(proto::common::v1::ErrorReason::DisabledBySetting));
        world.stop().await;
    }
}
