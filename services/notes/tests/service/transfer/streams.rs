//! P13, P14: cuts, resumption, and who may.

use kernel::Role;
use proto::common::v1::{AuditFilter, ErrorReason};
use proto::notes::v1::export_notes_response::Frame as ExportFrame;
use proto::notes::v1::import_notes_request::Frame as Sent;
use proto::notes::v1::import_notes_response::Frame as ImportFrame;
use proto::notes::v1::note_transfer_service_client::NoteTransferServiceClient;
use proto::notes::v1::*;
use tonic::Code;

use super::{exported, frames, full, imported, lines, open, transfers_of};
use crate::world::{World, refusal, violated};

/// Actions of the audit trail on files of this kind, oldest first, and the files.
async fn recorded(world: &World, object_kind: &str) -> Vec<(String, String)> {
    let filter = Some(AuditFilter { object_kind: object_kind.to_owned(), ..Default::default() });
    let request = ListAuditEventsRequest { filter, page_size: 200, ..Default::default() };
    let events = world.admin().list_audit_events(request).await.unwrap().into_inner().events;
    events.into_iter().rev().map(|event| (event.action, event.object_id)).collect()
}

testkit::on_both_databases! {
    // P13, P14: cut behind any frame, and nothing is missed and nothing comes twice.
    async fn an_export_goes_on_where_it_was_cut(engine) {
        let world = full(engine).await;
        // Notes that fill many frames.
        let mut ana = world.agent("ana");
        for number in 0..7 {
            world.written(&mut ana, &format!("{number} {}", "é".repeat(30_000))).await;
        }
        let whole = exported(&world).await;
        let (mut file, mut resume_token, mut cuts, mut finished) = (Vec::new(), String::new(), 0, false);
        while !finished {
            let request = ExportNotesRequest { resume_token: resume_token.clone() };
            let mut stream = transfers_of(&world, "acme").export_notes(request).await.unwrap().into_inner();
            let opened = stream.message().await.unwrap().unwrap();
            assert!(matches!(opened.frame, Some(ExportFrame::Opened(_))));
            let next = stream.message().await.unwrap().unwrap();
            match next.frame.unwrap() {
                ExportFrame::Chunk(bytes) => {
                    assert!(bytes.ends_with(b"\n"), "whole lines");
                    file.extend(bytes);
                    resume_token = next.resume_token;
                    cuts += 1;
                }
                ExportFrame::Finished(all) => {
                    assert_eq!(all.lines, lines(&whole).len() as i64);
                    finished = true;
                }
                other => panic!("{other:?}"),
            }
        }
        assert!(cuts > 10, "{cuts}");
        assert_eq!(String::from_utf8(file).unwrap(), String::from_utf8(whole).unwrap());
    }

    // P13, P14
    async fn an_import_goes_on_where_it_was_cut_and_counts_on(engine) {
        let source = World::on(engine).await;
        let mut ana = source.agent("ana");
        for number in 0..450 {
            source.written(&mut ana, &format!("note {number}")).await;
        }
        let mut file = exported(&source).await;
        file.extend_from_slice(b"no line\n");
        let world = World::on(engine).await;
        let (mut token, mut offset, mut rejected, mut cuts) = (String::new(), 0, 0, 0);
        let counts = 'file: loop {
            // A piece at a time, and the stream is dropped behind the first progress.
            let mut stream = open(&world, frames(&token, &file[offset..], 20_000)).await.unwrap();
            while let Some(response) = stream.message().await.unwrap() {
                (token, offset) = (response.resume_token, response.resume_offset as usize);
                match response.frame.unwrap() {
                    ImportFrame::Progress(progress) => {
                        rejected += progress.rejected.len();
                        cuts += 1;
                        break;
                    }
                    ImportFrame::Finished(finished) => break 'file finished.counts.unwrap(),
                    _ => {}
                }
            }
        };
        // A batch whose answer was lost with its stream is in, and so unchanged.
        assert_eq!((counts.created + counts.unchanged, counts.rejected, rejected), (450, 1, 1));
        assert!(counts.created >= 200, "{counts:?}");
        assert_eq!((cuts, offset), (3, file.len()));
        file.truncate(file.len() - "no line\n".len());
        assert_eq!(exported(&world).await, file);
        let told = recorded(&world, "note_import").await;
        let actions: Vec<&str> = told.iter().map(|(action, _)| action.as_str()).collect();
        // A stream whose client has left may still bring to its end what it has, and the next one is then asked to come again.
        assert_eq!((actions[0], *actions.last().unwrap()), ("note_import.begin", "note_import.finish"));
        assert!(actions.iter().filter(|action| **action == "note_import.resume").count() >= 3, "{actions:?}");
        assert!(told.iter().all(|(_, import)| *import == told[0].1), "one import, however often it was cut");
    }

    // P10, P13: who reads a byte has left a record.
    async fn what_leaves_is_in_the_trail_before_the_first_byte_and_what_comes_object_by_object(engine) {
        let world = full(engine).await;
        let mut stream = transfers_of(&world, "acme").export_notes(ExportNotesRequest::default()).await.unwrap().into_inner();
        stream.message().await.unwrap().unwrap();
        let told = recorded(&world, "note_export").await;
        assert_eq!(told.iter().map(|(action, _)| action.as_str()).collect::<Vec<_>>(), ["note_export.begin"]);
        drop(stream);
        let file = exported(&world).await;
        let elsewhere = World::on(engine).await;
        imported(&elsewhere, &file).await;
        let request = ListAuditEventsRequest { page_size: 200, ..Default::default() };
        let events = elsewhere.admin().list_audit_events(request).await.unwrap().into_inner().events;
        let notes: Vec<_> = events.iter().filter(|event| event.action == "note.import").collect();
        let wanted = lines(&file).iter().filter(|line| line["kind"] == "note").count();
        assert_eq!(notes.len(), wanted);
        let begun = events.iter().find(|event| event.action == "note_import.begin").unwrap();
        assert!(notes.iter().all(|event| event.request_id == begun.object_id && event.actor_subject == "root"));
    }

    // P3, P13
    async fn a_file_is_for_admins_only_and_a_token_for_its_organization(engine) {
        let world = full(engine).await;
        for role in [Role::Contact, Role::Agent, Role::Supervisor, Role::Integration, Role::Service] {
            let mut transfers = NoteTransferServiceClient::new(world.suite.client("acme", "sub-eve", role));
            let (code, reason, _) = refusal(transfers.export_notes(ExportNotesRequest::default()).await.map(|_| tonic::Response::new(())));
            assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)), "{role}");
            let sent = futures::stream::iter(frames("", b"", 1));
            let (code, reason, _) = refusal(transfers.import_notes(sent).await.map(|_| tonic::Response::new(())));
            assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)), "{role}");
        }
        let mut stream = transfers_of(&world, "acme").export_notes(ExportNotesRequest::default()).await.unwrap().into_inner();
        let resume_token = stream.message().await.unwrap().unwrap().resume_token;
        let request = ExportNotesRequest { resume_token: resume_token.clone() };
        let foreign = transfers_of(&world, "globex").export_notes(request).await;
        let (code, _, status) = refusal(foreign.map(|_| tonic::Response::new(())));
        assert_eq!((code, violated(&status)), (Code::InvalidArgument, vec!["resume_token".to_owned()]));
        let status = open(&world, frames(&resume_token, b"", 1)).await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["start.resume_token".to_owned()]));
        let begun = open(&world, frames("", b"", 1)).await.unwrap().message().await.unwrap().unwrap();
        let sent = futures::stream::iter(frames(&begun.resume_token, b"", 1));
        let foreign = transfers_of(&world, "globex").import_notes(sent).await;
        let (code, _, status) = refusal(foreign.map(|_| tonic::Response::new(())));
        assert_eq!((code, violated(&status)), (Code::InvalidArgument, vec!["start.resume_token".to_owned()]));
    }

    // P13
    async fn the_start_comes_first_and_once(engine) {
        let world = World::on(engine).await;
        let chunk = || ImportNotesRequest { frame: Some(Sent::Chunk(b"x\n".to_vec())) };
        for wrong in [vec![], vec![chunk()]] {
            let status = open(&world, wrong).await.unwrap_err();
            assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["start".to_owned()]));
        }
        let twice = [frames("", b"", 1), frames("", b"", 1)].concat();
        let mut stream = open(&world, twice).await.unwrap();
        stream.message().await.unwrap().unwrap();
        let status = stream.message().await.unwrap_err();
        assert_eq!((status.code(), violated(&status)), (Code::InvalidArgument, vec!["start".to_owned()]));
    }
}
