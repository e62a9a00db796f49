//! Row-level security: what holds when a statement forgets the organization.

use crate::ledger::{MIGRATIONS, enter};
use db::test_support::{TestDb, org, run};
use db::{DbError, Engine, both_databases};

async fn fill(db: &TestDb) {
    for name in ["acme", "other"] {
        db.write::<_, DbError, _>(&org(name), move |tx| {
            Box::pin(async move {
                enter(tx, name, 1).await?;
                tx.query("INSERT INTO jobs (org_id, job) VALUES ($1, $2)").bind(name).execute(tx).await
            })
        })
        .await
        .unwrap();
    }
}

async fn as_acme(db: &TestDb, sql: &'static str) -> Result<u64, DbError> {
    db.write(&org("acme"), move |tx| Box::pin(async move { tx.query(sql).execute(tx).await })).await
}

#[test]
fn a_statement_that_forgets_the_filter_sees_and_changes_its_own_rows_only() {
    run(Engine::Postgres, &MIGRATIONS, |db| async move {
        fill(&db).await;
        let seen: Vec<String> = db
            .read::<_, DbError, _>(&org("acme"), |tx| {
                Box::pin(
                    async move { tx.query("SELECT name FROM entries WHERE $1 <> ''").fetch_values(tx).await },
                )
            })
            .await
            .unwrap();
        assert_eq!(seen, ["acme"]);
        assert_eq!(as_acme(&db, "UPDATE entries SET amount = 9 WHERE $1 <> ''").await, Ok(1));
        assert_eq!(as_acme(&db, "DELETE FROM jobs WHERE $1 <> ''").await, Ok(1));
    });
}

#[test]
fn no_row_can_be_written_for_another_organization() {
    run(Engine::Postgres, &MIGRATIONS, |db| async move {
        fill(&db).await;
        let forged = as_acme(&db, "INSERT INTO entries (org_id, name, amount) VALUES ('other', $1, 1)").await;
        assert!(
            matches!(&forged, Err(DbError::Corrupt(why)) if why.contains("row-level security")),
            "{forged:?}"
        );
        let moved = as_acme(&db, "UPDATE entries SET org_id = 'other' WHERE org_id = $1").await;
        assert!(
            matches!(&moved, Err(DbError::Corrupt(why)) if why.contains("row-level security")),
            "{moved:?}"
        );
    });
}

#[test]
fn system_work_sees_work_tables_and_nothing_else() {
    run(Engine::Postgres, &MIGRATIONS, |db| async move {
        fill(&db).await;
        let (jobs, entries): (i64, i64) = db
            .read_system::<_, DbError, _>(|tx| {
                Box::pin(async move {
                    assert_eq!(tx.org(), None);
                    let jobs = tx.query("SELECT COUNT(*) FROM jobs").fetch_value(tx).await?;
                    Ok((jobs, tx.query("SELECT COUNT(*) FROM entries").fetch_value(tx).await?))
                })
            })
            .await
            .unwrap();
        assert_eq!((jobs, entries), (2, 0));
    });
}

#[test]
fn the_serving_role_owns_nothing_and_is_bound_by_the_policies() {
    run(Engine::Postgres, &MIGRATIONS, |db| async move {
        let (role, above, owned): (String, bool, i64) = db
            .read_system::<_, DbError, _>(|tx| {
                Box::pin(async move {
                    tx.query(
                        "SELECT current_user::text, rolsuper OR rolbypassrls OR rolcanlogin,
                                (SELECT COUNT(*) FROM pg_class WHERE relowner = r.oid)
                         FROM pg_roles r WHERE rolname = current_user",
                    )
                    .fetch_one(tx)
                    .await
                })
            })
            .await
            .unwrap();
        assert_eq!((role.as_str(), above, owned), ("backchannel_app", false, 0));
        let ddl = as_acme(&db, "SELECT $1::text FROM schema_migrations").await;
        assert!(matches!(&ddl, Err(DbError::Corrupt(why)) if why.contains("permission denied")), "{ddl:?}");
    });
}

both_databases!(system_work_of_every_tenant_is_seen, MIGRATIONS, |db| async move {
    fill(&db).await;
    let jobs: Vec<String> = db
        .read_system::<_, DbError, _>(|tx| {
            Box::pin(async move { tx.query("SELECT job FROM jobs ORDER BY job").fetch_values(tx).await })
        })
        .await
        .unwrap();
    assert_eq!(jobs, ["acme", "other"]);
});
