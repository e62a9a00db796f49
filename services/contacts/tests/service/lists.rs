//! P7: lists of contacts.

use kernel::Role;
use proto::contacts::v1::{CreateContactRequest, ListContactsRequest, ListContactsResponse};
use testkit::on_both_databases;
use tonic::Status;

use crate::desk::{Contacts, agent, broken_fields, client, named, refusal, suite, texts};

async fn page(
    contacts: &mut Contacts,
    tag: &str,
    page_size: i32,
    token: &str,
) -> Result<ListContactsResponse, Status> {
    let request = ListContactsRequest { tag: tag.to_owned(), page_size, page_token: token.to_owned() };
    Ok(contacts.list_contacts(request).await?.into_inner())
}

/// Names on all pages, and how many pages there were.
async fn walk(contacts: &mut Contacts, tag: &str, page_size: i32) -> (Vec<String>, usize) {
    let (mut names, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let answer = page(contacts, tag, page_size, &token).await.unwrap();
        names.extend(answer.contacts.into_iter().map(|contact| contact.display_name));
        (pages, token) = (pages + 1, answer.next_page_token);
        if token.is_empty() {
            return (names, pages);
        }
    }
}

async fn make(contacts: &mut Contacts, count: usize) {
    for number in 0..count {
        let tags = if number % 3 == 0 { texts(&["third", "all"]) } else { texts(&["all"]) };
        let request = CreateContactRequest {
            profile: Some(named(&format!("{number}"))),
            tags,
            ..CreateContactRequest::default()
        };
        contacts.create_contact(request).await.unwrap();
    }
}

fn newest_first(numbers: impl DoubleEndedIterator<Item = usize>) -> Vec<String> {
    numbers.rev().map(|number| number.to_string()).collect()
}

on_both_databases! {
    // C1, P7
    async fn contacts_come_newest_first_and_none_is_missed(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        assert_eq!(walk(&mut contacts, "", 10).await, (Vec::new(), 1));
        make(&mut contacts, 60).await;
        assert_eq!(walk(&mut contacts, "", 7).await, (newest_first(0..60), 9));
        assert_eq!(walk(&mut contacts, "", 20).await, (newest_first(0..60), 3), "a full last page has no token");
        assert_eq!(walk(&mut contacts, "", 0).await, (newest_first(0..60), 2), "50 unless asked otherwise");
        let whole = page(&mut contacts, "", 1, "").await.unwrap();
        assert_eq!(whole.contacts[0].tags, ["all"], "a list shows whole contacts");
        suite.stop().await;
    }

    // C3, P7
    async fn a_tag_chooses_who_is_listed(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        make(&mut contacts, 20).await;
        assert_eq!(walk(&mut contacts, "third", 3).await, (newest_first((0..20).step_by(3)), 3));
        assert_eq!(walk(&mut contacts, "nobody's", 3).await, (Vec::new(), 1));
        assert_eq!(broken_fields(&page(&mut contacts, "a\u{0}", 0, "").await.unwrap_err()), ["tag"]);
        suite.stop().await;
    }

    // P7
    async fn who_comes_while_somebody_pages_moves_nobody(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        make(&mut contacts, 4).await;
        let first = page(&mut contacts, "", 2, "").await.unwrap();
        make(&mut contacts, 2).await;
        let second = page(&mut contacts, "", 2, &first.next_page_token).await.unwrap();
        let names: Vec<_> = second.contacts.into_iter().map(|contact| contact.display_name).collect();
        assert_eq!(names, ["1", "0"]);
        suite.stop().await;
    }

    // P7
    async fn a_token_is_good_for_its_own_list_only(engine) {
        let suite = suite(engine).await;
        let mut contacts = agent(&suite);
        make(&mut contacts, 5).await;
        let token = page(&mut contacts, "", 2, "").await.unwrap().next_page_token;
        let mut other = client(&suite, "globex", "ana", Role::Agent);
        let refused = [
            page(&mut contacts, "all", 2, &token).await.unwrap_err(),
            page(&mut contacts, "", 2, "garbage").await.unwrap_err(),
            page(&mut contacts, "", 2, &token[1..]).await.unwrap_err(),
            page(&mut other, "", 2, &token).await.unwrap_err(),
        ];
        for status in refused {
            assert_eq!(refusal(&status).1, "INVALID_PAGE_TOKEN");
            assert_eq!(broken_fields(&status), ["page_token"]);
        }
        assert_eq!(page(&mut contacts, "", 4, &token).await.unwrap().contacts.len(), 3, "another size is allowed");
        suite.stop().await;
    }
}
