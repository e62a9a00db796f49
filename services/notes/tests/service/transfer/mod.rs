//! P13: everything that an organization has here, as a file and back.
//!
//! | file | story |
//! |---|---|
//! | [`round_trip`] | what goes out comes in, and is the same |
//! | [`import`] | what becomes of lines |
//! | [`streams`] | cuts, resumption, and who may |

mod import;
mod round_trip;
mod streams;

use futures::StreamExt;
use kernel::Role;
use proto::notes::v1::export_notes_response::Frame as ExportFrame;
use proto::notes::v1::import_notes_request::Frame as Sent;
use proto::notes::v1::import_notes_response::Frame as ImportFrame;
use proto::notes::v1::internal_message_service_client::InternalMessageServiceClient;
use proto::notes::v1::note_transfer_service_client::NoteTransferServiceClient;
use proto::notes::v1::send_internal_message_request::To;
use proto::notes::v1::*;
use testkit::{Client, Engine};
use tonic::{Status, Streaming};

use crate::world::{World, delete, edit};

type Transfers = NoteTransferServiceClient<Client>;

/// The service as seen by an admin of an organization.
fn transfers_of(world: &World, org: &str) -> Transfers {
    NoteTransferServiceClient::new(world.suite.client(org, "root", Role::Admin))
}

/// The whole file, and that of an organization.
async fn exported(world: &World) -> Vec<u8> {
    exported_of(world, "acme").await
}

async fn exported_of(world: &World, org: &str) -> Vec<u8> {
    let answer = transfers_of(world, org).export_notes(ExportNotesRequest::default()).await.unwrap();
    let mut frames = answer.into_inner();
    let (mut file, mut lines) = (Vec::new(), None);
    while let Some(response) = frames.message().await.unwrap() {
        match response.frame.unwrap() {
            ExportFrame::Chunk(bytes) => file.extend(bytes),
            ExportFrame::Finished(finished) => lines = Some(finished.lines),
            ExportFrame::Opened(_) => assert!(file.is_empty()),
            ExportFrame::Closing(closing) => panic!("{closing:?}"),
        }
    }
    assert_eq!(lines, Some(file.iter().filter(|byte| **byte == b'\n').count() as i64));
    file
}

/// The frames of an import: the start, then a file in pieces of so many bytes.
fn frames(token: &str, file: &[u8], piece: usize) -> Vec<ImportNotesRequest> {
    let start = Sent::Start(NoteImportStart { resume_token: token.to_owned() });
    let chunks = file.chunks(piece).map(|chunk| Sent::Chunk(chunk.to_vec()));
    std::iter::once(start).chain(chunks).map(|frame| ImportNotesRequest { frame: Some(frame) }).collect()
}

async fn open(
    world: &World,
    frames: Vec<ImportNotesRequest>,
) -> Result<Streaming<ImportNotesResponse>, Status> {
    let mut transfers = transfers_of(world, "acme");
    Ok(transfers.import_notes(futures::stream::iter(frames)).await?.into_inner())
}

/// What became of a file.
#[derive(Debug, Default)]
struct Taken {
    counts: NoteImportCounts,
    rejected: Vec<RejectedNoteLine>,
    batches: usize,
}

impl Taken {
    fn counted(&self) -> (i64, i64, i64) {
        (self.counts.created, self.counts.unchanged, self.counts.rejected)
    }
}

/// Brings a file in.
async fn imported(world: &World, file: &[u8]) -> Taken {
    let stream = open(world, frames("", file, 10_000)).await.unwrap();
    let mut stream = stream.map(Result::unwrap);
    let (mut taken, mut whole) = (Taken::default(), false);
    while let Some(response) = stream.next().await {
        match response.frame.unwrap() {
            ImportFrame::Progress(NoteImportProgress { counts, rejected }) => {
                taken.counts = counts.unwrap();
                taken.rejected.extend(rejected);
                taken.batches += 1;
            }
            ImportFrame::Finished(finished) => {
                assert_eq!(finished.counts.unwrap(), taken.counts);
                whole = true;
            }
            ImportFrame::Opened(_) | ImportFrame::Heartbeat(_) => {}
            ImportFrame::Closing(closing) => panic!("{closing:?}"),
        }
    }
    assert!(whole);
    assert_eq!(taken.rejected.len() as i64, taken.counts.rejected, "each line that is left out comes back");
    taken
}

