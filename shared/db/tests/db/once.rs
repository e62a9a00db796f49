//! Safe retries (feature P5).

use crate::ledger::{LedgerError, MIGRATIONS, enter, read_names};
use db::test_support::org;
use db::{Db, RequestIdReused, Retry, both_databases, forget_expired, once, once_answering};
use kernel::{Clock, OrgId, Subject};
use std::time::Duration;

fn retry(caller: &str, payload: u8) -> Retry {
    let id = "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    Retry {
        caller: Subject::parse(caller).unwrap(),
        method: "/backchannel.notes.v1.NotesService/CreateNote",
        request_id: Some(id),
        digest: [payload; 32],
    }
}

/// Enters a row of a new name and answers the name, so that two effects cannot look like one.
async fn create(db: &Db, org: &OrgId, retry: Retry) -> Result<String, LedgerError> {
    db.write(org, move |tx| {
        Box::pin(async move {
            once(tx, &retry, |tx| {
                Box::pin(async move {
                    let name = Clock::system().new_id().to_string();
                    enter(tx, &name, 1).await?;
                    Ok::<_, LedgerError>(name)
                })
            })
            .await
        })
    })
    .await
}

/// As [`create`], with the answer known before the work; `work` says whether it succeeds.
async fn create_answering(db: &Db, org: &OrgId, retry: Retry, work: bool) -> Result<String, LedgerError> {
    db.write(org, move |tx| {
        Box::pin(async move {
            let name = Clock::system().new_id().to_string();
            let entered = name.clone();
            once_answering(tx, &retry, name, move |tx| {
                Box::pin(async move {
                    enter(tx, &entered, 1).await?;
                    if work { Ok(()) } else { Err(LedgerError::Declined) }
                })
            })
            .await
        })
    })
    .await
}

// P5
both_databases!(an_answer_known_beforehand_is_kept_with_its_key, MIGRATIONS, |db| async move {
    let acme = org("acme");
    let failed = create_answering(&db, &acme, retry("ana", 1), false).await;
    assert_eq!(failed, Err(LedgerError::Declined));
    let first = create_answering(&db, &acme, retry("ana", 1), true).await.unwrap();
    assert_eq!(create_answering(&db, &acme, retry("ana", 1), true).await.unwrap(), first);
    assert_eq!(read_names(&db, &acme).await, std::slice::from_ref(&first));
    let reused = create_answering(&db, &acme, retry("ana", 2), true).await;
    assert_eq!(reused, Err(LedgerError::Reused(RequestIdReused)));
    // Both forms keep and read the same answers.
    assert_eq!(create(&db, &acme, retry("ana", 1)).await.unwrap(), first);
});

both_databases!(the_same_request_has_one_effect_and_one_answer, MIGRATIONS, |db| async move {
    let first = create(&db, &org("acme"), retry("ana", 1)).await.unwrap();
    for _ in 0..3 {
        assert_eq!(create(&db, &org("acme"), retry("ana", 1)).await.unwrap(), first);
    }
    assert_eq!(read_names(&db, &org("acme")).await, [first]);
});

both_databases!(another_payload_under_the_same_id_is_refused, MIGRATIONS, |db| async move {
    create(&db, &org("acme"), retry("ana", 1)).await.unwrap();
    let reused = create(&db, &org("acme"), retry("ana", 2)).await;
    assert_eq!(reused, Err(LedgerError::Reused(RequestIdReused)));
    assert_eq!(read_names(&db, &org("acme")).await.len(), 1);
});

both_databases!(another_caller_or_organization_may_use_the_same_id, MIGRATIONS, |db| async move {
    create(&db, &org("acme"), retry("ana", 1)).await.unwrap();
    create(&db, &org("acme"), retry("ben", 2)).await.unwrap();
    create(&db, &org("other"), retry("ana", 3)).await.unwrap();
    assert_eq!(read_names(&db, &org("acme")).await.len(), 2);
    assert_eq!(read_names(&db, &org("other")).await.len(), 1);
});

both_databases!(without_an_id_nothing_is_remembered, MIGRATIONS, |db| async move {
    let anonymous = Retry { request_id: None, ..retry("ana", 1) };
    create(&db, &org("acme"), anonymous.clone()).await.unwrap();
    create(&db, &org("acme"), anonymous).await.unwrap();
    assert_eq!(read_names(&db, &org("acme")).await.len(), 2);
});

both_databases!(a_failed_request_may_be_tried_again, MIGRATIONS, |db| async move {
    let failed: Result<(), LedgerError> = db
        .write(&org("acme"), |tx| {
            Box::pin(async move {
                once(tx, &retry("ana", 1), |_| Box::pin(async { Err(LedgerError::Declined) })).await
            })
        })
        .await;
    assert_eq!(failed, Err(LedgerError::Declined));
    create(&db, &org("acme"), retry("ana", 1)).await.unwrap();
});

both_databases!(equal_requests_at_once_have_exactly_one_effect, MIGRATIONS, |db| async move {
    let second = db::test_support::replica(&db, &MIGRATIONS).await;
    let racers: Vec<_> = (0..32)
        .map(|n| {
            let db = if n % 2 == 0 { db.db.clone() } else { second.clone() };
            tokio::spawn(async move { create(&db, &org("acme"), retry("ana", 1)).await })
        })
        .collect();
    let mut answers = Vec::new();
    for racer in racers {
        answers.push(racer.await.unwrap().unwrap());
    }
    answers.dedup();
    assert_eq!(read_names(&db, &org("acme")).await, answers);
    second.close().await;
});

both_databases!(answers_are_forgotten_after_a_day_in_every_organization, MIGRATIONS, |db| async move {
    create(&db, &org("acme"), retry("ana", 1)).await.unwrap();
    create(&db, &org("other"), retry("ana", 1)).await.unwrap();
    let sweep = || async { db.write_system(|tx| Box::pin(forget_expired(tx))).await.unwrap() };
    db.hand.advance(db::KEPT - Duration::from_secs(1));
    assert_eq!(sweep().await, 0);
    db.hand.advance(Duration::from_secs(2));
    assert_eq!(sweep().await, 2);
    create(&db, &org("acme"), retry("ana", 2)).await.unwrap();
});
