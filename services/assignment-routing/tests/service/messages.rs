//! Messages: pages of long ones, and the same one delivered twice at once.

use std::collections::HashSet;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::routing::v1::*;
use tonic::Code;

use crate::world::{World, inbound, refusal};

/// The positions on each page of a conversation's messages.
async fn pages(world: &World, it: &Conversation, page_size: i32) -> Vec<Vec<i64>> {
    let mut contact = world.conversations(&it.contact_id, Role::Contact);
    let mut request =
        ListMessagesRequest { conversation_id: it.conversation_id.clone(), page_size, ..Default::default() };
    let mut pages = Vec::new();
    loop {
        let page = contact.list_messages(request.clone()).await.unwrap().into_inner();
        pages.push(page.messages.iter().map(|message| message.position).collect());
        if page.next_page_token.is_empty() {
            return pages;
        }
        request.page_token = page.next_page_token;
    }
}

testkit::on_both_databases! {
    // P7
    async fn a_page_of_long_messages_ends_at_two_mebibytes(engine) {
        let world = World::on(engine).await;
        let long = |message: i64| RecordMessageRequest {
            text: "x".repeat(64 * 1024),
            ..inbound("c-1", &message.to_string())
        };
        let it = world.record(long(1)).await.conversation.unwrap();
        for message in 2..=40 {
            world.record(long(message)).await;
        }
        assert_eq!(pages(&world, &it, 200).await, [(1..=32).collect::<Vec<i64>>(), (33..=40).collect()]);
        assert_eq!(pages(&world, &it, 20).await, [(1..=20).collect::<Vec<i64>>(), (21..=40).collect()]);
    }

    // P7
    async fn a_page_of_short_messages_ends_at_its_size(engine) {
        let world = World::on(engine).await;
        let it = world.begin("c-1").await;
        for message in 2..=70 {
            world.record(inbound("c-1", &message.to_string())).await;
        }
        for size in [31, 32, 33, 64, 69, 70, 71] {
            let all: Vec<i64> = (1..=70).collect();
            let expected: Vec<_> = all.chunks(usize::try_from(size).unwrap()).map(<[i64]>::to_vec).collect();
            assert_eq!(pages(&world, &it, size).await, expected, "{size}");
        }
    }

    // P4 R5
    async fn a_message_may_be_without_text_and_is_never_blank(engine) {
        let world = World::on(engine).await;
        let blank = RecordMessageRequest { text: " \n\t ".into(), ..inbound("c-1", "1") };
        let refused = world.adapter().record_message(blank).await.unwrap_err();
        assert_eq!(refusal(&refused), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        assert_eq!(refused.message(), "text must have something other than white space");
        // A picture, say: what the channel had beside the text is not recorded here.
        let wordless = RecordMessageRequest { text: String::new(), ..inbound("c-1", "1") };
        assert_eq!(world.record(wordless).await.message.unwrap().text, "");
    }

    // R5
    async fn one_message_that_begins_several_conversations_at_once_begins_one(engine) {
        let world = World::on(engine).await;
        for round in 0..5 {
            let conversations = (0..4).map(|number| format!("c-{round}-{number}"));
            let deliver = async |conversation: String| {
                let external_id = format!("m-{round}");
                world.record(RecordMessageRequest { external_id, ..inbound(&conversation, "1") }).await
            };
            let recorded = futures::future::join_all(conversations.map(deliver)).await;
            let ids: HashSet<_> =
                recorded.iter().map(|it| it.message.as_ref().unwrap().message_id.as_str()).collect();
            assert_eq!((ids.len(), recorded.iter().filter(|it| it.duplicate).count()), (1, 3));
        }
        assert_eq!(world.view("ana", InboxView::All).await.len(), 5);
    }
}
