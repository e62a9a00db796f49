//! C1, P6: changes of profiles.

use prost_types::FieldMask;
use proto::contacts::v1::{Contact, ContactProfile, UpdateContactRequest};
use testkit::on_both_databases;
use tonic::{Code, Status};

use crate::desk::{
    Contacts, agent, broken_fields, create, get, identities, named, refusal, resolve, suite, texts,
};

async fn update(contacts: &mut Contacts, request: UpdateContactRequest) -> Result<Contact, Status> {
    Ok(contacts.update_contact(request).await?.into_inner().contact.unwrap())
}

fn request(of: &Contact, profile: ContactProfile, paths: &[&str]) -> UpdateContactRequest {
    let update_mask = (!paths.is_empty()).then(|| FieldMask { paths: texts(paths) });
    UpdateContactRequest {
        contact_id: of.contact_id.clone(),
        profile: Some(profile),
        update_mask,
        ..UpdateContactRequest::default()
    }
}

fn ana() -> ContactProfile {
    ContactProfile {
        company: "Acme".to_owned(),
        emails: texts(&["ana@example.com"]),
        phones: texts(&["+4989123456"]),
        ..named("Ana")
    }
}

on_both_databases! {
    // P6
    async fn only_what_the_mask_names_changes(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let new = ContactProfile { company: "Ignored".to_owned(), ..named("Ana Müller 🎈") };
        let changed = update(&mut contacts, request(&made, new, &["display_name", "location"])).await.unwrap();
        assert_eq!((changed.display_name.as_str(), changed.company.as_str()), ("Ana Müller 🎈", "Acme"));
        assert_eq!((&changed.emails, changed.etag.as_str()), (&made.emails, "v2"));
        assert_eq!(get(&mut contacts, &made.contact_id).await.unwrap(), changed);
        suite.stop().await;
    }

    // P6
    async fn without_a_mask_the_fields_which_are_set_change(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let location = ContactProfile { location: "Kraków".to_owned(), ..ContactProfile::default() };
        let changed = update(&mut contacts, request(&made, location, &[])).await.unwrap();
        assert_eq!((changed.display_name.as_str(), changed.location.as_str()), ("Ana", "Kraków"));
        assert_eq!(identities(&changed), identities(&made));
        suite.stop().await;
    }

    // P6
    async fn a_path_that_is_no_field_is_refused_by_name(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let refused = update(&mut contacts, request(&made, named("x"), &["display_name", "tags"])).await.unwrap_err();
        let (code, reason, metadata) = refusal(&refused);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, "UNKNOWN_UPDATE_PATH"));
        assert_eq!(metadata.get("path").map(String::as_str), Some("tags"));
        assert_eq!(get(&mut contacts, &made.contact_id).await.unwrap(), made);
        suite.stop().await;
    }

    // P6
    async fn a_stale_etag_changes_nothing_and_tells_the_current_one(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let with = |etag: &str, name: &str| UpdateContactRequest {
            etag: etag.to_owned(),
            ..request(&made, named(name), &["display_name"])
        };
        let second = update(&mut contacts, with(&made.etag, "second")).await.unwrap();
        for stale in [made.etag.as_str(), "v3", "nonsense"] {
            let (code, reason, metadata) = refusal(&update(&mut contacts, with(stale, "third")).await.unwrap_err());
            assert_eq!((code, reason.as_str()), (Code::Aborted, "STALE_ETAG"));
            assert_eq!(metadata.get("etag"), Some(&second.etag));
        }
        let third = update(&mut contacts, with(&second.etag, "third")).await.unwrap();
        assert_eq!((third.display_name.as_str(), third.etag.as_str()), ("third", "v3"));
        suite.stop().await;
    }

    // P6: of writers that read the same version, one wins, and the others are told.
    async fn of_many_writers_with_one_etag_one_wins(engine) {
        let suite = suite(engine).await;
        let made = create(&mut agent(&suite), ana()).await.unwrap();
        let writers = (0..20).map(|number| {
            let (mut contacts, etag) = (agent(&suite), made.etag.clone());
            let new = UpdateContactRequest { etag, ..request(&made, named(&format!("writer {number}")), &[]) };
            async move { update(&mut contacts, new).await }
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            futures::future::join_all(writers).await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 19));
        assert!(lost.into_iter().all(|lost| refusal(&lost.unwrap_err()).1 == "STALE_ETAG"));
        suite.stop().await;
    }

    // P6: without an etag nobody is refused, and no change is lost.
    async fn writers_of_different_fields_do_not_undo_one_another(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let fields = [
            ContactProfile { given_name: "g".to_owned(), ..ContactProfile::default() },
            ContactProfile { family_name: "f".to_owned(), ..ContactProfile::default() },
            ContactProfile { location: "l".to_owned(), ..ContactProfile::default() },
            ContactProfile { language: "de".to_owned(), ..ContactProfile::default() },
        ];
        let writers = fields.into_iter().map(|field| {
            let (mut contacts, new) = (agent(&suite), request(&made, field, &[]));
            async move { update(&mut contacts, new).await.unwrap() }
        });
        futures::future::join_all(writers).await;
        let read = get(&mut contacts, &made.contact_id).await.unwrap();
        let all = [read.given_name, read.family_name, read.location, read.language, read.etag];
        assert_eq!(all, ["g", "f", "l", "de", "v5"]);
        suite.stop().await;
    }

    // P6
    async fn what_changes_nothing_leaves_the_etag(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let same = ContactProfile { phones: texts(&["+49 89 123456"]), ..ana() };
        assert_eq!(update(&mut contacts, request(&made, same, &[])).await.unwrap(), made);
        suite.stop().await;
    }

    // C1, C2
    async fn an_address_that_leaves_the_profile_is_free_for_others(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        resolve(&mut contacts, "whatsapp", "+4989123456").await.unwrap();
        let moved = ContactProfile { emails: texts(&["ANA@example.com", "ana@new.example"]), ..ContactProfile::default() };
        let changed = update(&mut contacts, request(&made, moved, &["emails", "phones"])).await.unwrap();
        assert_eq!(changed.emails, ["ANA@example.com", "ana@new.example"]);
        assert_eq!(identities(&changed), ["email:ana@example.com", "email:ana@new.example"]);
        let other = create(&mut contacts, ContactProfile { phones: ana().phones, ..named("Ben") }).await.unwrap();
        let resolved = resolve(&mut contacts, "whatsapp", "+4989123456").await.unwrap();
        assert_eq!((resolved.created, resolved.contact.unwrap().contact_id), (false, other.contact_id));
        suite.stop().await;
    }

    // C1, P8
    async fn anothers_address_cannot_be_taken(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        create(&mut contacts, ContactProfile { external_id: "1".to_owned(), ..ana() }).await.unwrap();
        let ben = create(&mut contacts, named("Ben")).await.unwrap();
        let taken = [
            ("emails", ContactProfile { emails: texts(&["Ana@Example.com"]), ..named("changed") }),
            ("phones", ContactProfile { phones: ana().phones, ..named("changed") }),
            ("external_id", ContactProfile { external_id: "1".to_owned(), ..named("changed") }),
        ];
        for (field, profile) in taken {
            let refused = update(&mut contacts, request(&ben, profile, &[])).await.unwrap_err();
            assert_eq!(refused.code(), Code::AlreadyExists);
            assert_eq!(refusal(&refused).2.get("field").map(String::as_str), Some(field));
        }
        assert_eq!(get(&mut contacts, &ben.contact_id).await.unwrap(), ben, "refused as a whole");
        suite.stop().await;
    }

    // P5
    async fn a_repeated_change_happens_once(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let new = UpdateContactRequest {
            etag: made.etag.clone(),
            request_id: "01890a5d-ac96-774b-bcce-b302099a8059".to_owned(),
            ..request(&made, named("Ana B."), &[])
        };
        let first = update(&mut contacts, new.clone()).await.unwrap();
        assert_eq!(update(&mut contacts, new).await.unwrap(), first, "though its etag is stale by now");
        suite.stop().await;
    }

    // P4
    async fn a_change_is_held_against_the_same_rules(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, ana()).await.unwrap();
        let bad = ContactProfile { phones: texts(&["12"]), ..named("x") };
        assert_eq!(broken_fields(&update(&mut contacts, request(&made, bad, &[])).await.unwrap_err()), ["profile.phones[0]"]);
        let bad = ContactProfile { phones: texts(&["123456"]), ..named("x\ty") };
        let refused = update(&mut contacts, request(&made, bad, &[])).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["profile.display_name", "profile.phones[0]"]);
        suite.stop().await;
    }
}
