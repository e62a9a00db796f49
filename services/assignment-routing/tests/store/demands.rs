//! What those who wait ask for, and who comes first among those whom somebody can take.

use std::sync::Arc;
use std::time::Duration;

use assignment_routing::app::App;
use assignment_routing::domain::agent::Skill;
use assignment_routing::domain::batch::Gift;
use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::load::{Load, Room};
use assignment_routing::domain::presence::Presence;
use assignment_routing::domain::sharing::{Sharing, Strategy};
use assignment_routing::store::queue::Place;
use assignment_routing::store::{self, MIGRATIONS};
use db::{DbError, Tx};
use kernel::{ConversationId, TeamId};

use crate::fixtures::{agent, app, conversation, org, team};

fn german(level: i32) -> Sharing {
    Sharing {
        strategy: Strategy::SkillBased,
        required_skills: vec![Skill { name: "german".into(), level }],
        relax_after: Some(Duration::from_secs(60)),
    }
}

async fn waits(tx: &mut Tx, team: TeamId, sharing: Option<Sharing>) -> Result<ConversationId, DbError> {
    let clock = tx.clock().clone();
    let mut it = conversation(&clock, Some(team));
    it.sharing = sharing;
    store::conversations::insert_conversation(tx, &it).await?;
    store::queue::join(tx, &Place::of(&it, team, clock.now())).await?;
    Ok(it.id)
}

// R11
db::both_databases!(
    demands_are_listed_once_each_and_the_first_of_each_in_order,
    MIGRATIONS,
    |db| async move {
        let hand = db.hand.clone();
        db.write(&org(), |tx| {
            Box::pin(async move {
                let (team, other) = (team(tx, "airline", &[]).await?, team(tx, "bank", &[]).await?);
                assert!(store::demands::list_demands(tx, team, 9).await?.is_empty());
                let mut ids = Vec::new();
                for sharing in [Some(german(3)), None, Some(german(3)), Some(german(1)), None] {
                    hand.advance(Duration::from_millis(1));
                    ids.push(waits(tx, team, sharing).await?);
                }
                waits(tx, other, Some(german(5))).await?;
                let demands = store::demands::list_demands(tx, team, 9).await?;
                assert_eq!(demands, ["", "1;german:1", "1;german:3"]);
                assert_eq!(store::demands::list_demands(tx, team, 2).await?.len(), 2);
                let asking = store::demands::list_asking(tx, team, &demands[1..], 1).await?;
                let first: Vec<_> = asking.iter().map(|it| it.conversation_id).collect();
                assert_eq!(first, [ids[0], ids[3]]);
                let these = store::queue::list_these(tx, team, &[ids[4], ids[1]]).await?;
                assert_eq!(these.iter().map(|it| it.conversation).collect::<Vec<_>>(), [ids[1], ids[4]]);
                Ok::<_, DbError>(())
            })
        })
        .await
        .unwrap();
    }
);

async fn drain(app: &Arc<App>, team: TeamId) -> usize {
    let mut assigned = 0;
    for _ in 0..50 {
        let served = app.serve_queue(&org(), team).await.unwrap();
        assigned += served.assigned;
        if !served.more {
            return assigned;
        }
    }
    panic!("a queue of which nobody can take the rest is served again and again");
}

// R11
db::both_databases!(
    a_long_queue_that_nobody_can_take_is_passed_over_in_bounded_work,
    MIGRATIONS,
    |db| async move {
        let (ana, airline, last) = db
            .write(&org(), |tx| {
                Box::pin(async move {
                    let ana = agent(tx, "ana").await?;
                    let now = tx.now().await?;
                    store::presence::save_presence(tx, ana, Presence::ABSENT, Some(now)).await?;
                    let airline = team(tx, "airline", &[ana]).await?;
                    for _ in 0..100 {
                        waits(tx, airline, Some(german(3))).await?;
                    }
                    let last = waits(tx, airline, None).await?;
                    Ok::<_, DbError>((ana, airline, last))
                })
            })
            .await
            .unwrap();
        let app = app(&db, &db.clock);
        assert_eq!(drain(&app, airline).await, 0, "of each it is said that it waits");
        db.write(&org(), move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                let online = Presence::set(Availability::Online, true, now);
                store::presence::save_presence(tx, ana, online, Some(now)).await
            })
        })
        .await
        .unwrap();
        assert_eq!(drain(&app, airline).await, 1);
        assert_eq!(drain(&app, airline).await, 0, "and then there is nothing to do");
        let waiting: i64 = db
            .read(&org(), |tx| {
                Box::pin(async move {
                    tx.query("SELECT COUNT(*) FROM queue WHERE org_id = $1 AND explained")
                        .fetch_value(tx)
                        .await
                })
            })
            .await
            .unwrap();
        assert_eq!(waiting, 100);
        let found =
            db.read(&org(), move |tx| Box::pin(store::conversations::find_conversation(tx, last))).await;
        assert!(found.unwrap().unwrap().assignee.is_some());
        // Nobody speaks German; after twice the wait nobody has to.
        db.hand.advance(Duration::from_secs(120));
        assert_eq!(drain(&app, airline).await, 100);
    }
);

// R3; faults 8
db::both_databases!(
    loads_are_given_within_the_capacity_only_whatever_was_read_before,
    MIGRATIONS,
    |db| async move {
        let ana = db.write(&org(), |tx| Box::pin(agent(tx, "ana"))).await.unwrap();
        let give = async |units, capacity| {
            db.write(&org(), move |tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    let gift = Gift { load: Load::one(units), capacity, last: now, came_online: now };
                    store::loads::give_loads(tx, &[(ana, gift)].into()).await
                })
            })
            .await
            .unwrap()
        };
        assert_eq!((give(2, 3).await, give(2, 3).await, give(1, 3).await, give(1, 0).await), (1, 0, 1, 1));
        let org = org();
        let read = db.read(&org, move |tx| {
            Box::pin(async move {
                let other = tx.clock().new_id().into();
                store::loads::find_room(tx, ana, &[other]).await
            })
        });
        let room = read.await.unwrap();
        assert_eq!(room, Room { units: 4, capacity: 0 });
    }
);
