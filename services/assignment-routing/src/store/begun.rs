//! Conversations by when they began, each with its first message.

use db::{DbError, Tx};
use kernel::{ConversationId, Timestamp};
use uuid::Uuid;

use super::conversations::{COLUMNS, ConversationRow, TABLES};
use crate::domain::conversation::Conversation;

/// When conversations began that are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Begun {
    /// Then or later.
    pub from: Timestamp,
    /// Before that.
    pub until: Timestamp,
}

/// How far the time in an id may be from when the conversation began, in milliseconds: ids never go back, clocks may.
const SLACK_MS: i64 = 60_000;

#[derive(db::FromRow)]
struct BegunRow {
    #[sqlx(flatten)]
    conversation: ConversationRow,
    text: Option<String>,
}

/// Conversations that began in a stretch of time, behind one of them, oldest first, and the text each began with; without those of
/// blocked contacts, which were born resolved, a microsecond after they began. Ids carry the time they were made at, so that the key
/// finds them.
pub async fn list_begun(
    tx: &mut Tx,
    begun: Begun,
    after: Option<ConversationId>,
    limit: i64,
) -> Result<Vec<(Conversation, String)>, DbError> {
    let first = after.map_or_else(|| least_id(begun.from, -SLACK_MS), |after| after.as_uuid());
    let sql = format!(
        "SELECT {COLUMNS}, m.text AS text FROM {TABLES}
         LEFT JOIN messages m ON m.org_id = c.org_id AND m.conversation_id = c.conversation_id AND m.position = 1
         WHERE c.org_id = $1 AND c.conversation_id > $2 AND c.conversation_id < $3
             AND c.create_time >= $4 AND c.create_time < $5
             AND NOT EXISTS (SELECT 1 FROM conversation_events e WHERE e.org_id = $1
                 AND e.conversation_id = c.conversation_id AND e.event_time <= c.create_time + 1
                 AND e.type = 'RESOLVED')
         ORDER BY c.conversation_id LIMIT $6"
    );
    let rows: Vec<BegunRow> = tx
        .query_dynamic(sql)
        .bind(first)
        .bind(least_id(begun.until, SLACK_MS))
        .bind(begun.from)
        .bind(begun.until)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    rows.into_iter().map(|row| Ok((row.conversation.conversation()?, row.text.unwrap_or_default()))).collect()
}

/// The least id that could be made so much after a time.
fn least_id(time: Timestamp, slack_ms: i64) -> Uuid {
    let millis = u64::try_from(time.as_micros().div_euclid(1_000).saturating_add(slack_ms)).unwrap_or(0);
    // The first 48 bits are milliseconds; what has more is later than any id.
    let millis = millis.min((1 << 48) - 1);
    Uuid::from_u128(u128::from(millis) << 80)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::Clock;

    use super::*;

    // R15
    #[test]
    fn ids_lie_behind_the_least_of_their_time() {
        let now = Timestamp::from_micros(1_767_225_600_123_456);
        let (clock, _hand) = Clock::fake(now);
        let id = clock.new_id();
        assert!(least_id(now, 0) < id && id < least_id(now, 1));
        assert!(least_id(now.plus(Duration::from_secs(60)), -SLACK_MS) < id);
        assert_eq!(least_id(Timestamp::from_micros(i64::MIN), 0), Uuid::nil());
        assert!(least_id(Timestamp::from_micros(i64::MAX), SLACK_MS) > id);
    }
}
