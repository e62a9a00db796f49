//! Queues, rotations, snoozes, assignments, loads.

use std::collections::BTreeMap;
use std::time::Duration;

use assignment_routing::domain::batch::Given;
use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::load::Load;
use assignment_routing::domain::presence::Presence;
use assignment_routing::domain::priority::Priority;
use assignment_routing::store::queue::Part;
use assignment_routing::store::{self, MIGRATIONS};
use db::DbError;
use kernel::OrgId;

use crate::fixtures::{agent, conversation, org, place, team, waiting};

// R11
db::both_databases!(a_queue_is_ordered_by_priority_then_age, MIGRATIONS, |db| async move {
    let hand = db.hand.clone();
    db.write(&org(), |tx| {
        Box::pin(async move {
            let ana = agent(tx, "ana").await?;
            let team = team(tx, "airline", &[ana]).await?;
            let mut ids = Vec::new();
            for priority in [Priority::Normal, Priority::Low, Priority::Urgent, Priority::Normal] {
                hand.advance(Duration::from_millis(1));
                let it = waiting(tx, team).await?;
                store::queue::set_priority(tx, it.id, priority).await?;
                ids.push(it.id);
            }
            let order = |part| (team, part);
            let (team, part) = order(Part::Takeable);
            let next: Vec<_> =
                store::queue::list_next(tx, team, part, 3).await?.iter().map(|it| it.conversation).collect();
            assert_eq!(next, [ids[2], ids[0], ids[3]]);
            store::queue::set_explained(tx, &[ids[2]]).await?;
            let next = store::queue::list_next(tx, team, Part::Unexplained, 1).await?;
            assert_eq!(next[0].conversation, ids[0]);
            store::queue::leave(tx, &ids[..3]).await?;
            assert_eq!(store::queue::list_next(tx, team, Part::Takeable, 9).await?.len(), 1);
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

// G7
db::both_databases!(
    the_gauge_of_the_queues_counts_every_organizations_and_the_oldest,
    MIGRATIONS,
    |db| async move {
        let depth = async || {
            let depth = db.read_system(|tx| Box::pin(async move { store::queue::depth(tx).await })).await;
            depth.unwrap()
        };
        assert_eq!(depth().await, (0, None));
        for (name, ago) in [("one", 30), ("other", 10)] {
            let (clock, hand) = (db.clock.clone(), db.hand.clone());
            let now = clock.now();
            hand.set(now.minus(Duration::from_secs(ago)));
            let org = OrgId::parse(name).unwrap();
            let joined = db.write(&org, |tx| {
                Box::pin(async move {
                    let ana = agent(tx, "ana").await?;
                    let team = team(tx, "airline", &[ana]).await?;
                    waiting(tx, team).await
                })
            });
            joined.await.unwrap();
            hand.set(now);
        }
        assert_eq!(depth().await, (2, Some(Duration::from_secs(30))));
    }
);

// R11
db::both_databases!(
    a_queue_is_due_while_unlooked_at_or_while_somebody_is_there,
    MIGRATIONS,
    |db| async move {
        let (ana, airline) = db
            .write(&org(), |tx| {
                Box::pin(async move {
                    let ana = agent(tx, "ana").await?;
                    let now = tx.now().await?;
                    store::presence::save_presence(tx, ana, Presence::ABSENT, Some(now)).await?;
                    let team = team(tx, "airline", &[ana]).await?;
                    waiting(tx, team).await?;
                    Ok::<_, DbError>((ana, team))
                })
            })
            .await
            .unwrap();
        let due = async || {
            db.read_system(|tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    store::queue::list_due(tx, now).await
                })
            })
            .await
            .unwrap()
        };
        assert_eq!(due().await, [(org(), airline)]);
        db.write(&org(), move |tx| {
            Box::pin(async move {
                let queue = store::queue::list_next(tx, airline, Part::Unexplained, 9).await?;
                let ids: Vec<_> = queue.iter().map(|it| it.conversation).collect();
                store::queue::set_explained(tx, &ids).await
            })
        })
        .await
        .unwrap();
        assert!(due().await.is_empty());
        db.write(&org(), move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                let online = Presence::set(Availability::Online, false, now);
                store::presence::save_presence(tx, ana, online, Some(now)).await
            })
        })
        .await
        .unwrap();
        assert_eq!(due().await, [(org(), airline)]);
        db.hand.advance(Duration::from_secs(60));
        assert!(due().await.is_empty(), "the lease is over");
    }
);

