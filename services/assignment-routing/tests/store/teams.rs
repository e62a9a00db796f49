//! How large a team may be, and what that means for its queue.

use assignment_routing::app::App;
use assignment_routing::app::assigner::Served;
use assignment_routing::config::RoutingConfig;
use assignment_routing::domain::handle::Handle;
use assignment_routing::domain::offer::Offering;
use assignment_routing::domain::team::{NewTeam, RampUp};
use assignment_routing::error::Error;
use assignment_routing::store::MIGRATIONS;
use db::test_support::TestDb;
use db::{DbError, Retry};
use kernel::AgentId;
use proto::common::v1::ErrorReason;
use rpc::Fault;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::fixtures::{agent, app, caller, org, origin, team, waiting};

async fn agents(db: &TestDb, count: usize) -> Vec<AgentId> {
    db.write(&org(), move |tx| {
        Box::pin(async move {
            let mut agents = Vec::new();
            for number in 0..count {
                agents.push(agent(tx, &format!("agent-{number}")).await?);
            }
            Ok::<_, DbError>(agents)
        })
    })
    .await
    .unwrap()
}

fn refused(error: Error) {
    let status = Status::from(Fault::from(error));
    assert_eq!(
        (status.code(), rpc::reason_of(&status)),
        (Code::InvalidArgument, Some(ErrorReason::InvalidField))
    );
    let violations = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(violations[0].field, "agent_ids");
    assert_eq!(violations[0].description, "would make 501 members: a team has at most 500");
}

// R1
db::both_databases!(a_team_has_at_most_500_members, MIGRATIONS, |db| async move {
    let agents = agents(&db, 501).await;
    let (app, root) = (app(&db.db, &db.clock), caller(&db.clock, "root"));
    let most = agents[..498].to_vec();
    let airline =
        db.write(&org(), move |tx| Box::pin(async move { team(tx, "airline", &most).await })).await.unwrap();
    let full = app.add_members(&root, origin(), airline, agents[497..500].to_vec()).await.unwrap();
    assert_eq!(full.members, 500);
    refused(app.add_members(&root, origin(), airline, agents[500..].to_vec()).await.unwrap_err());
    assert_eq!(app.get_team(&root, airline).await.unwrap(), full);
    assert_eq!(
        app.add_members(&root, origin(), airline, agents[..9].to_vec()).await.unwrap(),
        full,
        "they are in it"
    );
    let retry = Retry { caller: root.subject.clone(), method: "create", request_id: None, digest: [0; 32] };
    let new = NewTeam {
        handle: Handle::parse("bank").unwrap(),
        display_name: String::new(),
        ramp_up: RampUp::default(),
        offering: Offering::default(),
        reply_limit: None,
        members: agents,
    };
    refused(app.create_team(&root, origin(), retry, new).await.unwrap_err());
});

// R11
db::both_databases!(the_queue_of_a_large_team_is_served_in_smaller_batches, MIGRATIONS, |db| async move {
    let agents = agents(&db, 500).await;
    let airline = db
        .write(&org(), move |tx| {
            Box::pin(async move {
                let team = team(tx, "airline", &agents).await?;
                for _ in 0..45 {
                    waiting(tx, team).await?;
                }
                Ok::<_, DbError>(team)
            })
        })
        .await
        .unwrap();
    let app = App { settings: RoutingConfig::default(), ..(*app(&db.db, &db.clock)).clone() };
    for (assigned, more) in [(40, true), (5, false)] {
        let expected = Served { assigned, offered: 0, more };
        assert_eq!(app.serve_queue(&org(), airline).await.unwrap(), expected);
    }
});
