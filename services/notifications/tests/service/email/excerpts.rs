//! What emails hold of notes: nothing, unless the organization wants it; and it is nowhere else.

use kernel::{Clock, Role};
use proto::notifications::v1 as pb;
use proto::notifications::v1::EmailContent;
use proto::notifications::v1::email_service_client::EmailServiceClient;
use proto::notifications::v1::erasure_service_client::ErasureServiceClient;
use proto::notifications::v1::subscribe_response::Frame;

use super::World;
use crate::support::{PATIENCE, earliest, ingest, list, mention, notify, opened, person};

/// In every excerpt here, and nowhere else.
const CANARY: &str = "canary-9e41";

impl World {
    async fn wants(&self, content: EmailContent) -> pb::Settings {
        let request = pb::UpdateSettingsRequest { email_content: content.into(), ..Default::default() };
        self.admin().update_settings(request).await.unwrap().into_inner().settings.unwrap()
    }

    /// What a service is told that emails of an organization hold.
    async fn content(&self, org: &str) -> EmailContent {
        let mut emails = EmailServiceClient::new(self.suite.client(org, "notes", Role::Service));
        let answer = emails.get_email_content(pb::GetEmailContentRequest {}).await.unwrap();
        answer.get_ref().email_content()
    }

    /// Tells ana something that holds the canary; gives the event.
    async fn tell(&self) -> pb::NotificationEvent {
        let told =
            pb::NotificationEvent { private_excerpt: format!("please\ncall {CANARY}"), ..mention(&["ana"]) };
        notify(&mut ingest(&self.suite, "acme"), vec![told.clone()]).await;
        told
    }

    /// Erases what was told about a conversation; how many excerpts went.
    async fn erase(&self, told: &pb::NotificationEvent) -> u64 {
        let mut erasure = ErasureServiceClient::new(self.suite.client("acme", "contacts", Role::Service));
        let request = pb::EraseConversationsRequest {
            erasure_id: Clock::system().new_id().to_string(),
            conversation_ids: vec![told.conversation_id.clone()],
        };
        let answer = erasure.erase_conversations(request).await.unwrap().into_inner();
        assert!(answer.done);
        answer.removed.iter().filter(|it| it.kind == "excerpts").map(|it| it.count as u64).sum()
    }
}

testkit::on_both_databases! {
    // D4
    async fn no_email_holds_what_was_written_unless_the_organization_wants_it(engine) {
        let world = World::over(engine, "clear").await;
        world.tell().await;
        let email = world.ana.email(0).await;
        assert!(!email.raw.contains(CANARY) && !email.text.contains(CANARY) && !email.html.contains(CANARY));
        assert_eq!(world.wants(EmailContent::Excerpt).await.email_content(), EmailContent::Excerpt);
        world.tell().await;
        let email = world.ana.email(1).await;
        let line = format!("please call {CANARY}");
        assert!(email.text.contains(&format!("> {line}\r\n")) && email.html.contains(&line), "{}", email.text);
        assert!(email.headers.iter().all(|(_, value)| !value.contains(CANARY)), "{:?}", email.headers);
        world.wants(EmailContent::None).await;
        world.tell().await;
        assert!(!world.ana.email(2).await.text.contains(CANARY));
    }

    // D4
    async fn an_excerpt_is_in_no_feed_and_no_stream(engine) {
        let world = World::over(engine, "clear").await;
        world.wants(EmailContent::Excerpt).await;
        let mut ana = person(&world.suite, "acme", "ana");
        world.tell().await;
        assert!(world.ana.email(0).await.text.contains(CANARY), "it is there to leak");
        assert!(!format!("{:?}", list(&mut ana).await).contains(CANARY));
        let mut stream = opened(&mut ana, earliest()).await;
        loop {
            let frame = crate::support::frame(&mut stream).await.unwrap();
            assert!(!format!("{frame:?}").contains(CANARY));
            if matches!(frame.frame, Some(Frame::Notification(_))) {
                break;
            }
        }
    }

    // D4
    async fn what_was_written_while_it_was_not_wanted_is_in_no_later_email(engine) {
        let world = World::after(engine, 2_000).await;
        world.tell().await;
        world.wants(EmailContent::Excerpt).await;
        assert!(!world.ana.email(0).await.text.contains(CANARY), "it was dropped on arrival");
        // And what waits for its email when the organization changes its mind is removed.
        world.tell().await;
        world.wants(EmailContent::None).await;
        world.wants(EmailContent::Excerpt).await;
        assert!(!world.ana.email(1).await.text.contains(CANARY), "it was removed");
    }

    // D4, P12
    async fn an_erasure_removes_excerpts_with_what_else_was_told(engine) {
        let world = World::after(engine, 600_000).await;
        let dropped = world.tell().await;
        world.wants(EmailContent::Excerpt).await;
        let kept = world.tell().await;
        assert_eq!(world.erase(&kept).await, 1);
        assert_eq!(world.erase(&dropped).await, 0, "nothing was kept of it");
        assert_eq!(list(&mut person(&world.suite, "acme", "ana")).await.len(), 0);
    }

    // D4
    async fn senders_learn_whether_excerpts_are_wanted(engine) {
        let world = World::over(engine, "clear").await;
        assert_eq!(world.content("acme").await, EmailContent::None);
        world.wants(EmailContent::Excerpt).await;
        assert_eq!(world.content("acme").await, EmailContent::Excerpt);
        assert_eq!(world.content("umbrella").await, EmailContent::None);
        world.wants(EmailContent::None).await;
        assert_eq!(world.content("acme").await, EmailContent::None);
    }

    // D4, P11
    async fn a_process_that_was_not_there_learns_what_was_decided(engine) {
        let mut world = World::over(engine, "clear").await;
        world.wants(EmailContent::Excerpt).await;
        world.suite.restart().await;
        // It looks when it starts, beside the first calls.
        let patience = tokio::time::Instant::now() + PATIENCE;
        for number in 0.. {
            world.tell().await;
            if world.ana.email(number).await.text.contains(CANARY) {
                break;
            }
            assert!(tokio::time::Instant::now() < patience);
        }
    }
}
