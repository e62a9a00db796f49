//! What an organization decides about its work.

use kernel::Role;
use proto::common::v1::{AuditFilter, ErrorReason};
use proto::routing::v1::admin_service_client::AdminServiceClient;
use proto::routing::v1::settings_service_client::SettingsServiceClient;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, metadata, refusal};

impl World {
    pub(crate) async fn settle(&self, request: UpdateSettingsRequest) -> Settings {
        self.settings().update_settings(request).await.unwrap().into_inner().settings.unwrap()
    }
}

fn costs(units: &[(&str, i32)]) -> Vec<ChannelUnits> {
    units.iter().map(|(channel, units)| ChannelUnits { channel: (*channel).into(), units: *units }).collect()
}

fn mask(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

testkit::on_both_databases! {
    // R3
    async fn settings_are_the_defaults_until_they_change_and_go_back_by_the_mask(engine) {
        let world = World::on(engine).await;
        let read = async || world.settings().get_settings(GetSettingsRequest {}).await.unwrap().into_inner().settings.unwrap();
        let first = read().await;
        assert_eq!((first.etag.as_str(), first.default_capacity_units, &first.update_time), ("v1", 0, &None));
        let changed = world.settle(UpdateSettingsRequest {
            default_capacity_units: Some(4),
            channel_units: costs(&[("call", 3), ("email", 2)]),
            etag: first.etag,
            ..Default::default()
        }).await;
        assert_eq!((changed.etag.as_str(), changed.default_capacity_units), ("v2", 4));
        assert_eq!(changed.channel_units, costs(&[("call", 3), ("email", 2)]));
        assert_eq!(read().await, changed);
        let same = world.settle(UpdateSettingsRequest { default_capacity_units: Some(4), ..Default::default() }).await;
        assert_eq!(same.etag, "v2", "what changes nothing leaves the etag");
        let back = UpdateSettingsRequest { update_mask: mask(&["channel_units"]), ..Default::default() };
        let back = world.settle(back).await;
        assert_eq!((back.default_capacity_units, back.channel_units.len()), (4, 0));
        let mut other = SettingsServiceClient::new(world.suite.client("other", "eve", Role::Admin));
        let theirs = other.get_settings(GetSettingsRequest {}).await.unwrap().into_inner().settings.unwrap();
        assert_eq!(theirs.default_capacity_units, 0);
    }

    // R3, P5
    async fn a_retried_change_answers_as_the_first_and_an_old_etag_is_aborted(engine) {
        let world = World::on(engine).await;
        let request = UpdateSettingsRequest {
            default_capacity_units: Some(4),
            etag: "v1".into(),
            request_id: world.request_id(),
            ..Default::default()
        };
        let first = world.settle(request.clone()).await;
        assert_eq!(world.settle(request.clone()).await, first);
        let late = UpdateSettingsRequest { request_id: String::new(), default_capacity_units: Some(9), ..request };
        let refused = world.settings().update_settings(late).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        assert_eq!(metadata(&refused, "etag"), Some(first.etag));
        let filter = Some(AuditFilter { action: "settings.update".into(), ..Default::default() });
        let mut admin = AdminServiceClient::new(world.client("root", Role::Admin));
        let listed = admin.list_audit_events(ListAuditEventsRequest { filter, ..Default::default() }).await;
        assert_eq!(listed.unwrap().into_inner().events.len(), 1);
    }

    // R3
    async fn settings_that_cannot_be_are_refused_with_their_field(engine) {
        let world = World::on(engine).await;
        let bad = [
            UpdateSettingsRequest { default_capacity_units: Some(-1), ..Default::default() },
            UpdateSettingsRequest { channel_units: costs(&[("call", 0)]), ..Default::default() },
            UpdateSettingsRequest { channel_units: costs(&[("Call!", 1)]), ..Default::default() },
            UpdateSettingsRequest { channel_units: costs(&[("call", 1), ("call", 2)]), ..Default::default() },
        ];
        for request in bad {
            let refused = world.settings().update_settings(request).await.unwrap_err();
            assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        }
        let unknown = UpdateSettingsRequest { update_mask: mask(&["etag"]), ..Default::default() };
        let refused = world.settings().update_settings(unknown).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::UnknownUpdatePath)));
    }
}
