//! Many writers at once.

use crate::ledger::{LedgerError, MIGRATIONS, enter, read_names};
use db::test_support::org;
use db::{Db, DbError, both_databases};

const CALLERS: usize = 64;
const EACH: usize = 20;

/// What a caller does in its turn.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Keep,
    Decline,
    Panic,
    Repeat,
}

async fn take(db: &Db, name: String, turn: Turn) -> Result<(), LedgerError> {
    db.write(&org("acme"), move |tx| {
        Box::pin(async move {
            enter(tx, &name, 1).await?;
            match turn {
                Turn::Keep => Ok(()),
                Turn::Decline => Err(LedgerError::Declined),
                Turn::Panic => panic!("the test panics on purpose"),
                Turn::Repeat => Ok(enter(tx, &name, 1).await.map(drop)?),
            }
        })
    })
    .await
}

both_databases!(failed_work_takes_nothing_from_its_neighbours, MIGRATIONS, |db| async move {
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let db = db.db.clone();
            tokio::spawn(async move {
                let mut kept = Vec::new();
                for n in 0..EACH {
                    let turn =
                        [Turn::Keep, Turn::Decline, Turn::Keep, Turn::Panic, Turn::Repeat][(caller + n) % 5];
                    let name = format!("{caller:02}-{n:02}");
                    let result = take(&db, name.clone(), turn).await;
                    assert_eq!(result.is_ok(), turn == Turn::Keep, "{result:?}");
                    kept.extend((turn == Turn::Keep).then_some(name));
                }
                kept
            })
        })
        .collect();
    let mut kept = Vec::new();
    for caller in callers {
        kept.extend(caller.await.unwrap());
    }
    kept.sort();
    assert_eq!(read_names(&db, &org("acme")).await, kept);
});

both_databases!(an_answer_never_comes_before_the_commit, MIGRATIONS, |db| async move {
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let db = db.db.clone();
            tokio::spawn(async move {
                for n in 0..EACH {
                    let name = format!("{caller:02}-{n:02}");
                    take(&db, name.clone(), Turn::Keep).await.unwrap();
                    // Another connection sees committed rows only.
                    let seen: i64 = db
                        .read::<_, DbError, _>(&org("acme"), move |tx| {
                            Box::pin(async move {
                                tx.query("SELECT COUNT(*) FROM entries WHERE org_id = $1 AND name = $2")
                                    .bind(name)
                                    .fetch_value(tx)
                                    .await
                            })
                        })
                        .await
                        .unwrap();
                    assert_eq!(seen, 1, "answered and not there");
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
});
