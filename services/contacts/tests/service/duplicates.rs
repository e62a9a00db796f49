//! Contacts who may be one person are suggested (C6).

use futures::future::join_all;
use kernel::Role;
use proto::contacts::v1::merge_service_client::MergeServiceClient;
use proto::contacts::v1::*;
use tonic::Code;

use crate::desk::{Contacts, broken_fields, client, create, named};
use crate::merge_desk::{Desk, Merges};

async fn with_email(contacts: &mut Contacts, email: &str) -> Contact {
    let profile = ContactProfile { emails: vec![email.to_owned()], ..ContactProfile::default() };
    create(contacts, profile).await.unwrap()
}

/// Every pair, page by page, as the ids of both and the reasons.
async fn pairs(merges: &mut Merges, of: &str, page_size: i32) -> Vec<(String, String, Vec<DuplicateReason>)> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let request = ListDuplicatesRequest { contact_id: of.to_owned(), page_size, page_token: token };
        let page = merges.list_duplicates(request).await.unwrap().into_inner();
        for pair in page.pairs {
            let reasons = pair.reasons().collect();
            all.push((pair.contact.unwrap().contact_id, pair.other_contact.unwrap().contact_id, reasons));
        }
        token = page.next_page_token;
        if token.is_empty() {
            return all;
        }
    }
}

fn pair(
    one: &Contact,
    other: &Contact,
    reasons: &[DuplicateReason],
) -> (String, String, Vec<DuplicateReason>) {
    (one.contact_id.clone(), other.contact_id.clone(), reasons.to_vec())
}

fn dismissal(one: &Contact, other: &Contact) -> DismissDuplicateRequest {
    DismissDuplicateRequest { contact_id: one.contact_id.clone(), other_contact_id: other.contact_id.clone() }
}

