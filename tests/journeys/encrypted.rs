//! Four processes, which talk over TLS and let in nobody whom their authority has not signed for.

use std::path::Path;

use kernel::{Clock, Role};
use proto::notes::v1 as notes;
use proto::notifications::v1 as feed;
use proto::routing::v1 as routing;
use runtime::TlsFiles;
use runtime::tls::{DevAuthority, Dialer};
use suite::client::Wire;

use crate::cast::{Ear, assigned, customer_writes, eventually, message, route, team};
use crate::world::World;

fn files(folder: &Path) -> TlsFiles {
    let at = |name: &str| Some(folder.join(name));
    TlsFiles { certificate: at("tls.crt"), key: at("tls.key"), authority: at("ca.crt"), mutual: true }
}

/// A new certificate for this machine, in this folder.
fn issue(authority: &Path, folder: &Path) {
    let authority = DevAuthority::load_or_make(authority, Clock::system()).unwrap();
    authority.issue_into(folder, &["localhost", "127.0.0.1"], 1).unwrap();
}

testkit::on_both_databases! {
    // G1
    async fn a_note_is_written_and_its_reader_told_over_tls_alone(engine) {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        issue(ours.path(), ours.path());
        issue(theirs.path(), theirs.path());
        let world = World::four_processes_encrypted(engine, &files(ours.path())).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        // Contacts tell routing, routing tells notes and notifications, notes ask routing: each over TLS.
        let recorded = customer_writes(&world, message("airline", "t-1", 0, "I lost my boarding pass")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let author = team.agent(&conversation.assignee.unwrap().subject);
        let reader = team.other_than(&author.subject);
        let mut ear = Ear::open(&reader.api).await;
        let write = async |body: &str| {
            let request = notes::CreateNoteRequest {
                conversation_id: conversation.conversation_id.clone(),
                body: format!("@{} {body}", reader.subject),
                ..Default::default()
            };
            author.api.notes().create_note(request).await.unwrap().into_inner().note.unwrap().note_id
        };
        let note = write("look").await;
        assert_eq!(ear.hears_of(feed::NotificationType::Mentioned).await.note_id, note);

        // Who has no certificate, or another authority's, is let in nowhere, whatever token they bring.
        let https = |service: &str| format!("https://{}", world.address_of(service));
        let without = TlsFiles { certificate: None, key: None, ..files(ours.path()) };
        let foreign = TlsFiles { authority: files(ours.path()).authority, ..files(theirs.path()) };
        for wrong in [without, foreign] {
            let asked = match Wire::connect_by(|| Dialer::with(&wrong, &Clock::system()), https).await {
                Err(_) => continue,
                Ok(wire) => {
                    let session = wire.bearing(&world.token("acme", "ana", Role::Agent)).unwrap();
                    session.agents().get_my_agent(routing::GetMyAgentRequest {}).await
                }
            };
            assert!(asked.is_err(), "{asked:?}");
        }
        let plain = Wire::connect(|service| world.address_of(service)).await.unwrap();
        let session = plain.bearing(&world.token("acme", "ana", Role::Agent)).unwrap();
        assert!(session.agents().get_my_agent(routing::GetMyAgentRequest {}).await.is_err(), "plain text");

        // A renewed certificate is taken by all four, and the open stream goes on.
        issue(ours.path(), ours.path());
        eventually("all four have renewed", || async {
            (world.logs().matches("TLS has changed").count() == 4).then_some(())
        })
        .await;
        let note = write("again").await;
        assert_eq!(ear.hears_of(feed::NotificationType::Mentioned).await.note_id, note);
        world.stop().await;
    }
}
