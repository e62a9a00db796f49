//! Many at once: assigners of several replicas, people, resolvers. Whatever the order, everybody has their turn, nobody
//! shares a conversation, and every count is right.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use assignment_routing::app::App;
use assignment_routing::app::effects::Item;
use assignment_routing::app::handover::Handover;
use assignment_routing::domain::decision::{Decision, Outcome};
use assignment_routing::domain::target::Target;
use assignment_routing::error::Error;
use assignment_routing::store::{self, MIGRATIONS};
use db::test_support::{TestDb, replica};
use db::{Db, DbError, Engine, Json, Retry};
use kernel::{AgentId, ConversationId, OrgId, TeamId};

use crate::fixtures::{agent, app, caller, conversation, org, origin, place, team};

const ASSIGNERS: usize = 4;
const CONVERSATIONS: usize = 1_000;

/// The same data through connections of its own on PostgreSQL, as replicas have; SQLite has one process.
pub(crate) async fn replicas(db: &TestDb, count: usize) -> Vec<Db> {
    let mut all = vec![db.db.clone()];
    while all.len() < count {
        all.push(match db.engine() {
            Engine::Sqlite => db.db.clone(),
            Engine::Postgres => replica(db, &MIGRATIONS).await,
        });
    }
    all
}

/// Puts conversations into the queues of teams in turn, a few in each commit.
pub(crate) async fn arrive(db: Db, teams: Vec<TeamId>, count: usize) -> Vec<ConversationId> {
    let mut ids = Vec::new();
    for _ in 0..count / 10 {
        let teams = teams.clone();
        let some = db
            .write(&org(), move |tx| {
                Box::pin(async move {
                    let clock = tx.clock().clone();
                    let mut ids = Vec::new();
                    for number in 0..10 {
                        let team = teams[number % teams.len()];
                        let it = conversation(&clock, Some(team));
                        store::conversations::insert_conversation(tx, &it).await?;
                        store::queue::join(tx, &place(&clock, &it, team)).await?;
                        ids.push(it.id);
                    }
                    Ok::<_, DbError>(ids)
                })
            })
            .await
            .unwrap();
        ids.extend(some);
    }
    ids
}

