//! C3: named lists with members.

use futures::future::join_all;
use kernel::Role;
use prost_types::FieldMask;
use proto::contacts::v1::list_service_client::ListServiceClient;
use proto::contacts::v1::{
    AddListMembersRequest, ContactList, CreateListRequest, DeleteListRequest, GetListRequest,
    ListContactListsRequest, ListListsRequest, ListMembersRequest, RemoveListMembersRequest,
    UpdateListRequest,
};
use testkit::on_both_databases;
use tonic::{Code, Status};

use crate::desk::{Lists, agent, broken_fields, create, get, lists, named, refusal, suite, texts};

const ABSENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

async fn make(lists: &mut Lists, name: &str) -> Result<ContactList, Status> {
    let request = CreateListRequest { display_name: name.to_owned(), ..CreateListRequest::default() };
    Ok(lists.create_list(request).await?.into_inner().list.unwrap())
}

async fn read(lists: &mut Lists, list_id: &str) -> Result<ContactList, Status> {
    let request = GetListRequest { list_id: list_id.to_owned() };
    Ok(lists.get_list(request).await?.into_inner().list.unwrap())
}

async fn add(lists: &mut Lists, list_id: &str, contact_ids: &[String]) -> Result<ContactList, Status> {
    let request = AddListMembersRequest { list_id: list_id.to_owned(), contact_ids: contact_ids.to_vec() };
    Ok(lists.add_list_members(request).await?.into_inner().list.unwrap())
}

async fn remove(lists: &mut Lists, list_id: &str, contact_ids: &[String]) -> Result<ContactList, Status> {
    let request = RemoveListMembersRequest { list_id: list_id.to_owned(), contact_ids: contact_ids.to_vec() };
    Ok(lists.remove_list_members(request).await?.into_inner().list.unwrap())
}

/// The names on all pages of a list, and how many pages there were.
async fn members(lists: &mut Lists, list_id: &str, page_size: i32) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut page_token) = (Vec::new(), 0, String::new());
    loop {
        let request = ListMembersRequest { list_id: list_id.to_owned(), page_size, page_token };
        let answer = lists.list_members(request).await.unwrap().into_inner();
        names.extend(answer.contacts.into_iter().map(|contact| contact.display_name));
        (pages, page_token) = (pages + 1, answer.next_page_token);
        if page_token.is_empty() {
            return (names, pages);
        }
    }
}

fn update(list: &ContactList, name: &str, description: &str, paths: &[&str]) -> UpdateListRequest {
    UpdateListRequest {
        list_id: list.list_id.clone(),
        display_name: name.to_owned(),
        description: description.to_owned(),
        update_mask: (!paths.is_empty()).then(|| FieldMask { paths: texts(paths) }),
        ..UpdateListRequest::default()
    }
}