db::both_databases!(a_conversation_is_in_one_queue, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let ana = agent(tx, "ana").await?;
            let (first, second) = (team(tx, "a", &[ana]).await?, team(tx, "b", &[ana]).await?);
            let it = waiting(tx, first).await?;
            let clock = tx.clock().clone();
            store::queue::join(tx, &place(&clock, &it, second)).await?;
            assert_eq!(store::queue::find_team(tx, it.id).await?, Some(second));
            assert!(store::queue::list_next(tx, first, Part::Takeable, 9).await?.is_empty());
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
    let gone = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let clock = tx.clock().clone();
                let it = conversation(&clock, None);
                store::conversations::insert_conversation(tx, &it).await?;
                store::queue::join(tx, &place(&clock, &it, clock.new_id().into())).await
            })
        })
        .await;
    assert_eq!(gone.unwrap_err(), DbError::ForeignKey, "the team must exist");
});

db::both_databases!(a_turn_is_remembered_for_its_team, MIGRATIONS, |db| async move {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let (ana, ben) = (agent(tx, "ana").await?, agent(tx, "ben").await?);
            let team = team(tx, "airline", &[ana, ben]).await?;
            assert_eq!(store::queue::find_rotation(tx, team).await?, None);
            for last in [ana, ben] {
                store::queue::save_rotation(tx, team, last).await?;
                assert_eq!(store::queue::find_rotation(tx, team).await?, Some(last));
            }
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
});

// R8
db::both_databases!(the_schema_refuses_a_second_open_assignment, MIGRATIONS, |db| async move {
    let write = async |again: bool| {
        db.write(&org(), move |tx| {
            Box::pin(async move {
                let clock = tx.clock().clone();
                let agent = agent(tx, if again { "ben" } else { "ana" }).await?;
                let conversation = kernel::ConversationId::from_uuid(uuid::Uuid::nil());
                let given = || Given {
                    conversation,
                    version: 1,
                    agent,
                    decision: clock.new_id().into(),
                    time: clock.now(),
                };
                store::assignments::insert_assignments(tx, &[given()], clock.now()).await?;
                if again {
                    return Ok(());
                }
                store::assignments::end_assignment(tx, conversation, clock.now()).await?;
                store::assignments::insert_assignments(tx, &[given()], clock.now()).await
            })
        })
        .await
    };
    write(false).await.unwrap();
    assert!(write(true).await.unwrap_err().violates_unique("assignments"));
});

// R3
db::both_databases!(the_schema_refuses_a_negative_load, MIGRATIONS, |db| async move {
    let ana = db.write(&org(), |tx| Box::pin(agent(tx, "ana"))).await.unwrap();
    let add = async |more| {
        db.write(&org(), move |tx| {
            Box::pin(async move {
                let load = Load { conversations: more, units: more, ..Load::default() };
                store::loads::add_loads(tx, &BTreeMap::from([(ana, load)]), tx.clock().now()).await
            })
        })
        .await
    };
    add(2).await.unwrap();
    add(-2).await.unwrap();
    assert!(add(-1).await.unwrap_err().violates_check("load_never_negative"));
});

// R6
db::both_databases!(snoozes_are_due_at_their_time_across_organizations, MIGRATIONS, |db| async move {
    let other = OrgId::parse("other").unwrap();
    for org in [org(), other.clone()] {
        db.write(&org, |tx| {
            Box::pin(async move {
                let until = tx.now().await?.plus(Duration::from_secs(5));
                let id = tx.clock().new_id().into();
                store::snoozes::save_snooze(tx, id, until).await?;
                store::snoozes::save_snooze(tx, id, until.plus(Duration::from_secs(1))).await
            })
        })
        .await
        .unwrap();
    }
    let due = async || {
        db.read_system(|tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                store::snoozes::list_due(tx, now, None, 10).await
            })
        })
        .await
        .unwrap()
    };
    db.hand.advance(Duration::from_secs(5));
    assert!(due().await.is_empty());
    db.hand.advance(Duration::from_secs(1));
    let found = due().await;
    assert_eq!(found.len(), 2);
    for store::snoozes::Due { org_id, conversation_id, .. } in found {
        db.write(&org_id, move |tx| Box::pin(store::snoozes::delete_snooze(tx, conversation_id)))
            .await
            .unwrap();
    }
    assert!(due().await.is_empty());
});
