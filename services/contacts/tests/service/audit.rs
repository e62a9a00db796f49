//! What was done with contacts leaves a record, without what they are called or where they are reached.

use kernel::{Clock, Role};
use proto::common::v1::{AuditEvent, AuditFilter, AuditVerdict};
use proto::contacts::v1::admin_service_client::AdminServiceClient;
use proto::contacts::v1::*;
use testkit::{Suite, on_both_databases};
use tonic::Code;

use crate::desk::{agent, create, named, resolve, suite};

async fn recorded(suite: &Suite, org: &str) -> Vec<AuditEvent> {
    let mut admin = AdminServiceClient::new(suite.client(org, "root", Role::Admin));
    let filter = Some(AuditFilter { object_kind: "contact".into(), ..AuditFilter::default() });
    let request = ListAuditEventsRequest { filter, ..ListAuditEventsRequest::default() };
    let events = admin.list_audit_events(request).await.unwrap().into_inner().events;
    events.into_iter().rev().collect()
}

on_both_databases! {
    // P10
    async fn each_change_of_a_contact_leaves_a_record_and_what_changes_nothing_leaves_none(engine) {
        let suite = suite(engine).await;
        let mut ana = agent(&suite);
        let profile = ContactProfile { emails: vec!["canary@example.com".into()], ..named("Canary") };
        let request = CreateContactRequest {
            profile: Some(profile.clone()),
            request_id: Clock::system().new_id().to_string(),
            ..CreateContactRequest::default()
        };
        let mut made = Contact::default();
        for _ in 0..2 {
            made = ana.create_contact(request.clone()).await.unwrap().into_inner().contact.unwrap();
        }
        create(&mut ana, profile).await.unwrap_err();
        for _ in 0..2 {
            let request = UpdateContactRequest {
                contact_id: made.contact_id.clone(),
                profile: Some(ContactProfile { company: "canary inc".into(), ..ContactProfile::default() }),
                ..UpdateContactRequest::default()
            };
            ana.update_contact(request).await.unwrap();
            let request = TagContactRequest {
                contact_id: made.contact_id.clone(),
                add: vec!["canary-tag".into()],
                remove: vec![],
            };
            ana.tag_contact(request).await.unwrap();
        }
        let met = resolve(&mut ana, "whatsapp", "+49 89 123456").await.unwrap().contact.unwrap();
        resolve(&mut ana, "whatsapp", "+49 89 123456").await.unwrap();

        let events = recorded(&suite, "acme").await;
        let deeds: Vec<_> = events.iter().map(|it| (it.action.as_str(), it.object_id.as_str())).collect();
        let (made, met) = (made.contact_id.as_str(), met.contact_id.as_str());
        assert_eq!(deeds, [
            ("contact.create", made), ("contact.update", made), ("contact.tag", made), ("contact.create", met),
        ]);
        assert!(events.iter().all(|it| it.actor_subject == "ana"));
        assert_eq!(events[0].request_id, request.request_id);
        assert_eq!(events[0].method, "/backchannel.contacts.v1.ContactService/CreateContact");
        let all = format!("{events:?}").to_lowercase();
        assert!(!all.contains("canary") && !all.contains("123456"), "{all}");
        assert!(recorded(&suite, "globex").await.is_empty());
    }

    // P3 P10
    async fn admins_alone_read_and_verify_the_trail(engine) {
        let suite = suite(engine).await;
        create(&mut agent(&suite), named("Ana")).await.unwrap();
        for role in [Role::Contact, Role::Agent, Role::Supervisor, Role::Integration, Role::Service] {
            let subject = "01890a5d-ac96-774b-bcce-b302099a8057";
            let mut curious = AdminServiceClient::new(suite.client("acme", subject, role));
            let refused = curious.list_audit_events(ListAuditEventsRequest::default()).await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        }
        let mut admin = AdminServiceClient::new(suite.client("acme", "root", Role::Admin));
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
