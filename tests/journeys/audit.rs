//! A day of work leaves exactly its records, in every service, and nothing of what was written.

use std::collections::BTreeMap;

use kernel::Role;
use proto::common::v1::{AuditEvent, AuditVerdict, AuditVerification};
use proto::contacts::v1::TagContactRequest;
use proto::notes::v1 as notes;
use proto::routing::v1 as pb;
use tonic::{Code, Request, Status};

use crate::cast::{assigned, customer_writes, eventually, message, route, team};
use crate::privacy::note_on;
use crate::world::{ORG, World, in_every_shape};

/// In every text, name and address here, and nowhere else.
const CANARY: &str = "canary";

/// An `AdminService` of a package: their answers have the same fields everywhere.
macro_rules! admin_of {
    ($world:expr, $token:expr, $package:ident, $ask:ident, $request:ident) => {{
        use proto::$package::v1 as service;
        let path = concat!("/backchannel.", stringify!($package), ".v1.AdminService/");
        let channel = $world.wire.channel_for(path).expect("a service with an address");
        let mut request = Request::new(service::$request { page_token: String::new(), ..Default::default() });
        request.metadata_mut().insert("authorization", format!("Bearer {}", $token).parse().unwrap());
        service::admin_service_client::AdminServiceClient::new(channel).$ask(request).await
    }};
}

/// What a service recorded, oldest first, as this person sees it.
async fn recorded(world: &World, service: &str, token: &str) -> Result<Vec<AuditEvent>, Status> {
    let mut events = match service {
        "contacts" => {
            admin_of!(world, token, contacts, list_audit_events, ListAuditEventsRequest)?.into_inner().events
        }
        "routing" => {
            admin_of!(world, token, routing, list_audit_events, ListAuditEventsRequest)?.into_inner().events
        }
        "notes" => {
            admin_of!(world, token, notes, list_audit_events, ListAuditEventsRequest)?.into_inner().events
        }
        _ => {
            admin_of!(world, token, notifications, list_audit_events, ListAuditEventsRequest)?
                .into_inner()
                .events
        }
    };
    assert!(events.len() < 50, "a page is enough for a day");
    events.reverse();
    Ok(events)
}

async fn verified(world: &World, service: &str, token: &str) -> Result<AuditVerification, Status> {
    let verification = match service {
        "contacts" => {
            admin_of!(world, token, contacts, verify_audit_trail, VerifyAuditTrailRequest)?
                .into_inner()
                .verification
        }
        "routing" => {
            admin_of!(world, token, routing, verify_audit_trail, VerifyAuditTrailRequest)?
                .into_inner()
                .verification
        }
        "notes" => {
            admin_of!(world, token, notes, verify_audit_trail, VerifyAuditTrailRequest)?
                .into_inner()
                .verification
        }
        _ => {
            admin_of!(world, token, notifications, verify_audit_trail, VerifyAuditTrailRequest)?
                .into_inner()
                .verification
        }
    };
    Ok(verification.expect("an answer"))
}

/// How often who did what.
fn deeds(events: &[AuditEvent]) -> BTreeMap<(String, String), usize> {
    let mut deeds = BTreeMap::new();
    for event in events {
        *deeds.entry((event.actor_subject.clone(), event.action.clone())).or_default() += 1;
    }
    deeds
}

fn expected(deeds: &[(&str, &str, usize)]) -> BTreeMap<(String, String), usize> {
    deeds.iter().map(|(who, what, times)| (((*who).to_owned(), (*what).to_owned()), *times)).collect()
}

const SERVICES: [&str; 4] = ["contacts", "routing", "notes", "notifications"];

