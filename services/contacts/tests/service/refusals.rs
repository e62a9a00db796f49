//! P1, P2, P3: who sees what.

use kernel::Role;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::contacts::v1::{
    ContactProfile, GetContactRequest, ListContactsRequest, ListTagsRequest, TagContactRequest,
    UpdateContactRequest,
};
use testkit::on_both_databases;
use tonic::Code;

use crate::desk::{agent, broken_fields, client, create, get, named, refusal, resolve, suite, texts};

const ABSENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

on_both_databases! {
    // P1
    async fn another_organizations_contact_answers_as_one_that_never_was(engine) {
        let suite = suite(engine).await;
        let made = create(&mut agent(&suite), named("Ana")).await.unwrap();
        let mut foreign = client(&suite, "globex", "ana", Role::Admin);
        let absent = get(&mut foreign, ABSENT).await.unwrap_err();
        assert_eq!((absent.code(), refusal(&absent).1.as_str()), (Code::NotFound, "NOT_FOUND"));
        let answers = [
            get(&mut foreign, &made.contact_id).await.map(drop),
            foreign.tag_contact(TagContactRequest {
                contact_id: made.contact_id.clone(), add: texts(&["x"]), remove: Vec::new(),
            }).await.map(drop),
            foreign.update_contact(UpdateContactRequest {
                contact_id: made.contact_id.clone(), profile: Some(named("x")), ..UpdateContactRequest::default()
            }).await.map(drop),
        ];
        for answer in answers {
            let status = answer.unwrap_err();
            assert_eq!((status.code(), status.message()), (absent.code(), absent.message()));
            assert_eq!(status.details(), absent.details(), "not a byte tells them apart");
        }
        assert_eq!(get(&mut agent(&suite), &made.contact_id).await.unwrap(), made);
        suite.stop().await;
    }

    // P1
    async fn every_organization_has_its_own_addresses_and_tags(engine) {
        let suite = suite(engine).await;
        let (mut acme, mut globex) = (agent(&suite), client(&suite, "globex", "bob", Role::Agent));
        let profile = ContactProfile {
            emails: texts(&["ana@example.com"]), external_id: "1".to_owned(), ..named("Ana")
        };
        let ours = create(&mut acme, profile.clone()).await.unwrap();
        let theirs = create(&mut globex, profile).await.unwrap();
        assert_ne!(ours.contact_id, theirs.contact_id);
        let resolved = resolve(&mut globex, "email", "ANA@example.com").await.unwrap();
        assert_eq!(resolved.contact.unwrap().contact_id, theirs.contact_id);
        let tag = TagContactRequest { contact_id: ours.contact_id, add: texts(&["vip"]), remove: Vec::new() };
        acme.tag_contact(tag).await.unwrap();
        assert!(globex.list_tags(ListTagsRequest::default()).await.unwrap().into_inner().tags.is_empty());
        assert_eq!(globex.list_contacts(ListContactsRequest::default()).await.unwrap().into_inner().contacts.len(), 1);
        suite.stop().await;
    }

    // P2 N3
    async fn a_contact_reads_nobody_but_themselves_and_nothing_that_colleagues_add(engine) {
        let suite = suite(engine).await;
        let mut inside = agent(&suite);
        let own = create(&mut inside, named("Ana")).await.unwrap();
        let other = create(&mut inside, named("Ben")).await.unwrap();
        let mut ana = client(&suite, "acme", &own.contact_id, Role::Contact);
        let before = get(&mut ana, &own.contact_id).await.unwrap();
        assert_eq!(before.display_name, own.display_name);
        let tag = TagContactRequest { contact_id: own.contact_id.clone(), add: vec!["difficult".into()], remove: vec![] };
        inside.tag_contact(tag).await.unwrap();
        assert_eq!(get(&mut ana, &own.contact_id).await.unwrap(), before, "a tag shows in nothing");
        assert_eq!((before.tags, before.etag, before.update_time), (vec![], String::new(), None));
        let (foreign, absent) =
            (get(&mut ana, &other.contact_id).await.unwrap_err(), get(&mut ana, ABSENT).await.unwrap_err());
        assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, absent.message()));
        assert_eq!(foreign.details(), absent.details());
        let denied = ana.list_contacts(ListContactsRequest::default()).await.unwrap_err();
        assert_eq!(refusal(&denied).1, "ROLE_NOT_ALLOWED");
        suite.stop().await;
    }

    // P2, P3
    async fn nobody_is_let_in_without_a_token(engine) {
        let suite = suite(engine).await;
        let mut nobody = ContactServiceClient::new(suite.channel());
        let status = nobody.get_contact(GetContactRequest { contact_id: ABSENT.to_owned() }).await.unwrap_err();
        assert_eq!((status.code(), refusal(&status).1.as_str()), (Code::Unauthenticated, "TOKEN_MISSING"));
        suite.stop().await;
    }

    // P4
    async fn an_id_that_is_none_is_named(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        for bad in ["", "ana", &ABSENT.to_uppercase()] {
            assert_eq!(broken_fields(&get(&mut contacts, bad).await.unwrap_err()), ["contact_id"], "{bad}");
        }
        suite.stop().await;
    }
}