testkit::on_both_databases! {
    // C6
    async fn contacts_who_share_something_are_suggested_with_the_reasons(engine) {
        let mut desk = Desk::on(engine).await;
        let profile = |email: &str, phone: &str, name: &str| ContactProfile {
            emails: vec![email.to_owned()],
            phones: vec![phone.to_owned()],
            company: "Acme, Inc.".into(),
            ..named(name)
        };
        let a = create(&mut desk.contacts, profile("ana@x.org", "+49 89 123456", "Ana Sousa")).await.unwrap();
        let b = create(&mut desk.contacts, profile("ana+shop@x.org", "+43 89 123456", "SOUSA, Ána")).await.unwrap();
        let c = with_email(&mut desk.contacts, "Ana+Fair@X.org").await;
        let d = with_email(&mut desk.contacts, "someone@else.org").await;
        use DuplicateReason::*;
        let expected = [pair(&b, &c, &[Email]), pair(&a, &c, &[Email]), pair(&a, &b, &[Email, Phone, NameAndCompany])];
        for size in [0, 1, 2] {
            assert_eq!(pairs(&mut desk.merges, "", size).await, expected);
            assert_eq!(pairs(&mut desk.merges, &c.contact_id, size).await, expected[..2]);
            assert_eq!(pairs(&mut desk.merges, &d.contact_id, size).await, []);
        }
        let mut foreign = MergeServiceClient::new(desk.suite.client("other", "eve", Role::Agent));
        assert_eq!(pairs(&mut foreign, "", 0).await, []);
        assert_eq!(pairs(&mut foreign, &a.contact_id, 0).await, []);

        let profile = ContactProfile { emails: vec!["ana@new.org".into()], ..ContactProfile::default() };
        let update = UpdateContactRequest {
            contact_id: a.contact_id.clone(),
            profile: Some(profile),
            ..Default::default()
        };
        desk.contacts.update_contact(update).await.unwrap();
        let expected = [pair(&b, &c, &[Email]), pair(&a, &b, &[Phone, NameAndCompany])];
        assert_eq!(pairs(&mut desk.merges, "", 0).await, expected);
    }

    // C6
    async fn a_dismissed_pair_stays_away_until_it_is_taken_back(engine) {
        let mut desk = Desk::on(engine).await;
        let a = with_email(&mut desk.contacts, "ana@x.org").await;
        let b = with_email(&mut desk.contacts, "ana+b@x.org").await;
        desk.merges.dismiss_duplicate(dismissal(&b, &a)).await.unwrap();
        desk.merges.dismiss_duplicate(dismissal(&a, &b)).await.unwrap();
        assert_eq!(pairs(&mut desk.merges, "", 0).await, []);
        // They come to share more, and the dismissal holds.
        let profile = ContactProfile {
            display_name: "Ana Sousa".into(),
            company: "Acme".into(),
            ..ContactProfile::default()
        };
        for contact in [&a, &b] {
            let update = UpdateContactRequest {
                contact_id: contact.contact_id.clone(),
                profile: Some(profile.clone()),
                ..Default::default()
            };
            desk.contacts.update_contact(update).await.unwrap();
        }
        assert_eq!(pairs(&mut desk.merges, "", 0).await, []);
        let restore = RestoreDuplicateRequest {
            contact_id: a.contact_id.clone(),
            other_contact_id: b.contact_id.clone(),
        };
        desk.merges.restore_duplicate(restore.clone()).await.unwrap();
        desk.merges.restore_duplicate(restore).await.unwrap();
        use DuplicateReason::*;
        assert_eq!(pairs(&mut desk.merges, "", 0).await, [pair(&a, &b, &[Email, NameAndCompany])]);

        let itself = desk.merges.dismiss_duplicate(dismissal(&a, &a)).await.unwrap_err();
        assert_eq!(broken_fields(&itself), ["other_contact_id"]);
        let mut other = client(&desk.suite, "other", "eve", Role::Agent);
        let foreign = create(&mut other, named("Eve")).await.unwrap();
        let unknown = desk.merges.dismiss_duplicate(dismissal(&a, &foreign)).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
    }

    // C6
    async fn a_merge_ends_a_suggestion_and_its_end_brings_it_back(engine) {
        let mut desk = Desk::on(engine).await;
        let a = with_email(&mut desk.contacts, "ana@x.org").await;
        let b = with_email(&mut desk.contacts, "ana+b@x.org").await;
        let c = with_email(&mut desk.contacts, "ana+c@x.org").await;
        let before = pairs(&mut desk.merges, "", 0).await;
        assert_eq!(before.len(), 3);
        let merge = desk.merge_id(&a, &b).await;
        assert_eq!(pairs(&mut desk.merges, "", 0).await, [pair(&b, &c, &[DuplicateReason::Email])]);
        assert_eq!(pairs(&mut desk.merges, &a.contact_id, 0).await.len(), 1, "of who stands for it");
        desk.unmerge(&merge).await.unwrap();
        assert_eq!(pairs(&mut desk.merges, "", 0).await, before);
    }

    // C6
    async fn what_very_many_share_pairs_each_with_the_newest_only(engine) {
        let mut desk = Desk::on(engine).await;
        let mut last = None;
        for n in 0..25 {
            last = Some(with_email(&mut desk.contacts, &format!("office+{n}@x.org")).await);
        }
        assert_eq!(pairs(&mut desk.merges, &last.unwrap().contact_id, 7).await.len(), 20);
        assert_eq!(pairs(&mut desk.merges, "", 200).await.len(), (1..=20).sum::<usize>() + 4 * 20);
    }

    // C6
    async fn of_two_made_at_once_the_second_sees_the_first(engine) {
        let mut desk = Desk::on(engine).await;
        for round in 0..20 {
            let made = (0..4).map(|n| {
                let mut contacts = desk.contacts.clone();
                async move { with_email(&mut contacts, &format!("r{round}+{n}@x.org")).await }
            });
            let made = join_all(made).await;
            for contact in made {
                assert_eq!(pairs(&mut desk.merges, &contact.contact_id, 0).await.len(), 3, "round {round}");
            }
        }
    }
}
