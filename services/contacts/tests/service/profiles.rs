//! C1: profiles.

use proto::contacts::v1::{ContactProfile, CreateContactRequest};
use testkit::on_both_databases;
use tonic::Code;

use crate::desk::{agent, broken_fields, create, get, identities, named, refusal, suite, texts};

fn full() -> ContactProfile {
    ContactProfile {
        display_name: "Zoë 👩🏽‍💻 Ångström".to_owned(),
        given_name: "محمد".to_owned(),
        family_name: "שָׁלוֹם".to_owned(),
        emails: texts(&["Zoe@Example.com", "zoe.work@example.org"]),
        phones: texts(&["+49 (0)89 123-456", "+1 415 555 2671"]),
        external_id: "crm/4711 ä".to_owned(),
        language: "pt-BR".to_owned(),
        time_zone: "America/Argentina/Buenos_Aires".to_owned(),
        default_channel: "email".to_owned(),
        avatar_url: "https://cdn.example.com/zoe.png?size=2".to_owned(),
        company: "株式会社アクメ".to_owned(),
        location: "\u{202b}القاهرة\u{202c}, Ägypten".to_owned(),
    }
}

on_both_databases! {
    // C1
    async fn every_field_comes_back_as_it_was_written(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, full()).await.unwrap();
        let read = get(&mut contacts, &made.contact_id).await.unwrap();
        assert_eq!(read, made);
        let said = ContactProfile {
            display_name: read.display_name.clone(),
            given_name: read.given_name.clone(),
            family_name: read.family_name.clone(),
            emails: read.emails.clone(),
            phones: read.phones.clone(),
            external_id: read.external_id.clone(),
            language: read.language.clone(),
            time_zone: read.time_zone.clone(),
            default_channel: read.default_channel.clone(),
            avatar_url: read.avatar_url.clone(),
            company: read.company.clone(),
            location: read.location.clone(),
        };
        assert_eq!(said, ContactProfile { phones: texts(&["+4989123456", "+14155552671"]), ..full() });
        assert_eq!((read.etag.as_str(), read.create_time), ("v1", read.update_time));
        assert!(read.create_time.is_some());
        suite.stop().await;
    }

    // C1, C2
    async fn emails_and_phones_become_identities(engine) {
        let suite = suite(engine).await;
        let made = create(&mut agent(&suite), full()).await.unwrap();
        assert_eq!(
            identities(&made),
            ["email:zoe.work@example.org", "email:Zoe@Example.com", "phone:+14155552671", "phone:+4989123456"]
        );
        suite.stop().await;
    }

    // C1
    async fn an_address_named_twice_counts_once(engine) {
        let suite = suite(engine).await;
        let profile = ContactProfile {
            emails: texts(&["Ana@example.com", "ana@EXAMPLE.com"]),
            phones: texts(&["+49 89 123456", "+4989123456"]),
            ..named("Ana")
        };
        let made = create(&mut agent(&suite), profile).await.unwrap();
        assert_eq!((made.emails, made.phones), (texts(&["Ana@example.com"]), texts(&["+4989123456"])));
        suite.stop().await;
    }

    // C1
    async fn a_contact_may_have_nothing_but_an_id(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let first = create(&mut contacts, ContactProfile::default()).await.unwrap();
        let second = create(&mut contacts, ContactProfile::default()).await.unwrap();
        assert_ne!(first.contact_id, second.contact_id);
        assert!(first.identities.is_empty() && first.tags.is_empty());
        suite.stop().await;
    }

    // C1, P4
    async fn every_phone_that_cannot_be_read_is_named(engine) {
        let suite = suite(engine).await;
        let phones = texts(&["089 123456", "+49 89 123456", "+49 not a number"]);
        let refused = create(&mut agent(&suite), ContactProfile { phones, ..named("Ana") }).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["profile.phones[0]", "profile.phones[2]"]);
        assert_eq!(refusal(&refused).1, "INVALID_FIELD");
        assert!(!format!("{refused:?}").contains("089"), "a refusal never repeats what was said");
        suite.stop().await;
    }

    // C1, P4
    async fn fields_that_break_their_rules_are_named(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let refused = |profile| async { create(&mut contacts.clone(), profile).await.unwrap_err() };
        let by_contract = ContactProfile {
            emails: texts(&["ana@example.com", "no address"]),
            language: "german please".to_owned(),
            time_zone: "Europe/".to_owned(),
            avatar_url: "ftp://example.com/a.png".to_owned(),
            default_channel: "E-Mail".to_owned(),
            ..named(&"x".repeat(201))
        };
        let mut fields = broken_fields(&refused(by_contract).await);
        fields.sort();
        assert_eq!(fields, [
            "profile.avatar_url", "profile.default_channel", "profile.display_name", "profile.emails[1]",
            "profile.language", "profile.time_zone",
        ]);
        let control = ContactProfile { company: "a\u{1}b".to_owned(), ..named("line\nbreak") };
        assert_eq!(broken_fields(&refused(control).await), ["profile.display_name", "profile.company"]);
        assert_eq!(
            broken_fields(&contacts.create_contact(CreateContactRequest::default()).await.unwrap_err()),
            ["profile"]
        );
        suite.stop().await;
    }

    // C1, P8
    async fn what_belongs_to_another_contact_is_refused_and_named(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        create(&mut contacts, full()).await.unwrap();
        let taken = [
            ("emails", ContactProfile { emails: texts(&["new@example.com", "ZOE@example.COM"]), ..named("b") }),
            ("phones", ContactProfile { phones: texts(&["+49 89 123 456"]), ..named("b") }),
            ("external_id", ContactProfile { external_id: "crm/4711 ä".to_owned(), ..named("b") }),
        ];
        for (field, profile) in taken {
            let (code, reason, metadata) = refusal(&create(&mut contacts, profile).await.unwrap_err());
            assert_eq!((code, reason.as_str()), (Code::AlreadyExists, "ALREADY_EXISTS"));
            assert_eq!(metadata.get("field").map(String::as_str), Some(field));
        }
        let free = ContactProfile { emails: texts(&["new@example.com"]), ..named("b") };
        assert!(create(&mut contacts, free).await.is_ok(), "a refused contact holds on to nothing");
        suite.stop().await;
    }

    // P5
    async fn the_same_request_twice_makes_one_contact(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let request = CreateContactRequest {
            profile: Some(full()),
            tags: texts(&["vip"]),
            request_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            ..CreateContactRequest::default()
        };
        let first = contacts.create_contact(request.clone()).await.unwrap().into_inner();
        let again = contacts.create_contact(request.clone()).await.unwrap().into_inner();
        assert_eq!(again, first);
        let other = CreateContactRequest { tags: texts(&["other"]), ..request.clone() };
        let (code, reason, metadata) = refusal(&contacts.create_contact(other).await.unwrap_err());
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
        assert_eq!(metadata.get("request_id"), Some(&request.request_id));
        suite.stop().await;
    }

    // P5: the answer is kept where the contact is.
    async fn a_retry_after_a_restart_gets_the_first_answer(engine) {
        let mut suite = suite(engine).await;
        let request = CreateContactRequest {
            profile: Some(full()),
            request_id: "01890a5d-ac96-774b-bcce-b302099a8058".to_owned(),
            ..CreateContactRequest::default()
        };
        let first = agent(&suite).create_contact(request.clone()).await.unwrap().into_inner();
        suite.restart().await;
        let again = agent(&suite).create_contact(request).await.unwrap().into_inner();
        assert_eq!(again, first);
        suite.stop().await;
    }
}
