//! C5: contacts are found.

use kernel::Role;
use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::{
    AttributeType, ContactProfile, CreateContactRequest, SearchContactsRequest, SearchContactsResponse,
    SearchField, SetContactAttributesRequest, TagContactRequest, UpdateContactRequest,
};
use testkit::on_both_databases;
use tonic::Status;

use crate::desk::{
    Searches, agent, attributes, broken_fields, create, define, named, refusal, resolve, searches, set,
    suite, texts, value,
};

fn asks(query: &str) -> SearchContactsRequest {
    SearchContactsRequest { query: query.to_owned(), ..SearchContactsRequest::default() }
}

async fn page(
    searches: &mut Searches,
    request: SearchContactsRequest,
) -> Result<SearchContactsResponse, Status> {
    Ok(searches.search_contacts(request).await?.into_inner())
}

fn names(page: &SearchContactsResponse) -> Vec<String> {
    page.hits.iter().map(|hit| hit.contact.as_ref().unwrap().display_name.clone()).collect()
}

/// Who is found, best first.
async fn found(searches: &mut Searches, query: &str) -> Vec<String> {
    let page = page(searches, asks(query)).await.unwrap();
    assert_eq!(page.next_page_token, "");
    names(&page)
}

/// Who is found on all pages.
async fn walk(searches: &mut Searches, request: SearchContactsRequest) -> Vec<String> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let next = page(searches, SearchContactsRequest { page_token, ..request.clone() }).await.unwrap();
        found.extend(names(&next));
        page_token = next.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

fn zoe() -> ContactProfile {
    ContactProfile {
        given_name: "محمد".to_owned(),
        family_name: "Łuczak-Straße".to_owned(),
        emails: texts(&["Zoe.Work@Example.org"]),
        phones: texts(&["+49 (0)89 123-456"]),
        external_id: "crm/4711".to_owned(),
        company: "株式会社アクメ".to_owned(),
        location: "São Paulo".to_owned(),
        ..named("Zoë Ångström 👩🏽‍💻")
    }
}

