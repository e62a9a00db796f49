//! D9 and P11: how long notifications are kept, and who decides it.

use std::time::Duration;

use crate::support::*;
use kernel::{Clock, Role};
use proto::common::v1::ErrorReason;
use proto::notifications::v1 as pb;
use proto::notifications::v1::admin_service_client::AdminServiceClient;
use rpc::reason_of;
use testkit::{Client, Suite};
use tonic::{Code, Status};

const DAY: Duration = Duration::from_secs(86_400);

type Admin = AdminServiceClient<Client>;

fn of(suite: &Suite, org: &str, role: Role) -> Admin {
    AdminServiceClient::new(suite.client(org, "root", role))
}

async fn get(admin: &mut Admin) -> pb::Settings {
    admin.get_settings(pb::GetSettingsRequest {}).await.unwrap().into_inner().settings.unwrap()
}

async fn update(admin: &mut Admin, request: pb::UpdateSettingsRequest) -> Result<pb::Settings, Status> {
    admin.update_settings(request).await.map(|answer| answer.into_inner().settings.unwrap())
}

fn keep(read: i32, all: i32) -> pb::UpdateSettingsRequest {
    pb::UpdateSettingsRequest {
        read_retention_days: Some(read),
        retention_days: Some(all),
        ..Default::default()
    }
}

testkit::on_both_databases! {
    // D9
    async fn read_ones_are_kept_30_days_and_others_180_unless_the_organization_decides(engine) {
        let suite = suite_at_new_year(engine).await;
        for (org, settings) in [("acme", None), ("brief", Some(keep(2, 9))), ("long", Some(keep(300, 400)))] {
            if let Some(settings) = settings {
                update(&mut of(&suite, org, Role::Admin), settings).await.unwrap();
            }
            notify(&mut ingest(&suite, org), vec![mention(&["ana"]), mention(&["ana"])]).await;
            let mut ana = person(&suite, org, "ana");
            let oldest = list(&mut ana).await.pop().unwrap().notification_id;
            read(&mut ana, &[&oldest]).await;
        }
        let mut seen = Vec::new();
        for days in [1, 2, 7, 21, 150, 120, 100] {
            // A little more than whole days, as times must have passed.
            suite.hand().advance(DAY * days + Duration::from_secs(1));
            forget_due(&suite).await;
            let mut kept = Vec::new();
            for org in ["acme", "brief", "long"] {
                kept.push(sequences(&list(&mut person(&suite, org, "ana")).await).len());
            }
            seen.push(kept);
        }
        // After 1, 3, 10, 31, 181, 301 and 401 days.
        assert_eq!(seen, [[2, 2, 2], [2, 1, 2], [2, 0, 2], [1, 0, 2], [0, 0, 2], [0, 0, 1], [0, 0, 0]]);
    }

    // P11
    async fn settings_have_documented_defaults_and_go_back_to_them(engine) {
        let suite = suite(engine).await;
        let mut admin = of(&suite, "acme", Role::Admin);
        let before = get(&mut admin).await;
        assert_eq!((before.read_retention_days, before.retention_days, before.update_time), (30, 180, None));
        let one = pb::UpdateSettingsRequest { retention_days: Some(90), ..Default::default() };
        let changed = update(&mut admin, one).await.unwrap();
        assert_eq!((changed.read_retention_days, changed.retention_days), (30, 90));
        assert!(changed.etag != before.etag && changed.update_time.is_some());
        assert_eq!(get(&mut admin).await, changed);
        assert_eq!(get(&mut of(&suite, "globex", Role::Admin)).await, before, "another organization");

        let mask = prost_types::FieldMask { paths: vec!["retention_days".to_owned()] };
        let back = pb::UpdateSettingsRequest { update_mask: Some(mask), ..Default::default() };
        assert_eq!(update(&mut admin, back).await.unwrap().retention_days, 180);
    }

    // P4, P5, P6
    async fn a_change_of_settings_is_checked_safe_to_retry_and_never_lost(engine) {
        let suite = suite(engine).await;
        let mut admin = of(&suite, "acme", Role::Admin);
        let refused = update(&mut admin, keep(0, 5_000)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        let mask = prost_types::FieldMask { paths: vec!["colour".to_owned()] };
        let unknown = pb::UpdateSettingsRequest { update_mask: Some(mask), ..Default::default() };
        let refused = update(&mut admin, unknown).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(ErrorReason::UnknownUpdatePath));

        let stale = get(&mut admin).await.etag;
        let request_id = Clock::system().new_id().to_string();
        let first = pb::UpdateSettingsRequest { request_id: request_id.clone(), ..keep(3, 4) };
        let done = update(&mut admin, first.clone()).await.unwrap();
        assert_eq!(update(&mut admin, first).await.unwrap(), done, "the first answer again");
        let reused = pb::UpdateSettingsRequest { request_id, ..keep(5, 6) };
        let refused = update(&mut admin, reused).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(ErrorReason::RequestIdReused));
        let late = pb::UpdateSettingsRequest { etag: stale, ..keep(7, 8) };
        assert_eq!(update(&mut admin, late).await.unwrap_err().code(), Code::Aborted);
        assert_eq!(get(&mut admin).await, done);
    }

    // P2, P10
    async fn supervisors_read_the_settings_and_an_admins_change_is_in_the_audit_trail(engine) {
        let suite = suite(engine).await;
        let mut supervisor = of(&suite, "acme", Role::Supervisor);
        get(&mut supervisor).await;
        assert_eq!(update(&mut supervisor, keep(1, 1)).await.unwrap_err().code(), Code::PermissionDenied);
        let refused = of(&suite, "acme", Role::Agent).get_settings(pb::GetSettingsRequest {}).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);

        let mut admin = of(&suite, "acme", Role::Admin);
        update(&mut admin, keep(1, 1)).await.unwrap();
        update(&mut admin, keep(1, 1)).await.unwrap();
        let filter = proto::common::v1::AuditFilter { action: "settings.update".to_owned(), ..Default::default() };
        let request = pb::ListAuditEventsRequest { filter: Some(filter), ..Default::default() };
        let events = admin.list_audit_events(request).await.unwrap().into_inner().events;
        assert_eq!(events.len(), 1, "what changes nothing leaves no record: {events:?}");
    }
}
