//! What the assigner's transactions do, looked at from beside, many times a second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::task::JoinHandle;

const LOOK_EVERY: Duration = Duration::from_millis(3);

/// What the transaction that holds a team's queue does. `our program`: the database waits for its next statement.
const LOOK: &str = "SELECT CASE a.state WHEN 'active' THEN left(regexp_replace(a.query, '\\s+', ' ', 'g'), 48)
         ELSE 'our program' END
     FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid WHERE l.locktype = 'advisory' AND l.granted LIMIT 1";

/// Counts of what was seen.
pub(crate) struct Profile {
    seen: Arc<Mutex<BTreeMap<String, usize>>>,
    looking: JoinHandle<()>,
}

impl Profile {
    pub(crate) fn begin(database: String) -> Self {
        let seen = Arc::default();
        let looking = tokio::spawn(look(database, Arc::clone(&seen)));
        Self { seen, looking }
    }

    /// Ends, and prints the shares.
    pub(crate) fn tell(self) {
        self.looking.abort();
        let seen = self.seen.lock().unwrap();
        let all: usize = seen.values().sum();
        let mut seen: Vec<_> = seen.iter().collect();
        seen.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (what, count) in seen {
            println!("  {:>5.1} %  {what}", 100.0 * *count as f64 / all as f64);
        }
    }
}

async fn look(database: String, seen: Arc<Mutex<BTreeMap<String, usize>>>) {
    let mut tables = PgConnection::connect(&database).await.unwrap();
    loop {
        let what: Option<String> = sqlx::query_scalar(LOOK).fetch_optional(&mut tables).await.unwrap();
        let what = what.unwrap_or_else(|| "between two batches".to_owned());
        *seen.lock().unwrap().entry(what).or_default() += 1;
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
