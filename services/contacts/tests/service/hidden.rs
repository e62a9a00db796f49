//! P2: nothing of what colleagues add is for the contact.

use kernel::Role;
use proto::contacts::v1::attribute_value::Value;
use proto::contacts::v1::*;
use testkit::on_both_databases;
use tonic::Status;

use crate::desk::{
    Attributes, Lists, Searches, agent, attributes, client, create, define, get, lists, named, refusal, set,
    suite, texts, value,
};

/// A refusal of every RPC about lists, attributes and searches.
async fn all_of_it(
    lists: &mut Lists,
    attributes: &mut Attributes,
    searches: &mut Searches,
    contact_id: &str,
    list_id: &str,
) -> Vec<Status> {
    let (contact_id, list_id) = (contact_id.to_owned(), list_id.to_owned());
    let (contact_ids, key) = (vec![contact_id.clone()], "plan".to_owned());
    let name = "x".to_owned();
    vec![
        lists
            .create_list(CreateListRequest { display_name: name.clone(), ..Default::default() })
            .await
            .map(drop),
        lists.get_list(GetListRequest { list_id: list_id.clone() }).await.map(drop),
        lists.list_lists(ListListsRequest::default()).await.map(drop),
        lists
            .update_list(UpdateListRequest {
                list_id: list_id.clone(),
                display_name: name,
                ..Default::default()
            })
            .await
            .map(drop),
        lists
            .delete_list(DeleteListRequest { list_id: list_id.clone(), ..Default::default() })
            .await
            .map(drop),
        lists
            .add_list_members(AddListMembersRequest {
                list_id: list_id.clone(),
                contact_ids: contact_ids.clone(),
            })
            .await
            .map(drop),
        lists
            .remove_list_members(RemoveListMembersRequest { list_id: list_id.clone(), contact_ids })
            .await
            .map(drop),
        lists.list_members(ListMembersRequest { list_id, ..Default::default() }).await.map(drop),
        lists
            .list_contact_lists(ListContactListsRequest {
                contact_id: contact_id.clone(),
                ..Default::default()
            })
            .await
            .map(drop),
        attributes
            .create_attribute_definition(CreateAttributeDefinitionRequest {
                key: key.clone(),
                r#type: AttributeType::Text.into(),
                ..Default::default()
            })
            .await
            .map(drop),
        attributes
            .get_attribute_definition(GetAttributeDefinitionRequest { key: key.clone() })
            .await
            .map(drop),
        attributes.list_attribute_definitions(ListAttributeDefinitionsRequest::default()).await.map(drop),
        attributes
            .update_attribute_definition(UpdateAttributeDefinitionRequest {
                key: key.clone(),
                archived: true,
                ..Default::default()
            })
            .await
            .map(drop),
        attributes
            .delete_attribute_definition(DeleteAttributeDefinitionRequest { key, ..Default::default() })
            .await
            .map(drop),
        attributes
            .set_contact_attributes(SetContactAttributesRequest { contact_id, ..Default::default() })
            .await
            .map(drop),
        searches
            .search_contacts(SearchContactsRequest { query: "ana".to_owned(), ..Default::default() })
            .await
            .map(drop),
    ]
    .into_iter()
    .map(Result::unwrap_err)
    .collect()
}

