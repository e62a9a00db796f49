//! An admin makes, reads, changes and deletes webhooks.

use super::*;
use proto::common::v1::ErrorReason;
use rpc::reason_of;
use tonic::Code;
use tonic_types::StatusExt;

fn request(url: &str) -> pb::CreateWebhookRequest {
    pb::CreateWebhookRequest {
        url: url.to_owned(),
        description: "for the CRM".to_owned(),
        event_types: vec![Type::NoteCreated.into(), Type::ContactErased.into()],
        ..Default::default()
    }
}

fn get(webhook: &pb::Webhook) -> pb::GetWebhookRequest {
    pb::GetWebhookRequest { webhook_id: webhook.webhook_id.clone() }
}

testkit::on_both_databases! {
    // D8, P5
    async fn a_secret_is_shown_once_and_a_retry_makes_no_second_webhook(engine) {
        let world = World::start(engine).await;
        let mut admin = world.admin("acme");
        let request = pb::CreateWebhookRequest { request_id: new_id(), ..request("https://example.com/hook") };
        let made = admin.create_webhook(request.clone()).await.unwrap().into_inner();
        let webhook = made.webhook.clone().unwrap();
        assert!(made.secret.starts_with("whsec_"));
        assert_eq!((webhook.url.as_str(), webhook.state()), ("https://example.com/hook", pb::WebhookState::Enabled));
        assert_eq!(webhook.event_types, request.event_types);
        assert_eq!(admin.create_webhook(request.clone()).await.unwrap().into_inner(), made);
        let other = pb::CreateWebhookRequest { description: "else".to_owned(), ..request };
        let reused = admin.create_webhook(other).await.unwrap_err();
        assert_eq!(reason_of(&reused), Some(ErrorReason::RequestIdReused));
        let listed = admin.list_webhooks(pb::ListWebhooksRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.webhooks, std::slice::from_ref(&webhook));
        let read = admin.get_webhook(get(&webhook)).await.unwrap().into_inner();
        assert!(!format!("{read:?}{listed:?}").contains(made.secret.trim_start_matches("whsec_")));
        world.suite.stop().await;
    }

    // D8, P8
    async fn a_url_that_may_not_be_called_is_refused_by_its_name(engine) {
        let routing = Routing::default();
        let suite = builder_beside(engine, &routing).start().await;
        let mut admin = WebhookServiceClient::new(suite.client("acme", "root", Role::Admin));
        for bad in ["http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://u:p@example.com/", "nonsense",
            "https://169.254.169.254/latest/meta-data", "https://10.0.0.1/"] {
            let refused = admin.create_webhook(request(bad)).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{bad}");
            let broken = refused.get_details_bad_request().unwrap().field_violations;
            assert_eq!(broken[0].field, "url", "{bad}");
            assert!(!refused.message().contains(bad), "{}", refused.message());
        }
        let good = admin.create_webhook(request("https://example.com/")).await.unwrap().into_inner().webhook.unwrap();
        let moved = pb::UpdateWebhookRequest {
            webhook_id: good.webhook_id.clone(),
            url: "https://192.168.1.1/".to_owned(),
            ..Default::default()
        };
        assert_eq!(admin.update_webhook(moved).await.unwrap_err().code(), Code::InvalidArgument);
        suite.stop().await;
    }

    // D8, P6
    async fn a_webhook_changes_by_its_etag_and_what_changes_nothing_leaves_it(engine) {
        let world = World::start(engine).await;
        let mut admin = world.admin("acme");
        let webhook = admin.create_webhook(request("https://example.com/")).await.unwrap().into_inner().webhook.unwrap();
        let change = pb::UpdateWebhookRequest {
            webhook_id: webhook.webhook_id.clone(),
            event_types: vec![Type::ConversationCreated.into()],
            etag: webhook.etag.clone(),
            ..Default::default()
        };
        let changed = admin.update_webhook(change.clone()).await.unwrap().into_inner().webhook.unwrap();
        assert_eq!(changed.event_types, change.event_types);
        assert_eq!((&changed.url, &changed.description), (&webhook.url, &webhook.description));
        assert_ne!(changed.etag, webhook.etag);
        let stale = admin.update_webhook(change.clone()).await.unwrap_err();
        assert_eq!(reason_of(&stale), Some(ErrorReason::StaleEtag));
        let same = pb::UpdateWebhookRequest { etag: String::new(), ..change.clone() };
        assert_eq!(admin.update_webhook(same).await.unwrap().into_inner().webhook.unwrap(), changed);
        let nothing = pb::UpdateWebhookRequest {
            event_types: vec![],
            etag: String::new(),
            update_mask: Some(prost_types::FieldMask { paths: vec!["event_types".to_owned()] }),
            ..change.clone()
        };
        assert_eq!(admin.update_webhook(nothing).await.unwrap_err().code(), Code::InvalidArgument);
        let delete = pb::DeleteWebhookRequest {
            webhook_id: webhook.webhook_id.clone(),
            etag: webhook.etag.clone(),
            request_id: String::new(),
        };
        let stale = admin.delete_webhook(delete.clone()).await.unwrap_err();
        assert_eq!(reason_of(&stale), Some(ErrorReason::StaleEtag));
        admin.delete_webhook(pb::DeleteWebhookRequest { etag: changed.etag, ..delete }).await.unwrap();
        assert_eq!(admin.get_webhook(get(&webhook)).await.unwrap_err().code(), Code::NotFound);
        world.suite.stop().await;
    }

    // D8
    async fn after_a_rotation_calls_are_signed_with_both_secrets_for_a_day(engine) {
        let world = World::start(engine).await;
        let (webhook, old) = world.webhook("acme", "/hook", &[Type::NoteCreated], false).await;
        let rotate = pb::RotateWebhookSecretRequest { webhook_id: webhook.webhook_id.clone(), ..Default::default() };
        let rotated = world.admin("acme").rotate_webhook_secret(rotate).await.unwrap().into_inner();
        assert!(rotated.secret != old && rotated.webhook.unwrap().previous_secret_expire_time.is_some());
        world.publish("acme", &[note(Type::NoteCreated, &new_id(), &new_id())]).await;
        let seen = world.hook.sees(1).await;
        assert!(signed(&seen[0], &old) && signed(&seen[0], &rotated.secret));
        world.suite.hand().advance(Duration::from_secs(24 * 60 * 60));
        world.publish("acme", &[note(Type::NoteCreated, &new_id(), &new_id())]).await;
        let seen = world.hook.sees(2).await;
        assert!(!signed(&seen[1], &old) && signed(&seen[1], &rotated.secret));
        let read = world.read("acme", &webhook.webhook_id).await;
        assert_eq!(read.previous_secret_expire_time, None);
        world.suite.stop().await;
    }

    // D8, P1, P2
    async fn only_admins_of_the_organization_see_its_webhooks(engine) {
        let world = World::start(engine).await;
        let (webhook, _) = world.webhook("acme", "/hook", &[Type::NoteCreated], false).await;
        for role in [Role::Contact, Role::Agent, Role::Supervisor, Role::Integration, Role::Service] {
            let mut other = WebhookServiceClient::new(world.suite.client("acme", "eve", role));
            let refused = other.list_webhooks(pb::ListWebhooksRequest::default()).await.unwrap_err();
            assert_eq!(reason_of(&refused), Some(ErrorReason::RoleNotAllowed), "{role}");
        }
        let mut foreign = world.admin("umbrella");
        assert!(foreign.list_webhooks(pb::ListWebhooksRequest::default()).await.unwrap().into_inner().webhooks.is_empty());
        let id = webhook.webhook_id.clone();
        let codes = [
            foreign.get_webhook(get(&webhook)).await.unwrap_err().code(),
            foreign.test_webhook(pb::TestWebhookRequest { webhook_id: id.clone() }).await.unwrap_err().code(),
            foreign.delete_webhook(pb::DeleteWebhookRequest { webhook_id: id.clone(), ..Default::default() }).await.unwrap_err().code(),
            foreign
                .rotate_webhook_secret(pb::RotateWebhookSecretRequest { webhook_id: id, ..Default::default() })
                .await
                .unwrap_err()
                .code(),
        ];
        assert_eq!(codes, [Code::NotFound; 4]);
        assert!(world.hook.seen().is_empty());
        world.suite.stop().await;
    }

    // D8, P7
    async fn an_organization_has_twenty_webhooks_at_most_and_lists_them_page_by_page(engine) {
        let world = World::start(engine).await;
        let mut admin = world.admin("acme");
        let mut made = Vec::new();
        for number in 0..20 {
            let answer = admin.create_webhook(request(&format!("https://example.com/{number}"))).await.unwrap();
            made.push(answer.into_inner().webhook.unwrap().webhook_id);
        }
        let refused = admin.create_webhook(request("https://example.com/20")).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(ErrorReason::LimitReached));
        let (mut listed, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListWebhooksRequest { page_size: 7, page_token };
            let page = admin.list_webhooks(request).await.unwrap().into_inner();
            listed.extend(page.webhooks.into_iter().map(|webhook| webhook.webhook_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(listed, made);
        world.suite.stop().await;
    }

    // D8
    async fn every_event_is_listed_with_the_name_that_is_sent(engine) {
        let world = World::start(engine).await;
        let answer = world.admin("acme").get_webhook_event_types(pb::GetWebhookEventTypesRequest {}).await;
        let kinds = answer.unwrap().into_inner().event_types;
        assert_eq!(kinds.len(), 17);
        let private: Vec<&str> = kinds.iter().filter(|kind| kind.has_private).map(|kind| kind.name.as_str()).collect();
        assert_eq!(private, ["note.created", "note.updated"]);
        world.suite.stop().await;
    }
}
