//! Who never sees a note, and where its text never goes.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use tonic::Code;

use crate::world::{World, edit, refusal, request_id};

testkit::on_both_databases! {
    // N3, P2
    async fn contacts_integrations_and_services_can_call_nothing_here(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "private").await;
        let list = ListNotesRequest { conversation_id: world.conversation.clone(), ..ListNotesRequest::default() };
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let mut outsider = world.person("sub-ana", role);
            let refusals = [
                refusal(outsider.create_note(world.note("mine")).await),
                refusal(outsider.get_note(GetNoteRequest { note_id: note.note_id.clone() }).await),
                refusal(outsider.list_notes(list.clone()).await),
                refusal(outsider.update_note(edit(&note, "mine")).await),
            ];
            for (code, reason, status) in refusals {
                assert_eq!((code, reason), (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)), "{role}");
                assert!(!format!("{status:?}").contains("private"));
            }
        }
        assert_eq!(world.all().await, [note]);
    }

    // N3, P9
    async fn no_refusal_repeats_the_text_it_refuses(engine) {
        let world = World::on(engine).await;
        let canary = "canary-7d1c";
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, &format!("{canary} as stored")).await;
        let long = canary.repeat(6_000);
        let many: String = (0..60).map(|n| format!("@{canary}{n} ")).collect();
        let first = CreateNoteRequest { request_id: request_id(), ..world.note(&format!("{canary} 1")) };
        ana.create_note(first.clone()).await.unwrap();
        let reused = CreateNoteRequest { body: format!("{canary} 2"), ..first };
        let unknown = CreateNoteRequest { conversation_id: request_id(), ..world.note(canary) };
        let stale = UpdateNoteRequest { etag: "v9".to_owned(), ..edit(&note, canary) };
        let refusals = [
            refusal(ana.create_note(world.note(&long)).await),
            refusal(ana.create_note(world.note(&many)).await),
            refusal(ana.create_note(world.note(&format!("{canary}\0"))).await),
            refusal(ana.create_note(reused).await),
            refusal(ana.create_note(unknown).await),
            refusal(ana.update_note(stale).await.map(|_| tonic::Response::new(CreateNoteResponse::default()))),
        ];
        for (_, _, status) in refusals {
            let details = String::from_utf8_lossy(status.details()).into_owned();
            assert!(!format!("{status:?}{details}").contains("canary"), "{}", status.code());
        }
    }
}
