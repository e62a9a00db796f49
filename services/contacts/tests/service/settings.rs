//! P11: what an organization decides about its contacts.

use kernel::Role;
use proto::contacts::v1::admin_service_client::AdminServiceClient;
use proto::contacts::v1::*;
use testkit::{Client, Suite, on_both_databases};
use tonic::Code;

use crate::desk::{broken_fields, refusal, suite};

type Admin = AdminServiceClient<Client>;

fn admin(suite: &Suite, org: &str, role: Role) -> Admin {
    AdminServiceClient::new(suite.client(org, "root", role))
}

async fn read(admin: &mut Admin) -> Settings {
    admin.get_settings(GetSettingsRequest {}).await.unwrap().into_inner().settings.unwrap()
}

fn days(activity_retention_days: i32) -> UpdateSettingsRequest {
    UpdateSettingsRequest { activity_retention_days, ..UpdateSettingsRequest::default() }
}

on_both_databases! {
    // P11
    async fn settings_have_documented_defaults_and_change_by_etag_and_mask(engine) {
        let suite = suite(engine).await;
        let mut root = admin(&suite, "acme", Role::Admin);
        let first = read(&mut root).await;
        assert_eq!((first.activity_retention_days, &first.update_time), (730, &None));
        let changed = root.update_settings(UpdateSettingsRequest { etag: first.etag.clone(), ..days(90) }).await;
        let changed = changed.unwrap().into_inner().settings.unwrap();
        assert!(changed.activity_retention_days == 90 && changed.update_time.is_some() && changed.etag != first.etag);
        assert_eq!(root.update_settings(days(90)).await.unwrap().into_inner().settings.unwrap(), changed, "nothing new");
        assert_eq!(read(&mut admin(&suite, "acme", Role::Supervisor)).await, changed);
        assert_eq!(read(&mut admin(&suite, "globex", Role::Admin)).await, first, "another organization's are its own");

        let stale = root.update_settings(UpdateSettingsRequest { etag: first.etag, ..days(30) }).await.unwrap_err();
        let (code, reason, metadata) = refusal(&stale);
        assert_eq!((code, reason.as_str(), &metadata["etag"]), (Code::Aborted, "STALE_ETAG", &changed.etag));
        let nothing = root.update_settings(days(0)).await.unwrap_err();
        assert_eq!(broken_fields(&nothing), ["activity_retention_days"]);
        let said = nothing.message();
        assert!(said.contains("1 to 3650") && said.contains("update_mask") && said.contains("730"), "{said}");
        assert_eq!(read(&mut root).await, changed);
        let mask = |path: &str| Some(prost_types::FieldMask { paths: vec![path.to_owned()] });
        let unknown = UpdateSettingsRequest { update_mask: mask("phone_region"), ..days(30) };
        assert_eq!(refusal(&root.update_settings(unknown).await.unwrap_err()).1, "UNKNOWN_UPDATE_PATH");
        let back = UpdateSettingsRequest { update_mask: mask("activity_retention_days"), ..days(0) };
        let back = root.update_settings(back).await.unwrap().into_inner().settings.unwrap();
        assert_eq!(back.activity_retention_days, 730, "named and absent: the default");
        suite.stop().await;
    }

    // P5 P11
    async fn a_repeated_request_has_one_effect_and_bad_values_none(engine) {
        let suite = suite(engine).await;
        let mut root = admin(&suite, "acme", Role::Admin);
        let request = UpdateSettingsRequest { request_id: kernel::Clock::system().new_id().to_string(), ..days(10) };
        let first = root.update_settings(request.clone()).await.unwrap().into_inner();
        root.update_settings(days(20)).await.unwrap();
        assert_eq!(root.update_settings(request.clone()).await.unwrap().into_inner(), first);
        let other = UpdateSettingsRequest { request_id: request.request_id, ..days(11) };
        assert_eq!(refusal(&root.update_settings(other).await.unwrap_err()).1, "REQUEST_ID_REUSED");
        for bad in [-1, 3_651, i32::MAX] {
            assert_eq!(broken_fields(&root.update_settings(days(bad)).await.unwrap_err()), ["activity_retention_days"]);
        }
        assert_eq!(read(&mut root).await.activity_retention_days, 20);
        for role in [Role::Contact, Role::Agent, Role::Supervisor, Role::Integration, Role::Service] {
            let subject = "01890a5d-ac96-774b-bcce-b302099a8057";
            let mut other = AdminServiceClient::new(suite.client("acme", subject, role));
            assert_eq!(refusal(&other.update_settings(days(5)).await.unwrap_err()).1, "ROLE_NOT_ALLOWED", "{role}");
        }
        suite.stop().await;
    }
}
