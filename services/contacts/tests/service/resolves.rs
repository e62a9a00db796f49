//! C2: whose an address is.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use contacts::app::ResolveContact;
use contacts::domain::{Address, Channel, Line};
use contacts::store::MIGRATIONS;
use db::both_databases;
use db::test_support::org;
use futures::future::join_all;
use kernel::Role;
use proto::contacts::v1::{ContactProfile, ListContactsRequest, ResolveContactRequest};
use testkit::on_both_databases;
use tonic::Request;

use crate::desk::{
    agent, app, broken_fields, by, client, create, get, identities, named, origin, resolve, resolve_request,
    suite, texts,
};

fn stranger(channel: &str, address: &str) -> ResolveContact {
    let address = Address::parse(Channel::parse(channel).unwrap(), address).unwrap();
    ResolveContact { address, display_name: Line::default(), by: by() }
}

// C2: a thousand at once, whatever they write the address like; by number on all three channels.
both_databases!(a_thousand_resolves_at_once_make_one_contact, MIGRATIONS, |db| async move {
    let app = Arc::new(app(&db));
    let ways = [
        &[("email", "Ana@Example.com"), ("email", "ana@example.com"), ("email", " ANA@EXAMPLE.COM")][..],
        &[("chat", "visitor-1")],
        &[("whatsapp", "+49 89 123456"), ("sms", "+4989123456"), ("phone", "+49 (89) 123456")],
    ];
    for ways in ways {
        let calls = (0..1_000).map(|number| {
            let ((channel, address), app) = (ways[number % ways.len()], Arc::clone(&app));
            tokio::spawn(async move {
                app.resolve_contact(&org("acme"), origin(), stranger(channel, address)).await.unwrap()
            })
        });
        let resolved: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        let ids: HashSet<_> = resolved.iter().map(|resolved| resolved.contact.contact_id).collect();
        assert_eq!((resolved.len(), ids.len()), (1_000, 1), "{ways:?}");
        assert_eq!(resolved.iter().filter(|resolved| resolved.created).count(), 1, "{ways:?}");
        let last = app.resolve_contact(&org("acme"), origin(), stranger(ways[0].0, ways[0].1)).await.unwrap();
        assert_eq!(last.contact.identities.len(), if ways[0].0 == "whatsapp" { 3 } else { 1 });
    }
    let made: i64 = db
        .read(&org("acme"), |tx| {
            Box::pin(async move {
                tx.query("SELECT COUNT(*) FROM contacts WHERE org_id = $1").fetch_value(tx).await
            })
        })
        .await
        .map_err(|error: db::DbError| error)
        .unwrap();
    assert_eq!(made, 3, "whoever lost the race left nothing behind");
});

// C2: two replicas have no lock in common but the database's.
#[test]
fn two_replicas_make_one_contact() {
    db::test_support::run(db::Engine::Postgres, &MIGRATIONS, |db| async move {
        let other = db::test_support::replica(&db, &MIGRATIONS).await;
        let seal = kernel::PageSeal::new(&[7; 32]);
        let apps = [app(&db), contacts::app::App::new(other.clone(), db.clock.clone(), seal)].map(Arc::new);
        for round in 0..20 {
            let calls = (0..20).map(|number| {
                let app = Arc::clone(&apps[number % 2]);
                let resolve = stranger("chat", &format!("visitor-{round}"));
                tokio::spawn(
                    async move { app.resolve_contact(&org("acme"), origin(), resolve).await.unwrap() },
                )
            });
            let resolved: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            let ids: HashSet<_> = resolved.iter().map(|resolved| resolved.contact.contact_id).collect();
            assert_eq!((ids.len(), resolved.iter().filter(|resolved| resolved.created).count()), (1, 1));
        }
        other.close().await;
    });
}

