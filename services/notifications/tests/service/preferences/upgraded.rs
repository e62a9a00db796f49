//! Feeds from before anything was told outside of them.

use db::test_support::{org, replica};
use db::{DbError, MigrationSet, Migrations, both_databases, step};
use notifications::store::{MIGRATIONS, plans};

/// The tables as they were.
static BEFORE: Migrations = Migrations {
    sets: &[
        &audit::TABLES,
        &outbox::TABLES,
        &erasure::TABLES,
        &MigrationSet {
            name: "notifications",
            steps: &[step!("0001_feeds"), step!("0002_erasure")],
            work_tables: &["feed_heads", "feed_entries"],
        },
    ],
};

// D6
both_databases!(nobody_is_mailed_after_an_upgrade_what_was_in_their_feed_before, BEFORE, |db| async move {
    let acme = org("acme");
    let told = db.write(&acme, |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO feed_heads (org_id, subject, sequence, unread, move_time) VALUES ($1, 'ana', 7, 7, 0)";
            tx.query(sql).execute(tx).await
        })
    });
    told.await.unwrap();
    let upgraded = replica(&db, &MIGRATIONS).await;
    let behind = || upgraded.read_system(|tx| Box::pin(plans::list_behind(tx, "", 10, 10)));
    assert_eq!(behind().await.unwrap(), []);
    // The version before, which runs beside this one for a while, tells something: that is planned.
    let told = upgraded.write(&acme, |tx| {
        Box::pin(async move {
            let sql = "UPDATE feed_heads SET sequence = 8, unread = 8 WHERE org_id = $1 AND subject = 'ana'";
            tx.query(sql).execute(tx).await
        })
    });
    told.await.unwrap();
    let behind: Result<Vec<_>, DbError> = behind().await;
    assert_eq!(behind.unwrap().len(), 1);
    upgraded.close().await;
});
