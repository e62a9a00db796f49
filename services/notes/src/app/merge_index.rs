//! The words of deleted notes leave SQLite's index: FTS5 drops them when it merges its parts. This goes on in the background, in short
//! steps with long rests, as it may write the whole index anew.

use std::time::Duration;

use db::{Db, DbError, Engine};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::store::index_debts;

/// Between two looks for deleted notes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A step is followed by a rest so many times as long: SQLite's only writer is there for others.
const REST: u32 = 20;

/// Pages that the first step merges. Notes that are written between two steps let FTS5 begin anew, so each step is twice as long as
/// the one before.
const FIRST: i64 = 250;

/// Pages that a step merges at most, about 32 MiB. In a larger index, all of it goes while few notes are written.
const MOST: i64 = 8_000;

/// Merges the index until `stop`, whenever notes were deleted. On PostgreSQL there is nothing to do.
pub async fn merge_index(db: Db, stop: CancellationToken) {
    if db.engine() == Engine::Postgres {
        return stop.cancelled().await;
    }
    let mut pages = FIRST;
    loop {
        let begun = Instant::now();
        let rest = match step(&db, pages).await {
            Ok(true) => {
                pages = FIRST;
                LOOK_EVERY
            }
            Ok(false) => {
                pages = (pages * 2).min(MOST);
                begun.elapsed() * REST
            }
            Err(error) => {
                tracing::warn!(%error, "the index of words not merged; tried again soon");
                LOOK_EVERY
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}

/// Merges some pages, if need be; tells whether the index holds no word of a deleted note.
async fn step(db: &Db, pages: i64) -> Result<bool, DbError> {
    if !db.read_system(|tx| Box::pin(index_debts::are_there(tx))).await? {
        return Ok(true);
    }
    db.write_system(move |tx| Box::pin(index_debts::pay(tx, pages))).await
}