on_both_databases! {
    // C2
    async fn a_thousand_resolves_at_once_over_the_wire_make_one_contact(engine) {
        let suite = suite(engine).await;
        let clients: Vec<_> = (0..8).map(|n| client(&suite, "acme", &format!("adapter-{n}"), Role::Integration)).collect();
        let calls = (0..1_000).map(|number| {
            let mut contacts = clients[number % clients.len()].clone();
            async move {
                let mut request = Request::new(resolve_request("email", ["new@example.com", "NEW@example.com"][number % 2]));
                // As long as a call may take: it is about what comes out, on whatever machine.
                request.set_timeout(Duration::from_secs(30));
                contacts.resolve_contact(request).await.unwrap().into_inner()
            }
        });
        let answers = join_all(calls).await;
        let ids: HashSet<_> = answers.iter().map(|answer| answer.contact.as_ref().unwrap().contact_id.clone()).collect();
        assert_eq!((answers.len(), ids.len()), (1_000, 1));
        assert_eq!(answers.iter().filter(|answer| answer.created).count(), 1);
        let listed = agent(&suite).list_contacts(ListContactsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.contacts.len(), 1);
        suite.stop().await;
    }

    // C2
    async fn a_stranger_gets_the_name_and_a_known_one_keeps_theirs(engine) {
        let suite = suite(engine).await;
        let mut contacts = client(&suite, "acme", "routing", Role::Service);
        let named = |name: &str| ResolveContactRequest {
            display_name: name.to_owned(), ..resolve_request("chat", "visitor-ü-👋")
        };
        let first = contacts.resolve_contact(named("مريم")).await.unwrap().into_inner();
        let again = contacts.resolve_contact(named("Other")).await.unwrap().into_inner();
        let contact = first.contact.unwrap();
        assert_eq!((first.created, again.created, again.contact.as_ref()), (true, false, Some(&contact)));
        assert_eq!((contact.display_name.as_str(), identities(&contact)), ("مريم", texts(&["chat:visitor-ü-👋"])));
        assert!(contact.emails.is_empty() && contact.phones.is_empty());
        suite.stop().await;
    }

    // C2: CreateContact and ResolveContact agree.
    async fn a_contacts_emails_and_phones_resolve_to_it(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let profile = ContactProfile {
            emails: texts(&["Ana@Example.com"]), phones: texts(&["+49 89 123456"]), ..named("Ana")
        };
        let made = create(&mut contacts, profile).await.unwrap();
        let ways = [
            ("email", "ana@example.com"), ("email", "  ANA@EXAMPLE.COM "), ("phone", "+4989123456"),
            ("sms", "+49 89 123 456"), ("whatsapp", "+49 (0)89 123456"),
        ];
        for (channel, address) in ways {
            let resolved = resolve(&mut contacts, channel, address).await.unwrap();
            assert_eq!((resolved.created, resolved.contact.unwrap().contact_id), (false, made.contact_id.clone()));
        }
        let read = get(&mut contacts, &made.contact_id).await.unwrap();
        assert_eq!(identities(&read), [
            "email:Ana@Example.com", "phone:+4989123456", "sms:+4989123456", "whatsapp:+4989123456",
        ]);
        assert_eq!(read.etag, "v3", "each new channel is a change of the contact");
        suite.stop().await;
    }

    // C2
    async fn whoever_was_made_by_an_address_owns_it(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let by_mail = resolve(&mut contacts, "email", "Ana@Example.com").await.unwrap().contact.unwrap();
        assert_eq!((&by_mail.emails, identities(&by_mail)), (&texts(&["Ana@Example.com"]), texts(&["email:Ana@Example.com"])));
        let by_number = resolve(&mut contacts, "whatsapp", "+49 89 123456").await.unwrap().contact.unwrap();
        assert_eq!(by_number.phones, ["+4989123456"]);
        assert_eq!(identities(&by_number), ["phone:+4989123456", "whatsapp:+4989123456"]);
        for profile in [
            ContactProfile { emails: texts(&["ana@example.com"]), ..named("b") },
            ContactProfile { phones: texts(&["+4989123456"]), ..named("b") },
        ] {
            assert_eq!(create(&mut contacts, profile).await.unwrap_err().code(), tonic::Code::AlreadyExists);
        }
        suite.stop().await;
    }

    // C2: RFC 6531 addresses exist, though the profile's rule does not take them.
    async fn an_email_beyond_ascii_is_an_identity_only(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = resolve(&mut contacts, "email", "ΔΟΚΙΜΉ@παράδειγμα.gr").await.unwrap().contact.unwrap();
        assert!(made.emails.is_empty());
        let again = resolve(&mut contacts, "email", "δοκιμή@ΠΑΡΆΔΕΙΓΜΑ.gr").await.unwrap();
        assert_eq!((again.created, again.contact), (false, Some(made)));
        suite.stop().await;
    }

    // C2, P4
    async fn an_address_that_cannot_be_one_is_named(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        for (channel, address) in [
            ("email", "nobody"), ("phone", "089 123456"), ("sms", "AMAZON"), ("whatsapp", "+"), ("chat", "  "),
            ("chat", "a\u{0}"),
        ] {
            let refused = resolve(&mut contacts, channel, address).await.unwrap_err();
            assert_eq!(broken_fields(&refused), ["address"], "{channel} {address}");
        }
        assert_eq!(broken_fields(&resolve(&mut contacts, "Chat", "x").await.unwrap_err()), ["channel"]);
        suite.stop().await;
    }
}