fn lines(file: &[u8]) -> Vec<serde_json::Value> {
    file.split_inclusive(|byte| *byte == b'\n').map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// Lines as a file.
fn file(lines: &[serde_json::Value]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

/// An organization that has one of everything, in many scripts.
async fn full(engine: Engine) -> World {
    let world = World::on(engine).await;
    for name in ["ana", "bob", "cleo"] {
        world.peers.agent(name);
    }
    world.peers.team("night", &["ana", "bob", "cleo"]);
    world.allow_tombstones().await;
    let fields =
        vec![NoteTemplateField {
            key: "amount".to_owned(), label: "المبلغ 💶".to_owned(), required: true
        }];
    let template = CreateNoteTemplateRequest {
        name: "החזר 返金".to_owned(),
        body: "**Refund** of {{amount}}".to_owned(),
        fields,
        ..Default::default()
    };
    world.templates("sub-eve", Role::Supervisor).create_note_template(template).await.unwrap();
    let mut ana = world.agent("ana");
    let first = world
        .written(&mut ana, "@bob مرحبا بالعالم\u{200f} — שלום, 👩‍💻🏽 \"quoted\" \\ \u{1}\u{2028}é e\u{301}")
        .await;
    let reply = world.replied(&mut world.agent("bob"), &first, "@night see `code` 返金です").await;
    world.replied(&mut world.agent("cleo"), &reply, "Ёлка и ὀδός").await;
    let edited = ana.update_note(edit(&first, "@cleo another text, still سلام")).await.unwrap();
    ana.update_note(edit(&edited.into_inner().note.unwrap(), "a third text 🦊")).await.unwrap();
    let pinned = world.written(&mut ana, "pinned").await;
    ana.pin_note(PinNoteRequest { note_id: pinned.note_id }).await.unwrap();
    let deleted = world.written(&mut ana, "@bob said too much").await;
    ana.delete_note(delete(&deleted)).await.unwrap();
    let handoff = NewHandoff {
        receiver_username: "bob".to_owned(),
        steps_taken: "called ☎️".to_owned(),
        expected_outcome: "refund".to_owned(),
        ..Default::default()
    };
    let handed = CreateNoteRequest { handoff: Some(handoff), ..world.note("over to you") };
    ana.create_note(handed).await.unwrap();
    let kept = world.on_contact("ana", "VIP: call after 17:00 🕔").await;
    let gone = world.on_contact("ana", "gone for good").await;
    ana.delete_note(delete(&gone)).await.unwrap();
    ana.update_note(edit(&kept, "VIP: call after 18:00 🕕")).await.unwrap();
    talk(&world).await;
    world
}

/// Internal messages: some read, some not.
async fn talk(world: &World) {
    let ana = world.peers.person("ana", Role::Agent);
    let bob = world.peers.person("bob", Role::Agent);
    world.peers.assign(&world.conversation, Some(&ana));
    let mut eve = internal(world, "eve", Role::Supervisor);
    let say = |body: &str, to: Option<To>| SendInternalMessageRequest {
        conversation_id: world.conversation.clone(),
        body: body.to_owned(),
        to,
        ..Default::default()
    };
    eve.send_internal_message(say("Ask for the code first ☝️", None)).await.unwrap();
    let mut anas = internal(world, "ana", Role::Agent);
    anas.send_internal_message(say("شكرا", None)).await.unwrap();
    let conversation_id = world.conversation.clone();
    let read = MarkInternalMessagesReadRequest { conversation_id, ..Default::default() };
    anas.mark_internal_messages_read(read).await.unwrap();
    eve.send_internal_message(say("And then?", None)).await.unwrap();
    eve.send_internal_message(say("Bob, please look", Some(To::RecipientAgentId(bob)))).await.unwrap();
}

fn internal(world: &World, name: &str, role: Role) -> InternalMessageServiceClient<Client> {
    InternalMessageServiceClient::new(world.suite.client("acme", &format!("sub-{name}"), role))
}
