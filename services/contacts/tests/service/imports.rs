//! Contacts come from files (C10).

use kernel::Role;
use proto::contacts::v1::*;
use testkit::on_both_databases;
use tonic::Code;
use tonic_types::StatusExt;

use crate::desk::{agent, attributes, broken_fields, define, lists, searches, suite};
use crate::files::{Told, admin, csv, import, import_in, json_lines};

async fn all(suite: &testkit::Suite, org: &str) -> Vec<Contact> {
    let mut contacts = crate::desk::client(suite, org, "ana", Role::Agent);
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListContactsRequest { page_size: 200, page_token, ..ListContactsRequest::default() };
        let page = contacts.list_contacts(request).await.unwrap().into_inner();
        found.extend(page.contacts);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            found.reverse();
            return found;
        }
    }
}

/// Contacts which a search finds.
async fn hits(suite: &testkit::Suite, query: &str) -> usize {
    let request = SearchContactsRequest { query: query.to_owned(), ..SearchContactsRequest::default() };
    searches(suite).search_contacts(request).await.unwrap().into_inner().hits.len()
}

/// Every hundredth row has no email address; the others are people.
fn many(rows: usize) -> String {
    let mut file = String::from("external_id,display_name,emails,phones,tags\r\n");
    for row in 1..=rows {
        let email = if row % 100 == 0 { "nobody".to_owned() } else { format!("p{row}@example.com") };
        file.push_str(&format!("e{row},Person {row},{email},+4989{:07},t{}\r\n", 1_000_000 + row, row % 7));
    }
    file
}

