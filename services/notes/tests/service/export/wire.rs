//! Files over the wire: who may take which, what comes in which order, and what stays of it in the audit trail.

use kernel::{Clock, Role};
use proto::common::v1::ErrorReason;
use proto::notes::v1::conversation_export_service_client::ConversationExportServiceClient;
use proto::notes::v1::export_conversation_response::Frame;
use proto::notes::v1::internal_message_service_client::InternalMessageServiceClient;
use proto::notes::v1::send_internal_message_request::To;
use proto::notes::v1::*;
use proto::routing::v1::HistoryEventType;
use sha2::{Digest, Sha256};
use testkit::{Client, PdfText};
use tonic::{Code, Status};

use crate::peers::Mood;
use crate::world::{World, delete, metadata, refusal, violated};

type Exports = ConversationExportServiceClient<Client>;

fn exports(world: &World, subject: &str, role: Role) -> Exports {
    ConversationExportServiceClient::new(world.suite.client("acme", subject, role))
}

fn asking(world: &World, format: ExportFormat, profile: ExportProfile) -> ExportConversationRequest {
    let conversation_id = world.conversation.clone();
    ExportConversationRequest { conversation_id, format: format.into(), profile: profile.into() }
}

/// A file that came whole.
struct Came {
    opened: ConversationExportOpened,
    bytes: Vec<u8>,
    chunks: usize,
    finished: ConversationExportFinished,
}

impl Came {
    fn json(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }
}

async fn fetched(by: &mut Exports, request: ExportConversationRequest) -> Result<Came, Status> {
    let mut frames = by.export_conversation(request).await?.into_inner();
    let first = frames.message().await?.unwrap().frame;
    let Some(Frame::Opened(opened)) = first else { panic!("first comes {first:?}") };
    let (mut bytes, mut chunks) = (Vec::new(), 0);
    loop {
        let Some(next) = frames.message().await? else { panic!("a stream that ends without `finished`") };
        match next.frame.unwrap() {
            Frame::Chunk(chunk) => {
                assert!(chunk.len() <= 64 * 1024);
                bytes.extend(chunk);
                chunks += 1;
            }
            Frame::Finished(finished) => {
                assert!(frames.message().await?.is_none(), "`finished` is the last frame");
                assert_eq!(finished.size_bytes, i64::try_from(bytes.len()).unwrap());
                let digest: String =
                    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(finished.sha256, digest);
                return Ok(Came { opened, bytes, chunks, finished });
            }
            Frame::Opened(_) => panic!("opened twice"),
        }
    }
}

async fn taken(world: &World, role: Role, format: ExportFormat, profile: ExportProfile) -> Came {
    fetched(&mut exports(world, "taker", role), asking(world, format, profile)).await.unwrap()
}

/// An agent, a supervisor, and a word in everything private that they say.
async fn day(world: &World) {
    let ana = world.peers.person("ana", Role::Agent);
    world.peers.person("eve", Role::Supervisor);
    world.peers.agent("bob");
    world.peers.assign(&world.conversation, Some(&ana));
    world.peers.says(&world.conversation, "I lost my boarding pass");
    let mut notes = world.agent("ana");
    world.written(&mut notes, "marker-note: she is **angry**").await;
    world.on_contact("ana", "marker-contact-note").await;
    let handoff = NewHandoff {
        receiver_username: "bob".into(),
        steps_taken: "marker-steps".into(),
        expected_outcome: "marker-outcome".into(),
        ..Default::default()
    };
    notes.create_note(CreateNoteRequest { handoff: Some(handoff), ..world.note("take over") }).await.unwrap();
    world.allow_tombstones().await;
    let deleted = world.written(&mut notes, "marker-deleted").await;
    notes.delete_note(delete(&deleted)).await.unwrap();
    let client = world.suite.client("acme", "sub-eve", Role::Supervisor);
    let request = SendInternalMessageRequest {
        conversation_id: world.conversation.clone(),
        body: "marker-whisper".into(),
        to: Some(To::RecipientAgentId(ana)),
        request_id: String::new(),
    };
    InternalMessageServiceClient::new(client).send_internal_message(request).await.unwrap();
    world.peers.happens(&world.conversation, HistoryEventType::Resolved);
    world.peers.says(&world.conversation, "Thank you!");
}

