//! C9: contacts are blocked and unblocked. What that does to their messages, the journeys show.

use kernel::Role;
use proto::common::v1::{AuditFilter, Role as Said};
use proto::contacts::v1::admin_service_client::AdminServiceClient;
use proto::contacts::v1::block_service_client::BlockServiceClient;
use proto::contacts::v1::*;
use testkit::{Client, Suite, on_both_databases};
use tonic::{Code, Status};

use crate::desk::{agent, broken_fields, client, create, get, named, refusal, resolve, suite};

type Blocks = BlockServiceClient<Client>;

fn blocks(suite: &Suite, subject: &str) -> Blocks {
    BlockServiceClient::new(suite.client("acme", subject, Role::Agent))
}

async fn block(by: &mut Blocks, contact_id: &str, reason: &str) -> Result<Contact, Status> {
    let request = BlockContactRequest { contact_id: contact_id.to_owned(), reason: reason.to_owned() };
    Ok(by.block_contact(request).await?.into_inner().contact.unwrap())
}

async fn unblock(by: &mut Blocks, contact_id: &str) -> Result<Contact, Status> {
    let request = UnblockContactRequest { contact_id: contact_id.to_owned() };
    Ok(by.unblock_contact(request).await?.into_inner().contact.unwrap())
}

on_both_databases! {
    // C9 P10
    async fn a_block_says_who_when_and_why_and_what_changes_nothing_is_none(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let zoe = resolve(&mut contacts, "chat", "visitor-1").await.unwrap().contact.unwrap();
        assert!(!zoe.blocked && zoe.block.is_none());
        let (mut ana, mut ben) = (blocks(&suite, "ana"), blocks(&suite, "ben"));
        let blocked = block(&mut ana, &zoe.contact_id, "sends 🐟 all day").await.unwrap();
        assert!(blocked.blocked && blocked.etag != zoe.etag);
        let said = blocked.block.clone().unwrap();
        let actor = said.actor.unwrap();
        assert_eq!((actor.subject.as_str(), actor.role(), said.reason.as_str()), ("ana", Said::Agent, "sends 🐟 all day"));
        assert!(said.block_time.is_some() && said.block_time == blocked.update_time);

        // Again, and by somebody else: the first block stays.
        assert_eq!(block(&mut ben, &zoe.contact_id, "").await.unwrap(), blocked);
        assert_eq!(get(&mut contacts, &zoe.contact_id).await.unwrap(), blocked);
        assert_eq!(resolve(&mut contacts, "chat", "visitor-1").await.unwrap().contact.unwrap(), blocked);

        let free = unblock(&mut ben, &zoe.contact_id).await.unwrap();
        assert!(!free.blocked && free.block.is_none() && free.etag != blocked.etag);
        assert_eq!(unblock(&mut ana, &zoe.contact_id).await.unwrap(), free);
        assert_eq!(block(&mut ben, &zoe.contact_id, "").await.unwrap().block.unwrap().reason, "");

        let mut admin = AdminServiceClient::new(suite.client("acme", "root", Role::Admin));
        let filter = Some(AuditFilter { object_kind: "contact".to_owned(), ..AuditFilter::default() });
        let request = ListAuditEventsRequest { filter, ..ListAuditEventsRequest::default() };
        let events = admin.list_audit_events(request).await.unwrap().into_inner().events;
        let deeds: Vec<_> = events.iter().rev().map(|it| (it.action.as_str(), it.actor_subject.as_str())).collect();
        assert_eq!(deeds, [("contact.create", "ana"), ("contact.block", "ana"), ("contact.unblock", "ben"), ("contact.block", "ben")]);
        assert!(!format!("{events:?}").contains('🐟'), "never why");
        suite.stop().await;
    }

    // C9 P2
    async fn the_contact_never_learns_of_a_block(engine) {
        let suite = suite(engine).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap();
        let mut own = client(&suite, "acme", &zoe.contact_id, Role::Contact);
        let before = get(&mut own, &zoe.contact_id).await.unwrap();
        block(&mut blocks(&suite, "ana"), &zoe.contact_id, "canary").await.unwrap();
        assert_eq!(get(&mut own, &zoe.contact_id).await.unwrap(), before);
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let mut theirs = BlockServiceClient::new(suite.client("acme", &zoe.contact_id, role));
            assert_eq!(refusal(&block(&mut theirs, &zoe.contact_id, "").await.unwrap_err()).1, "ROLE_NOT_ALLOWED");
            assert_eq!(refusal(&unblock(&mut theirs, &zoe.contact_id).await.unwrap_err()).1, "ROLE_NOT_ALLOWED");
        }
        suite.stop().await;
    }

    // C9 P1 P4
    async fn a_reason_is_one_line_of_500_characters_and_strangers_are_not_found(engine) {
        let suite = suite(engine).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap();
        let eve = create(&mut client(&suite, "globex", "eve", Role::Agent), named("Eve")).await.unwrap();
        let mut ana = blocks(&suite, "ana");
        for reason in ["x".repeat(501), "two\nlines".to_owned(), "\u{0}".to_owned()] {
            assert_eq!(broken_fields(&block(&mut ana, &zoe.contact_id, &reason).await.unwrap_err()), ["reason"]);
        }
        assert!(!get(&mut agent(&suite), &zoe.contact_id).await.unwrap().blocked);
        block(&mut ana, &zoe.contact_id, &"ß".repeat(500)).await.unwrap();
        let absent = "01890a5d-ac96-774b-bcce-b302099a8057";
        for answers in [
            [block(&mut ana, &eve.contact_id, "").await, block(&mut ana, absent, "").await],
            [unblock(&mut ana, &eve.contact_id).await, unblock(&mut ana, absent).await],
        ] {
            let [foreign, absent] = answers.map(Result::unwrap_err);
            assert_eq!((foreign.code(), foreign.details()), (Code::NotFound, absent.details()));
        }
        suite.stop().await;
    }
}
