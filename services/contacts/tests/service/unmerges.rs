//! A merge is taken back (C6).

use kernel::{Clock, Role};
use proto::common::v1::contact_event::Event;
use proto::contacts::v1::activity_event_service_client::ActivityEventServiceClient;
use proto::contacts::v1::activity_service_client::ActivityServiceClient;
use proto::contacts::v1::*;
use testkit::Suite;
use tonic::Code;

use crate::desk::{create, identities, named, refusal, resolve, texts};
use crate::followers::Followers;
use crate::merge_desk::{Desk, bytes, merge_request};

testkit::on_both_databases! {
    // C6
    async fn a_merge_taken_back_leaves_both_contacts_as_they_were_to_the_byte(engine) {
        let mut desk = Desk::on(engine).await;
        desk.define().await;
        let (from, into) = (desk.contact(1, "Acme").await, desk.contact(2, "Acme Inc").await);
        let from = desk.set(&from, &[("plan", "gold"), ("city", "Rome")]).await;
        let into = desk.set(&into, &[("plan", "basic")]).await;
        desk.list("fair", &[&from, &into]).await;
        desk.list("news", &[&from]).await;
        desk.list("own", &[&into]).await;
        let lists = (desk.lists_of(&from.contact_id).await, desk.lists_of(&into.contact_id).await);
        let take = ["display_name", "external_id", "attributes.plan"];
        let request = MergeContactsRequest { take_fields: texts(&take), ..merge_request(&from, &into) };
        let merge = desk.merges.merge_contacts(request).await.unwrap().into_inner();
        assert_eq!(merge.contact.unwrap().external_id, "crm-1");
        let parted = desk.unmerge(&merge.merge.unwrap().merge_id).await.unwrap();
        assert_eq!(parted.left_out, Vec::<String>::new());
        assert!(parted.merge.unwrap().unmerged_by.is_some());
        for (before, after) in [(&from, parted.from.unwrap()), (&into, parted.into.unwrap())] {
            assert_ne!(before.etag, after.etag, "who read it before has to read again");
            assert_eq!(desk.get(&before.contact_id).await, after);
            assert_eq!(bytes(before.clone()), bytes(after));
        }
        assert_eq!((desk.lists_of(&from.contact_id).await, desk.lists_of(&into.contact_id).await), lists);
        let owner = resolve(&mut desk.contacts, "whatsapp", "+4989100001").await.unwrap().contact.unwrap();
        assert_eq!(owner.contact_id, from.contact_id);
        let again = desk.merge(&from, &into).await.unwrap().merge.unwrap();
        desk.unmerge(&again.merge_id).await.unwrap();
        assert_eq!(bytes(desk.get(&from.contact_id).await), bytes(from));
    }

    // C6
    async fn what_came_since_the_merge_stays_with_who_stayed(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "Acme").await, desk.contact(2, "").await);
        let merge = desk.merge_id(&from, &into).await;
        let contact_id = into.contact_id.clone();
        let tag = TagContactRequest { contact_id: contact_id.clone(), add: texts(&["since"]), remove: vec![] };
        desk.contacts.tag_contact(tag).await.unwrap();
        desk.list("since", &[&into]).await;
        let now = desk.get(&contact_id).await;
        let profile = ContactProfile {
            display_name: "Somebody".into(),
            emails: [now.emails.clone(), texts(&["since@x.org"])].concat(),
            ..ContactProfile::default()
        };
        let update = UpdateContactRequest { contact_id, profile: Some(profile), ..Default::default() };
        desk.contacts.update_contact(update).await.unwrap();
        // The number of the contact that went is heard of on one channel more.
        let sms = resolve(&mut desk.contacts, "sms", "+4989100001").await.unwrap().contact.unwrap();
        assert_eq!(sms.contact_id, into.contact_id);

        let parted = desk.unmerge(&merge).await.unwrap();
        let (back, stays) = (parted.from.unwrap(), parted.into.unwrap());
        assert_eq!((stays.display_name.as_str(), stays.company.as_str()), ("Somebody", ""));
        assert_eq!(stays.emails, ["Person2@x.org", "since@x.org"]);
        assert_eq!(stays.tags, ["both", "since", "tag-2"]);
        assert_eq!(desk.lists_of(&into.contact_id).await, [("since".to_owned(), 1)]);
        assert_eq!(back.tags, from.tags);
        assert_eq!(identities(&back), [
            "email:Person1@x.org", "phone:+4989100001", "sms:+4989100001", "whatsapp:+4989100001",
        ], "a number has one owner on all its channels");
    }

    // C6
    async fn merges_are_taken_back_latest_first_and_each_once(engine) {
        let mut desk = Desk::on(engine).await;
        let (a, b, c) = (desk.contact(1, "").await, desk.contact(2, "").await, desk.contact(3, "").await);
        let first = desk.merge_id(&a, &b).await;
        let second = desk.merge_id(&b, &c).await;
        assert_eq!(desk.get(&a.contact_id).await.contact_id, c.contact_id, "through both");
        let d = desk.contact(4, "").await;
        let third = desk.merge_id(&d, &c).await;
        for (early, later) in [(&first, &second), (&second, &third)] {
            let (code, reason, metadata) = refusal(&desk.unmerge(early).await.unwrap_err());
            assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "MERGE_NOT_LATEST"));
            assert_eq!(metadata["merge_id"], *later);
        }
        for merge in [&third, &second] {
            desk.unmerge(merge).await.unwrap();
            let (code, reason, _) = refusal(&desk.unmerge(merge).await.unwrap_err());
            assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "MERGE_UNDONE"));
        }
        assert_eq!(desk.get(&a.contact_id).await.contact_id, b.contact_id);
        desk.unmerge(&first).await.unwrap();
        for contact in [a, b, c, d] {
            assert_eq!(bytes(desk.get(&contact.contact_id).await), bytes(contact));
        }
        let unknown = desk.unmerge("01890a5d-ac96-774b-bcce-b302099a8057").await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
    }

    // C6 P6
    async fn a_merge_is_not_taken_back_over_somebody_elses_address(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let merge = desk.merge_id(&from, &into).await;
        let stale = UnmergeContactsRequest {
            merge_id: merge.clone(),
            into_etag: into.etag.clone(),
            ..Default::default()
        };
        assert_eq!(refusal(&desk.merges.unmerge_contacts(stale).await.unwrap_err()).1, "STALE_ETAG");

        let external = ContactProfile { external_id: "crm-1".into(), ..named("New") };
        let thief = create(&mut desk.contacts, external).await.unwrap();
        let (code, _, metadata) = refusal(&desk.unmerge(&merge).await.unwrap_err());
        assert_eq!((code, metadata["field"].as_str()), (Code::AlreadyExists, "external_id"));
        let mask = |paths: &[&str]| Some(prost_types::FieldMask { paths: texts(paths) });
        let update = |contact: &Contact, profile, paths: &[&str]| UpdateContactRequest {
            contact_id: contact.contact_id.clone(),
            profile: Some(profile),
            update_mask: mask(paths),
            ..Default::default()
        };
        desk.contacts.update_contact(update(&thief, ContactProfile::default(), &["external_id"])).await.unwrap();

        let only = ContactProfile { emails: texts(&["person2@x.org"]), ..ContactProfile::default() };
        desk.contacts.update_contact(update(&into, only, &["emails"])).await.unwrap();
        let taken = ContactProfile { emails: texts(&["person1@x.org"]), ..ContactProfile::default() };
        desk.contacts.update_contact(update(&thief, taken, &["emails"])).await.unwrap();
        let before = desk.get(&into.contact_id).await;
        let (code, _, metadata) = refusal(&desk.unmerge(&merge).await.unwrap_err());
        assert_eq!((code, metadata["field"].as_str()), (Code::AlreadyExists, "emails"));
        assert_eq!(desk.get(&from.contact_id).await, before, "nothing was done by half");

        desk.contacts.update_contact(update(&thief, ContactProfile::default(), &["emails"])).await.unwrap();
        let back = desk.unmerge(&merge).await.unwrap().from.unwrap();
        assert_eq!(bytes(back), bytes(from), "what nobody has comes back");
    }

    // C6
    async fn what_is_no_more_is_left_out_and_named(engine) {
        let mut desk = Desk::on(engine).await;
        desk.define().await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let from = desk.set(&from, &[("plan", "gold"), ("city", "Rome")]).await;
        let news = desk.list("news", &[&from]).await;
        desk.list("fair", &[&from]).await;
        let merge = desk.merge_id(&from, &into).await;
        let mut supervisor = proto::contacts::v1::list_service_client::ListServiceClient::new(
            desk.suite.client("acme", "sue", Role::Supervisor),
        );
        let request = DeleteListRequest { list_id: news.list_id.clone(), ..Default::default() };
        supervisor.delete_list(request).await.unwrap();
        let request = DeleteAttributeDefinitionRequest {
            key: "city".into(),
            delete_values: true,
            ..Default::default()
        };
        desk.attributes.delete_attribute_definition(request).await.unwrap();
        let parted = desk.unmerge(&merge).await.unwrap();
        assert_eq!(parted.left_out, [format!("lists.{}", news.list_id), "attributes.city".to_owned()]);
        assert_eq!(parted.from.unwrap().attributes.len(), 1);
        assert_eq!(desk.lists_of(&from.contact_id).await, [("fair".to_owned(), 1)]);
    }

    // C8
    async fn what_happened_around_a_contact_goes_with_it_and_returns(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let activities = ActivityServiceClient::new(desk.suite.client("acme", "ana", Role::Agent));
        let of = |contact: &Contact| {
            let request =
                ListContactActivityRequest { contact_id: contact.contact_id.clone(), ..Default::default() };
            let mut activities = activities.clone();
            async move { activities.list_contact_activity(request).await.unwrap().into_inner().activities }
        };
        let (before, own) = (of(&from).await, of(&into).await);
        let merge = desk.merge_id(&from, &into).await;
        let all = of(&into).await;
        assert_eq!(all.len(), before.len() + own.len() + 1);
        assert_eq!(all[0].kind(), ActivityKind::Merged);
        assert_eq!(of(&from).await, all);
        desk.unmerge(&merge).await.unwrap();
        assert_eq!(of(&from).await, before);
        let kinds: Vec<_> = of(&into).await.iter().map(Activity::kind).collect();
        assert_eq!(kinds[..2], [ActivityKind::Unmerged, ActivityKind::Merged]);
        assert_eq!(kinds.len(), own.len() + 2);
    }

    // C8
    async fn what_is_told_of_a_contact_who_was_merged_returns_with_them(engine) {
        let mut desk = Desk::on(engine).await;
        let (a, b, c) = (desk.contact(1, "").await, desk.contact(2, "").await, desk.contact(3, "").await);
        let (first, second) = (desk.merge_id(&a, &b).await, desk.merge_id(&b, &c).await);
        let opened = |contact: &Contact| ActivityEvent {
            event_id: Clock::system().new_id().to_string(),
            contact_id: contact.contact_id.clone(),
            occur_time: Some(prost_types::Timestamp { seconds: 1_767_225_600, nanos: 0 }),
            actor: None,
            event: Some(activity_event::Event::ConversationOpened(ConversationOpened {
                conversation_id: Clock::system().new_id().to_string(),
            })),
        };
        let told = ApplyActivityEventsRequest { events: vec![opened(&a), opened(&b), opened(&c), opened(&a)] };
        let client = desk.suite.client("acme", "routing", Role::Service);
        ActivityEventServiceClient::new(client).apply_activity_events(told).await.unwrap();
        let activities = ActivityServiceClient::new(desk.suite.client("acme", "ana", Role::Agent));
        let of = |contact: &Contact| {
            let request =
                ListContactActivityRequest { contact_id: contact.contact_id.clone(), ..Default::default() };
            let mut activities = activities.clone();
            async move {
                let all = activities.list_contact_activity(request).await.unwrap().into_inner().activities;
                all.iter().filter(|one| one.kind() == ActivityKind::ConversationOpened).count()
            }
        };
        assert_eq!(of(&c).await, 4);
        desk.unmerge(&second).await.unwrap();
        assert_eq!((of(&b).await, of(&c).await), (3, 1));
        desk.unmerge(&first).await.unwrap();
        assert_eq!((of(&a).await, of(&b).await, of(&c).await), (2, 1, 1));
    }

    // C2 C6
    async fn an_address_that_returns_with_a_merge_says_to_whom(engine) {
        let mut desk = Desk::on(engine).await;
        let (a, b, c) = (desk.contact(1, "").await, desk.contact(2, "").await, desk.contact(3, "").await);
        let (first, second) = (desk.merge_id(&a, &b).await, desk.merge_id(&b, &c).await);
        let none = String::new();
        // A number that is heard of on one channel more, and an address that was given up and is there again.
        let mut profile = ContactProfile { emails: texts(&["Person3@x.org"]), ..ContactProfile::default() };
        for emails in [texts(&["Person3@x.org"]), texts(&["Person3@x.org", "person1@x.org"])] {
            profile.emails = emails;
            let update = UpdateContactRequest {
                contact_id: c.contact_id.clone(),
                profile: Some(profile.clone()),
                update_mask: Some(prost_types::FieldMask { paths: texts(&["emails"]) }),
                ..Default::default()
            };
            desk.contacts.update_contact(update).await.unwrap();
        }
        for (channel, address, whose) in [
            ("email", "PERSON1@x.org", &a.contact_id),
            ("sms", "+4989100001", &a.contact_id),
            ("sms", "+4989100001", &a.contact_id),
            ("whatsapp", "+4989100002", &b.contact_id),
            ("phone", "+4989100003", &none),
        ] {
            let known = resolve(&mut desk.contacts, channel, address).await.unwrap();
            assert_eq!(known.contact.unwrap().contact_id, c.contact_id);
            assert_eq!(known.first_contact_id, *whose, "{channel} {address}");
        }
        let new = resolve(&mut desk.contacts, "chat", "somebody").await.unwrap();
        assert_eq!((new.created, new.first_contact_id), (true, none.clone()));
        for (merge, owner, whose) in [(&second, &b, &a.contact_id), (&first, &a, &none)] {
            desk.unmerge(merge).await.unwrap();
            let known = resolve(&mut desk.contacts, "sms", "+4989100001").await.unwrap();
            assert_eq!((known.contact.unwrap().contact_id, &known.first_contact_id), (owner.contact_id.clone(), whose));
        }
    }

    // C6
    async fn routing_and_notes_hear_of_merges_in_their_order(engine) {
        let followers = Followers::default();
        let units = std::iter::once(contacts::unit()).chain(followers.units());
        let mut desk = Desk::of(Suite::of(units).on(engine).start().await);
        let contact = |name: &'static str, desk: &Desk| {
            let mut contacts = desk.contacts.clone();
            async move { create(&mut contacts, named(name)).await.unwrap() }
        };
        let (a, b, c) = (contact("A", &desk).await, contact("B", &desk).await, contact("C", &desk).await);
        let first = desk.merge_id(&a, &b).await;
        let second = desk.merge_id(&b, &c).await;
        desk.unmerge(&second).await.unwrap();
        desk.unmerge(&first).await.unwrap();
        let expected = [("merged", &first), ("merged", &second), ("unmerged", &second), ("unmerged", &first)];
        let expected: Vec<_> = expected.iter().map(|(what, merge)| (*what, (*merge).clone())).collect();
        for told in [&followers.routing, &followers.notes] {
            let begun = std::time::Instant::now();
            while told.lock().unwrap().len() < expected.len() {
                assert!(begun.elapsed().as_secs() < 30, "not told in time");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            let heard: Vec<_> = told.lock().unwrap().iter().map(|event| match event.event.clone().unwrap() {
                Event::ContactMerged(it) => ("merged", it.merge_id),
                Event::ContactUnmerged(it) => ("unmerged", it.merge_id),
            }).collect();
            assert_eq!(heard, expected);
        }
    }
}
