//! Conversations, messages, decisions.

use std::time::Duration;

use assignment_routing::domain::batch::Given;
use assignment_routing::domain::conversation::Status;
use assignment_routing::domain::decision::Decision;
use assignment_routing::domain::message::{Author, Direction, Message};
use assignment_routing::store::conversations::Key;
use assignment_routing::store::{self, MIGRATIONS};
use db::DbError;
use kernel::{Clock, ConversationId, Role, Subject, Timestamp};

use crate::fixtures::{agent, conversation, org};

fn message(clock: &Clock, conversation: ConversationId, position: i64) -> Message {
    Message {
        id: clock.new_id().into(),
        conversation,
        position,
        channel: "chat".into(),
        external_id: format!("m-{position}"),
        direction: Direction::Outbound,
        text: "grüße\u{1F9F3}".into(),
        author: Some(Author {
            subject: Subject::parse("ana").unwrap(),
            role: Role::Agent,
            display_name: "Ana".into(),
        }),
        sent_time: clock.now(),
        create_time: clock.now(),
    }
}

db::both_databases!(a_conversation_reads_back_and_is_saved_by_version, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let clock = tx.clock().clone();
            let mut it = conversation(&clock, None);
            assert_eq!(store::conversations::insert_conversation(tx, &it).await?, Some(1));
            assert_eq!(
                store::conversations::insert_conversation(tx, &it).await?,
                None,
                "the channel knows it"
            );
            let ana = agent(tx, "ana").await?;
            it.assignee = store::agents::list_people(tx, &[ana]).await?.into_iter().next();
            it.tags.insert("vip".into());
            it.snooze(Timestamp::from_micros(7));
            let mut stale = it.clone();
            assert!(store::conversations::save_conversation(tx, &mut it).await?);
            assert_eq!(it.version, 2);
            assert_eq!(store::conversations::find_conversation(tx, it.id).await?.as_ref(), Some(&it));
            assert!(!store::conversations::save_conversation(tx, &mut stale).await?);
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

db::both_databases!(
    a_recipient_is_found_by_either_id_with_whether_the_message_is_known,
    MIGRATIONS,
    |db| async move {
        db.write(&org(), |tx| {
            Box::pin(async move {
                let clock = tx.clock().clone();
                let it = conversation(&clock, None);
                store::conversations::insert_conversation(tx, &it).await?;
                store::messages::insert_message(tx, &message(&clock, it.id, 1)).await?;
                for key in [Key::Id(it.id), Key::External(it.external_id.clone())] {
                    for (external_id, known) in [("m-1", true), ("m-2", false)] {
                        let found =
                            store::conversations::lock_recipient(tx, &key, "chat", external_id).await?;
                        let found = found.map(|found| (found.conversation, found.known, found.workflows));
                        assert_eq!(found, Some((it.clone(), known, 0)));
                    }
                }
                let unknown = Key::External("x".into());
                assert!(store::conversations::lock_recipient(tx, &unknown, "chat", "m-1").await?.is_none());
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
    }
);

// R5
db::both_databases!(
    a_message_reads_back_and_its_external_id_is_unique_on_its_channel,
    MIGRATIONS,
    |db| async move {
        let clock = db.clock.clone();
        let it = message(&clock, clock.new_id().into(), 1);
        let known = it.clone();
        db.write(&org(), move |tx| {
            Box::pin(async move {
                store::messages::insert_message(tx, &it).await?;
                let other = Message { channel: "email".into(), position: 2, ..it.clone() };
                store::messages::insert_message(tx, &other).await?;
                assert_eq!(store::messages::find_message(tx, "chat", "m-1").await?.as_ref(), Some(&it));
                assert_eq!(store::messages::list_messages(tx, it.conversation, 1, 9).await?, [other]);
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
        let again = Message { position: 3, ..known };
        let again = db
            .write(&org(), move |tx| {
                Box::pin(async move { store::messages::insert_message(tx, &again).await })
            })
            .await
            .unwrap_err();
        assert!(again.violates_unique_on("messages", "external_id"), "{again:?}");
    }
);

// R15
db::both_databases!(decisions_are_listed_newest_first, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let clock = tx.clock().clone();
            let it: ConversationId = clock.new_id().into();
            let decision = || Decision::unrouted(clock.new_id().into(), it, clock.now(), vec![]);
            let all = [decision(), decision(), decision()];
            store::decisions::insert_decisions(tx, &all).await?;
            let page = store::decisions::list_decisions(tx, it, None, 2).await?;
            assert_eq!(page, [all[2].clone(), all[1].clone()]);
            let rest = store::decisions::list_decisions(tx, it, Some(page[1].id), 2).await?;
            assert_eq!(rest, [all[0].clone()]);
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

db::both_databases!(a_status_without_its_time_is_refused, MIGRATIONS, |db| async move {
    let broken = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let mut it = conversation(&tx.clock().clone(), None);
                store::conversations::insert_conversation(tx, &it).await?;
                it.status = Status::Snoozed;
                store::conversations::save_conversation(tx, &mut it).await
            })
        })
        .await;
    assert!(broken.unwrap_err().violates_check("snoozed_until_a_time"));
});

// R8: on PostgreSQL a row that was waited for is read anew, and what it is joined with is not.
db::both_databases!(
    who_waits_for_a_conversation_sees_the_assignee_it_got_meanwhile,
    MIGRATIONS,
    |db| async move {
        let (id, ana) = db
            .write(&org(), |tx| {
                Box::pin(async move {
                    let it = conversation(&tx.clock().clone(), None);
                    store::conversations::insert_conversation(tx, &it).await?;
                    Ok::<_, DbError>((it.id, agent(tx, "ana").await?))
                })
            })
            .await
            .unwrap();
        let (locked, is_locked) = tokio::sync::oneshot::channel();
        let assigning = db.db.clone();
        let assigning = tokio::spawn(async move {
            assigning
                .write(&org(), move |tx| {
                    Box::pin(async move {
                        let decision = tx.clock().new_id().into();
                        let time = tx.clock().now();
                        let given = Given { conversation: id, version: 1, agent: ana, decision, time };
                        assert_eq!(store::conversations::assign_waiting(tx, &[given]).await?, 1);
                        let _ = locked.send(());
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        Ok::<_, DbError>(())
                    })
                })
                .await
        });
        is_locked.await.unwrap();
        for key in [None, Some(Key::Id(id))] {
            let seen = db
                .write(&org(), move |tx| {
                    Box::pin(async move {
                        Ok::<_, DbError>(match key {
                            None => store::conversations::lock_conversation(tx, id).await?,
                            Some(key) => store::conversations::lock_recipient(tx, &key, "chat", "m")
                                .await?
                                .map(|found| found.conversation),
                        })
                    })
                })
                .await
                .unwrap()
                .unwrap();
            assert_eq!((seen.version, seen.assignee_id()), (2, Some(ana)));
        }
        assigning.await.unwrap().unwrap();
    }
);
