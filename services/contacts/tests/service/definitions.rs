//! C4: what attributes there are.

use contacts::domain::{Choices, Definition, Key, Line, ValueType};
use contacts::store::{MIGRATIONS, definitions};
use db::test_support::{org, run};
use db::{DbError, Engine};
use futures::future::join_all;
use prost_types::FieldMask;
use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::{
    AttributeDefinition, AttributeType, CreateAttributeDefinitionRequest, DeleteAttributeDefinitionRequest,
    GetAttributeDefinitionRequest, ListAttributeDefinitionsRequest, UpdateAttributeDefinitionRequest,
};
use testkit::on_both_databases;
use tonic::{Code, Status};

use crate::desk::{
    Attributes, agent, attributes, broken_fields, create, define, get, named, refusal, set, suite, texts,
    value,
};

async fn update(
    attributes: &mut Attributes,
    request: UpdateAttributeDefinitionRequest,
) -> Result<AttributeDefinition, Status> {
    Ok(attributes.update_attribute_definition(request).await?.into_inner().definition.unwrap())
}

fn change(key: &str, paths: &[&str]) -> UpdateAttributeDefinitionRequest {
    UpdateAttributeDefinitionRequest {
        key: key.to_owned(),
        update_mask: (!paths.is_empty()).then(|| FieldMask { paths: texts(paths) }),
        ..UpdateAttributeDefinitionRequest::default()
    }
}

async fn delete(attributes: &mut Attributes, key: &str, delete_values: bool) -> Result<(), Status> {
    let request =
        DeleteAttributeDefinitionRequest { key: key.to_owned(), delete_values, etag: String::new() };
    attributes.delete_attribute_definition(request).await.map(drop)
}

async fn read(attributes: &mut Attributes, key: &str) -> Result<AttributeDefinition, Status> {
    let request = GetAttributeDefinitionRequest { key: key.to_owned() };
    Ok(attributes.get_attribute_definition(request).await?.into_inner().definition.unwrap())
}