on_both_databases! {
    // C5
    async fn a_contact_is_found_by_everything_that_is_known_of_them(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut attributes, mut searches) = (agent(&suite), attributes(&suite), searches(&suite));
        define(&mut attributes, "plan", AttributeType::Choice).await.unwrap();
        define(&mut attributes, "note", AttributeType::Text).await.unwrap();
        define(&mut attributes, "since", AttributeType::Date).await.unwrap();
        define(&mut attributes, "site", AttributeType::Link).await.unwrap();
        define(&mut attributes, "score", AttributeType::Number).await.unwrap();
        let made = create(&mut contacts, zoe()).await.unwrap();
        create(&mut contacts, named("Somebody Else")).await.unwrap();
        let tag = TagContactRequest { contact_id: made.contact_id.clone(), add: texts(&["⭐ Stammkunde"]), remove: vec![] };
        contacts.tag_contact(tag).await.unwrap();
        set(&mut attributes, &made, vec![
            value("plan", Value::Choice("gold".to_owned())),
            value("note", Value::Text("prefers Émile".to_owned())),
            value("since", Value::Date("2019-05-17".to_owned())),
            value("site", Value::Link("https://blog.example.net/über".to_owned())),
            value("score", Value::Number(42.5)),
        ]).await.unwrap();
        resolve(&mut contacts, "whatsapp", "+4989123456").await.unwrap();
        for (query, field) in [
            ("zoe", SearchField::Name), ("ZOË ANG", SearchField::Name), ("محم", SearchField::Name),
            ("مُحَمَّد", SearchField::Name),
            ("luczak", SearchField::Name), ("STRASSE", SearchField::Name), ("👩", SearchField::Name),
            ("work@exam", SearchField::Email), ("zoe.work@example.org", SearchField::Email),
            ("+49 89 12", SearchField::Phone), ("089/123456", SearchField::Phone), ("89123", SearchField::Phone),
            ("4989123456", SearchField::Phone),
            ("crm/4711", SearchField::ExternalId), ("4711", SearchField::ExternalId),
            ("アクメ", SearchField::Company), ("会社", SearchField::Company), ("ｱｸﾒ", SearchField::Company),
            ("sao", SearchField::Location), ("stamm", SearchField::Tag), ("⭐", SearchField::Tag),
            ("gold", SearchField::Attribute), ("emile", SearchField::Attribute), ("2019-05", SearchField::Attribute),
            ("uber blog.example.net", SearchField::Attribute), ("42.5", SearchField::Attribute),
        ] {
            let page = page(&mut searches, asks(query)).await.unwrap();
            assert_eq!(names(&page), ["Zoë Ångström 👩🏽‍💻"], "{query}");
            assert_eq!(page.hits[0].found_in(), field, "{query}");
            assert_eq!(page.hits[0].contact.as_ref().unwrap().attributes.len(), 5, "whole contacts");
        }
        for query in ["zoex", "oe", "emil zoe nobody", "456", "golden"] {
            assert!(found(&mut searches, query).await.is_empty(), "{query}");
        }
        suite.stop().await;
    }

    // C5
    async fn names_come_before_addresses_and_these_before_the_rest(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut searches) = (agent(&suite), searches(&suite));
        for profile in [
            ContactProfile { company: "Anna GmbH".to_owned(), ..named("by company") },
            ContactProfile { emails: texts(&["anna@example.com"]), ..named("by email") },
            named("Annabel"),
            named("older Anna"),
            named("Anna"),
            ContactProfile { family_name: "Annaud".to_owned(), company: "Anna".to_owned(), ..named("Zoe Anna") },
        ] {
            create(&mut contacts, profile).await.unwrap();
        }
        assert_eq!(
            found(&mut searches, "anna").await,
            ["Zoe Anna", "Anna", "older Anna", "Annabel", "by email", "by company"],
            "the whole word first, of one word the newest contact first"
        );
        assert_eq!(found(&mut searches, "an zoe").await, ["Zoe Anna"]);
        assert_eq!(found(&mut searches, "ann exam").await, ["by email"]);
        suite.stop().await;
    }

    // C5
    async fn the_rarest_word_decides_the_order(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut searches) = (agent(&suite), searches(&suite));
        for (name, location) in [("Maria Berlin", ""), ("Maria", "Berlin"), ("Maria Rossi", ""), ("Maria Rosa", "Bern")] {
            create(&mut contacts, ContactProfile { location: location.to_owned(), ..named(name) }).await.unwrap();
        }
        assert_eq!(found(&mut searches, "maria berlin").await, ["Maria Berlin", "Maria"]);
        assert_eq!(found(&mut searches, "ber maria").await, ["Maria Berlin", "Maria", "Maria Rosa"]);
        suite.stop().await;
    }

    // C5
    async fn whole_tags_and_values_and_fields_narrow_a_search(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut attributes, mut searches) = (agent(&suite), attributes(&suite), searches(&suite));
        for (key, of) in [
            ("plan", AttributeType::Choice),
            ("vip", AttributeType::Boolean),
            ("score", AttributeType::Number),
            ("city", AttributeType::Text),
        ] {
            define(&mut attributes, key, of).await.unwrap();
        }
        for (name, tags, plan, vip, score, city) in [
            ("Ana", &["a", "a b"][..], "gold", true, 10.0, "Köln"),
            ("Anton", &["a"], "basic", true, 1.0e1, "KÖLN "),
            ("Berta", &["A"], "gold", false, -0.0, "Kölnisch"),
        ] {
            let request = CreateContactRequest {
                profile: Some(named(name)),
                tags: texts(tags),
                attributes: vec![
                    value("plan", Value::Choice(plan.to_owned())),
                    value("vip", Value::Boolean(vip)),
                    value("score", Value::Number(score)),
                    value("city", Value::Text(city.to_owned())),
                ],
                ..CreateContactRequest::default()
            };
            contacts.create_contact(request).await.unwrap();
        }
        let narrowed = |query: &str, tags: &[&str], values: Vec<_>, fields: &[SearchField]| SearchContactsRequest {
            tags: texts(tags),
            attributes: values,
            fields: fields.iter().map(|field| (*field).into()).collect(),
            ..asks(query)
        };
        let city = |text: &str| value("city", Value::Text(text.to_owned()));
        for (request, expected) in [
            (narrowed("", &["a"], vec![], &[]), &["Anton", "Ana"][..]),
            (narrowed("", &["A"], vec![], &[]), &["Berta"]),
            (narrowed("", &["a", "a b"], vec![], &[]), &["Ana"]),
            (narrowed("an", &[], vec![value("plan", Value::Choice("gold".to_owned()))], &[]), &["Ana"]),
            (
                narrowed("", &[], vec![value("vip", Value::Boolean(true)), value("plan", Value::Choice("basic".to_owned()))], &[]),
                &["Anton"],
            ),
            (narrowed("", &[], vec![value("score", Value::Number(10.0))], &[]), &["Anton", "Ana"]),
            (narrowed("", &[], vec![value("score", Value::Number(0.0))], &[]), &["Berta"]),
            (narrowed("", &[], vec![city("koln")], &[]), &["Ana"]),
            (narrowed("", &[], vec![city("köln ")], &[]), &["Anton"]),
            (narrowed("koln", &[], vec![], &[]), &["Anton", "Ana", "Berta"]),
            (narrowed("a", &[], vec![], &[SearchField::Name]), &["Ana", "Anton"]),
            (narrowed("a", &[], vec![], &[SearchField::Tag]), &["Berta", "Anton", "Ana"]),
            (narrowed("a", &["a b"], vec![], &[SearchField::Name]), &["Ana"]),
            (narrowed("gold", &[], vec![], &[SearchField::Name, SearchField::Tag]), &[]),
            (narrowed("gold", &[], vec![], &[SearchField::Attribute]), &["Berta", "Ana"]),
        ] {
            assert_eq!(names(&page(&mut searches, request.clone()).await.unwrap()), expected, "{request:?}");
        }
        suite.stop().await;
    }

    // C5
    async fn what_changes_is_found_as_it_is_now(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut attributes, mut searches) = (agent(&suite), attributes(&suite), searches(&suite));
        define(&mut attributes, "plan", AttributeType::Choice).await.unwrap();
        let made = create(&mut contacts, ContactProfile { emails: texts(&["ana@example.com"]), ..named("Ana") }).await.unwrap();
        let tag = |add: &[&str], remove: &[&str]| TagContactRequest {
            contact_id: made.contact_id.clone(),
            add: texts(add),
            remove: texts(remove),
        };
        contacts.tag_contact(tag(&["first"], &[])).await.unwrap();
        set(&mut attributes, &made, vec![value("plan", Value::Choice("gold".to_owned()))]).await.unwrap();
        for query in ["ana", "first", "gold", "example"] {
            assert_eq!(found(&mut searches, query).await, ["Ana"], "{query}");
        }
        contacts.update_contact(UpdateContactRequest {
            contact_id: made.contact_id.clone(),
            profile: Some(named("Berta")),
            update_mask: Some(prost_types::FieldMask { paths: texts(&["display_name", "emails"]) }),
            ..UpdateContactRequest::default()
        }).await.unwrap();
        contacts.tag_contact(tag(&["second"], &["first"])).await.unwrap();
        attributes.set_contact_attributes(SetContactAttributesRequest {
            contact_id: made.contact_id.clone(), clear: texts(&["plan"]), ..Default::default()
        }).await.unwrap();
        for query in ["ana", "first", "gold", "example"] {
            assert!(found(&mut searches, query).await.is_empty(), "{query}");
        }
        for query in ["berta", "second"] {
            assert_eq!(found(&mut searches, query).await, ["Berta"], "{query}");
        }
        let stranger = resolve(&mut contacts, "chat", "visitor-77 x").await.unwrap().contact.unwrap();
        let hits = page(&mut searches, asks("visit 77")).await.unwrap().hits;
        assert_eq!((hits.len(), hits[0].contact.as_ref(), hits[0].found_in()), (1, Some(&stranger), SearchField::Identity));
        suite.stop().await;
    }

    // C5, P7
    async fn a_search_is_paged_and_misses_nobody(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut searches) = (agent(&suite), searches(&suite));
        let mut expected = Vec::new();
        for number in 0..40 {
            let name = format!("Anna {}", ["Maier", "Mayer", "Müller"][number % 3]);
            let company = if number % 2 == 0 { "Annahof" } else { "" };
            let profile =
                ContactProfile { company: company.to_owned(), external_id: number.to_string(), ..named(&name) };
            create(&mut contacts, profile).await.unwrap();
            expected.push(name);
        }
        for size in [1, 3, 7, 40, 200] {
            let request = SearchContactsRequest { page_size: size, ..asks("ann m") };
            let mut all = walk(&mut searches, request).await;
            assert_eq!(all.len(), 40, "each once, in pages of {size}");
            all.sort();
            expected.sort();
            assert_eq!(all, expected);
        }
        let request = SearchContactsRequest { page_size: 2, ..asks("anna") };
        let first = page(&mut searches, request.clone()).await.unwrap();
        create(&mut contacts, named("Anna New")).await.unwrap();
        let next = SearchContactsRequest { page_token: first.next_page_token.clone(), ..request };
        let second = page(&mut searches, next.clone()).await.unwrap();
        assert!(!names(&second).contains(&"Anna New".to_owned()), "who comes while somebody pages moves nobody");
        let mut theirs = Searches::new(suite.client("globex", "eve", Role::Agent));
        let refused = [
            page(&mut searches, SearchContactsRequest { query: "ann".to_owned(), ..next.clone() }).await.unwrap_err(),
            page(&mut searches, SearchContactsRequest { tags: texts(&["x"]), ..next.clone() }).await.unwrap_err(),
            page(&mut searches, SearchContactsRequest { page_token: "garbage".to_owned(), ..next.clone() }).await.unwrap_err(),
            page(&mut theirs, next).await.unwrap_err(),
        ];
        for status in refused {
            assert_eq!(refusal(&status).1, "INVALID_PAGE_TOKEN");
        }
        assert!(found(&mut theirs, "anna").await.is_empty(), "another organization finds nobody");
        suite.stop().await;
    }

    // C5, P4
    async fn a_search_that_asks_for_nothing_or_too_much_is_refused(engine) {
        let suite = suite(engine).await;
        let mut searches = searches(&suite);
        for (request, field) in [
            (asks(""), "query"),
            (asks(" .,-\u{200d} "), "query"),
            (asks("q w e r t y u i o p a s d f g h j k l z x"), "query"),
            (asks(&"x".repeat(201)), "query"),
            (SearchContactsRequest { fields: vec![0], ..asks("a") }, "fields[0]"),
            (SearchContactsRequest { fields: vec![99], ..asks("a") }, "fields[0]"),
            (SearchContactsRequest { tags: texts(&["a\u{0}"]), ..asks("a") }, "tags[0]"),
            (SearchContactsRequest { attributes: vec![value("k", Value::Number(f64::INFINITY))], ..asks("a") }, "attributes[0].value"),
            (SearchContactsRequest { attributes: vec![value("k", Value::Text("x".repeat(201)))], ..asks("a") }, "attributes"),
        ] {
            assert_eq!(broken_fields(&page(&mut searches, request).await.unwrap_err()), [field]);
        }
        for nasty in ["\" OR 1=1 --", "%_*'", "a\u{0}b", "NEAR(a b)", "\u{10ffff}", "{}[]()"] {
            let answer = page(&mut searches, asks(nasty)).await;
            assert!(answer.is_ok() || broken_fields(&answer.unwrap_err()) == ["query"], "{nasty}");
        }
        suite.stop().await;
    }
}