/// Serves the queues over and over until told that nothing more arrives and nothing is left.
pub(crate) async fn serve(app: Arc<App>, teams: Vec<TeamId>, closed: Arc<std::sync::atomic::AtomicBool>) {
    loop {
        let last = closed.load(std::sync::atomic::Ordering::SeqCst);
        let mut moved = 0;
        for team in &teams {
            match app.serve_queue(&org(), *team).await {
                Ok(served) => moved += served.assigned + served.offered,
                Err(Error::Raced) => panic!("under the lock nobody races"),
                Err(Error::Db(error)) if error.is_transient() => moved += 1,
                Err(error) => panic!("{error}"),
            }
        }
        if moved == 0 && last {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn assigned_in_order(db: &Db) -> Vec<Decision> {
    db.read(&org(), |tx| {
        Box::pin(async move {
            let all: Vec<Json<Decision>> = tx
                .query("SELECT body FROM decisions WHERE org_id = $1 ORDER BY decision_id")
                .fetch_values(tx)
                .await?;
            Ok::<_, DbError>(
                all.into_iter().map(|it| it.0).filter(|it| it.outcome == Outcome::Assigned).collect(),
            )
        })
    })
    .await
    .unwrap()
}

/// What must hold at rest: one open assignment for each assigned conversation and of the same agent; loads as many as
/// there are open ones; only open, unassigned conversations in queues; reserved what open offers of queued ones cost.
pub(crate) async fn consistent(db: &Db) {
    consistent_in(db, &org()).await;
}

/// As [`consistent`], in an organization.
pub(crate) async fn consistent_in(db: &Db, org: &OrgId) {
    db.read(org, |tx| Box::pin(async move {
        let assigned: Vec<(ConversationId, AgentId)> = tx
            .query("SELECT conversation_id, assignee_id FROM conversations WHERE org_id = $1 AND assignee_id IS NOT NULL")
            .fetch_all(tx).await?;
        let open: Vec<(ConversationId, AgentId)> = tx
            .query("SELECT conversation_id, agent_id FROM assignments WHERE org_id = $1 AND end_time IS NULL")
            .fetch_all(tx).await?;
        assert_eq!(open.len(), assigned.len());
        assert_eq!(open.into_iter().collect::<HashMap<_, _>>(), assigned.into_iter().collect());
        let loads: Vec<(AgentId, i64, i64)> = tx
            .query(
                "SELECT agent_id, open_count, open_count + extra_units FROM loads
                 WHERE org_id = $1 AND (open_count > 0 OR extra_units <> 0) ORDER BY agent_id",
            )
            .fetch_all(tx).await?;
        let counted: Vec<(AgentId, i64, i64)> = tx
            .query(
                "SELECT assignee_id, COUNT(*), CAST(SUM(units) AS BIGINT) FROM conversations
                 WHERE org_id = $1 AND status = 'OPEN' AND assignee_id IS NOT NULL
                 GROUP BY assignee_id ORDER BY assignee_id",
            )
            .fetch_all(tx).await?;
        assert_eq!(loads, counted);
        let astray: i64 = tx
            .query(
                "SELECT COUNT(*) FROM queue q JOIN conversations c
                     ON c.org_id = q.org_id AND c.conversation_id = q.conversation_id
                 WHERE q.org_id = $1 AND (c.status <> 'OPEN' OR c.assignee_id IS NOT NULL OR c.team_id <> q.team_id)",
            )
            .fetch_value(tx).await?;
        assert_eq!(astray, 0);
        let reserved: Vec<(AgentId, i64, i64)> = tx
            .query(
                "SELECT agent_id, offered_count, offered_units FROM loads
                 WHERE org_id = $1 AND (offered_count > 0 OR offered_units <> 0) ORDER BY agent_id",
            )
            .fetch_all(tx).await?;
        let asked: Vec<(AgentId, i64, i64)> = tx
            .query(
                "SELECT agent_id, COUNT(*), CAST(SUM(units) AS BIGINT) FROM offers
                 WHERE org_id = $1 AND state = 'OPEN' GROUP BY agent_id ORDER BY agent_id",
            )
            .fetch_all(tx).await?;
        assert_eq!(reserved, asked);
        let marked: Vec<ConversationId> = tx
            .query("SELECT conversation_id FROM queue WHERE org_id = $1 AND offered ORDER BY conversation_id")
            .fetch_values(tx).await?;
        let open: Vec<ConversationId> = tx
            .query("SELECT conversation_id FROM offers WHERE org_id = $1 AND state = 'OPEN' ORDER BY conversation_id")
            .fetch_values(tx).await?;
        assert_eq!(marked, open);
        Ok::<_, DbError>(())
    })).await.unwrap();
}

// R10, R11; faults 8
db::both_databases!(racing_assigners_keep_strict_turns_and_double_nothing, MIGRATIONS, |db| async move {
    // Two teams that share agents: their transactions lock the same loads.
    let teams = db
        .write(&org(), |tx| {
            Box::pin(async move {
                let mut agents = Vec::new();
                for name in ["ana", "ben", "cem", "dora", "emil"] {
                    agents.push(agent(tx, name).await?);
                }
                Ok::<_, DbError>(vec![
                    team(tx, "airline", &agents[..4]).await?,
                    team(tx, "bank", &agents[1..]).await?,
                ])
            })
        })
        .await
        .unwrap();
    let closed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut assigners = Vec::new();
    for (place, replica) in replicas(&db, ASSIGNERS).await.into_iter().enumerate() {
        let mut order = teams.clone();
        order.rotate_left(place % teams.len());
        assigners.push(tokio::spawn(serve(app(&replica, &db.clock), order, Arc::clone(&closed))));
    }
    let arrived = arrive(db.db.clone(), teams.clone(), CONVERSATIONS).await;
    closed.store(true, std::sync::atomic::Ordering::SeqCst);
    for assigner in assigners {
        assigner.await.unwrap();
    }
    let decided = assigned_in_order(&db).await;
    let once: HashSet<_> = decided.iter().map(|decision| decision.conversation).collect();
    assert_eq!((decided.len(), once.len(), arrived.len()), (CONVERSATIONS, CONVERSATIONS, CONVERSATIONS));
    for team in &teams {
        let turns: Vec<AgentId> =
            decided.iter().filter(|it| it.team == Some(*team)).filter_map(|it| it.chosen).collect();
        assert_eq!(turns.len(), CONVERSATIONS / 2);
        for window in turns.windows(4) {
            assert_eq!(
                window.iter().collect::<HashSet<_>>().len(),
                4,
                "four agents have four turns in a row"
            );
        }
    }
    consistent(&db).await;
    let told: i64 = db
        .read(&org(), |tx| {
            Box::pin(async move {
                tx.query("SELECT COUNT(*) FROM outbox WHERE org_id = $1 AND target = 'notifications'")
                    .fetch_value::<i64>(tx)
                    .await
            })
        })
        .await
        .unwrap();
    assert_eq!(told, CONVERSATIONS as i64, "one event for each assignment");
});

// R6, R8, R20; faults 8, 10
db::both_databases!(
    people_resolvers_and_assigners_at_once_leave_every_count_right,
    MIGRATIONS,
    |db| async move {
        let (agents, teams) = db
            .write(&org(), |tx| {
                Box::pin(async move {
                    let mut agents = Vec::new();
                    for name in ["ana", "ben", "cem"] {
                        agents.push(agent(tx, name).await?);
                    }
                    let teams =
                        vec![team(tx, "airline", &agents).await?, team(tx, "bank", &agents[..2]).await?];
                    Ok::<_, DbError>((agents, teams))
                })
            })
            .await
            .unwrap();
        let ids = Arc::new(arrive(db.db.clone(), teams.clone(), 60).await);
        let closed = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let replicas = replicas(&db, 3).await;
        let assigners: Vec<_> = replicas[..2]
            .iter()
            .map(|replica| tokio::spawn(serve(app(replica, &db.clock), teams.clone(), Arc::clone(&closed))))
            .collect();
        let mut others = Vec::new();
        for (person, subject) in ["ana", "ben", "cem"].into_iter().enumerate() {
            let (app, ids, agents, teams) =
                (app(&replicas[2], &db.clock), Arc::clone(&ids), agents.clone(), teams.clone());
            let caller = caller(&db.clock, subject);
            others.push(tokio::spawn(async move {
                for step in 0..120 {
                    let id = ids[(step * 7 + person * 13) % ids.len()];
                    let retry = Retry {
                        caller: caller.subject.clone(),
                        method: "assign",
                        request_id: None,
                        digest: [0; 32],
                    };
                    let result = match step % 5 {
                        0 => app.resolve(&caller, origin(), Item { id, expected: None }).await.map(drop),
                        1 => app.reopen(&caller, origin(), Item { id, expected: None }).await.map(drop),
                        4 => {
                            let mut items = Vec::new();
                            for next in 0..6 {
                                let id = ids[(step * 11 + person * 17 + next * 5) % ids.len()];
                                let it = app.get_conversation(&caller, id).await.unwrap();
                                items.push(Item { id, expected: Some(it.version) });
                            }
                            let to = Handover::to(Target::Team(teams[person % teams.len()]));
                            let done = match step % 2 {
                                0 => app.resolve_all(&caller, origin(), retry, items).await,
                                _ => app.assign_all(&caller, origin(), retry, items, to).await,
                            };
                            done.map(drop)
                        }
                        turn => {
                            let it = app.get_conversation(&caller, id).await.unwrap();
                            let target = match (turn, step % 3) {
                                (2, _) => Target::Agent(agents[step % agents.len()]),
                                (_, 0) => Target::Nobody,
                                _ => Target::Team(teams[step % teams.len()]),
                            };
                            let item = Item { id, expected: Some(it.version) };
                            app.assign(&caller, origin(), retry, item, Handover::to(target)).await.map(drop)
                        }
                    };
                    match result {
                        Ok(()) | Err(Error::Stale { .. } | Error::Resolved) => {}
                        // A batch and an assigner in each other's way, where a conversation changed its team meanwhile.
                        Err(Error::Db(DbError::Busy)) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            }));
        }
        for other in others {
            other.await.unwrap();
        }
        closed.store(true, std::sync::atomic::Ordering::SeqCst);
        for assigner in assigners {
            assigner.await.unwrap();
        }
        consistent(&db).await;
    }
);