on_both_databases! {
    // P2, C3, C4, C5
    async fn a_contact_is_denied_all_of_it_and_sees_none_of_it(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut attributes, mut lists) = (agent(&suite), attributes(&suite), lists(&suite));
        let own = create(&mut contacts, named("Ana")).await.unwrap();
        let mut ana = client(&suite, "acme", &own.contact_id, Role::Contact);
        let before = get(&mut ana, &own.contact_id).await.unwrap();

        define(&mut attributes, "plan", AttributeType::Text).await.unwrap();
        set(&mut attributes, &own, vec![value("plan", Value::Text("canary-attribute".to_owned()))]).await.unwrap();
        let list = lists
            .create_list(CreateListRequest { display_name: "canary-list".to_owned(), ..Default::default() })
            .await.unwrap().into_inner().list.unwrap();
        lists
            .add_list_members(AddListMembersRequest { list_id: list.list_id.clone(), contact_ids: vec![own.contact_id.clone()] })
            .await.unwrap();
        contacts
            .tag_contact(TagContactRequest { contact_id: own.contact_id.clone(), add: texts(&["canary-tag"]), remove: vec![] })
            .await.unwrap();

        let seen = get(&mut ana, &own.contact_id).await.unwrap();
        assert_eq!(seen, before, "nothing of it shows");
        assert!(!format!("{seen:?}").contains("canary"));
        let mut theirs = (
            Lists::new(suite.client("acme", &own.contact_id, Role::Contact)),
            Attributes::new(suite.client("acme", &own.contact_id, Role::Contact)),
            Searches::new(suite.client("acme", &own.contact_id, Role::Contact)),
        );
        for (index, status) in
            all_of_it(&mut theirs.0, &mut theirs.1, &mut theirs.2, &own.contact_id, &list.list_id).await.iter().enumerate()
        {
            assert_eq!(refusal(status).1, "ROLE_NOT_ALLOWED", "call {index}");
        }
        suite.stop().await;
    }

    // P1
    async fn another_organizations_list_answers_as_one_that_never_was(engine) {
        let suite = suite(engine).await;
        let (mut contacts, mut lists) = (agent(&suite), lists(&suite));
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        let list = lists
            .create_list(CreateListRequest { display_name: "ours".to_owned(), ..Default::default() })
            .await.unwrap().into_inner().list.unwrap();
        let mut theirs = (
            Lists::new(suite.client("globex", "mallory", Role::Admin)),
            Attributes::new(suite.client("globex", "mallory", Role::Admin)),
            client(&suite, "globex", "mallory", Role::Admin),
        );
        let absent = theirs.0
            .get_list(GetListRequest { list_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned() }).await.unwrap_err();
        let own = create(&mut theirs.2, named("Eve")).await.unwrap();
        let (list_id, theirs_id) = (list.list_id.clone(), vec![own.contact_id]);
        let foreign = [
            theirs.0.get_list(GetListRequest { list_id: list_id.clone() }).await.map(drop),
            theirs.0
                .update_list(UpdateListRequest { list_id: list_id.clone(), display_name: "x".to_owned(), ..Default::default() })
                .await
                .map(drop),
            theirs.0.delete_list(DeleteListRequest { list_id: list_id.clone(), ..Default::default() }).await.map(drop),
            theirs.0
                .add_list_members(AddListMembersRequest { list_id: list_id.clone(), contact_ids: theirs_id.clone() })
                .await
                .map(drop),
            theirs.0
                .remove_list_members(RemoveListMembersRequest { list_id: list_id.clone(), contact_ids: theirs_id.clone() })
                .await
                .map(drop),
            theirs.0.list_members(ListMembersRequest { list_id: list_id.clone(), ..Default::default() }).await.map(drop),
            theirs.0
                .list_contact_lists(ListContactListsRequest { contact_id: ana.contact_id.clone(), ..Default::default() })
                .await
                .map(drop),
            theirs.1.get_attribute_definition(GetAttributeDefinitionRequest { key: "plan".to_owned() }).await.map(drop),
        ];
        for (index, answer) in foreign.into_iter().enumerate() {
            let status = answer.unwrap_err();
            assert_eq!((status.code(), status.message()), (absent.code(), absent.message()), "call {index}");
            assert_eq!(status.details(), absent.details(), "call {index}: not a byte tells them apart");
        }
        // Another's contact and one that never was, which are told by their place in the request.
        let mut answers = Vec::new();
        for contact_ids in [theirs_id, vec!["01890a5d-ac96-774b-bcce-b302099a8057".to_owned()]] {
            let request = AddListMembersRequest { list_id: list_id.clone(), contact_ids };
            let status = lists.add_list_members(request).await.unwrap_err();
            answers.push((status.code(), status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1], "not a byte tells them apart");
        assert!(theirs.0.list_lists(ListListsRequest::default()).await.unwrap().into_inner().lists.is_empty());
        let now = lists.get_list(GetListRequest { list_id: list.list_id.clone() }).await.unwrap().into_inner().list;
        assert_eq!(now, Some(list));
        suite.stop().await;
    }
}
