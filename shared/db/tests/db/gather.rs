//! Questions of many callers in one statement.

use crate::ledger::{MIGRATIONS, enter};
use db::test_support::org;
use db::{Db, DbError, Gather, both_databases};
use std::sync::atomic::{AtomicUsize, Ordering};

const ENTRIES: i64 = 300;

/// Reads of this process; its tests run side by side, so that only a bound can be said of them.
static READS: AtomicUsize = AtomicUsize::new(0);

/// Amounts are asked for by line id, which is also the amount.
fn gather(db: Db) -> Gather<i64, i64> {
    Gather::new(db, |tx, ids| {
        Box::pin(async move {
            READS.fetch_add(1, Ordering::Relaxed);
            let asked = ids.len();
            assert!(asked.is_power_of_two() && asked <= 64, "{asked} keys");
            let sql = format!(
                "SELECT amount, amount FROM entries WHERE org_id = $1 AND amount IN {}",
                db::rows(2, 1, asked)
            );
            tx.query_dynamic(sql).bind_all(ids).fetch_all(tx).await
        })
    })
}

async fn enter_all(db: &Db) {
    db.write(&org("acme"), |tx| {
        Box::pin(async move {
            for amount in 1..=ENTRIES {
                enter(tx, &format!("entry {amount}"), amount).await?;
            }
            Ok::<_, DbError>(())
        })
    })
    .await
    .unwrap();
}

both_databases!(everybody_is_answered_their_own_question, MIGRATIONS, |db| async move {
    enter_all(&db).await;
    let (gather, before) = (gather(db.db.clone()), READS.load(Ordering::Relaxed));
    // Each twice, one in five of nothing, and the same questions by another organization.
    let asked: Vec<_> = (1..=ENTRIES + ENTRIES / 5)
        .flat_map(|id| [("acme", id), ("acme", id), ("other", id)])
        .map(|(whose, id)| {
            let gather = gather.clone();
            tokio::spawn(async move { (whose, id, gather.ask(&org(whose), id).await.unwrap()) })
        })
        .collect();
    let questions = asked.len();
    for answer in asked {
        let (whose, id, found) = answer.await.unwrap();
        assert_eq!(found, (whose == "acme" && id <= ENTRIES).then_some(id), "{whose} asked for {id}");
    }
    let reads = READS.load(Ordering::Relaxed) - before;
    assert!(reads < questions, "{reads} reads for {questions} questions");
});

both_databases!(who_has_written_finds_it, MIGRATIONS, |db| async move {
    let gather = gather(db.db.clone());
    for amount in 1..=20 {
        // Others ask all the while, so that a read is under way when the question comes.
        let others: Vec<_> = (0..8)
            .map(|_| {
                let gather = gather.clone();
                tokio::spawn(async move { gather.ask(&org("acme"), amount).await })
            })
            .collect();
        db.write(&org("acme"), move |tx| {
            Box::pin(async move { enter(tx, &format!("entry {amount}"), amount).await })
        })
        .await
        .unwrap();
        assert_eq!(gather.ask(&org("acme"), amount).await, Ok(Some(amount)));
        for other in others {
            other.await.unwrap().unwrap();
        }
    }
});

both_databases!(who_goes_away_leaves_the_others_their_answers, MIGRATIONS, |db| async move {
    enter_all(&db).await;
    let gather = gather(db.db.clone());
    for id in 1..=50 {
        let (first, second) = (gather.clone(), gather.clone());
        let gone = tokio::spawn(async move { first.ask(&org("acme"), id).await });
        let waiting = tokio::spawn(async move { second.ask(&org("acme"), id).await });
        gone.abort();
        assert_eq!(waiting.await.unwrap(), Ok(Some(id)));
    }
});

both_databases!(
    a_failed_read_is_everybodys_answer_and_the_next_question_is_asked_anew,
    MIGRATIONS,
    |db| async move {
        let failing: Gather<i64, i64> = Gather::new(db.db.clone(), |tx, _| {
            Box::pin(async move {
                tx.query("SELECT amount, nothing FROM entries WHERE org_id = $1").fetch_all(tx).await
            })
        });
        for _ in 0..3 {
            assert!(failing.ask(&org("acme"), 1).await.is_err());
        }
    }
);
