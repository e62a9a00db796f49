//! Offers, when many answer, ask and take back at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use assignment_routing::app::App;
use assignment_routing::app::effects::Item;
use assignment_routing::domain::agent::ProfileChange;
use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::offer::{Offer, OfferState};
use assignment_routing::error::Error;
use assignment_routing::store::{self, MIGRATIONS};
use db::{Db, DbError, Retry};
use kernel::{AgentId, ConversationId, PageSize, TeamId};
use rpc::Caller;

use crate::fixtures::{agent, app, asks, caller, org, origin, team, waiting};
use crate::races::{arrive, consistent, replicas, serve};

const NAMES: [&str; 3] = ["ana", "ben", "cem"];

/// Who asks, and who is asked.
async fn office(db: &Db) -> (Vec<AgentId>, TeamId) {
    db.write(&org(), |tx| {
        Box::pin(async move {
            let mut agents = Vec::new();
            for name in NAMES {
                agents.push(agent(tx, name).await?);
            }
            let team = team(tx, "airline", &agents).await?;
            asks(tx, team).await?;
            Ok::<_, DbError>((agents, team))
        })
    })
    .await
    .unwrap()
}

async fn asked(app: &App, who: &Caller) -> Vec<Offer> {
    let (open, _) = app.list_offers(who, PageSize::of(200).unwrap(), "").await.unwrap();
    open.into_iter().map(|(offer, _)| offer).collect()
}

async fn read_offer(db: &Db, offer: &Offer) -> Offer {
    let id = offer.id;
    let org = org();
    let read = db.read(&org, move |tx| Box::pin(async move { store::offers::find_offer(tx, id).await }));
    read.await.unwrap().unwrap()
}

async fn assignee(db: &Db, id: ConversationId) -> Option<AgentId> {
    let org = org();
    let read = db
        .read(&org, move |tx| Box::pin(async move { store::conversations::find_conversation(tx, id).await }));
    read.await.unwrap().unwrap().assignee_id()
}

/// The most that anybody has open or reserved.
async fn most_taken(db: &Db) -> i64 {
    let org = org();
    let read = db.read(&org, |tx| {
        Box::pin(async move {
            tx.query("SELECT MAX(open_count + extra_units + offered_units) FROM loads WHERE org_id = $1")
                .fetch_value::<i64>(tx)
                .await
        })
    });
    read.await.unwrap()
}

/// What somebody may meet whom others come before.
fn late(error: &Error) -> bool {
    match error {
        Error::OfferEnded { .. } | Error::Resolved => true,
        Error::Db(error) => error.is_transient(),
        _ => false,
    }
}

