//! C4: what contacts have beyond their profile.

use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::{
    AttributeType, AttributeValue, Contact, ContactProfile, CreateContactRequest, ListContactsRequest,
    SetContactAttributesRequest, UpdateAttributeDefinitionRequest,
};
use testkit::on_both_databases;
use tonic::{Code, Status};

use crate::desk::{
    Attributes, agent, attributes, broken_fields, create, define, get, named, refusal, set, suite, texts,
    value,
};

const ABSENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

/// One definition of each type, under the type's name.
async fn define_all(attributes: &mut Attributes) {
    for (key, of) in [
        ("text", AttributeType::Text),
        ("number", AttributeType::Number),
        ("boolean", AttributeType::Boolean),
        ("date", AttributeType::Date),
        ("link", AttributeType::Link),
        ("choice", AttributeType::Choice),
    ] {
        define(attributes, key, of).await.unwrap();
    }
}

async fn clear(attributes: &mut Attributes, contact: &Contact, keys: &[&str]) -> Result<Contact, Status> {
    let request = SetContactAttributesRequest {
        contact_id: contact.contact_id.clone(),
        clear: texts(keys),
        ..SetContactAttributesRequest::default()
    };
    Ok(attributes.set_contact_attributes(request).await?.into_inner().contact.unwrap())
}

fn text(key: &str, text: &str) -> AttributeValue {
    value(key, Value::Text(text.to_owned()))
}

