//! What an organization decides about its notes, and who may.

use kernel::Role;
use proto::common::v1::{AuditDefect, AuditVerdict, AuditVerification, ErrorReason};
use proto::notes::v1::admin_service_client::AdminServiceClient;
use proto::notes::v1::*;
use testkit::Client;
use tonic::Code;

use crate::world::{World, metadata, refusal, request_id};

type Admins = AdminServiceClient<Client>;

fn admin_of(world: &World, org: &str) -> Admins {
    AdminServiceClient::new(world.suite.client(org, "root", Role::Admin))
}

fn admin(world: &World) -> Admins {
    admin_of(world, "acme")
}

async fn read(admin: &mut Admins) -> Settings {
    admin.get_settings(GetSettingsRequest {}).await.unwrap().into_inner().settings.unwrap()
}

async fn changed(admin: &mut Admins, request: UpdateSettingsRequest) -> Settings {
    admin.update_settings(request).await.unwrap().into_inner().settings.unwrap()
}

fn no_internal_messages() -> UpdateSettingsRequest {
    UpdateSettingsRequest { internal_messages_enabled: Some(false), ..UpdateSettingsRequest::default() }
}

fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

async fn recorded(admin: &mut Admins) -> Vec<proto::common::v1::AuditEvent> {
    admin.list_audit_events(ListAuditEventsRequest::default()).await.unwrap().into_inner().events
}