in_every_shape! {
    // P10
    async fn a_day_of_work_leaves_exactly_its_records_and_no_content(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let mut first = message("airline", "day", 0, "canary: where is my bag");
        first.contact_address = "canary-address".into();
        first.contact_display_name = "Canary Customer".into();
        let recorded_message = customer_writes(&world, first.clone()).await;
        customer_writes(&world, first).await;
        let conversation = assigned(&world, &recorded_message.conversation.unwrap().conversation_id).await;
        let assignee = conversation.assignee.clone().unwrap().subject;
        let (author, colleague) = (team.agent(&assignee), team.other_than(&assignee));
        let note = note_on(&author.api, &conversation.conversation_id, &format!("{CANARY} @{}", colleague.subject)).await;
        let edit = notes::UpdateNoteRequest {
            note_id: note.note_id.clone(),
            body: format!("{CANARY}, again"),
            ..Default::default()
        };
        author.api.notes().update_note(edit.clone()).await.unwrap();
        let stale = notes::UpdateNoteRequest { body: "never".into(), etag: note.etag.clone(), ..edit };
        assert_eq!(author.api.notes().update_note(stale).await.unwrap_err().code(), Code::Aborted);
        let tag = TagContactRequest {
            contact_id: conversation.contact_id.clone(),
            add: vec!["canary-tag".into()],
            remove: vec![],
        };
        author.api.contacts().tag_contact(tag).await.unwrap();
        let resolve = pb::ResolveConversationRequest {
            conversation_id: conversation.conversation_id.clone(),
            etag: String::new(),
        };
        author.api.conversations().resolve_conversation(resolve).await.unwrap();

        let admin = world.token(ORG, "admin", Role::Admin);
        let assignee = assignee.as_str();
        for (service, day) in [
            ("contacts", expected(&[
                ("chat-adapter", "contact.create", 1), (assignee, "contact.tag", 1), ("routing", "event.apply", 2),
                ("notes", "event.apply", 1),
            ])),
            ("notes", expected(&[(assignee, "note.create", 1), (assignee, "note.update", 1)])),
            ("routing", expected(&[
                ("ana", "agent.create", 1), ("ana", "agent.set_availability", 1), ("ben", "agent.create", 1),
                ("ben", "agent.set_availability", 1), ("admin", "team.create", 1), ("admin", "workflow.create", 1),
                ("chat-adapter", "conversation.create", 1), ("chat-adapter", "message.create", 1),
                ("routing", "conversation.assign", 1), ("notes", "event.apply", 2), (assignee, "conversation.resolve", 1),
            ])),
            ("notifications", expected(&[("routing", "event.notify", 1), ("notes", "event.notify", 1)])),
        ] {
            // What one service tells another arrives a little later.
            let events = eventually(&format!("{service} has recorded the day"), || async {
                let events = recorded(&world, service, &admin).await.unwrap();
                let count: usize = day.values().sum();
                (events.len() >= count).then_some(events)
            })
            .await;
            assert_eq!(deeds(&events), day, "{service}");
            let shown = format!("{events:?}").to_lowercase();
            assert!(!shown.contains(CANARY), "{service}: {shown}");
            let of_the_day = |it: &AuditEvent| it.event_time.is_some() && !it.method.is_empty() && !it.object_id.is_empty();
            assert!(events.iter().all(of_the_day), "{service}: {events:?}");
            let verification = eventually(&format!("{service} has sealed the day"), || async {
                let verification = verified(&world, service, &admin).await.unwrap();
                (verification.unsealed_count == 0).then_some(verification)
            })
            .await;
            assert_eq!(verification.verdict(), AuditVerdict::Intact, "{service}");
            assert_eq!(verification.verified_count, i64::try_from(events.len()).unwrap(), "{service}");
        }
        world.stop().await;
    }

    // P1 P3 P10
    async fn nobody_but_the_organizations_own_admins_sees_its_trail(world: World) {
        let team = team(&world, "flights", &["ana"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let recorded_message = customer_writes(&world, message("airline", "trail", 0, "hello")).await;
        let contact = recorded_message.conversation.unwrap().contact_id;
        let theirs = world.token("globex", "admin", Role::Admin);
        for service in SERVICES {
            for (subject, role) in [
                (contact.as_str(), Role::Contact), ("ana", Role::Agent), ("sue", Role::Supervisor),
                ("chat-adapter", Role::Integration), ("notes", Role::Service),
            ] {
                let token = world.token(ORG, subject, role);
                let refused = recorded(&world, service, &token).await.unwrap_err();
                assert_eq!(refused.code(), Code::PermissionDenied, "{service} to {role}");
                let refused = verified(&world, service, &token).await.unwrap_err();
                assert_eq!(refused.code(), Code::PermissionDenied, "{service} to {role}");
            }
            assert_eq!(recorded(&world, service, &theirs).await.unwrap(), [], "{service}");
            let verification = verified(&world, service, &theirs).await.unwrap();
            assert_eq!((verification.verified_count, verification.unsealed_count), (0, 0), "{service}");
        }
        world.stop().await;
    }
}
