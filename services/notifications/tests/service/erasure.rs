//! The part of notifications in the erasure of a contact.

use crate::support::*;
use kernel::{Clock, Role};
use proto::common::v1::{ErasedCount, EventDisposition};
use proto::notifications::v1 as pb;
use proto::notifications::v1::erasure_service_client::ErasureServiceClient;
use proto::notifications::v1::subscribe_response::Frame;
use testkit::{Engine, Suite};

struct Desk {
    suite: Suite,
    ingest: Ingest,
    erased: String,
    kept: String,
}

impl Desk {
    async fn on(engine: Engine) -> Self {
        let suite = suite(engine).await;
        let ingest = ingest(&suite, "acme");
        let [erased, kept] = [(); 2].map(|()| Clock::system().new_id().to_string());
        Self { suite, ingest, erased, kept }
    }

    async fn tell(&mut self, conversation: &str, recipients: &[&str]) -> EventDisposition {
        let conversation_id = conversation.to_owned();
        let told = pb::NotificationEvent { conversation_id, ..mention(recipients) };
        dispositions(&notify(&mut self.ingest, vec![told]).await)[0]
    }

    /// Erases one of the two conversations, until nothing is left.
    async fn erase(&self, erasure_id: &str) -> Vec<ErasedCount> {
        let mut client = ErasureServiceClient::new(self.suite.client("acme", "contacts", Role::Service));
        let request = pb::EraseConversationsRequest {
            erasure_id: erasure_id.to_owned(),
            conversation_ids: vec![self.erased.clone()],
        };
        loop {
            let answer = client.erase_conversations(request.clone()).await.unwrap().into_inner();
            if answer.done {
                return answer.removed;
            }
        }
    }
}

fn entries(count: i64) -> Vec<ErasedCount> {
    vec![ErasedCount { kind: "notifications".to_owned(), count }]
}

testkit::on_both_databases! {
    // P12
    async fn what_people_were_told_about_an_erased_conversation_goes_and_nothing_else(engine) {
        let mut desk = Desk::on(engine).await;
        let (erased, kept) = (desk.erased.clone(), desk.kept.clone());
        for _ in 0..3 {
            desk.tell(&erased, &["ana", "ben"]).await;
            desk.tell(&kept, &["ana"]).await;
        }
        desk.tell(&erased, &["cem"]).await;
        let mut ana = person(&desk.suite, "acme", "ana");
        let first = list(&mut ana).await.into_iter().find(|it| it.conversation_id == erased).unwrap();
        read(&mut ana, &[&first.notification_id]).await;

        let erasure = Clock::system().new_id().to_string();
        assert_eq!(desk.erase(&erasure).await, entries(7));
        assert_eq!(desk.erase(&erasure).await, entries(7), "told again, not counted again");

        let left = list(&mut ana).await;
        assert_eq!(left.iter().map(|it| it.conversation_id.clone()).collect::<Vec<_>>(), vec![kept.clone(); 3]);
        assert_eq!(count(&mut ana).await, (3, 6), "what is gone is not unread any more");
        for subject in ["ben", "cem"] {
            let mut person = person(&desk.suite, "acme", subject);
            assert_eq!((list(&mut person).await, count(&mut person).await.0), (vec![], 0));
        }
        desk.suite.stop().await;
    }

    // P12
    async fn a_late_event_about_an_erased_conversation_tells_nobody(engine) {
        let mut desk = Desk::on(engine).await;
        let (erased, kept) = (desk.erased.clone(), desk.kept.clone());
        let erasure = Clock::system().new_id().to_string();
        assert_eq!(desk.erase(&erasure).await, [], "nothing was told yet");

        assert_eq!(desk.tell(&erased, &["ana"]).await, EventDisposition::Applied, "its sender is done with it");
        assert_eq!(desk.tell(&kept, &["ana"]).await, EventDisposition::Applied);
        let mut ana = person(&desk.suite, "acme", "ana");
        let left = list(&mut ana).await;
        assert_eq!(sequences(&left), [1], "the feed has no gap");
        assert_eq!(left[0].conversation_id, kept);
        assert_eq!(desk.erase(&erasure).await, []);
        desk.suite.stop().await;
    }

    // P12
    async fn whoever_follows_a_feed_from_before_an_erasure_is_told_to_list_again(engine) {
        let mut desk = Desk::on(engine).await;
        let (erased, kept) = (desk.erased.clone(), desk.kept.clone());
        let mut ana = person(&desk.suite, "acme", "ana");
        desk.tell(&kept, &["ana"]).await;
        let mut stream = opened(&mut ana, earliest()).await;
        let (_, token) = entry(&mut stream).await;
        drop(stream);
        desk.tell(&erased, &["ana"]).await;
        desk.erase(&Clock::system().new_id().to_string()).await;

        let mut stream = opened(&mut ana, resume(&token)).await;
        let next = frame(&mut stream).await.unwrap();
        assert!(matches!(next.frame, Some(Frame::ResyncRequired(_))), "{next:?}");
        desk.suite.stop().await;
    }
}