on_both_databases! {
    // C4
    async fn a_value_of_every_type_comes_back_as_it_was_written(engine) {
        let suite = suite(engine).await;
        let (mut attributes, mut contacts) = (attributes(&suite), agent(&suite));
        define_all(&mut attributes).await;
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        let values = vec![
            value("boolean", Value::Boolean(false)),
            value("choice", Value::Choice("gold".to_owned())),
            value("date", Value::Date("2024-02-29".to_owned())),
            value("link", Value::Link("https://пример.рф/стр?a=1#ä".to_owned())),
            value("number", Value::Number(0.1 + 0.2)),
            text("text", "\u{202b}شركة\u{202c} 👩🏽‍💻 שָׁלוֹם ß "),
        ];
        let shuffled = [5, 1, 4, 0, 3, 2].map(|index: usize| values[index].clone()).to_vec();
        let changed = set(&mut attributes, &ana, shuffled).await.unwrap();
        assert_eq!((&changed.attributes, changed.etag.as_str()), (&values, "v2"), "by key");
        assert_eq!(get(&mut contacts, &ana.contact_id).await.unwrap(), changed);
        let listed = contacts.list_contacts(ListContactsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.contacts, [changed]);
        for number in [f64::MAX, f64::MIN_POSITIVE, 5e-324, -1.0e-7, 123_456_789_012_345_680.0, 1.0e23] {
            let changed = set(&mut attributes, &ana, vec![value("number", Value::Number(number))]).await.unwrap();
            assert!(changed.attributes.contains(&value("number", Value::Number(number))), "{number:e}");
        }
        suite.stop().await;
    }

    // C4, P4
    async fn a_value_that_its_definition_does_not_take_is_named(engine) {
        let suite = suite(engine).await;
        let (mut attributes, mut contacts) = (attributes(&suite), agent(&suite));
        define_all(&mut attributes).await;
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        let misfits = vec![
            text("number", "12"),
            value("boolean", Value::Boolean(true)),
            value("choice", Value::Choice("Gold".to_owned())),
            text("absent", "x"),
            value("date", Value::Text("2024-01-01".to_owned())),
        ];
        let refused = set(&mut attributes, &ana, misfits.clone()).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["set[0].value", "set[2].value", "set[3].key", "set[4].value"]);
        let request = CreateContactRequest {
            profile: Some(named("Ben")),
            attributes: misfits,
            ..CreateContactRequest::default()
        };
        let refused = contacts.create_contact(request).await.unwrap_err();
        assert_eq!(broken_fields(&refused)[0], "attributes[0].value");
        let unreadable = vec![
            value("number", Value::Number(f64::NAN)),
            value("date", Value::Date("2023-02-29".to_owned())),
            text("text", "a\nb"),
            text("text", "twice"),
            value("link", Value::Link("https://?".to_owned())),
        ];
        let refused = set(&mut attributes, &ana, unreadable).await.unwrap_err();
        assert_eq!(
            broken_fields(&refused),
            ["set[0].value", "set[1].value", "set[2].value", "set[3].key", "set[4].value"]
        );
        let mixed = vec![
            value("date", Value::Date("2023-02-29".to_owned())),
            text("number", "12"),
            text("absent", "x"),
            text("text", "fits"),
            value("choice", Value::Choice("Gold".to_owned())),
        ];
        let refused_mixed = set(&mut attributes, &ana, mixed.clone()).await.unwrap_err();
        let places = ["[0].value", "[1].value", "[2].key", "[4].value"];
        assert_eq!(broken_fields(&refused_mixed), places.map(|place| format!("set{place}")));
        for place in places {
            assert!(refused_mixed.message().contains(&format!("set{place} ")), "{}", refused_mixed.message());
        }
        let request = CreateContactRequest {
            profile: Some(named("Ben")),
            attributes: mixed,
            ..CreateContactRequest::default()
        };
        let refused_mixed = contacts.create_contact(request.clone()).await.unwrap_err();
        assert_eq!(broken_fields(&refused_mixed), places.map(|place| format!("attributes{place}")));
        let profile = Some(ContactProfile { display_name: "a\nb".to_owned(), ..named("Ben") });
        let refused_mixed = contacts.create_contact(CreateContactRequest { profile, ..request }).await.unwrap_err();
        assert_eq!(broken_fields(&refused_mixed), ["profile.display_name", "attributes[0].value"]);
        let by_contract = vec![
            AttributeValue { key: "text".to_owned(), value: None },
            value("link", Value::Link("ftp://example.com".to_owned())),
            text("text", &"x".repeat(1_001)),
            text("No Key", "x"),
        ];
        let mut fields = broken_fields(&set(&mut attributes, &ana, by_contract).await.unwrap_err());
        fields.sort();
        assert_eq!(fields, ["set[0].value", "set[1].link", "set[2].text", "set[3].key"]);
        assert!(!format!("{refused:?}").contains("twice"), "a refusal never repeats what was said");
        assert_eq!(get(&mut contacts, &ana.contact_id).await.unwrap(), ana, "all or none");
        let listed = contacts.list_contacts(ListContactsRequest::default()).await.unwrap().into_inner();
        assert_eq!(listed.contacts.len(), 1, "and nobody was made");
        suite.stop().await;
    }

    // C4
    async fn what_is_not_named_stays_and_what_changes_nothing_leaves_the_etag(engine) {
        let suite = suite(engine).await;
        let (mut attributes, mut contacts) = (attributes(&suite), agent(&suite));
        define_all(&mut attributes).await;
        let request = CreateContactRequest {
            profile: Some(named("Ana")),
            attributes: vec![text("text", "first"), value("number", Value::Number(1.0))],
            ..CreateContactRequest::default()
        };
        let ana = contacts.create_contact(request).await.unwrap().into_inner().contact.unwrap();
        assert_eq!((ana.attributes.len(), ana.etag.as_str()), (2, "v1"));
        let changed = set(&mut attributes, &ana, vec![text("text", "second")]).await.unwrap();
        assert_eq!(changed.attributes, [value("number", Value::Number(1.0)), text("text", "second")]);
        assert_eq!(set(&mut attributes, &ana, vec![text("text", "second")]).await.unwrap(), changed);
        assert_eq!(clear(&mut attributes, &ana, &["boolean", "nothing_of_the_kind"]).await.unwrap(), changed);
        let both = SetContactAttributesRequest {
            contact_id: ana.contact_id.clone(),
            set: vec![text("text", "third")],
            clear: texts(&["number", "text"]),
            etag: changed.etag.clone(),
        };
        let third = attributes.set_contact_attributes(both.clone()).await.unwrap().into_inner().contact.unwrap();
        assert_eq!((third.attributes, third.etag.as_str()), (vec![text("text", "third")], "v3"), "in both it is set");
        let stale = attributes.set_contact_attributes(both).await.unwrap_err();
        assert_eq!((refusal(&stale).1.as_str(), refusal(&stale).2.get("etag").map(String::as_str)), ("STALE_ETAG", Some("v3")));
        suite.stop().await;
    }

    // C4
    async fn an_archived_attribute_keeps_its_values_and_takes_no_new_ones(engine) {
        let suite = suite(engine).await;
        let (mut attributes, mut contacts) = (attributes(&suite), agent(&suite));
        define_all(&mut attributes).await;
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        let ana = set(&mut attributes, &ana, vec![text("text", "kept")]).await.unwrap();
        let archive = |archived| UpdateAttributeDefinitionRequest {
            key: "text".to_owned(),
            archived,
            update_mask: Some(prost_types::FieldMask { paths: texts(&["archived"]) }),
            ..UpdateAttributeDefinitionRequest::default()
        };
        attributes.update_attribute_definition(archive(true)).await.unwrap();
        assert_eq!(get(&mut contacts, &ana.contact_id).await.unwrap(), ana);
        let sent_back = vec![text("text", "kept"), value("boolean", Value::Boolean(true))];
        set(&mut attributes, &ana, sent_back).await.unwrap();
        let refused = set(&mut attributes, &ana, vec![text("text", "new")]).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["set[0].value"]);
        assert_eq!(clear(&mut attributes, &ana, &["text"]).await.unwrap().attributes.len(), 1);
        attributes.update_attribute_definition(archive(false)).await.unwrap();
        set(&mut attributes, &ana, vec![text("text", "new")]).await.unwrap();
        suite.stop().await;
    }

    // P1
    async fn another_organization_has_its_own_definitions_and_values(engine) {
        let suite = suite(engine).await;
        let (mut ours, mut contacts) = (attributes(&suite), agent(&suite));
        define(&mut ours, "plan", AttributeType::Text).await.unwrap();
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        let mut theirs = Attributes::new(suite.client("globex", "admin", kernel::Role::Admin));
        let nobody = Contact { contact_id: ABSENT.to_owned(), ..Contact::default() };
        let absent = set(&mut theirs, &nobody, Vec::new()).await.unwrap_err();
        let foreign = set(&mut theirs, &ana, Vec::new()).await.unwrap_err();
        assert_eq!((foreign.code(), foreign.message()), (Code::NotFound, absent.message()));
        assert_eq!(foreign.details(), absent.details());
        define(&mut theirs, "plan", AttributeType::Date).await.unwrap();
        set(&mut ours, &ana, vec![text("plan", "x")]).await.unwrap();
        suite.stop().await;
    }

    // P7: a page of contacts ends before it is more than a client takes.
    async fn contacts_who_have_much_to_say_come_on_more_pages(engine) {
        let suite = suite(engine).await;
        let (mut attributes, mut contacts) = (attributes(&suite), agent(&suite));
        for number in 0..60 {
            define(&mut attributes, &format!("k{number}"), AttributeType::Text).await.unwrap();
        }
        // 60 texts of 1,000 characters, three bytes each.
        let much: Vec<_> = (0..60).map(|number| text(&format!("k{number}"), &"語".repeat(1_000))).collect();
        for name in 0..14 {
            let request = CreateContactRequest {
                profile: Some(named(&name.to_string())),
                attributes: much.clone(),
                ..CreateContactRequest::default()
            };
            contacts.create_contact(request).await.unwrap();
        }
        let (mut seen, mut pages, mut page_token) = (0, 0, String::new());
        loop {
            let request = ListContactsRequest { page_size: 200, page_token, ..Default::default() };
            let page = contacts.list_contacts(request).await.unwrap().into_inner();
            (seen, pages, page_token) = (seen + page.contacts.len(), pages + 1, page.next_page_token);
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!((seen, pages), (14, 2));
        suite.stop().await;
    }
}