on_both_databases! {
    // C3
    async fn a_list_is_made_changed_and_deleted(engine) {
        let suite = suite(engine).await;
        let mut lists = lists(&suite);
        let request = CreateListRequest {
            display_name: "Messe 2026 🎪".to_owned(),
            description: "من المعرض".to_owned(),
            request_id: "01890a5d-ac96-774b-bcce-b302099a8059".to_owned(),
        };
        let made = lists.create_list(request.clone()).await.unwrap().into_inner().list.unwrap();
        let again = lists.create_list(request).await.unwrap().into_inner().list.unwrap();
        assert_eq!(again, made, "a repeated request makes one list");
        assert_eq!((made.etag.as_str(), made.member_count, made.description.as_str()), ("v1", 0, "من المعرض"));
        assert_eq!(read(&mut lists, &made.list_id).await.unwrap(), made);

        let renamed = update(&made, "Messe", "ignored", &["display_name"]);
        let changed = lists.update_list(renamed.clone()).await.unwrap().into_inner().list.unwrap();
        assert_eq!((changed.display_name.as_str(), changed.etag.as_str()), ("Messe", "v2"));
        assert_eq!(changed.description, made.description);
        let same = lists.update_list(renamed).await.unwrap().into_inner().list.unwrap();
        assert_eq!(same, changed, "what changes nothing leaves the etag");
        let emptied = lists.update_list(update(&made, "", "", &["description"])).await.unwrap();
        assert_eq!(emptied.into_inner().list.unwrap().description, "");

        let stale = UpdateListRequest { etag: made.etag.clone(), ..update(&made, "x", "", &[]) };
        assert_eq!(refusal(&lists.update_list(stale).await.unwrap_err()).1, "STALE_ETAG");
        let unknown = lists.update_list(update(&made, "x", "", &["member_count"])).await.unwrap_err();
        assert_eq!(refusal(&unknown).1, "UNKNOWN_UPDATE_PATH");
        let blank = lists.update_list(update(&made, "", "", &["display_name"])).await.unwrap_err();
        assert_eq!(broken_fields(&blank), ["display_name"]);

        let mut supervisor = ListServiceClient::new(suite.client("acme", "sam", Role::Supervisor));
        let delete = DeleteListRequest { list_id: made.list_id.clone(), etag: String::new() };
        assert_eq!(refusal(&lists.delete_list(delete.clone()).await.unwrap_err()).1, "ROLE_NOT_ALLOWED");
        supervisor.delete_list(delete.clone()).await.unwrap();
        assert_eq!(supervisor.delete_list(delete).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(read(&mut lists, &made.list_id).await.unwrap_err().code(), Code::NotFound);
        suite.stop().await;
    }

    // C3
    async fn a_name_is_one_lists_however_it_is_written(engine) {
        let suite = suite(engine).await;
        let mut lists = lists(&suite);
        let made = make(&mut lists, "Ärger").await.unwrap();
        let other = make(&mut lists, "other").await.unwrap();
        let taken = [
            make(&mut lists, " ARGER ").await.unwrap_err(),
            lists.update_list(update(&other, "ärger", "", &[])).await.unwrap_err(),
        ];
        for status in taken {
            let (code, _, metadata) = refusal(&status);
            assert_eq!((code, metadata.get("field").map(String::as_str)), (Code::AlreadyExists, Some("display_name")));
        }
        let own = lists.update_list(update(&made, "ARGER", "", &[])).await.unwrap().into_inner().list.unwrap();
        assert_eq!(own.display_name, "ARGER", "a list may write its own name otherwise");
        assert_eq!(broken_fields(&make(&mut lists, " ").await.unwrap_err()), ["display_name"]);
        assert_eq!(broken_fields(&make(&mut lists, "a\nb").await.unwrap_err()), ["display_name"]);
        suite.stop().await;
    }

    // C3
    async fn members_come_and_go_and_are_counted(engine) {
        let suite = suite(engine).await;
        let (mut lists, mut contacts) = (lists(&suite), agent(&suite));
        let list = make(&mut lists, "vip").await.unwrap();
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            ids.push(create(&mut contacts, named(name)).await.unwrap().contact_id);
        }
        let twice = [ids[0].clone(), ids[1].clone(), ids[0].clone()];
        assert_eq!(add(&mut lists, &list.list_id, &twice).await.unwrap().member_count, 2);
        assert_eq!(add(&mut lists, &list.list_id, &ids).await.unwrap().member_count, 3);
        assert_eq!(add(&mut lists, &list.list_id, &ids).await.unwrap().member_count, 3, "again changes nothing");
        assert_eq!(members(&mut lists, &list.list_id, 2).await, (texts(&["c", "b", "a"]), 2));

        let absent = [ids[1].clone(), ABSENT.to_owned()];
        assert_eq!(remove(&mut lists, &list.list_id, &absent).await.unwrap().member_count, 2);
        assert_eq!(remove(&mut lists, &list.list_id, &absent).await.unwrap().member_count, 2);
        let refused = add(&mut lists, &list.list_id, &absent).await.unwrap_err();
        let (code, reason, metadata) = refusal(&refused);
        assert_eq!((code, reason.as_str()), (Code::NotFound, "NOT_FOUND"));
        assert_eq!(metadata.get("field").map(String::as_str), Some("contact_ids[1]"), "which of them");
        assert!(refused.message().contains("contact_ids[1]"), "{}", refused.message());
        let now = read(&mut lists, &list.list_id).await.unwrap();
        assert_eq!((now.member_count, now.etag.as_str()), (2, "v1"), "all or none; and the etag is the name's");
        assert_eq!(members(&mut lists, &list.list_id, 0).await, (texts(&["c", "a"]), 1));
        assert_eq!(get(&mut contacts, &ids[0]).await.unwrap().etag, "v1", "the contact itself does not change");
        let bad = [String::from("x"), ids[0].clone()];
        assert_eq!(broken_fields(&add(&mut lists, &list.list_id, &bad).await.unwrap_err()), ["contact_ids[0]"]);
        suite.stop().await;
    }

    // C3, P7
    async fn two_hundred_come_at_once_and_none_is_missed_on_the_pages(engine) {
        let suite = suite(engine).await;
        let (mut lists, mut contacts) = (lists(&suite), agent(&suite));
        let list = make(&mut lists, "all").await.unwrap();
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        for number in 0..200 {
            ids.push(create(&mut contacts, named(&number.to_string())).await.unwrap().contact_id);
            names.insert(0, number.to_string());
        }
        assert_eq!(add(&mut lists, &list.list_id, &ids).await.unwrap().member_count, 200);
        assert_eq!(members(&mut lists, &list.list_id, 23).await, (names.clone(), 9));
        assert_eq!(members(&mut lists, &list.list_id, 200).await, (names, 1));
        let more: Vec<String> = ids.iter().chain(&ids[..1]).cloned().collect();
        assert_eq!(broken_fields(&add(&mut lists, &list.list_id, &more).await.unwrap_err()), ["contact_ids"]);
        assert_eq!(remove(&mut lists, &list.list_id, &ids).await.unwrap().member_count, 0);
        suite.stop().await;
    }

    // C3
    async fn whoever_adds_at_the_same_moment_is_counted(engine) {
        let suite = suite(engine).await;
        let (mut own, mut contacts) = (lists(&suite), agent(&suite));
        let list = make(&mut own, "all").await.unwrap();
        let mut ids = Vec::new();
        for number in 0..12 {
            ids.push(create(&mut contacts, named(&number.to_string())).await.unwrap().contact_id);
        }
        let calls = (0..24).map(|number| {
            let (mut lists, list_id) = (lists(&suite), list.list_id.clone());
            let some: Vec<String> = (0..4).map(|step| ids[(number + step * 3) % 12].clone()).collect();
            async move {
                match number % 3 {
                    0 => remove(&mut lists, &list_id, &some).await.unwrap(),
                    _ => add(&mut lists, &list_id, &some).await.unwrap(),
                }
            }
        });
        join_all(calls).await;
        let there = members(&mut own, &list.list_id, 0).await.0.len();
        assert_eq!(usize::try_from(read(&mut own, &list.list_id).await.unwrap().member_count).unwrap(), there);
        suite.stop().await;
    }

    // C3, P6
    async fn of_many_who_rename_with_one_etag_one_wins(engine) {
        let suite = suite(engine).await;
        let list = make(&mut lists(&suite), "all").await.unwrap();
        let renames = (0..12).map(|number| {
            let mut lists = lists(&suite);
            let request =
                UpdateListRequest { etag: list.etag.clone(), ..update(&list, &format!("name {number}"), "", &[]) };
            async move { lists.update_list(request).await }
        });
        let (won, lost): (Vec<_>, Vec<_>) = join_all(renames).await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 11));
        assert!(lost.into_iter().all(|lost| refusal(&lost.unwrap_err()).1 == "STALE_ETAG"));
        suite.stop().await;
    }

    // C3, P7
    async fn lists_are_listed_newest_first_also_those_of_a_contact(engine) {
        let suite = suite(engine).await;
        let (mut lists, mut contacts) = (lists(&suite), agent(&suite));
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        for number in 0..5 {
            let list = make(&mut lists, &number.to_string()).await.unwrap();
            if number != 2 {
                add(&mut lists, &list.list_id, std::slice::from_ref(&ana.contact_id)).await.unwrap();
            }
        }
        let names = |lists: Vec<ContactList>| lists.into_iter().map(|list| list.display_name).collect::<Vec<_>>();
        let first = lists.list_lists(ListListsRequest { page_size: 3, ..Default::default() }).await.unwrap().into_inner();
        assert_eq!(names(first.lists), ["4", "3", "2"]);
        let next = ListListsRequest { page_size: 3, page_token: first.next_page_token.clone() };
        let second = lists.list_lists(next).await.unwrap().into_inner();
        assert_eq!((names(second.lists), second.next_page_token.as_str()), (texts(&["1", "0"]), ""));

        let of_ana = |page_token| ListContactListsRequest { contact_id: ana.contact_id.clone(), page_size: 2, page_token };
        let first_of = lists.list_contact_lists(of_ana(String::new())).await.unwrap().into_inner();
        assert_eq!(names(first_of.lists), ["4", "3"]);
        let second_of = lists.list_contact_lists(of_ana(first_of.next_page_token)).await.unwrap().into_inner();
        assert_eq!((names(second_of.lists), second_of.next_page_token.as_str()), (texts(&["1", "0"]), ""));
        let foreign = lists.list_contact_lists(of_ana(first.next_page_token)).await.unwrap_err();
        assert_eq!(refusal(&foreign).1, "INVALID_PAGE_TOKEN");
        let nobody = ListContactListsRequest { contact_id: ABSENT.to_owned(), ..Default::default() };
        assert_eq!(lists.list_contact_lists(nobody).await.unwrap_err().code(), Code::NotFound);
        suite.stop().await;
    }

    // C3
    async fn a_deleted_list_leaves_its_members_contacts(engine) {
        let suite = suite(engine).await;
        let (mut lists, mut contacts) = (lists(&suite), agent(&suite));
        let ana = create(&mut contacts, named("Ana")).await.unwrap();
        let list = make(&mut lists, "gone").await.unwrap();
        add(&mut lists, &list.list_id, std::slice::from_ref(&ana.contact_id)).await.unwrap();
        let mut admin = ListServiceClient::new(suite.client("acme", "admin", Role::Admin));
        let stale = DeleteListRequest { list_id: list.list_id.clone(), etag: "v7".to_owned() };
        assert_eq!(refusal(&admin.delete_list(stale).await.unwrap_err()).1, "STALE_ETAG");
        admin.delete_list(DeleteListRequest { list_id: list.list_id.clone(), etag: list.etag }).await.unwrap();
        assert_eq!(get(&mut contacts, &ana.contact_id).await.unwrap(), ana);
        make(&mut lists, "gone").await.unwrap();
        suite.stop().await;
    }
}
