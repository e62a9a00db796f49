//! C3: tags.

use proto::contacts::v1::{
    Contact, CreateContactRequest, ListTagsRequest, ListTagsResponse, TagContactRequest, TagUse,
};
use testkit::on_both_databases;
use tonic::Status;

use crate::desk::{Contacts, agent, broken_fields, create, get, named, suite, texts};

async fn tag(
    contacts: &mut Contacts,
    of: &Contact,
    add: &[&str],
    remove: &[&str],
) -> Result<Contact, Status> {
    let request =
        TagContactRequest { contact_id: of.contact_id.clone(), add: texts(add), remove: texts(remove) };
    Ok(contacts.tag_contact(request).await?.into_inner().contact.unwrap())
}

async fn tags(contacts: &mut Contacts, page_size: i32, page_token: &str) -> Result<ListTagsResponse, Status> {
    let request = ListTagsRequest { page_size, page_token: page_token.to_owned() };
    Ok(contacts.list_tags(request).await?.into_inner())
}

fn uses(of: &[(&str, i64)]) -> Vec<TagUse> {
    of.iter().map(|(tag, count)| TagUse { tag: (*tag).to_owned(), contact_count: *count }).collect()
}

on_both_databases! {
    // C3
    async fn tags_are_sorted_and_each_there_once(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let request = CreateContactRequest {
            profile: Some(named("Ana")),
            tags: texts(&["vip", "Ärger", "عميل", "Zebra", "⭐ Stammkunde", "apple", "vip"]),
            ..CreateContactRequest::default()
        };
        let made = contacts.create_contact(request).await.unwrap().into_inner().contact.unwrap();
        assert_eq!(made.tags, ["Zebra", "apple", "vip", "Ärger", "عميل", "⭐ Stammkunde"]);
        assert_eq!(get(&mut contacts, &made.contact_id).await.unwrap(), made);
        suite.stop().await;
    }

    // C3
    async fn tagging_twice_changes_nothing(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, named("Ana")).await.unwrap();
        let once = tag(&mut contacts, &made, &["vip", "new", "vip"], &["absent"]).await.unwrap();
        assert_eq!((once.tags.as_slice(), once.etag.as_str()), (texts(&["new", "vip"]).as_slice(), "v2"));
        assert_eq!(tag(&mut contacts, &made, &["vip", "new"], &["absent"]).await.unwrap(), once);
        let removed = tag(&mut contacts, &made, &["vip"], &["new", "vip"]).await.unwrap();
        assert_eq!((removed.tags.as_slice(), removed.etag.as_str()), (texts(&["vip"]).as_slice(), "v3"));
        assert_eq!(tag(&mut contacts, &made, &[], &["new"]).await.unwrap(), removed);
        suite.stop().await;
    }

    // C3
    async fn many_who_tag_at_once_all_have_their_tag_there(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, named("Ana")).await.unwrap();
        let taggers = (0..30).map(|number| {
            let (mut contacts, made) = (agent(&suite), made.clone());
            async move { tag(&mut contacts, &made, &[&format!("tag {number:02}"), "all"], &[]).await.unwrap() }
        });
        futures::future::join_all(taggers).await;
        let read = get(&mut contacts, &made.contact_id).await.unwrap();
        assert_eq!((read.tags.len(), read.etag.as_str()), (31, "v31"));
        suite.stop().await;
    }

    // C3
    async fn a_contact_carries_two_hundred_tags_at_most(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, named("Ana")).await.unwrap();
        for hand in 0..4 {
            let fifty: Vec<String> = (0..50).map(|number| format!("{hand}-{number:02}")).collect();
            let fifty: Vec<&str> = fifty.iter().map(String::as_str).collect();
            tag(&mut contacts, &made, &fifty, &[]).await.unwrap();
        }
        let refused = tag(&mut contacts, &made, &["one more"], &[]).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["add"]);
        assert_eq!(tag(&mut contacts, &made, &["one more"], &["0-00"]).await.unwrap().tags.len(), 200);
        suite.stop().await;
    }

    // C3, P4
    async fn what_is_no_tag_is_named(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        let made = create(&mut contacts, named("Ana")).await.unwrap();
        let refused = tag(&mut contacts, &made, &["a,b", "ok", " a"], &[""]).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["add[0]", "add[2]", "remove[0]"]);
        let refused = tag(&mut contacts, &made, &["ok", "a\u{0}"], &["b\u{0}"]).await.unwrap_err();
        assert_eq!(broken_fields(&refused), ["add[1]", "remove[0]"]);
        suite.stop().await;
    }

    // C3, P7
    async fn tags_in_use_are_counted_and_paged_by_name(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        assert_eq!(tags(&mut contacts, 0, "").await.unwrap(), ListTagsResponse::default());
        for (name, carries) in [("a", &["vip", "Zebra"][..]), ("b", &["vip", "ärger"]), ("c", &["vip"])] {
            let made = create(&mut contacts, named(name)).await.unwrap();
            tag(&mut contacts, &made, carries, &[]).await.unwrap();
        }
        let all = uses(&[("Zebra", 1), ("vip", 3), ("ärger", 1)]);
        assert_eq!(tags(&mut contacts, 3, "").await.unwrap(), ListTagsResponse { tags: all.clone(), ..Default::default() });
        let first = tags(&mut contacts, 2, "").await.unwrap();
        assert_eq!(first.tags, all[..2]);
        let second = tags(&mut contacts, 2, &first.next_page_token).await.unwrap();
        assert_eq!((second.tags.as_slice(), second.next_page_token.as_str()), (&all[2..], ""));
        suite.stop().await;
    }
}