/// Answers what comes until told to stop; whoever gets an answer through has the conversation.
async fn answer(app: Arc<App>, who: Arc<Caller>, me: AgentId, stop: Arc<AtomicBool>) -> usize {
    let (mut step, mut accepted) = (0, 0);
    while !stop.load(Ordering::SeqCst) {
        for offer in asked(&app, &who).await {
            step += 1;
            let answer = match step % 3 {
                0 => app.reject_offer(&who, origin(), offer.id, "busy".into()).await,
                // Two at once of the same person: a retry that overtakes.
                1 => {
                    let again = app.accept_offer(&who, origin(), offer.id);
                    let (one, other) = tokio::join!(app.accept_offer(&who, origin(), offer.id), again);
                    one.and(other).map(drop)
                }
                _ => match app.accept_offer(&who, origin(), offer.id).await {
                    Ok(taken) => {
                        // A resolver may have come right behind; nobody takes it from them here.
                        assert_eq!(taken.assignee_id(), Some(me));
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
            };
            match answer {
                Ok(()) => accepted += usize::from(step % 3 != 0),
                Err(error) if late(&error) => {}
                Err(error) => panic!("{error}"),
            }
        }
        tokio::task::yield_now().await;
    }
    accepted
}

// R3, R12; faults 8, 10
db::both_databases!(
    answers_timeouts_and_other_hands_at_once_leave_every_count_right_and_nobody_over_capacity,
    MIGRATIONS,
    |db| async move {
        let (agents, airline) = office(&db).await;
        let boss = caller(&db.clock, "boss");
        let first = app(&db, &db.clock);
        for id in &agents {
            let retry =
                Retry { caller: boss.subject.clone(), method: "update", request_id: None, digest: [0; 32] };
            let change = ProfileChange { capacity_units: Some(3), ..ProfileChange::default() };
            first.update_agent(&boss, origin(), retry, *id, change, None).await.unwrap();
        }
        let ids = Arc::new(arrive(db.db.clone(), vec![airline], 60).await);
        let (stop, closed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let replicas = replicas(&db, 3).await;
        let assigners: Vec<_> = replicas[..2]
            .iter()
            .map(|replica| tokio::spawn(serve(app(replica, &db.clock), vec![airline], Arc::clone(&closed))))
            .collect();
        let mut people = Vec::new();
        for (place, id) in agents.iter().enumerate() {
            let (app, who) = (app(&replicas[place], &db.clock), caller(&db.clock, NAMES[place]));
            people.push(tokio::spawn(answer(app, who, *id, Arc::clone(&stop))));
        }
        let cem = caller(&db.clock, NAMES[2]);
        for step in 0..90 {
            if step % 2 == 0 {
                let item = Item { id: ids[(step * 7) % ids.len()], expected: None };
                let resolved = first.resolve(&boss, origin(), item).await;
                assert!(resolved.as_ref().err().is_none_or(late), "{resolved:?}");
            }
            if step % 3 == 0 {
                db.hand.advance(Duration::from_secs(11));
                let fired = first.fire_due().await;
                assert!(fired.as_ref().err().is_none_or(late), "{fired:?}");
            }
            let be = [Availability::Away, Availability::Online][step % 2];
            let said = first.set_availability(&cem, origin(), agents[2], be, true).await;
            assert!(said.as_ref().err().is_none_or(late), "{said:?}");
            assert!(most_taken(&db).await <= 3, "nobody is over their capacity");
        }
        stop.store(true, Ordering::SeqCst);
        closed.store(true, Ordering::SeqCst);
        let mut accepted = 0;
        for person in people {
            accepted += person.await.unwrap();
        }
        for assigner in assigners {
            assigner.await.unwrap();
        }
        assert!(accepted > 0, "somebody got something");
        consistent(&db).await;
    }
);

// R12
db::both_databases!(of_an_answer_and_another_hand_one_wins, MIGRATIONS, |db| async move {
    let (_, airline) = office(&db).await;
    let (app, ana) = (app(&db, &db.clock), caller(&db.clock, "ana"));
    for _ in 0..20 {
        let it = db.write(&org(), move |tx| Box::pin(waiting(tx, airline))).await.unwrap();
        assert_eq!(app.serve_queue(&org(), airline).await.unwrap().offered, 1);
        let mut open = Vec::new();
        for name in NAMES {
            let who = caller(&db.clock, name);
            open.extend(asked(&app, &who).await.into_iter().map(|offer| (offer, Arc::clone(&who))));
        }
        let (offer, who) = open.pop().unwrap();
        let resolve = app.resolve(&ana, origin(), Item { id: it.id, expected: None });
        let (accepted, resolved) = tokio::join!(app.accept_offer(&who, origin(), offer.id), resolve);
        resolved.unwrap();
        let ended = read_offer(&db, &offer).await.state;
        match accepted {
            Ok(_) => {
                assert_eq!((ended, assignee(&db, it.id).await), (OfferState::Accepted, Some(offer.agent)))
            }
            Err(Error::OfferEnded { state, .. }) => {
                assert_eq!((state, ended, assignee(&db, it.id).await), (OfferState::TakenBack, ended, None));
            }
            Err(error) => panic!("{error}"),
        }
    }
    consistent(&db).await;
});

// R12
db::both_databases!(the_schema_refuses_a_second_open_offer, MIGRATIONS, |db| async move {
    let (agents, airline) = office(&db).await;
    let (team, agent) = (airline, agents[0]);
    let write = async |same: bool| {
        db.write(&org(), move |tx| {
            Box::pin(async move {
                let it = waiting(tx, team).await?;
                let now = tx.now().await?;
                let offer = |id, state| Offer {
                    id,
                    conversation: it.id,
                    agent,
                    team,
                    units: 1,
                    queue_time: now,
                    offer_time: now,
                    expire_time: now.plus(Duration::from_secs(30)),
                    state,
                    end_time: None,
                    reason: String::new(),
                };
                let clock = tx.clock().clone();
                let first = offer(clock.new_id().into(), OfferState::Open);
                store::offers::insert_offers(tx, std::slice::from_ref(&first)).await?;
                if !same {
                    store::offers::end_offers(tx, &[first.id], OfferState::Rejected, now, "").await?;
                }
                store::offers::insert_offers(tx, &[offer(clock.new_id().into(), OfferState::Open)]).await
            })
        })
        .await
    };
    write(false).await.unwrap();
    assert!(write(true).await.unwrap_err().violates_unique("offers"));
});
