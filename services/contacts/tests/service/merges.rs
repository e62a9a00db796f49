//! Two contacts become one (C6).

use futures::future::join_all;
use kernel::Role;
use proto::contacts::v1::search_service_client::SearchServiceClient;
use proto::contacts::v1::*;
use tonic::Code;

use crate::desk::{broken_fields, client, create, get, identities, named, refusal, resolve, texts};
use crate::merge_desk::{Desk, bytes, merge_request};

testkit::on_both_databases! {
    // C6
    async fn a_merge_moves_everything_and_the_old_id_answers_who_stayed(engine) {
        let mut desk = Desk::on(engine).await;
        desk.define().await;
        let (from, into) = (desk.contact(1, "Acme").await, desk.contact(2, "").await);
        let from = desk.set(&from, &[("city", "Rome")]).await;
        desk.list("fair", &[&from, &into]).await;
        desk.list("news", &[&from]).await;

        let answer = desk.merge(&from, &into).await.unwrap();
        let merged = answer.contact.unwrap();
        assert_eq!(merged.contact_id, into.contact_id);
        assert_eq!(merged.emails, ["Person2@x.org", "Person1@x.org"]);
        assert_eq!(merged.phones, ["+4989100002", "+4989100001"]);
        assert_eq!((merged.display_name.as_str(), merged.company.as_str()), ("Person 2", "Acme"));
        assert_eq!(merged.external_id, "crm-2");
        assert_eq!(merged.tags, ["both", "tag-1", "tag-2"]);
        assert_eq!(merged.attributes.len(), 1);
        assert_eq!(identities(&merged), [
            "email:Person1@x.org", "email:Person2@x.org", "phone:+4989100001", "phone:+4989100002",
            "whatsapp:+4989100001", "whatsapp:+4989100002",
        ]);
        assert!(merged.etag != into.etag && merged.create_time == into.create_time);
        assert_eq!(desk.lists_of(&into.contact_id).await, [("fair".to_owned(), 1), ("news".to_owned(), 1)]);

        assert_eq!(desk.get(&from.contact_id).await, merged);
        assert_eq!(desk.lists_of(&from.contact_id).await.len(), 2);
        let known = resolve(&mut desk.contacts, "email", "person1@X.org").await.unwrap();
        assert_eq!((known.contact.unwrap().contact_id, known.created), (into.contact_id.clone(), false));
        let tag = TagContactRequest { contact_id: from.contact_id.clone(), add: texts(&["late"]), remove: vec![] };
        let tagged = desk.contacts.tag_contact(tag).await.unwrap().into_inner().contact.unwrap();
        assert_eq!((tagged.contact_id.as_str(), tagged.tags.len()), (into.contact_id.as_str(), 4));

        let all = desk.contacts.list_contacts(ListContactsRequest::default()).await.unwrap().into_inner();
        assert_eq!(all.contacts.len(), 1);
        let mut searches = SearchServiceClient::new(desk.suite.client("acme", "ana", Role::Agent));
        let search = SearchContactsRequest { query: "person1".into(), ..Default::default() };
        let found = searches.search_contacts(search).await.unwrap().into_inner();
        let ids: Vec<_> = found.hits.into_iter().map(|hit| hit.contact.unwrap().contact_id).collect();
        assert_eq!(ids, std::slice::from_ref(&into.contact_id));
        let tags = desk.contacts.list_tags(ListTagsRequest::default()).await.unwrap().into_inner().tags;
        assert!(tags.iter().all(|tag| tag.contact_count == 1), "{tags:?}");
    }

    // C6
    async fn a_preview_names_conflicts_and_what_would_move_and_changes_nothing(engine) {
        let mut desk = Desk::on(engine).await;
        desk.define().await;
        let (from, into) = (desk.contact(1, "Acme").await, desk.contact(2, "Acme Inc").await);
        let from = desk.set(&from, &[("plan", "gold"), ("city", "Rome")]).await;
        let into = desk.set(&into, &[("plan", "basic")]).await;
        desk.list("news", &[&from]).await;
        let request = PreviewMergeRequest {
            from_contact_id: from.contact_id.clone(),
            into_contact_id: into.contact_id.clone(),
            take_fields: texts(&["company", "attributes.plan", "language"]),
        };
        let preview = desk.merges.preview_merge(request).await.unwrap().into_inner();
        let conflicts: Vec<_> = preview
            .conflicts
            .iter()
            .map(|it| (it.field.as_str(), it.from_value.as_str(), it.into_value.as_str()))
            .collect();
        assert_eq!(conflicts, [
            ("display_name", "Person 1", "Person 2"),
            ("external_id", "crm-1", "crm-2"),
            ("company", "Acme", "Acme Inc"),
            ("attributes.plan", "gold", "basic"),
        ]);
        let moves =
            MergeCounts { emails: 1, phones: 1, identities: 3, tags: 1, lists: 1, attributes: 1 };
        assert_eq!(preview.moves, Some(moves));
        assert_eq!((&preview.from_etag, &preview.into_etag), (&from.etag, &into.etag));
        assert_eq!((desk.get(&from.contact_id).await, desk.get(&into.contact_id).await), (from.clone(), into.clone()));

        let request = MergeContactsRequest {
            take_fields: texts(&["company", "attributes.plan", "language"]),
            from_etag: preview.from_etag,
            into_etag: preview.into_etag,
            ..merge_request(&from, &into)
        };
        let merged = desk.merges.merge_contacts(request).await.unwrap().into_inner().contact.unwrap();
        assert_eq!(merged.company, "Acme");
        assert_eq!(bytes(merged), bytes(preview.merged.unwrap()), "the preview is what comes");
    }

    // C6 P1 P6
    async fn a_merge_that_cannot_be_is_refused_and_changes_nothing(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let mut other = client(&desk.suite, "other", "eve", Role::Agent);
        let foreign = create(&mut other, named("Eve")).await.unwrap();

        let itself = desk.merge(&from, &from).await.unwrap_err();
        assert_eq!(broken_fields(&itself), ["into_contact_id"]);
        for (one, two, field) in [(&from, &foreign, "into_contact_id"), (&foreign, &into, "from_contact_id")] {
            let (code, _, metadata) = refusal(&desk.merge(one, two).await.unwrap_err());
            assert_eq!((code, metadata.get("field").map(String::as_str)), (Code::NotFound, Some(field)));
        }
        for field in ["from_etag", "into_etag"] {
            let mut request = merge_request(&from, &into);
            let etag = if field == "from_etag" { &mut request.from_etag } else { &mut request.into_etag };
            *etag = "stale".to_owned();
            let (code, reason, metadata) = refusal(&desk.merges.merge_contacts(request).await.unwrap_err());
            assert_eq!((code, reason.as_str(), metadata["field"].as_str()), (Code::Aborted, "STALE_ETAG", field));
        }
        let request = MergeContactsRequest { take_fields: texts(&["company", "emails"]), ..merge_request(&from, &into) };
        let unknown = desk.merges.merge_contacts(request).await.unwrap_err();
        assert_eq!(broken_fields(&unknown), ["take_fields[1]"]);
        assert_eq!((desk.get(&from.contact_id).await, desk.get(&into.contact_id).await), (from.clone(), into.clone()));

        desk.merge(&from, &into).await.unwrap();
        let third = desk.contact(3, "").await;
        for (one, two, field) in [(&from, &third, "from_contact_id"), (&third, &from, "into_contact_id")] {
            let (code, reason, metadata) = refusal(&desk.merge(one, two).await.unwrap_err());
            assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "CONTACT_MERGED"));
            assert_eq!((metadata["field"].as_str(), &metadata["contact_id"]), (field, &into.contact_id));
        }
    }

    // C6
    async fn a_contact_does_not_grow_too_large_by_a_merge(engine) {
        let mut desk = Desk::on(engine).await;
        let emails = |of: &str, count: u32| (0..count).map(|n| format!("{of}{n}@x.org")).collect();
        let profile = |of, count| ContactProfile { emails: emails(of, count), ..ContactProfile::default() };
        let one = create(&mut desk.contacts, profile("a", 11)).await.unwrap();
        let other = create(&mut desk.contacts, profile("b", 10)).await.unwrap();
        let (code, reason, metadata) = refusal(&desk.merge(&one, &other).await.unwrap_err());
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "LIMIT_REACHED"));
        assert_eq!((metadata["field"].as_str(), metadata["limit"].as_str()), ("emails", "20"));
    }

    // C6
    async fn of_merges_of_the_same_contacts_at_once_one_is_done(engine) {
        let mut desk = Desk::on(engine).await;
        for round in 0..5 {
            let (one, other) = (desk.contact(10 + round, "").await, desk.contact(20 + round, "").await);
            desk.list(&format!("list {round}"), &[&one, &other]).await;
            let calls = (0..6).map(|n| {
                let (from, into) = if n % 2 == 0 { (&one, &other) } else { (&other, &one) };
                let (mut merges, request) = (desk.merges.clone(), merge_request(from, into));
                async move { merges.merge_contacts(request).await }
            });
            let answers = join_all(calls).await;
            let done = answers.iter().filter(|answer| answer.is_ok()).count();
            assert_eq!(done, 1, "{answers:?}");
            for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
                assert_eq!(refusal(refused).1, "CONTACT_MERGED");
            }
            assert_eq!(desk.get(&one.contact_id).await, desk.get(&other.contact_id).await);
            assert_eq!(desk.lists_of(&one.contact_id).await, [(format!("list {round}"), 1)]);
        }
    }

    // C6 C3
    async fn lists_count_right_when_a_contact_is_put_on_them_while_it_is_merged(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let mut ids = Vec::new();
        for n in 0..8 {
            let on_it = [&into];
            let members = if n % 2 == 0 { &[][..] } else { &on_it[..] };
            ids.push(desk.list(&format!("list {n}"), members).await.list_id);
        }
        let adding = ids.iter().map(|list_id| {
            let request = AddListMembersRequest {
                list_id: list_id.clone(),
                contact_ids: vec![from.contact_id.clone()],
            };
            let mut lists = desk.lists.clone();
            async move { lists.add_list_members(request).await.map(drop) }
        });
        let (mut merges, request) = (desk.merges.clone(), merge_request(&from, &into));
        let (added, merged) = futures::future::join(join_all(adding), merges.merge_contacts(request)).await;
        merged.unwrap();
        for (list_id, added) in ids.iter().zip(added) {
            let request = ListMembersRequest { list_id: list_id.clone(), ..Default::default() };
            let members = desk.lists.list_members(request).await.unwrap().into_inner().contacts;
            assert!(members.iter().all(|member| member.contact_id == into.contact_id), "never the one that went");
            assert!(added.is_err() || members.len() == 1, "what was answered is done");
            let request = GetListRequest { list_id: list_id.clone() };
            let list = desk.lists.get_list(request).await.unwrap().into_inner().list.unwrap();
            assert_eq!(list.member_count, i64::try_from(members.len()).unwrap());
        }
    }

    // C6 P5
    async fn a_repeated_request_merges_once_and_answers_the_same(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let request = MergeContactsRequest {
            request_id: "01890a5d-ac96-774b-bcce-b302099a8057".into(),
            ..merge_request(&from, &into)
        };
        let first = desk.merges.merge_contacts(request.clone()).await.unwrap().into_inner();
        let again = desk.merges.merge_contacts(request).await.unwrap().into_inner();
        assert_eq!(first, again);
        let all = desk.merges.list_merges(ListMergesRequest::default()).await.unwrap().into_inner();
        assert_eq!(all.merges, [first.merge.unwrap()]);
    }

    // C6
    async fn a_contact_who_was_merged_reads_the_one_that_stayed(engine) {
        let mut desk = Desk::on(engine).await;
        let (from, into) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let mut own = client(&desk.suite, "acme", &from.contact_id, Role::Contact);
        assert_eq!(get(&mut own, &from.contact_id).await.unwrap().emails, ["Person1@x.org"]);
        let merge = desk.merge_id(&from, &into).await;
        let seen = get(&mut own, &from.contact_id).await.unwrap();
        assert_eq!((seen.contact_id, seen.tags.len(), seen.etag), (into.contact_id.clone(), 0, String::new()));
        desk.unmerge(&merge).await.unwrap();
        assert_eq!(get(&mut own, &from.contact_id).await.unwrap().contact_id, from.contact_id);
        assert_eq!(get(&mut own, &into.contact_id).await.unwrap_err().code(), Code::NotFound);
    }

    // C6 P7
    async fn merges_are_listed_newest_first_and_of_one_contact(engine) {
        let mut desk = Desk::on(engine).await;
        let into = desk.contact(0, "").await;
        let mut merges = Vec::new();
        let mut gone = Vec::new();
        for n in 1..=5 {
            let from = desk.contact(n, "").await;
            merges.insert(0, desk.merge_id(&from, &into).await);
            gone.push(from);
        }
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let request = ListMergesRequest { page_size: 2, page_token: token, ..Default::default() };
            let page = desk.merges.list_merges(request).await.unwrap().into_inner();
            seen.extend(page.merges.into_iter().map(|merge| merge.merge_id));
            token = page.next_page_token;
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, merges);
        for (contact, count) in [(&gone[1], 1), (&into, 5)] {
            let request = ListMergesRequest { contact_id: contact.contact_id.clone(), ..Default::default() };
            let page = desk.merges.list_merges(request).await.unwrap().into_inner();
            assert_eq!(page.merges.len(), count);
        }
        let request = GetMergeRequest { merge_id: merges[0].clone() };
        let one = desk.merges.get_merge(request.clone()).await.unwrap().into_inner();
        assert_eq!(one.from.unwrap(), gone[4]);
        let merge = one.merge.unwrap();
        assert_eq!((merge.merged_by.unwrap().subject.as_str(), merge.unmerge_time), ("ana", None));
        assert_eq!(one.into.unwrap().emails.len(), 5, "as it was before this one");
        let mut foreign = proto::contacts::v1::merge_service_client::MergeServiceClient::new(
            desk.suite.client("other", "eve", Role::Admin),
        );
        assert_eq!(foreign.get_merge(request).await.unwrap_err().code(), Code::NotFound);
    }
}
