//! Conversations that change hands because contacts were merged.

use ::merges::Rows;
use db::{BoxFuture, DbError, Tx, rows};
use kernel::ContactId;
use uuid::Uuid;

use super::locks;

/// The conversations of this service, which follow merges.
#[derive(Debug, Clone, Copy)]
pub struct Conversations;

impl Rows for Conversations {
    fn action(&self) -> &'static str {
        "conversation.move"
    }

    fn at_once(&self) -> u16 {
        200
    }

    fn list<'t>(
        &'t self,
        tx: &'t mut Tx,
        contact: ContactId,
        limit: i64,
    ) -> BoxFuture<'t, Result<Vec<Uuid>, DbError>> {
        let lock = locks::conversations_for_update(tx);
        let sql = format!(
            "SELECT c.conversation_id FROM conversations c WHERE c.org_id = $1 AND c.contact_id = $2
             ORDER BY c.last_activity_time, c.conversation_id LIMIT $3{lock}"
        );
        let query = tx.query_dynamic(sql).bind(contact).bind(limit);
        Box::pin(async move { query.fetch_values(tx).await })
    }

    fn give<'t>(
        &'t self,
        tx: &'t mut Tx,
        ids: &'t [Uuid],
        from: ContactId,
        to: ContactId,
    ) -> BoxFuture<'t, Result<(), DbError>> {
        let sql = format!(
            "UPDATE conversations SET contact_id = $3, version = version + 1,
                 first_contact_id = NULLIF(COALESCE(first_contact_id, contact_id), $3)
             WHERE org_id = $1 AND contact_id = $2 AND conversation_id IN (VALUES {})",
            rows(4, ids.len(), 1)
        );
        let query = tx.query_dynamic(sql).bind(from).bind(to).bind_all(ids.iter().copied());
        Box::pin(async move { query.execute(tx).await.map(drop) })
    }
}
