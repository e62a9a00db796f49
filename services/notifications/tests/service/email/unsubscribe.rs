//! One click in a mail program turns email off (RFC 8058).

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::google::api::HttpBody;
use proto::notifications::v1 as pb;
use proto::notifications::v1::NotificationType::{Assigned, Handoff, Mentioned};
use proto::notifications::v1::email_service_client::EmailServiceClient;
use rpc::reason_of;
use tonic::{Code, Status};

use super::World;
use crate::support::{event, ingest, list, notify, person};

impl World {
    /// What a mail program does with the link: without a bearer token.
    async fn click(&self, token: &str) -> Result<(), Status> {
        let (content_type, data) = ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click");
        let form = HttpBody { content_type: content_type.into(), data: data.into(), extensions: vec![] };
        let request = pb::UnsubscribeRequest { form: Some(form), token: token.to_owned() };
        EmailServiceClient::new(self.suite.channel()).unsubscribe(request).await.map(drop)
    }

    async fn told(&self, kind: pb::NotificationType) {
        notify(&mut ingest(&self.suite, "acme"), vec![event(kind, &["ana"])]).await;
    }
}

testkit::on_both_databases! {
    // D4, D6
    async fn one_click_turns_off_email_of_that_type_and_no_other(engine) {
        let world = World::over(engine, "clear").await;
        world.told(Mentioned).await;
        let token = world.ana.email(0).await.token();
        world.click(&token).await.unwrap();
        // Again, it changes nothing.
        world.click(&token).await.unwrap();
        world.told(Mentioned).await;
        world.told(Assigned).await;
        let email = world.ana.email(1).await;
        assert_ne!(email.token(), token, "that of the other type");
        world.click(&email.token()).await.unwrap();
        world.told(Mentioned).await;
        world.told(Assigned).await;
        world.told(Handoff).await;
        world.ana.email(2).await;
        let request = pb::ListDeliveriesRequest { subject: "ana".to_owned(), ..Default::default() };
        let listed = world.deliveries().list_deliveries(request).await.unwrap().into_inner().deliveries;
        assert_eq!((listed.len(), world.ana.count()), (3, 3), "one each before the click, and the third type");
        assert_eq!(list(&mut person(&world.suite, "acme", "ana")).await.len(), 6, "feeds are not email");
        let request = pb::ListAuditEventsRequest::default();
        let events = world.admin().list_audit_events(request).await.unwrap().into_inner().events;
        let clicks: Vec<_> = events.iter().filter(|it| it.action == "preferences.unsubscribe").collect();
        assert_eq!(clicks.len(), 2, "what changes nothing leaves no record");
        assert!(clicks.iter().all(|it| it.object_id == "ana"), "{clicks:?}");
    }

    // D4, P3
    async fn a_link_turns_off_nothing_but_what_it_was_made_for(engine) {
        let world = World::over(engine, "clear").await;
        world.told(Mentioned).await;
        let token = world.ana.email(0).await.token();
        let mut forged = token.clone();
        forged.replace_range(0..1, if token.starts_with('A') { "B" } else { "A" });
        for bad in ["x", &forged, &token[1..], &format!("{token}A")] {
            let status = world.click(bad).await.unwrap_err();
            assert_eq!((status.code(), reason_of(&status)), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        }
        let status = world.click("").await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        world.told(Mentioned).await;
        world.ana.email(1).await;
        // It opens nothing else: no other method takes a call without a bearer token, nor this one for a bearer token.
        let mut nobody = pb::notification_service_client::NotificationServiceClient::new(world.suite.channel());
        let refused = nobody.list_notifications(pb::ListNotificationsRequest::default()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated);
        let client = world.suite.client("umbrella", "mallory", Role::Agent);
        let request = pb::UnsubscribeRequest { form: None, token };
        EmailServiceClient::new(client).unsubscribe(request).await.unwrap();
        world.told(Mentioned).await;
        world.told(Assigned).await;
        world.ana.email(2).await;
        assert_eq!(world.ana.count(), 3, "whoever shows the link, it is ana's");
    }
}
