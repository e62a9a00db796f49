//! Conversations of which people hear in their feed only.

use kernel::Clock;
use proto::common::v1::ErrorReason;
use proto::notifications::v1 as pb;
use proto::notifications::v1::DeliveryCause;
use rpc::reason_of;
use tonic::{Code, Status};

use super::{Preferences, World, causes, update_organization};
use crate::support::mention;

async fn mute(asks: &mut Preferences, conversation: &str) -> Result<pb::Mute, Status> {
    let request = pb::MuteConversationRequest { conversation_id: conversation.to_owned() };
    Ok(asks.mute_conversation(request).await?.into_inner().mute.unwrap())
}

async fn unmute(asks: &mut Preferences, conversation: &str) {
    let request = pb::UnmuteConversationRequest { conversation_id: conversation.to_owned() };
    asks.unmute_conversation(request).await.unwrap();
}

async fn page(asks: &mut Preferences, page_size: i32, page_token: &str) -> (Vec<String>, String) {
    let request = pb::ListMutesRequest { page_size, page_token: page_token.to_owned() };
    let page = asks.list_mutes(request).await.unwrap().into_inner();
    (page.mutes.into_iter().map(|mute| mute.conversation_id).collect(), page.next_page_token)
}

fn conversation(world: &World) -> String {
    let id = Clock::system().new_id().to_string();
    world.routing.conversation("acme", &id);
    id
}

testkit::on_both_databases! {
    // D6
    async fn a_conversation_is_muted_listed_and_heard_of_again(engine) {
        let world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        let mut ids: Vec<String> = (0..3).map(|_| conversation(&world)).collect();
        ids.sort();
        for id in &ids {
            let first = mute(&mut ana, id).await.unwrap();
            assert_eq!(mute(&mut ana, id).await.unwrap(), first);
        }
        let (first, token) = page(&mut ana, 2, "").await;
        let (rest, end) = page(&mut ana, 2, &token).await;
        assert_eq!(([first, rest].concat(), end.as_str()), (ids.clone(), ""));
        unmute(&mut ana, &ids[1]).await;
        unmute(&mut ana, &ids[1]).await;
        assert_eq!(page(&mut ana, 0, "").await.0, [ids[0].clone(), ids[2].clone()]);
        let mut ben = world.preferences("ben");
        assert!(page(&mut ben, 0, "").await.0.is_empty());
        let foreign = ben.list_mutes(pb::ListMutesRequest { page_size: 2, page_token: token }).await.unwrap_err();
        assert_eq!(reason_of(&foreign), Some(ErrorReason::InvalidPageToken));
    }

    // D6
    async fn only_a_conversation_that_the_caller_may_see_is_muted(engine) {
        let world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        let nobodys = Clock::system().new_id().to_string();
        assert_eq!(mute(&mut ana, &nobodys).await.unwrap_err().code(), Code::NotFound);
        let known = conversation(&world);
        world.routing.is_down(true);
        assert_eq!(mute(&mut ana, &known).await.unwrap_err().code(), Code::Unavailable);
        world.routing.is_down(false);
        assert!(mute(&mut ana, &known).await.is_ok());
    }

    // D6
    async fn a_person_mutes_a_thousand_conversations_and_no_more(engine) {
        let world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        for _ in 0..20 {
            let ids: Vec<String> = (0..50).map(|_| conversation(&world)).collect();
            let mutes = ids.iter().map(|id| {
                let mut ana = ana.clone();
                async move { mute(&mut ana, id).await.unwrap() }
            });
            futures::future::join_all(mutes).await;
        }
        let refused = mute(&mut ana, &conversation(&world)).await.unwrap_err();
        assert_eq!((refused.code(), reason_of(&refused)), (Code::FailedPrecondition, Some(ErrorReason::LimitReached)));
    }

    // D6
    async fn what_is_muted_stays_in_the_feed_and_is_not_told_unless_it_is_forced(engine) {
        let mut world = World::on(engine).await;
        let (mut ana, muted) = (world.preferences("ana"), conversation(&world));
        mute(&mut ana, &muted).await.unwrap();
        let about = |conversation: &str| pb::NotificationEvent { conversation_id: conversation.to_owned(), ..mention(&["ana"]) };
        let entry = world.tell(about(&muted)).await;
        let [in_app, email, push] = world.explained(&mut ana, &entry).await;
        assert_eq!(in_app.outcome(), pb::ChannelOutcome::Told);
        assert_eq!((email.outcome(), causes(&email)), (pb::ChannelOutcome::NotTold, vec![DeliveryCause::Muted]));
        assert_eq!(causes(&push), [DeliveryCause::Muted]);
        assert_eq!(email.summary, "It was not told by email. The person muted this conversation.");

        let forced = pb::ForcedType { r#type: pb::NotificationType::Mentioned.into(), email: true, push: false };
        let request = pb::UpdateOrganizationPreferencesRequest { forced_types: vec![forced], ..Default::default() };
        update_organization(&mut world.admin(), request).await;
        let entry = world.tell(about(&muted)).await;
        let [_, email, push] = world.explained(&mut ana, &entry).await;
        assert_eq!(causes(&email), [DeliveryCause::UndoDelay, DeliveryCause::Forced]);
        assert_eq!(causes(&push), [DeliveryCause::Muted]);
        assert_eq!(world.deliveries("ana").await.len(), 1);
    }
}
