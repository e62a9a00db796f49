//! Policies: made, read, changed and deleted; what could never be held is refused.

use std::time::Duration;

use kernel::Role;
use prost_types::FieldMask;
use proto::common::v1::ErrorReason;
use proto::routing::v1::*;
use tonic::Code;
use tonic_types::StatusExt;

use crate::world::*;

fn span(seconds: u64) -> Option<prost_types::Duration> {
    Duration::from_secs(seconds).try_into().ok()
}

fn named(name: &str) -> SlaPolicySpec {
    SlaPolicySpec { name: name.into(), first_response: span(600), ..Default::default() }
}

fn mask(paths: &[&str]) -> Option<FieldMask> {
    Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

testkit::on_both_databases! {
    // R17, P5, P6
    async fn a_policy_is_made_once_read_changed_by_field_and_deleted(engine) {
        let world = World::on(engine).await;
        let mut admin = world.sla("root", Role::Admin);
        let team = world.team("day", &[]).await;
        let spec = SlaPolicySpec {
            position: 3,
            condition: "'vip' in conversation.tags".into(),
            resolution: span(3_600),
            business_hours_team_id: team.team_id.clone(),
            ..named("gold")
        };
        let request = CreateSlaPolicyRequest { spec: Some(spec.clone()), request_id: world.request_id() };
        let made = admin.create_sla_policy(request.clone()).await.unwrap().into_inner().sla_policy.unwrap();
        assert_eq!(admin.create_sla_policy(request.clone()).await.unwrap().into_inner().sla_policy.unwrap(), made);
        let reused = CreateSlaPolicyRequest { spec: Some(named("other")), ..request };
        let refused = admin.create_sla_policy(reused).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::RequestIdReused)));
        assert_eq!((made.etag.as_str(), made.warn_percent, made.position, &made.next_response), ("v1", 80, 3, &None));
        assert_eq!((made.first_response, made.resolution), (span(600), span(3_600)));
        assert_eq!(made.business_hours_team_id, team.team_id);
        let get = GetSlaPolicyRequest { sla_policy_id: made.sla_policy_id.clone() };
        let read = world.sla("sue", Role::Supervisor).get_sla_policy(get.clone()).await.unwrap().into_inner();
        assert_eq!(read.sla_policy.unwrap(), made);

        let change = UpdateSlaPolicyRequest {
            sla_policy_id: made.sla_policy_id.clone(),
            spec: Some(SlaPolicySpec { next_response: span(60), warn_percent: 50, ..Default::default() }),
            update_mask: mask(&["next_response", "resolution", "warn_percent", "business_hours_team_id"]),
            etag: made.etag.clone(),
            request_id: String::new(),
        };
        let changed = admin.update_sla_policy(change.clone()).await.unwrap().into_inner().sla_policy.unwrap();
        assert_eq!((changed.etag.as_str(), changed.name.as_str(), changed.warn_percent), ("v2", "gold", 50));
        assert_eq!((changed.first_response, changed.next_response, changed.resolution), (span(600), span(60), None));
        assert_eq!(changed.business_hours_team_id, "");
        let stale = admin.update_sla_policy(change.clone()).await.unwrap_err();
        assert_eq!(refusal(&stale), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        let same = UpdateSlaPolicyRequest { etag: String::new(), ..change.clone() };
        let same = admin.update_sla_policy(same).await.unwrap().into_inner().sla_policy.unwrap();
        assert_eq!(same.etag, "v2", "what changes nothing leaves the etag");
        let none = UpdateSlaPolicyRequest {
            spec: Some(SlaPolicySpec::default()),
            update_mask: mask(&["first_response", "next_response"]),
            etag: String::new(),
            ..change
        };
        let refused = admin.update_sla_policy(none).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));

        let delete = DeleteSlaPolicyRequest { sla_policy_id: made.sla_policy_id.clone(), etag: "v1".into() };
        let stale = admin.delete_sla_policy(delete.clone()).await.unwrap_err();
        assert_eq!(refusal(&stale), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        let delete = DeleteSlaPolicyRequest { etag: String::new(), ..delete };
        admin.delete_sla_policy(delete.clone()).await.unwrap();
        for refused in [admin.delete_sla_policy(delete).await.unwrap_err(), admin.get_sla_policy(get).await.unwrap_err()] {
            assert_eq!(refusal(&refused), (Code::NotFound, Some(ErrorReason::NotFound)));
        }
    }

    // R17, P4
    async fn what_could_never_be_held_is_refused_by_field(engine) {
        let world = World::on(engine).await;
        let mut admin = world.sla("root", Role::Admin);
        let long = span(91 * 24 * 60 * 60);
        let negative = Some(prost_types::Duration { seconds: -1, nanos: 0 });
        for (spec, field) in [
            (SlaPolicySpec { name: String::new(), ..named("") }, "spec.name"),
            (SlaPolicySpec { first_response: None, ..named("gold") }, "spec"),
            (SlaPolicySpec { first_response: long, ..named("gold") }, "spec.first_response"),
            (SlaPolicySpec { next_response: negative, ..named("gold") }, "spec.next_response"),
            (SlaPolicySpec { resolution: span(0), ..named("gold") }, "spec.resolution"),
            (SlaPolicySpec { warn_percent: 101, ..named("gold") }, "spec.warn_percent"),
            (SlaPolicySpec { business_hours_team_id: "day".into(), ..named("gold") }, "spec.business_hours_team_id"),
            (SlaPolicySpec { condition: "contact.language == 'de'".into(), ..named("gold") }, "spec.condition"),
        ] {
            let request = CreateSlaPolicyRequest { spec: Some(spec), request_id: String::new() };
            let refused = admin.create_sla_policy(request).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{field}");
            assert_eq!(refused.get_details_bad_request().unwrap().field_violations[0].field, field);
        }
        let bad = SlaPolicySpec { condition: "conversation.source ==".into(), ..named("gold") };
        let refused = admin.create_sla_policy(CreateSlaPolicyRequest { spec: Some(bad), request_id: String::new() }).await;
        assert_eq!(refusal(&refused.unwrap_err()), (Code::InvalidArgument, Some(ErrorReason::InvalidExpression)));
        let nobody = SlaPolicySpec { business_hours_team_id: world.request_id(), ..named("gold") };
        let refused = admin.create_sla_policy(CreateSlaPolicyRequest { spec: Some(nobody), request_id: String::new() }).await;
        assert_eq!(refusal(&refused.unwrap_err()), (Code::NotFound, Some(ErrorReason::NotFound)));
    }

    // R17, P7
    async fn policies_are_listed_as_they_are_tried_and_there_are_not_too_many(engine) {
        let world = World::on(engine).await;
        let mut admin = world.sla("root", Role::Admin);
        let create = |position: i32| {
            let spec = SlaPolicySpec { position, ..named(&format!("p-{position}")) };
            CreateSlaPolicyRequest { spec: Some(spec), request_id: String::new() }
        };
        for position in (0..50).rev() {
            admin.create_sla_policy(create(position)).await.unwrap();
        }
        let refused = admin.create_sla_policy(create(50)).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::FailedPrecondition, Some(ErrorReason::LimitReached)));
        assert_eq!(metadata(&refused, "limit").as_deref(), Some("50"));
        let (mut request, mut positions) = (ListSlaPoliciesRequest { page_size: 20, ..Default::default() }, Vec::new());
        loop {
            let page = admin.list_sla_policies(request.clone()).await.unwrap().into_inner();
            positions.extend(page.sla_policies.iter().map(|it| it.position));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(positions, (0..50).collect::<Vec<_>>());
        let mut other = proto::routing::v1::sla_service_client::SlaServiceClient::new(world.suite.client("other", "eve", Role::Admin));
        let listed = other.list_sla_policies(ListSlaPoliciesRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.sla_policies, []);
    }
}
