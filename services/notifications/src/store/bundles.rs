//! What a bundle still has to tell when it is due.

use db::{DbError, Query, Tx};
use kernel::{Subject, Timestamp};

use super::row::{Row, columns};
use crate::domain::bundle::BundleId;
use crate::domain::preferences::Channel;
use crate::domain::{Notification, NotificationType};

/// Which entries are meant.
#[derive(Debug, Clone)]
pub struct StillToTell<'a> {
    /// Whose.
    pub subject: &'a Subject,
    /// By which channel.
    pub channel: Channel,
    /// In which bundle.
    pub bundle: BundleId,
    /// Of these types; at least one.
    pub wanted: &'a [NotificationType],
    /// And of these even if the person muted the conversation.
    pub forced: &'a [NotificationType],
    /// What is put off beyond this moment is not meant.
    pub now: Timestamp,
}

/// At most `limit` entries of a bundle that are unread and wanted: mentions first, then the newest.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn list(tx: &mut Tx, which: &StillToTell<'_>, limit: i64) -> Result<Vec<Notification>, DbError> {
    let (told, values) = told(which);
    let sql = format!(
        "SELECT {} {told} ORDER BY (type = 'mentioned') DESC, sequence DESC LIMIT ${values}",
        columns!()
    );
    let rows: Vec<Row> = bound(tx.query_dynamic(sql), which).bind(limit).fetch_all(tx).await?;
    Ok(rows.into_iter().map(Notification::from).collect())
}

/// How many entries of a bundle are unread and wanted, in how many conversations, and of how many types.
///
/// # Errors
/// [`DbError`] of the statement.
pub async fn count(tx: &mut Tx, which: &StillToTell<'_>) -> Result<(i64, i64, i64), DbError> {
    let counted = "COUNT(*), COUNT(DISTINCT conversation_id), COUNT(DISTINCT type)";
    let sql = format!("SELECT {counted} {}", told(which).0);
    bound(tx.query_dynamic(sql), which).fetch_one(tx).await
}

/// The rest of a statement from FROM on, and the number of the next value.
fn told(which: &StillToTell<'_>) -> (String, usize) {
    let bundle = match which.channel {
        Channel::Email => "email_bundle",
        Channel::Push => "push_bundle",
    };
    let (wanted, forced) = (which.wanted.len(), which.forced.len());
    let whatever_is_muted = match forced {
        0 => String::new(),
        _ => format!("type IN {} OR ", db::rows(5 + wanted, 1, forced)),
    };
    // CROSS JOIN: SQLite begins with the bundle then, and not with the whole feed.
    let text = format!(
        "FROM (SELECT sequence AS place FROM plans WHERE org_id = $1 AND subject = $2 AND {bundle} = $3) AS told
         CROSS JOIN feed_entries
         WHERE org_id = $1 AND subject = $2 AND sequence = place AND read_time IS NULL AND archive_time IS NULL
             AND (snooze_until_time IS NULL OR snooze_until_time <= $4)
             AND type IN {}
             AND ({whatever_is_muted}NOT EXISTS (
                 SELECT 1 FROM mutes m WHERE m.org_id = $1 AND m.subject = $2
                     AND m.conversation_id = feed_entries.conversation_id))",
        db::rows(5, 1, wanted)
    );
    (text, 5 + wanted + forced)
}

fn bound(query: Query, which: &StillToTell<'_>) -> Query {
    let types = which.wanted.iter().chain(which.forced).map(|kind| kind.as_str());
    query.bind(which.subject).bind(which.bundle).bind(which.now).bind_all(types)
}