testkit::on_both_databases! {
    // P11
    async fn without_a_decision_the_defaults_hold_and_a_change_is_the_organizations_own(engine) {
        let world = World::on(engine).await;
        let mut admin = admin(&world);
        let defaults = read(&mut admin).await;
        assert!(defaults.contact_note_requires_conversation && defaults.internal_messages_enabled);
        assert_eq!(defaults.conversation_note_deletion(), ConversationNoteDeletion::Forbidden);
        assert_eq!(defaults.update_time, None);
        let request = UpdateSettingsRequest {
            contact_note_requires_conversation: Some(false),
            conversation_note_deletion: ConversationNoteDeletion::Tombstone.into(),
            etag: defaults.etag.clone(),
            ..UpdateSettingsRequest::default()
        };
        let after = changed(&mut admin, request).await;
        assert!(!after.contact_note_requires_conversation && after.internal_messages_enabled);
        assert_eq!(after.conversation_note_deletion(), ConversationNoteDeletion::Tombstone);
        assert!(after.etag != defaults.etag && after.update_time.is_some());
        assert_eq!(read(&mut admin).await, after);
        assert_eq!(read(&mut admin_of(&world, "globex")).await, defaults, "another organization's are its own");
        let (db, org) = world.tables().await;
        let stored = db.read(&org, |tx| Box::pin(notes::store::settings::find_settings(tx))).await.unwrap();
        assert!(!stored.contact_note_requires_conversation && stored.internal_messages_enabled);
        db.close().await;
    }

    // P6 P11
    async fn a_mask_changes_what_it_names_and_an_absent_field_goes_back_to_its_default(engine) {
        let world = World::on(engine).await;
        let mut admin = admin(&world);
        changed(&mut admin, no_internal_messages()).await;
        let named = UpdateSettingsRequest {
            contact_note_requires_conversation: Some(false),
            conversation_note_deletion: ConversationNoteDeletion::Tombstone.into(),
            update_mask: mask(&["conversation_note_deletion"]),
            ..UpdateSettingsRequest::default()
        };
        let after = changed(&mut admin, named).await;
        assert!(after.contact_note_requires_conversation && !after.internal_messages_enabled);
        assert_eq!(after.conversation_note_deletion(), ConversationNoteDeletion::Tombstone);
        let back = UpdateSettingsRequest {
            update_mask: mask(&["conversation_note_deletion", "internal_messages_enabled"]),
            ..UpdateSettingsRequest::default()
        };
        let after = changed(&mut admin, back).await;
        assert!(after.internal_messages_enabled);
        assert_eq!(after.conversation_note_deletion(), ConversationNoteDeletion::Forbidden);
        let unknown = UpdateSettingsRequest { update_mask: mask(&["etag"]), ..no_internal_messages() };
        let (code, reason, status) = refusal(admin.update_settings(unknown).await);
        assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::UnknownUpdatePath)));
        assert_eq!(metadata(&status, "path"), Some("etag".to_owned()));
        assert_eq!(read(&mut admin).await, after);
    }

    // P6 P11
    async fn of_changes_at_once_from_one_state_one_wins_and_the_others_are_stale(engine) {
        let world = World::on(engine).await;
        let etag = read(&mut admin(&world)).await.etag;
        let calls = (0..8).map(|_| {
            let (mut admin, request) = (admin(&world), UpdateSettingsRequest { etag: etag.clone(), ..no_internal_messages() });
            tokio::spawn(async move { admin.update_settings(request).await })
        });
        let mut won = 0;
        for call in calls.collect::<Vec<_>>() {
            match call.await.unwrap() {
                Ok(_) => won += 1,
                Err(status) => assert!([Code::Aborted, Code::Unavailable].contains(&status.code()), "{status}"),
            }
        }
        assert_eq!(won, 1);
        let (code, reason, _) = refusal(admin(&world).update_settings(UpdateSettingsRequest { etag, ..no_internal_messages() }).await);
        assert_eq!((code, reason), (Code::Aborted, Some(ErrorReason::StaleEtag)));
    }

    // P5 P10 P11
    async fn a_change_leaves_a_record_and_its_retry_or_no_change_leaves_none(engine) {
        let world = World::on(engine).await;
        let mut admin = admin(&world);
        let request = UpdateSettingsRequest { request_id: request_id(), ..no_internal_messages() };
        let first = changed(&mut admin, request.clone()).await;
        assert_eq!(changed(&mut admin, request.clone()).await, first, "a retry");
        assert_eq!(changed(&mut admin, no_internal_messages()).await, first, "nothing to change");
        let events = recorded(&mut admin).await;
        assert_eq!(events.len(), 1, "{events:?}");
        let event = &events[0];
        assert_eq!((event.action.as_str(), event.object_kind.as_str(), event.object_id.as_str()), ("settings.update", "settings", "acme"));
        assert_eq!((event.actor_subject.as_str(), &event.request_id), ("root", &request.request_id));
        let reused = UpdateSettingsRequest { contact_note_requires_conversation: Some(false), ..request };
        let (_, reason, _) = refusal(admin.update_settings(reused).await);
        assert_eq!(reason, Some(ErrorReason::RequestIdReused));
    }

    // P3 P11
    async fn supervisors_read_the_settings_and_admins_alone_change_them(engine) {
        let world = World::on(engine).await;
        for (role, reads) in [
            (Role::Contact, false), (Role::Agent, false), (Role::Supervisor, true), (Role::Integration, false),
            (Role::Service, false),
        ] {
            let subject = "01890a5d-ac96-774b-bcce-b302099a8057";
            let mut curious = AdminServiceClient::new(world.suite.client("acme", subject, role));
            let answer = curious.get_settings(GetSettingsRequest {}).await;
            assert_eq!(answer.is_ok(), reads, "{role}");
            let (code, ..) = refusal(curious.update_settings(no_internal_messages()).await);
            assert_eq!(code, Code::PermissionDenied, "{role}");
            let (code, ..) = refusal(curious.list_audit_events(ListAuditEventsRequest::default()).await);
            assert_eq!(code, Code::PermissionDenied, "{role}");
        }
    }

    // P10
    async fn a_record_that_was_altered_is_named_to_the_admin(engine) {
        let world = World::on(engine).await;
        let mut admin = admin(&world);
        for enabled in [false, true, false] {
            let request = UpdateSettingsRequest { internal_messages_enabled: Some(enabled), ..Default::default() };
            changed(&mut admin, request).await;
        }
        let verified = async |admin: &mut Admins| -> AuditVerification {
            let answer = admin.verify_audit_trail(VerifyAuditTrailRequest::default()).await.unwrap().into_inner();
            assert_eq!(answer.next_page_token, "");
            answer.verification.unwrap()
        };
        while verified(&mut admin).await.verified_count < 3 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(verified(&mut admin).await.verdict(), AuditVerdict::Intact);
        let (db, org) = world.tables().await;
        let forge = "UPDATE audit_events SET actor_subject = 'eve' WHERE org_id = $1 AND sequence = 2";
        db.write(&org, move |tx| Box::pin(async move { tx.query(forge).execute(tx).await })).await.map_err(|e: db::DbError| e).unwrap();
        db.close().await;
        let broken = verified(&mut admin).await;
        assert_eq!((broken.verdict(), broken.defect()), (AuditVerdict::Broken, AuditDefect::Altered));
        let second = recorded(&mut admin).await.into_iter().find(|event| event.sequence == 2).unwrap();
        assert_eq!((broken.defect_sequence, &broken.defect_event_id), (2, &second.event_id));
        assert_eq!(broken.verified_count, 1);
    }
}
