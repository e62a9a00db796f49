//! What was told leaves a record: one for an event, whoever is told of it.

use crate::support::{ingest, mention, notify, person, suite};
use kernel::Role;
use proto::common::v1::{AuditEvent, AuditVerdict};
use proto::notifications::v1::admin_service_client::AdminServiceClient;
use proto::notifications::v1::*;
use testkit::{Client, Suite, on_both_databases};
use tonic::Code;

fn admin(suite: &Suite, org: &str, role: Role) -> AdminServiceClient<Client> {
    AdminServiceClient::new(suite.client(org, "root", role))
}

async fn recorded(suite: &Suite, org: &str) -> Vec<AuditEvent> {
    let request = ListAuditEventsRequest::default();
    admin(suite, org, Role::Admin).list_audit_events(request).await.unwrap().into_inner().events
}

on_both_databases! {
    // P10
    async fn an_event_leaves_one_record_and_reading_ones_own_feed_none(engine) {
        let suite = suite(engine).await;
        let (mut notes, event) = (ingest(&suite, "acme"), mention(&["ana", "ben", "cem"]));
        for _ in 0..2 {
            notify(&mut notes, vec![event.clone()]).await;
        }
        let mut ana = person(&suite, "acme", "ana");
        let request = MarkAllNotificationsReadRequest::default();
        ana.mark_all_notifications_read(request).await.unwrap();
        let events = recorded(&suite, "acme").await;
        let deeds: Vec<_> =
            events.iter().map(|it| (it.actor_subject.as_str(), it.action.as_str(), it.object_id.as_str())).collect();
        assert_eq!(deeds, [("notes", "event.notify", event.event_id.as_str())]);
        assert!(recorded(&suite, "umbrella").await.is_empty());
    }

    // P3 P10
    async fn admins_alone_read_and_verify_the_trail(engine) {
        let suite = suite(engine).await;
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        for role in [Role::Agent, Role::Supervisor, Role::Integration, Role::Service] {
            let refused = admin(&suite, "acme", role).list_audit_events(ListAuditEventsRequest::default()).await;
            assert_eq!(refused.unwrap_err().code(), Code::PermissionDenied, "{role}");
        }
        let mut admin = admin(&suite, "acme", Role::Admin);
        loop {
            let answer = admin.verify_audit_trail(VerifyAuditTrailRequest::default()).await.unwrap().into_inner();
            let verification = answer.verification.unwrap();
            assert_eq!(verification.verdict(), AuditVerdict::Intact);
            if verification.verified_count == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
