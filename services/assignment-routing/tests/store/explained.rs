//! Decisions as they are read.

use assignment_routing::domain::choose::{Candidate, Exclusion};
use assignment_routing::domain::decision::{Cause, Decision, Outcome};
use assignment_routing::store::{self, MIGRATIONS};
use db::DbError;
use kernel::{DecisionId, PageSize};

use crate::fixtures::{app, caller, conversation, org};

/// Members of the team, and decisions on the conversation.
const MEMBERS: usize = 2_000;
const DECISIONS: usize = 24;

// R15, P7
db::both_databases!(
    a_page_of_decisions_ends_where_an_answer_would_become_too_large,
    MIGRATIONS,
    |db| async move {
        let org = org();
        let made = db.write(&org, |tx| {
            Box::pin(async move {
                let clock = tx.clock().clone();
                let it = conversation(&clock, None);
                store::conversations::insert_conversation(tx, &it).await?;
                let candidate = || Candidate {
                    agent: clock.new_id().into(),
                    exclusion: Some(Exclusion::Offline),
                    open: 0,
                    extra_units: 0,
                    capacity: 0,
                };
                let candidates: Vec<Candidate> = (0..MEMBERS).map(|_| candidate()).collect();
                let decision = || Decision {
                    outcome: Outcome::Queued,
                    cause: Cause::Queue,
                    candidates: candidates.clone(),
                    ..Decision::unrouted(clock.new_id().into(), it.id, clock.now(), vec![])
                };
                for _ in 0..DECISIONS {
                    store::decisions::insert_decisions(tx, &[decision()]).await?;
                }
                Ok::<_, DbError>(it.id)
            })
        });
        let id = made.await.unwrap();
        let (app, boss) = (app(&db.db, &db.clock), caller(&db.clock, "boss"));
        let (mut ids, mut pages, mut token) = (Vec::<DecisionId>::new(), 0, String::new());
        loop {
            let page = app.explain(&boss, id, PageSize::MOST, &token).await.unwrap();
            // Each candidate has at least two ids in an answer.
            assert!(
                page.decisions.len() * MEMBERS * 72 < 4 * 1024 * 1024,
                "{} decisions",
                page.decisions.len()
            );
            ids.extend(page.decisions.iter().map(|it| it.id));
            (pages, token) = (pages + 1, page.next);
            if token.is_empty() {
                break;
            }
        }
        assert!(
            pages > 1 && ids.len() == DECISIONS && ids.is_sorted_by(|one, next| one > next),
            "{pages} pages"
        );
    }
);