on_both_databases! {
    // C4
    async fn a_definition_is_made_read_and_changed(engine) {
        let suite = suite(engine).await;
        let mut attributes = attributes(&suite);
        let request = CreateAttributeDefinitionRequest {
            key: "plan".to_owned(),
            display_name: "Tarif 🏷️".to_owned(),
            description: "Was sie zahlen".to_owned(),
            r#type: AttributeType::Choice.into(),
            choices: texts(&["Gold", "basic", "مجاني"]),
            request_id: "01890a5d-ac96-774b-bcce-b302099a8059".to_owned(),
        };
        let made = attributes.create_attribute_definition(request.clone()).await.unwrap().into_inner().definition.unwrap();
        let again = attributes.create_attribute_definition(request).await.unwrap().into_inner().definition.unwrap();
        assert_eq!(again, made, "a repeated request makes one definition");
        assert_eq!((made.etag.as_str(), made.choices.as_slice()), ("v1", texts(&["Gold", "basic", "مجاني"]).as_slice()));
        assert_eq!(read(&mut attributes, "plan").await.unwrap(), made);

        let nameless = UpdateAttributeDefinitionRequest {
            choices: texts(&["basic", "Gold"]),
            ..change("plan", &["display_name", "choices"])
        };
        let changed = update(&mut attributes, nameless.clone()).await.unwrap();
        assert_eq!((changed.display_name.as_str(), changed.etag.as_str()), ("plan", "v2"), "without a name it is the key");
        assert_eq!((&changed.choices, &changed.description), (&texts(&["basic", "Gold"]), &made.description));
        assert_eq!(update(&mut attributes, nameless).await.unwrap(), changed, "what changes nothing leaves the etag");

        let stale = UpdateAttributeDefinitionRequest { etag: made.etag, archived: true, ..change("plan", &[]) };
        assert_eq!(refusal(&update(&mut attributes, stale).await.unwrap_err()).1, "STALE_ETAG");
        assert_eq!(refusal(&update(&mut attributes, change("plan", &["type"])).await.unwrap_err()).1, "UNKNOWN_UPDATE_PATH");
        assert_eq!(broken_fields(&update(&mut attributes, change("plan", &["choices"])).await.unwrap_err()), ["choices"]);
        assert_eq!(update(&mut attributes, change("absent", &["archived"])).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(read(&mut attributes, "No Key").await.unwrap_err().code(), Code::NotFound);
        suite.stop().await;
    }

    // C4, P4
    async fn what_cannot_be_defined_is_named(engine) {
        let suite = suite(engine).await;
        let mut attributes = attributes(&suite);
        let request = |key: &str, of: AttributeType, choices: &[&str]| CreateAttributeDefinitionRequest {
            key: key.to_owned(), r#type: of.into(), choices: texts(choices), ..Default::default()
        };
        for (request, field) in [
            (request("Plan", AttributeType::Text, &[]), "key"),
            (request("plan", AttributeType::Unspecified, &[]), "type"),
            (request("plan", AttributeType::Choice, &[]), "choices"),
            (request("plan", AttributeType::Choice, &["a", "a"]), "choices"),
            (request("plan", AttributeType::Number, &["a"]), "choices"),
            (request("plan", AttributeType::Choice, &["a\nb"]), "choices[0]"),
        ] {
            let refused = attributes.create_attribute_definition(request).await.unwrap_err();
            assert_eq!(broken_fields(&refused), [field]);
        }
        define(&mut attributes, "plan", AttributeType::Text).await.unwrap();
        let (code, _, metadata) = refusal(&define(&mut attributes, "plan", AttributeType::Date).await.unwrap_err());
        assert_eq!((code, metadata.get("field").map(String::as_str)), (Code::AlreadyExists, Some("key")));
        suite.stop().await;
    }

    // C4, P7
    async fn definitions_are_paged_by_key_and_archived_ones_shown_on_demand(engine) {
        let suite = suite(engine).await;
        let mut attributes = attributes(&suite);
        for key in ["b", "c", "a", "d_1", "d"] {
            define(&mut attributes, key, AttributeType::Text).await.unwrap();
        }
        update(&mut attributes, UpdateAttributeDefinitionRequest { archived: true, ..change("c", &[]) }).await.unwrap();
        let list = |include_archived, page_size, page_token: &str| ListAttributeDefinitionsRequest {
            include_archived, page_size, page_token: page_token.to_owned(),
        };
        let keys = |definitions: Vec<AttributeDefinition>| definitions.into_iter().map(|one| one.key).collect::<Vec<_>>();
        let first = attributes.list_attribute_definitions(list(false, 3, "")).await.unwrap().into_inner();
        assert_eq!(keys(first.definitions), ["a", "b", "d"]);
        let second = attributes.list_attribute_definitions(list(false, 3, &first.next_page_token)).await.unwrap().into_inner();
        assert_eq!((keys(second.definitions), second.next_page_token.as_str()), (texts(&["d_1"]), ""));
        let other = attributes.list_attribute_definitions(list(true, 3, &first.next_page_token)).await.unwrap_err();
        assert_eq!(refusal(&other).1, "INVALID_PAGE_TOKEN");
        let all = attributes.list_attribute_definitions(list(true, 0, "")).await.unwrap().into_inner();
        assert_eq!(keys(all.definitions), ["a", "b", "c", "d", "d_1"]);
        suite.stop().await;
    }

    // C4
    async fn there_is_an_end_to_definitions_and_a_way_back(engine) {
        let suite = suite(engine).await;
        let mut attributes = attributes(&suite);
        for number in 0..100 {
            define(&mut attributes, &format!("k{number}"), AttributeType::Text).await.unwrap();
        }
        let (code, reason, metadata) = refusal(&define(&mut attributes, "more", AttributeType::Text).await.unwrap_err());
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "LIMIT_REACHED"));
        assert_eq!(metadata.get("limit").map(String::as_str), Some("100"));
        delete(&mut attributes, "k7", false).await.unwrap();
        define(&mut attributes, "more", AttributeType::Text).await.unwrap();
        suite.stop().await;
    }

    // C4
    async fn a_definition_with_values_goes_only_together_with_them(engine) {
        let suite = suite(engine).await;
        let (mut attributes, mut contacts) = (attributes(&suite), agent(&suite));
        define(&mut attributes, "plan", AttributeType::Choice).await.unwrap();
        define(&mut attributes, "vip", AttributeType::Boolean).await.unwrap();
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        let values = vec![value("plan", Value::Choice("gold".to_owned())), value("vip", Value::Boolean(true))];
        set(&mut attributes, &ana, values).await.unwrap();

        let refused = delete(&mut attributes, "plan", false).await.unwrap_err();
        let (code, reason, metadata) = refusal(&refused);
        assert_eq!((code, reason.as_str()), (Code::FailedPrecondition, "IN_USE"));
        assert!(refused.message().contains("delete_values"), "{}", refused.message());
        assert_eq!(metadata.get("used_by").map(String::as_str), Some("contact"));
        assert!(!read(&mut attributes, "plan").await.unwrap().archived, "a refusal changes nothing");
        let with_etag = |etag: &str| DeleteAttributeDefinitionRequest {
            key: "plan".to_owned(),
            delete_values: true,
            etag: etag.to_owned(),
        };
        let stale = attributes.delete_attribute_definition(with_etag("v9")).await.unwrap_err();
        assert_eq!(refusal(&stale).1, "STALE_ETAG");
        attributes.delete_attribute_definition(with_etag("v1")).await.unwrap();
        assert_eq!(delete(&mut attributes, "plan", true).await.unwrap_err().code(), Code::NotFound);
        let left = get(&mut contacts, &ana.contact_id).await.unwrap();
        assert_eq!((left.attributes, left.etag.as_str()), (vec![value("vip", Value::Boolean(true))], "v3"));

        define(&mut attributes, "plan", AttributeType::Number).await.unwrap();
        let set = set(&mut attributes, &ana, vec![value("plan", Value::Number(2.0))]).await.unwrap();
        assert_eq!(set.attributes.len(), 2, "the key is free for another type");
        suite.stop().await;
    }

    // C4
    async fn a_choice_that_contacts_have_cannot_be_taken_away(engine) {
        let suite = suite(engine).await;
        let (mut attributes, mut contacts) = (attributes(&suite), agent(&suite));
        define(&mut attributes, "plan", AttributeType::Choice).await.unwrap();
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        set(&mut attributes, &ana, vec![value("plan", Value::Choice("gold".to_owned()))]).await.unwrap();
        let with = |choices: &[&str]| UpdateAttributeDefinitionRequest { choices: texts(choices), ..change("plan", &[]) };
        let refused = update(&mut attributes, with(&["basic"])).await.unwrap_err();
        assert_eq!(refusal(&refused).1, "IN_USE");
        assert!(refused.message().contains("give them another first"), "{}", refused.message());
        assert_eq!(update(&mut attributes, with(&["gold", "silver"])).await.unwrap().choices, ["gold", "silver"]);
        set(&mut attributes, &ana, vec![value("plan", Value::Choice("silver".to_owned()))]).await.unwrap();
        assert_eq!(update(&mut attributes, with(&["silver"])).await.unwrap().choices, ["silver"]);
        suite.stop().await;
    }

    // C4: of those who set and the one who deletes at the same moment, no value is left over.
    async fn no_value_outlives_its_definition(engine) {
        let suite = suite(engine).await;
        let (mut own, mut contacts) = (attributes(&suite), agent(&suite));
        define(&mut own, "score", AttributeType::Number).await.unwrap();
        let mut people = Vec::new();
        for number in 0..10 {
            people.push(create(&mut contacts, named(&number.to_string())).await.unwrap());
        }
        let setters = people.iter().enumerate().map(|(number, contact)| {
            let (mut attributes, contact) = (attributes(&suite), contact.clone());
            async move {
                for round in 0..5_u8 {
                    let score = value("score", Value::Number(f64::from(round)));
                    let answer = set(&mut attributes, &contact, vec![score]).await;
                    if let Err(status) = answer {
                        assert_eq!(broken_fields(&status).len(), 1, "{number}: {status:?}");
                    }
                }
            }
        });
        let deleted = async {
            let mut attributes = attributes(&suite);
            delete(&mut attributes, "score", true).await.unwrap();
        };
        futures::future::join(join_all(setters), deleted).await;
        for contact in &people {
            assert_eq!(get(&mut contacts, &contact.contact_id).await.unwrap().attributes, []);
        }
        suite.stop().await;
    }
}

// C4: what keeps a value from being checked against a definition that is archived or deleted at the same moment. SQLite has one
// writer at a time.
#[test]
fn a_definition_stays_as_it_is_while_values_are_checked_against_it() {
    run(Engine::Postgres, &MIGRATIONS, |db| async move {
        let now = db.clock.now();
        let key = Key::parse("plan").unwrap();
        let plan = Definition {
            key: key.clone(),
            version: 1,
            display_name: Line::default(),
            description: Line::default(),
            value_type: ValueType::Text,
            choices: Choices::default(),
            archived: false,
            create_time: now,
            update_time: now,
        };
        let (acme, other) = (org("acme"), db.db.clone());
        let insert = db.write(&acme, move |tx| Box::pin(async move { definitions::insert(tx, &plan).await }));
        insert.await.unwrap();
        let held = db.write(&acme, move |tx| {
            Box::pin(async move {
                definitions::hold(tx, &[&key]).await?;
                let changer = org("acme");
                let changed = other
                    .write(&changer, move |tx| Box::pin(async move { definitions::lock(tx, &key).await }));
                Ok::<_, DbError>(changed.await)
            })
        });
        assert_eq!(held.await.unwrap(), Err(DbError::Busy));
    });
}