/// What the audit trail has of exports, oldest first.
async fn trail(world: &World) -> Vec<(String, String, String)> {
    let request = ListAuditEventsRequest { page_size: 200, ..Default::default() };
    let events = world.admin().list_audit_events(request).await.unwrap().into_inner().events;
    let exports = events.into_iter().rev().filter(|event| event.action.starts_with("conversation."));
    exports.map(|event| (event.actor_subject, event.action, event.object_id)).collect()
}

testkit::on_both_databases! {
    // N11 N3
    async fn a_file_holds_what_its_profile_promises_and_nothing_of_what_it_does_not(engine) {
        let world = World::on(engine).await;
        day(&world).await;
        let never = ["marker-deleted", "marker-contact-note"];
        let notes = ["marker-note", "marker-steps", "marker-outcome"];
        for (role, profile, entries, present, absent) in [
            (Role::Agent, ExportProfile::Unspecified, 2, vec![], [&never[..], &notes, &["marker-whisper"]].concat()),
            (Role::Admin, ExportProfile::CustomerSafe, 2, vec![], [&never[..], &notes, &["marker-whisper"]].concat()),
            (Role::Agent, ExportProfile::WithNotes, 5, notes.to_vec(), [&never[..], &["marker-whisper"]].concat()),
            (Role::Supervisor, ExportProfile::Full, 7, [&notes[..], &["marker-whisper"]].concat(), never.to_vec()),
            (Role::Admin, ExportProfile::Full, 7, [&notes[..], &["marker-whisper"]].concat(), never.to_vec()),
        ] {
            let json = taken(&world, role, ExportFormat::Json, profile).await;
            let pdf = taken(&world, role, ExportFormat::Pdf, profile).await;
            assert_eq!((json.finished.entry_count, pdf.finished.entry_count), (entries, entries), "{profile:?}");
            let (json, pdf) = (json.json(), PdfText::of(&pdf.bytes));
            for said in ["I lost my boarding pass", "Thank you!"].iter().chain(&present) {
                assert!(json.contains(said) && pdf.text().contains(said), "{profile:?}: {said}");
            }
            for marker in absent {
                assert!(!json.contains(marker), "{profile:?}: {marker} is in the JSON");
                assert!(!pdf.holds(marker), "{profile:?}: {marker} is in the PDF");
            }
        }
    }

    // N11
    async fn the_first_frame_names_the_file_and_nothing_that_people_wrote_is_in_the_name(engine) {
        let world = World::on(engine).await;
        day(&world).await;
        let came = taken(&world, Role::Supervisor, ExportFormat::Pdf, ExportProfile::Full).await;
        let opened = came.opened;
        assert_eq!(opened.file_name, format!("conversation-{}-full.pdf", world.conversation));
        assert_eq!(opened.content_type, "application/pdf");
        assert_eq!((opened.format(), opened.profile()), (ExportFormat::Pdf, ExportProfile::Full));
        let came = taken(&world, Role::Agent, ExportFormat::Json, ExportProfile::Unspecified).await;
        let opened = came.opened;
        assert_eq!(opened.file_name, format!("conversation-{}-customer-safe.json", world.conversation));
        assert_eq!((opened.content_type.as_str(), opened.profile()), ("application/json", ExportProfile::CustomerSafe));
    }

    // N11 I6
    async fn an_agent_takes_no_full_file_and_a_contact_none(engine) {
        let world = World::on(engine).await;
        day(&world).await;
        let full = asking(&world, ExportFormat::Json, ExportProfile::Full);
        let (code, reason, status) = refusal(exports(&world, "sub-ana", Role::Agent).export_conversation(full).await);
        assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)));
        assert_eq!(metadata(&status, "role").as_deref(), Some("agent"));
        let method = "/backchannel.notes.v1.ConversationExportService/ExportConversation";
        assert_eq!(metadata(&status, "method").as_deref(), Some(method));
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let safe = asking(&world, ExportFormat::Json, ExportProfile::CustomerSafe);
            let (code, ..) = refusal(exports(&world, &world.contact(), role).export_conversation(safe).await);
            assert_eq!(code, Code::PermissionDenied, "{role}");
        }
        assert_eq!(trail(&world).await, [], "who gets nothing has taken nothing");
    }

    // N11 P10
    async fn the_audit_trail_has_every_file_with_its_profile_before_the_first_byte(engine) {
        let world = World::on(engine).await;
        day(&world).await;
        let mut expected = Vec::new();
        for (format, profile, action) in [
            (ExportFormat::Pdf, ExportProfile::Unspecified, "conversation.export_customer_safe_pdf"),
            (ExportFormat::Json, ExportProfile::CustomerSafe, "conversation.export_customer_safe_json"),
            (ExportFormat::Pdf, ExportProfile::WithNotes, "conversation.export_with_notes_pdf"),
            (ExportFormat::Json, ExportProfile::WithNotes, "conversation.export_with_notes_json"),
            (ExportFormat::Pdf, ExportProfile::Full, "conversation.export_full_pdf"),
            (ExportFormat::Json, ExportProfile::Full, "conversation.export_full_json"),
        ] {
            // Nobody reads on: what is there is there before the first byte went out.
            let request = asking(&world, format, profile);
            let stream = exports(&world, "paula", Role::Supervisor).export_conversation(request).await.unwrap();
            expected.push(("paula".to_owned(), action.to_owned(), world.conversation.clone()));
            assert_eq!(trail(&world).await, expected);
            drop(stream);
        }
        let verified = world.admin().verify_audit_trail(VerifyAuditTrailRequest::default()).await.unwrap();
        assert_ne!(
            verified.into_inner().verification.unwrap().verdict(),
            proto::common::v1::AuditVerdict::Broken
        );
    }

    // N11 P1
    async fn a_conversation_that_is_not_there_or_not_ours_has_no_file_and_leaves_no_record(engine) {
        let world = World::on(engine).await;
        let foreign = world.peers.conversation("other");
        let absent = Clock::system().new_id().to_string();
        let mut answers = Vec::new();
        for conversation_id in [foreign, absent] {
            let request = ExportConversationRequest {
                conversation_id,
                ..asking(&world, ExportFormat::Pdf, ExportProfile::CustomerSafe)
            };
            let (code, reason, status) = refusal(exports(&world, "ana", Role::Agent).export_conversation(request).await);
            assert_eq!((code, reason), (Code::NotFound, Some(ErrorReason::NotFound)));
            answers.push(status.details().to_vec());
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(trail(&world).await, []);
    }

    // P4
    async fn a_request_without_a_format_or_with_one_that_nobody_knows_names_the_field(engine) {
        let world = World::on(engine).await;
        for (format, profile, field) in [(0, 1, "format"), (9, 1, "format"), (1, 9, "profile")] {
            let conversation_id = world.conversation.clone();
            let request = ExportConversationRequest { conversation_id, format, profile };
            let (code, _, status) = refusal(exports(&world, "ana", Role::Agent).export_conversation(request).await);
            assert_eq!((code, violated(&status)), (Code::InvalidArgument, vec![field.to_owned()]));
        }
    }

    // N11
    async fn a_long_history_comes_in_many_pieces_and_what_is_written_meanwhile_is_not_in_it(engine) {
        let world = World::on(engine).await;
        for at in 0..450 {
            world.peers.says(&world.conversation, &format!("message {at} {}", "long ".repeat(200)));
        }
        let request = asking(&world, ExportFormat::Json, ExportProfile::WithNotes);
        let mut frames = exports(&world, "ana", Role::Agent).export_conversation(request).await.unwrap().into_inner();
        let opened = frames.message().await.unwrap().unwrap();
        assert!(matches!(opened.frame, Some(Frame::Opened(_))));
        world.peers.says(&world.conversation, "marker-late");
        world.written(&mut world.agent("ana"), "marker-late").await;
        let mut bytes = Vec::new();
        while let Some(frame) = frames.message().await.unwrap() {
            if let Some(Frame::Chunk(chunk)) = frame.frame {
                bytes.extend(chunk);
            }
        }
        let file: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(file["entry_count"], 450);
        assert!(!String::from_utf8(bytes).unwrap().contains("marker-late"));
        let came = taken(&world, Role::Agent, ExportFormat::Json, ExportProfile::WithNotes).await;
        assert!(came.chunks > 4 && came.finished.entry_count == 452, "{} chunks", came.chunks);
    }

    // N11
    async fn a_history_that_is_too_long_for_a_pdf_is_told_to_be_taken_as_json(engine) {
        let world = World::on(engine).await;
        for _ in 0..17 {
            world.peers.says(&world.conversation, &"long ".repeat(200 * 1024));
        }
        let pdf = asking(&world, ExportFormat::Pdf, ExportProfile::CustomerSafe);
        let Err(status) = fetched(&mut exports(&world, "ana", Role::Agent), pdf).await else {
            panic!("a PDF of 17 MiB of text");
        };
        assert_eq!((status.code(), rpc::reason_of(&status)), (Code::FailedPrecondition, Some(ErrorReason::LimitReached)));
        assert_eq!(metadata(&status, "limit").as_deref(), Some("50000"));
        assert!(status.message().contains("JSON"), "{}", status.message());
        let json = taken(&world, Role::Agent, ExportFormat::Json, ExportProfile::CustomerSafe).await;
        assert!(json.finished.size_bytes > 16 << 20 && json.finished.entry_count == 17);
    }

    // N11 P11
    async fn times_are_told_in_the_zone_that_the_organization_decided(engine) {
        let world = World::on(engine).await;
        world.peers.says(&world.conversation, "hello");
        let pdf = taken(&world, Role::Agent, ExportFormat::Pdf, ExportProfile::CustomerSafe).await;
        assert!(PdfText::of(&pdf.bytes).text().contains("(UTC+00:00)"));
        let decide = |time_zone: &str| UpdateSettingsRequest { time_zone: time_zone.to_owned(), ..Default::default() };
        let (code, _, status) = refusal(world.admin().update_settings(decide("Mars/Olympus")).await);
        assert_eq!((code, violated(&status)), (Code::InvalidArgument, vec!["time_zone".to_owned()]));
        let decided = world.admin().update_settings(decide("asia/kathmandu")).await.unwrap().into_inner();
        assert_eq!(decided.settings.unwrap().time_zone, "Asia/Kathmandu");
        let pdf = taken(&world, Role::Agent, ExportFormat::Pdf, ExportProfile::CustomerSafe).await;
        let text = PdfText::of(&pdf.bytes).text();
        assert!(text.contains("(UTC+05:45)") && text.contains("Asia/Kathmandu"), "{text}");
        let mask = prost_types::FieldMask { paths: vec!["time_zone".to_owned()] };
        let back = UpdateSettingsRequest { update_mask: Some(mask), ..Default::default() };
        let settings = world.admin().update_settings(back).await.unwrap().into_inner().settings.unwrap();
        assert_eq!(settings.time_zone, "UTC", "a path that the mask names and whose field is absent goes to its default");
    }

    // N11
    async fn while_routing_is_away_there_is_no_file_and_nothing_looks_like_one(engine) {
        let world = World::on(engine).await;
        for at in 0..450 {
            world.peers.says(&world.conversation, &format!("message {at} {}", "long ".repeat(500)));
        }
        let request = asking(&world, ExportFormat::Json, ExportProfile::CustomerSafe);
        let mut by = exports(&world, "ana", Role::Agent);
        let mut frames = by.export_conversation(request.clone()).await.unwrap().into_inner();
        assert!(frames.message().await.unwrap().is_some());
        world.peers.make_routing(Mood::Down);
        let mut finished = false;
        let cut = loop {
            match frames.message().await {
                Ok(Some(frame)) => finished |= matches!(frame.frame, Some(Frame::Finished(_))),
                Ok(None) => panic!("a file without its end"),
                Err(status) => break status,
            }
        };
        assert_eq!((cut.code(), finished), (Code::Unavailable, false));
        let (code, ..) = refusal(by.export_conversation(request).await);
        assert_eq!(code, Code::Unavailable);
    }

    // I6 I7
    async fn internal_messages_that_are_switched_off_are_in_no_file(engine) {
        let world = World::on(engine).await;
        day(&world).await;
        let off = UpdateSettingsRequest { internal_messages_enabled: Some(false), ..Default::default() };
        world.admin().update_settings(off).await.unwrap();
        let json = taken(&world, Role::Supervisor, ExportFormat::Json, ExportProfile::Full).await;
        assert_eq!(json.finished.entry_count, 6);
        assert!(!json.json().contains("marker-whisper"));
    }
}
