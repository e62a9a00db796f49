//! Nothing of an erased person is left in what merges kept (P12), whoever they were merged with and however that ended.

use kernel::{Clock, Role};
use proto::contacts::v1::erasure_service_client::ErasureServiceClient;
use proto::contacts::v1::*;
use tonic::Code;

use crate::desk::texts;
use crate::merge_desk::Desk;

/// Erases the contact as it is now; the other services are not waited for.
async fn erase(desk: &mut Desk, contact: &Contact) {
    let etag = desk.get(&contact.contact_id).await.etag;
    let request =
        EraseContactRequest { contact_id: contact.contact_id.clone(), etag, request_id: String::new() };
    let mut erasures = ErasureServiceClient::new(desk.suite.client("acme", "root", Role::Admin));
    erasures.erase_contact(request).await.unwrap();
}

async fn merge_of(desk: &mut Desk, merge_id: &str) -> Option<GetMergeResponse> {
    match desk.merges.get_merge(GetMergeRequest { merge_id: merge_id.to_owned() }).await {
        Ok(answer) => Some(answer.into_inner()),
        Err(refused) => {
            assert_eq!(refused.code(), Code::NotFound);
            None
        }
    }
}

/// Merges, and takes back: the merge's id.
async fn for_a_while(desk: &mut Desk, from: &Contact, into: &Contact) -> String {
    let merge = desk.merge_id(from, into).await;
    desk.unmerge(&merge).await.unwrap();
    merge
}

testkit::on_both_databases! {
    // P12 C6
    async fn merges_that_were_made_while_an_erased_one_was_part_of_a_contact_go_with_them(engine) {
        let mut desk = Desk::on(engine).await;
        let (a, b) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let (c, d, e) = (desk.contact(3, "").await, desk.contact(4, "").await, desk.contact(5, "").await);
        let early = for_a_while(&mut desk, &d, &b).await;
        let onwards = for_a_while(&mut desk, &b, &d).await;

        let of_both = desk.merge_id(&a, &b).await;
        let into_it = for_a_while(&mut desk, &d, &b).await;
        let of_it = desk.merge_id(&b, &c).await;
        let into_next = for_a_while(&mut desk, &e, &c).await;
        desk.unmerge(&of_it).await.unwrap();
        desk.unmerge(&of_both).await.unwrap();

        let late = for_a_while(&mut desk, &d, &b).await;
        let later = for_a_while(&mut desk, &e, &c).await;
        let standing = desk.merge_id(&b, &c).await;
        assert!(format!("{:?}", merge_of(&mut desk, &into_next).await).contains("Person1@x.org"));
        erase(&mut desk, &a).await;
        for gone in [&of_both, &into_it, &of_it, &into_next] {
            assert_eq!(merge_of(&mut desk, gone).await, None, "it had what the erased one was");
        }
        for kept in [&early, &onwards, &late, &later, &standing] {
            let merge = merge_of(&mut desk, kept).await.unwrap();
            assert!(!format!("{merge:?}").contains("Person1@x.org"));
        }
        assert_eq!(desk.get(&b.contact_id).await.contact_id, c.contact_id, "what stands, stands");
        desk.unmerge(&standing).await.unwrap();
        assert_eq!(desk.get(&b.contact_id).await.emails, ["Person2@x.org"]);
    }

    // P12 C6
    async fn whoever_is_erased_with_another_is_gone_from_what_they_were_part_of_before(engine) {
        let mut desk = Desk::on(engine).await;
        let (a, b) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let (c, d) = (desk.contact(3, "").await, desk.contact(4, "").await);
        let before = desk.merge_id(&a, &c).await;
        let meanwhile = for_a_while(&mut desk, &d, &c).await;
        desk.unmerge(&before).await.unwrap();
        desk.merge_id(&a, &b).await;
        erase(&mut desk, &b).await;
        for gone in [&before, &meanwhile] {
            assert_eq!(merge_of(&mut desk, gone).await, None);
        }
    }

    // P12 P5
    async fn a_retry_does_not_answer_with_an_erased_one_who_was_part_of_the_contact(engine) {
        let mut desk = Desk::on(engine).await;
        let (a, b) = (desk.contact(1, "").await, desk.contact(2, "").await);
        let merge = desk.merge_id(&a, &b).await;
        let request = UpdateContactRequest {
            contact_id: b.contact_id.clone(),
            profile: Some(ContactProfile { company: "x".to_owned(), ..ContactProfile::default() }),
            update_mask: Some(prost_types::FieldMask { paths: texts(&["company"]) }),
            request_id: Clock::system().new_id().to_string(),
            ..Default::default()
        };
        let first = desk.contacts.update_contact(request.clone()).await.unwrap().into_inner().contact.unwrap();
        assert_eq!(first.emails.len(), 2);
        desk.unmerge(&merge).await.unwrap();
        erase(&mut desk, &a).await;
        let again = desk.contacts.update_contact(request).await.unwrap().into_inner().contact.unwrap();
        assert_eq!(again.emails, ["Person2@x.org"], "the first answer went with the person");
    }
}
