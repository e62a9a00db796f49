//! Storms: much comes at once, nothing is lost, and nobody is told five thousand times.

use std::time::Duration;

use kernel::Clock;
use proto::notifications::v1 as pb;
use proto::notifications::v1::{ChannelOutcome, DeliveryCause, DeliveryChannel};

use super::planned::register;
use super::{World, causes};
use crate::support::{count, list_of, mention, notify, person};

testkit::on_both_databases! {
    // D6
    async fn five_thousand_mentions_in_a_minute_are_all_in_the_feed_and_end_in_a_handful_of_emails_and_pushes(engine) {
        let mut world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        register(&world.suite, "phone").await;
        let conversations: Vec<String> = (0..3).map(|_| Clock::system().new_id().to_string()).collect();
        let about = |number: usize| pb::NotificationEvent {
            conversation_id: conversations[number % 3].clone(),
            ..mention(&["ana"])
        };
        for batch in 0..50 {
            let events = (0..100).map(|number| about(batch * 100 + number)).collect();
            notify(&mut world.ingest, events).await;
            world.suite.hand().advance(Duration::from_secs(1));
        }
        let mut reader = person(&world.suite, "acme", "ana");
        assert_eq!(count(&mut reader).await, (5_000, 5_000));
        let newest = pb::ListNotificationsRequest { page_size: 1, ..Default::default() };
        let newest = list_of(&mut reader, newest).await.remove(0);
        let [_, email, push] = world.explained(&mut ana, &newest).await;
        let queued = world.deliveries("ana").await;
        let of = |channel| queued.iter().filter(|it| it.channel() == channel).count();
        // Five singles, and one with all the rest; pushes that are due meanwhile close their bundle.
        assert_eq!(of(DeliveryChannel::Email), 6);
        assert!((11..=13).contains(&of(DeliveryChannel::WebPush)), "{queued:?}");
        for channel in [&email, &push] {
            assert_eq!(causes(channel), [DeliveryCause::Storm, DeliveryCause::DefaultOn]);
        }
        assert_eq!((email.outcome(), email.told_together), (ChannelOutcome::Waiting, 4_995));
        assert!(email.summary.contains("4994 other entries are told in the same email."), "{}", email.summary);
        assert!(email.summary.contains("Much came in a short time"), "{}", email.summary);
    }
}
