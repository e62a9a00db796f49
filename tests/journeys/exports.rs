//! Later somebody reads how it was: the whole exchange in the history, and as a file, by those who may.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1 as notes;
use proto::notes::v1::export_conversation_response::Frame;
use proto::routing::v1 as pb;
use sha2::{Digest, Sha256};
use suite::client::Session;
use testkit::PdfText;
use tonic::{Code, Status};

use crate::cast::{Agent, Ear, assigned, customer_writes, message, route, team};
use crate::internal_messages::tell;
use crate::world::{World, in_every_shape};

const CORRECTION: &str = "Be kind, please: ask for the **booking code** first.";
const THANKS: &str = "Thank you, I will.";
const NOTE: &str = "She flies at noon; marker-in-a-note";

/// A file as it came.
pub(crate) async fn export(
    by: &Session,
    conversation_id: &str,
    format: notes::ExportFormat,
    profile: notes::ExportProfile,
) -> Result<Vec<u8>, Status> {
    let request = notes::ExportConversationRequest {
        conversation_id: conversation_id.to_owned(),
        format: format.into(),
        profile: profile.into(),
    };
    let mut frames = by.conversation_exports().export_conversation(request).await?.into_inner();
    let mut bytes = Vec::new();
    loop {
        match frames.message().await?.expect("a whole file").frame.expect("a frame") {
            Frame::Opened(opened) => assert_eq!(opened.format(), format),
            Frame::Chunk(chunk) => bytes.extend(chunk),
            Frame::Finished(finished) => {
                let digest: String =
                    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(finished.sha256, digest);
                return Ok(bytes);
            }
        }
    }
}

/// The text of a PDF, without where its lines end.
async fn page(by: &Session, conversation_id: &str, profile: notes::ExportProfile) -> (PdfText, String) {
    let bytes = export(by, conversation_id, notes::ExportFormat::Pdf, profile).await.unwrap();
    let pdf = PdfText::of(&bytes);
    let text = pdf.text().split_whitespace().collect::<Vec<_>>().join(" ");
    (pdf, text)
}

/// The agent answers the customer.
async fn answer(agent: &Agent, turn: u32, text: &str) {
    let answer = pb::RecordMessageRequest {
        direction: pb::Direction::Outbound.into(),
        ..message("airline", "e-1", turn, text)
    };
    agent.api.conversations().record_message(answer).await.unwrap();
}

/// What the timeline has, in its order.
async fn history(by: &Session, conversation_id: &str) -> Vec<String> {
    let request = notes::ListTimelineRequest {
        conversation_id: conversation_id.to_owned(),
        page_size: 200,
        ..Default::default()
    };
    let listed = by.timelines().list_timeline(request).await.unwrap().into_inner();
    let said = listed.entries.into_iter().filter_map(|entry| match entry.entry? {
        notes::timeline_entry::Entry::Message(message) => Some(message.text),
        notes::timeline_entry::Entry::Note(note) => Some(note.body),
        notes::timeline_entry::Entry::InternalMessage(message) => Some(message.body),
        notes::timeline_entry::Entry::Event(_) => None,
    });
    said.collect()
}

in_every_shape! {
    // I1 I2 I6 N10 N11
    async fn the_exchange_behind_a_better_answer_is_in_the_history_and_in_the_full_file_only(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        let tag = pb::action::Action::AddTags(pb::AddTags { tags: vec!["marker-tag".into()] });
        route(&world, "airline", &team.team_id, vec![tag]).await;
        let recorded = customer_writes(&world, message("airline", "e-1", 0, "I lost my boarding pass")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let id = &conversation.conversation_id;
        let agent = team.agent(&conversation.assignee.clone().unwrap().subject);
        answer(agent, 1, "Not my problem.").await;
        customer_writes(&world, message("airline", "e-1", 2, "So what do I do?")).await;

        // The supervisor looks over what waits, corrects the agent, who thanks and answers the customer better.
        let supervisor = world.as_one("paula", Role::Supervisor);
        let mut ear = Ear::open(&agent.api).await;
        tell(&supervisor, id, CORRECTION, None).await;
        ear.hears_of(proto::notifications::v1::NotificationType::InternalMessage).await;
        tell(&agent.api, id, THANKS, None).await;
        let note = notes::CreateNoteRequest {
            conversation_id: id.clone(),
            body: NOTE.into(),
            ..Default::default()
        };
        agent.api.notes().create_note(note).await.unwrap();
        answer(agent, 3, "I am sorry. What is your booking code?").await;
        let resolve = pb::ResolveConversationRequest { conversation_id: id.clone(), etag: String::new() };
        agent.api.conversations().resolve_conversation(resolve).await.unwrap();

        // Later she reads the whole exchange in the history.
        let said = [
            "I lost my boarding pass",
            "Not my problem.",
            "So what do I do?",
            CORRECTION,
            THANKS,
            NOTE,
            "I am sorry. What is your booking code?",
        ];
        assert_eq!(history(&supervisor, id).await, said);

        // And takes it with her as a PDF: everything, in this order, what is internal marked as such.
        let (_, full) = page(&supervisor, id, notes::ExportProfile::Full).await;
        let mut from = 0;
        for told in [
            "I lost my boarding pass",
            "Not my problem.",
            "So what do I do?",
            "INTERNAL MESSAGE paula",
            "Be kind, please: ask for the booking code first.",
            "INTERNAL MESSAGE ",
            THANKS,
            "INTERNAL NOTE ",
            NOTE,
            "I am sorry. What is your booking code?",
            "INTERNAL EVENT",
            "Resolved, by ",
        ] {
            let at = full[from..].find(told).unwrap_or_else(|| panic!("{told} is not in its place in {full}"));
            from += at;
        }
        assert!(full.contains("marker-tag") && full.contains("1 / "), "{full}");

        // The same for the customer has none of it, in either format.
        let (safe, text) = page(&agent.api, id, notes::ExportProfile::CustomerSafe).await;
        assert!(text.contains("I am sorry. What is your booking code?") && text.contains("Customer"), "{text}");
        let json = export(&agent.api, id, notes::ExportFormat::Json, notes::ExportProfile::Unspecified).await.unwrap();
        let json = String::from_utf8(json).unwrap();
        for private in ["Be kind", "Thank you, I will", "marker-in-a-note", "marker-tag", "paula", "INTERNAL", "flights"] {
            assert!(!safe.holds(private), "{private} is in the PDF: {text}");
            assert!(!json.contains(private), "{private} is in the JSON: {json}");
        }

        // An agent has the notes and no more: FULL is not for them, not even of a conversation of their own.
        let (_, with_notes) = page(&agent.api, id, notes::ExportProfile::WithNotes).await;
        assert!(with_notes.contains(NOTE) && !with_notes.contains("Be kind"), "{with_notes}");
        for format in [notes::ExportFormat::Pdf, notes::ExportFormat::Json] {
            let refused = export(&agent.api, id, format, notes::ExportProfile::Full).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied);
            assert_eq!(rpc::reason_of(&refused), Some(ErrorReason::RoleNotAllowed));
        }
        let customer = world.as_one(&conversation.contact_id, Role::Contact);
        let refused =
            export(&customer, id, notes::ExportFormat::Json, notes::ExportProfile::CustomerSafe).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied, "not even what is theirs to see comes from here");
        world.stop().await;
    }
}