on_both_databases! {
    // C10
    async fn each_bad_row_comes_back_with_its_line_and_reason_and_the_rest_is_in(engine) {
        let suite = suite(engine).await;
        let told = import_in(admin(&suite, "acme"), csv(), many(3_000).as_bytes(), 10_000, None).await.unwrap();
        assert!(told.finished);
        assert_eq!(told.counted(), [2_970, 0, 0, 30]);
        let expected: Vec<(i64, &str)> = (1..=30).map(|bad| (bad * 100 + 1, "emails[0]")).collect();
        assert_eq!(told.lines(), expected);
        for row in &told.rejected {
            assert_eq!(row.reason(), RowRejectionReason::InvalidValue);
            assert!(!format!("{row:?}").contains("nobody"), "a reason repeats the value: {row:?}");
        }
        let contacts = all(&suite, "acme").await;
        assert_eq!(contacts.len(), 2_970);
        assert!(contacts.is_sorted_by_key(|contact| contact.contact_id.clone()));
        assert_eq!((contacts[0].external_id.as_str(), contacts[0].emails[0].as_str()), ("e1", "p1@example.com"));
        assert!(contacts.iter().all(|contact| contact.identities.len() == 2 && contact.tags.len() == 1));
        assert_eq!(hits(&suite, "person 2999").await, 1);

        // The same file again, in other pieces, changes nothing.
        let again = import_in(admin(&suite, "acme"), csv(), many(3_000).as_bytes(), 3_333, None).await.unwrap();
        assert_eq!(again.counted(), [0, 0, 2_970, 30]);
        assert_eq!(all(&suite, "acme").await, contacts);
        assert!(all(&suite, "rival").await.is_empty());
    }

    // C10
    async fn a_row_finds_its_contact_by_external_id_then_email_then_phone_and_adds_to_it(engine) {
        let suite = suite(engine).await;
        let file = "External ID,Email,Phone,Company,Tags,Lists\n\
            e1,ana@x.org,+49 89 1234567,,,\n\
            e1,,,Acme,vip,Fair\n\
            ,ANA@X.org; ana@y.org,,,,\n\
            ,,+49 (89) 1234567,,gold;vip,fair ; Spring\n";
        let told = import(admin(&suite, "acme"), csv(), file).await.unwrap();
        assert_eq!(told.columns, ["external_id", "emails", "phones", "company", "tags", "lists"]);
        assert_eq!((told.counted(), told.counts.lists_created), ([1, 3, 0, 0], 2));
        let contacts = all(&suite, "acme").await;
        let [ana] = contacts.as_slice() else { panic!("{contacts:?}") };
        assert_eq!((ana.company.as_str(), ana.emails.len()), ("Acme", 2));
        assert_eq!(ana.tags, ["gold", "vip"]);
        let page = lists(&suite).list_lists(ListListsRequest::default()).await.unwrap().into_inner().lists;
        let mut counts: Vec<_> = page.iter().map(|list| (list.display_name.as_str(), list.member_count)).collect();
        counts.sort_unstable();
        assert_eq!(counts, [("Fair", 1), ("Spring", 1)]);

        let file = "external_id;emails;tags\ne1;\"ana@z.org\";\ne2;ana@y.org;\n";
        let replace = ContactImportStart { replace: true, ..csv() };
        assert_eq!(import(admin(&suite, "acme"), replace, file).await.unwrap().counted(), [1, 1, 0, 0]);
        let contacts = all(&suite, "acme").await;
        assert_eq!((contacts[0].emails.as_slice(), contacts[0].tags.len()), (["ana@z.org".to_owned()].as_slice(), 0));
        assert_eq!(contacts[1].emails, ["ana@y.org"]);
        assert_eq!(hits(&suite, "ana@x.org").await, 0, "an address that went is found no more");
    }

    // C10
    async fn a_quote_that_nobody_closed_costs_its_own_row_alone(engine) {
        let suite = suite(engine).await;
        let rows: String = (1..3_000).map(|row| format!("a{row},name {row}\n")).collect();
        let file = format!("external_id,display_name\na0,\"Ana\n{rows}");
        let told = import(admin(&suite, "acme"), csv(), &file).await.unwrap();
        assert_eq!((told.counted(), told.lines()), ([2_999, 0, 0, 1], vec![(2, "")]));
        let row = &told.rejected[0];
        assert_eq!((row.last_line, row.length, row.reason()), (2, 7, RowRejectionReason::Unreadable));
        let file = "external_id,display_name\nb0,\"Ana\nb1,x\nb2,\"Bo\"\nb3,y\n";
        let told = import(admin(&suite, "acme"), csv(), file).await.unwrap();
        assert_eq!((told.counted(), told.lines()), ([3, 0, 0, 1], vec![(2, "")]), "the quote of a later row closes it");
        // Farther than the end of a record is looked for; rows of empty cells are skipped.
        let file = format!("external_id,display_name\nc0,\"Ana\nc1,x\n{}c2,y\n", ",\n".repeat(600_000));
        let told = import(admin(&suite, "acme"), csv(), &file).await.unwrap();
        assert_eq!((told.counted(), told.lines()), ([2, 0, 0, 1], vec![(2, "")]));
        assert_eq!(all(&suite, "acme").await.len(), 2_999 + 3 + 2);
    }

    // C10
    async fn modes_and_conflicts_leave_rows_out_with_the_reason(engine) {
        let suite = suite(engine).await;
        import(admin(&suite, "acme"), csv(), "external_id,emails\ne1,a@x.org\ne2,b@x.org\n").await.unwrap();
        let reasons = |told: &Told| told.rejected.iter().map(|row| (row.line, row.reason())).collect::<Vec<_>>();
        let create = ContactImportStart { mode: ContactImportMode::CreateOnly.into(), ..csv() };
        let told = import(admin(&suite, "acme"), create, "external_id,company\ne1,\ne1,Acme\ne3,\n").await.unwrap();
        assert_eq!((told.counted(), reasons(&told)), ([1, 0, 1, 1], vec![(3, RowRejectionReason::Exists)]));
        let update = ContactImportStart { mode: ContactImportMode::UpdateOnly.into(), ..csv() };
        let told = import(admin(&suite, "acme"), update, "external_id,company\ne1,Acme\ne4,Acme\n").await.unwrap();
        assert_eq!((told.counted(), reasons(&told)), ([0, 1, 0, 1], vec![(3, RowRejectionReason::NotFound)]));
        let file = "external_id,emails\ne1,b@x.org\ne9,a@x.org\n,\nx,a,b\n";
        let told = import(admin(&suite, "acme"), csv(), file).await.unwrap();
        assert_eq!(reasons(&told), [
            (2, RowRejectionReason::Conflict), (3, RowRejectionReason::Conflict), (5, RowRejectionReason::Unreadable),
        ]);
        assert_eq!(all(&suite, "acme").await.len(), 3);
    }

    // C10
    async fn a_header_with_columns_that_there_are_not_is_refused_naming_them(engine) {
        let suite = suite(engine).await;
        define(&mut attributes(&suite), "plan", AttributeType::Choice).await.unwrap();
        let said = |status: tonic::Status| {
            assert_eq!(broken_fields(&status), ["header"]);
            status.get_details_bad_request().unwrap().field_violations[0].description.clone()
        };
        let refused = import(admin(&suite, "acme"), csv(), "emails,shoe size,attribute.plan,mood\n").await;
        let said_of = said(refused.unwrap_err());
        assert!(said_of.contains("shoe size, mood"), "{said_of}");
        let refused = import(admin(&suite, "acme"), csv(), "emails,attribute.plan,attribute.age\n").await;
        assert!(said(refused.unwrap_err()).contains("not defined: age"));
        let refused = import(admin(&suite, "acme"), csv(), "Ana,ana@example.com\nBen,ben@example.com\n").await;
        assert!(!said(refused.unwrap_err()).to_lowercase().contains("ana"));
        assert!(said(import(admin(&suite, "acme"), csv(), "").await.unwrap_err()).contains("empty"));
        let told = import(admin(&suite, "acme"), csv(), "emails,attribute.plan\na@x.org,gold\nb@x.org,tin\n").await.unwrap();
        assert_eq!((told.counted(), told.lines()), ([1, 0, 0, 1], vec![(3, "attribute.plan")]));
        assert_eq!(all(&suite, "acme").await[0].attributes[0].key, "plan");
    }

    // C10
    async fn a_row_that_is_wrong_in_several_ways_comes_back_with_all_of_them(engine) {
        let suite = suite(engine).await;
        define(&mut attributes(&suite), "plan", AttributeType::Choice).await.unwrap();
        define(&mut attributes(&suite), "age", AttributeType::Number).await.unwrap();
        let fields = |told: &Told| -> Vec<Vec<String>> {
            let of = |row: &RejectedRow| row.violations.iter().map(|one| one.field.clone()).collect();
            told.rejected.iter().map(of).collect()
        };
        let file = "external_id,emails,phones,attribute.plan,attribute.age\n\
            e1,nobody,0151 222,platinum,old\n\
            e2,a@x.org,,gold,7\n";
        let told = import(admin(&suite, "acme"), csv(), file).await.unwrap();
        assert_eq!(told.counted(), [1, 0, 0, 1]);
        assert_eq!(fields(&told), [["emails[0]", "phones[0]", "attribute.plan", "attribute.age"]]);
        assert_eq!(told.rejected[0].reason(), RowRejectionReason::InvalidValue);
        let file = r#"{"display_name": 7, "phones": ["0151 222"], "attributes": {"plan": "platinum", "mood": "x"}}"#;
        let told = import(admin(&suite, "acme"), json_lines(), file).await.unwrap();
        assert_eq!(fields(&told), [["display_name", "phones[0]", "attribute.mood", "attribute.plan"]]);
        assert_eq!(all(&suite, "acme").await.len(), 1);
    }

    // C10
    async fn a_dry_run_tells_and_changes_nothing(engine) {
        let suite = suite(engine).await;
        let dry = ContactImportStart { dry_run: true, ..csv() };
        let file = "external_id,lists\ne1,Fair\nbad,\u{0},x\ne1,Fair\n";
        let told = import(admin(&suite, "acme"), dry, file).await.unwrap();
        assert_eq!((told.counted(), told.counts.lists_created), ([1, 0, 1, 1], 1));
        assert!(all(&suite, "acme").await.is_empty());
        let page = lists(&suite).list_lists(ListListsRequest::default()).await.unwrap().into_inner();
        assert!(page.lists.is_empty() && audited(&suite).await.is_empty());
    }

    // C10 P14
    async fn an_import_that_was_cut_goes_on_and_no_row_is_told_twice(engine) {
        let suite = suite(engine).await;
        let file = many(1_500);
        let mut told = Told::default();
        let (mut start, mut from, mut cuts) = (csv(), 0, 0);
        while !told.finished {
            // A little more each time, so that it ends.
            let frames = Some(3 + cuts);
            let piece = import_in(admin(&suite, "acme"), start, &file.as_bytes()[from..], 4_096, frames).await.unwrap();
            told.rejected.extend(piece.rejected);
            (told.counts, told.finished) = (piece.counts, piece.finished);
            (start, from) = (ContactImportStart { resume_token: piece.resume_token, ..Default::default() }, piece.resume_offset);
            cuts += 1;
            assert!(cuts < 50);
        }
        assert!(cuts > 1);
        let lines: Vec<i64> = told.rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, (1..=15).map(|bad| bad * 100 + 1).collect::<Vec<_>>());
        // A batch that went in although nobody heard of it is unchanged the second time.
        assert_eq!(told.counts.created + told.counts.unchanged, 1_485);
        assert_eq!(all(&suite, "acme").await.len(), 1_485);
        let token = ContactImportStart { resume_token: import(admin(&suite, "acme"), csv(), "emails\n").await.unwrap().resume_token, ..Default::default() };
        let refused = import(admin(&suite, "rival"), token.clone(), "").await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["start.resume_token"], "another organization's token");
        let forged = ContactImportStart { resume_token: format!("{}x", token.resume_token), ..token };
        assert_eq!(import(admin(&suite, "acme"), forged, "").await.unwrap_err().code(), Code::InvalidArgument);
    }

    // C10 C2
    async fn imports_and_resolves_at_once_make_each_contact_once(engine) {
        let suite = suite(engine).await;
        let rows: Vec<String> = (0..300).map(|row| format!("e{row},p{row}@example.com\n")).collect();
        let forth = format!("external_id,emails\n{}", rows.concat());
        let back = format!("external_id,emails\n{}", rows.iter().rev().cloned().collect::<String>());
        let mut tasks = tokio::task::JoinSet::new();
        for file in [forth.clone(), back, forth] {
            let client = admin(&suite, "acme");
            tasks.spawn(async move { import(client, csv(), &file).await.unwrap().counted() });
        }
        let mut resolving = agent(&suite);
        for row in (0..300).step_by(10) {
            crate::desk::resolve(&mut resolving, "email", &format!("p{row}@example.com")).await.unwrap();
        }
        let mut sum = 0;
        while let Some(counted) = tasks.join_next().await {
            let [created, updated, unchanged, rejected] = counted.unwrap();
            assert_eq!((created + updated + unchanged, rejected), (300, 0));
            sum += created;
        }
        let contacts = all(&suite, "acme").await;
        assert_eq!(contacts.len(), 300);
        assert!(sum <= 300 && contacts.iter().all(|contact| !contact.external_id.is_empty()));
    }

    // C10 P13
    async fn json_lines_bring_definitions_lists_and_contacts(engine) {
        let suite = suite(engine).await;
        let file = r#"{"type":"attribute_definition","key":"plan","value_type":"choice","choices":["gold"]}
{"type":"list","display_name":"Fair","description":"Spring"}

{"type":"contact","external_id":"e1","lists":["fair"],"attributes":{"plan":"gold"},"identities":[{"channel":"chat","address":"v-1"}]}
{"type":"contact","identities":[{"channel":"chat","address":"v-1"}],"display_name":"Zoë"}
{"type":"contact","external_id":"e2","attributes":{"plan":"tin"}}
{"type":"rejected","line":7,"reason":"is passed over"}
{"type":"planet"}
"#;
        let told = import(admin(&suite, "acme"), json_lines(), file).await.unwrap();
        assert_eq!((told.counted(), told.counts.lists_created), ([3, 1, 0, 2], 0));
        assert_eq!(told.lines(), [(6, "attribute.plan"), (8, "type")]);
        let contacts = all(&suite, "acme").await;
        assert_eq!((contacts.len(), contacts[0].display_name.as_str(), contacts[0].attributes.len()), (1, "Zoë", 1));
        let supervisor = suite.client("rival", "sue", Role::Supervisor);
        let told = import(supervisor, json_lines(), file).await.unwrap();
        assert_eq!(told.rejected[0].reason(), RowRejectionReason::NotAllowed, "only an admin defines attributes");
    }

    // C10 P3
    async fn a_stream_that_begins_otherwise_and_people_who_may_not_are_refused(engine) {
        let suite = suite(engine).await;
        for role in [Role::Contact, Role::Agent] {
            let refused = import(suite.client("acme", "x", role), csv(), "emails\n").await.unwrap_err();
            assert_eq!(refused.code(), Code::PermissionDenied, "{role}");
        }
        let nothing = ContactImportStart::default();
        assert_eq!(broken_fields(&import(admin(&suite, "acme"), nothing, "").await.unwrap_err()), ["start.format"]);
        let mut client = proto::contacts::v1::contact_import_service_client::ContactImportServiceClient::new(admin(&suite, "acme"));
        let chunk = |size: usize| ImportContactsRequest {
            frame: Some(import_contacts_request::Frame::Chunk(vec![b'a'; size])),
        };
        let answers = client.import_contacts(futures::stream::iter([chunk(1)])).await.unwrap();
        assert_eq!(broken_fields(&answers.into_inner().message().await.unwrap_err()), ["start"]);
        let begin = ImportContactsRequest { frame: Some(import_contacts_request::Frame::Start(csv())) };
        let twice = client.import_contacts(futures::stream::iter([begin.clone(), begin.clone()])).await.unwrap();
        let mut twice = twice.into_inner();
        twice.message().await.unwrap();
        assert_eq!(broken_fields(&twice.message().await.unwrap_err()), ["start"]);
        let large = client.import_contacts(futures::stream::iter([begin, chunk(131_073)])).await.unwrap();
        let mut large = large.into_inner();
        large.message().await.unwrap();
        assert_eq!(broken_fields(&large.message().await.unwrap_err()), ["chunk"]);
    }

    // C10 C6 P12
    async fn the_id_of_a_merged_contact_stands_for_the_other_and_that_of_an_erased_one_for_nobody(engine) {
        let suite = suite(engine).await;
        import(admin(&suite, "acme"), csv(), "external_id,display_name,company\ne1,Mia,\ne2,Mia,\ne3,Zoe,\n").await.unwrap();
        let before = all(&suite, "acme").await;
        let ids: Vec<&str> = before.iter().map(|contact| contact.contact_id.as_str()).collect();
        let mut merges = merge_service_client::MergeServiceClient::new(admin(&suite, "acme"));
        let merge = MergeContactsRequest { from_contact_id: ids[0].into(), into_contact_id: ids[1].into(), ..Default::default() };
        merges.merge_contacts(merge).await.unwrap();
        let mut erasures = erasure_service_client::ErasureServiceClient::new(admin(&suite, "acme"));
        let erase = EraseContactRequest { contact_id: ids[2].into(), etag: before[2].etag.clone(), ..Default::default() };
        erasures.erase_contact(erase).await.unwrap();

        let kept = "0197a1b2-5c3d-7e4f-8a9b-0c1d2e3f4a5b";
        let file = format!("contact_id,company\n{},Acme\n{},Beta\n{kept},Gamma\n", ids[0], ids[2]);
        assert_eq!(import(admin(&suite, "acme"), csv(), &file).await.unwrap().counted(), [2, 1, 0, 0]);
        let after = all(&suite, "acme").await;
        let of = |company: &str| after.iter().find(|one| one.company == company).unwrap().contact_id.clone();
        assert_eq!((of("Acme").as_str(), of("Gamma").as_str()), (ids[1], kept));
        assert!(after.len() == 3 && !ids.contains(&of("Beta").as_str()), "an erased id came back: {after:?}");
    }

    // C10 P1
    async fn what_another_organization_calls_its_contacts_means_none_of_them_here(engine) {
        let suite = suite(engine).await;
        let file = "external_id,display_name,emails,phones\ne1,Mia,mia@x.org,+49 89 1234567\n";
        import(admin(&suite, "acme"), csv(), file).await.unwrap();
        let before = all(&suite, "acme").await;
        let id = before[0].contact_id.as_str();
        let theirs = format!(
            "contact_id,external_id,emails,phones,company\n\
             {id},,,,Id\n,e1,,,External id\n,,mia@x.org,,Email\n,,,+49 89 1234567,Phone\n"
        );
        for (created, unchanged) in [(4, 0), (0, 4)] {
            let told = import(admin(&suite, "rival"), csv(), &theirs).await.unwrap();
            assert_eq!(told.counted(), [created, 0, unchanged, 0]);
        }
        assert_eq!(all(&suite, "rival").await.len(), 4);
        assert_eq!(all(&suite, "acme").await, before);
    }

    // C10 C6
    async fn imported_contacts_who_may_be_one_person_are_suggested(engine) {
        let suite = suite(engine).await;
        let file = "external_id,display_name,company,emails\ne1,Mia May,Acme,\ne2,mia may,ACME,\ne3,Zoe,Acme,zo.e@gmail.com\n";
        import(admin(&suite, "acme"), csv(), file).await.unwrap();
        import(admin(&suite, "acme"), csv(), "external_id,emails\ne4,zoe+x@gmail.com\n").await.unwrap();
        let mut merges = merge_service_client::MergeServiceClient::new(admin(&suite, "acme"));
        let mut pairs = async || {
            let page = merges.list_duplicates(ListDuplicatesRequest::default()).await.unwrap().into_inner();
            let external = |contact: &Option<Contact>| contact.as_ref().unwrap().external_id.clone();
            page.pairs.iter().map(|pair| (external(&pair.contact), external(&pair.other_contact))).collect::<Vec<_>>()
        };
        let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
        assert_eq!(pairs().await, [pair("e3", "e4"), pair("e1", "e2")]);
        import(admin(&suite, "acme"), csv(), "external_id,display_name\ne2,Lea May\n").await.unwrap();
        assert_eq!(pairs().await, [pair("e3", "e4")]);
    }

    // P10
    async fn an_import_leaves_a_record_of_itself_and_of_every_contact(engine) {
        let suite = suite(engine).await;
        let file = "external_id,display_name,lists\ne1,canary,canary list\ne2,canary,\n";
        let told = import(admin(&suite, "acme"), csv(), file).await.unwrap();
        import(admin(&suite, "acme"), csv(), "external_id,company\ne1,canary inc\n").await.unwrap();
        let events = audited(&suite).await;
        let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(actions, [
            "contact_import.begin", "contact.create", "contact.create", "list.create", "list.add_members",
            "contact_import.finish", "contact_import.begin", "contact.update", "contact_import.finish",
        ]);
        assert_eq!((events[0].object_id.as_str(), events[0].actor_subject.as_str()), (told.import_id.as_str(), "root"));
        assert!(events[..6].iter().all(|event| event.request_id == told.import_id));
        let contacts = all(&suite, "acme").await;
        assert_eq!(events[1].object_id, contacts[0].contact_id);
        assert!(!format!("{events:?}").contains("canary"));
    }
}

async fn audited(suite: &testkit::Suite) -> Vec<proto::common::v1::AuditEvent> {
    let mut admin = admin_service_client::AdminServiceClient::new(admin(suite, "acme"));
    let request = ListAuditEventsRequest { page_size: 200, ..ListAuditEventsRequest::default() };
    let events = admin.list_audit_events(request).await.unwrap().into_inner().events;
    events.into_iter().rev().collect()
}
