//! Who is in a thread, and what they have read.

use db::{DbError, Tx};
use kernel::{ConversationId, Subject, Timestamp};

use crate::domain::internal_message::{InternalThread, InternalThreadId, Member, Person};

#[derive(db::FromRow)]
struct MemberRow {
    subject: Subject,
    display_name: String,
    unread_count: i64,
}

impl From<MemberRow> for Member {
    fn from(row: MemberRow) -> Self {
        let MemberRow { subject, display_name, unread_count } = row;
        Self { person: Person { subject, display_name }, unread: unread_count }
    }
}

#[derive(db::FromRow)]
struct ListedRow {
    internal_thread_id: InternalThreadId,
    #[sqlx(flatten)]
    member: MemberRow,
}

/// Makes these people part of a thread who are not yet. What was written before they came is not unread.
///
/// # Errors
/// [`DbError`] of the insert.
pub async fn join(
    tx: &mut Tx,
    thread: &InternalThread,
    people: &[Person],
    read_time: Timestamp,
) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO internal_people \
         (org_id, internal_thread_id, subject, display_name, conversation_id, read_time, unread_count) \
         VALUES {} ON CONFLICT (org_id, internal_thread_id, subject) DO NOTHING",
        db::org_rows(people.len(), 6)
    );
    let query = people.iter().fold(tx.query_dynamic(sql), |query, person| {
        query
            .bind(thread.thread_id)
            .bind(&person.subject)
            .bind(person.display_name.as_str())
            .bind(thread.conversation_id)
            .bind(read_time)
            .bind(0_i64)
    });
    query.execute(tx).await.map(drop)
}

/// Counts a new message for everybody in its thread but the author, whose present name is kept; gives everybody.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn count_message(
    tx: &mut Tx,
    id: InternalThreadId,
    author: &Person,
) -> Result<Vec<Member>, DbError> {
    let rows: Vec<MemberRow> = tx
        .query(
            "UPDATE internal_people SET \
             unread_count = CASE WHEN subject = $3 THEN unread_count ELSE unread_count + 1 END, \
             display_name = CASE WHEN subject = $3 THEN $4 ELSE display_name END \
             WHERE org_id = $1 AND internal_thread_id = $2 RETURNING subject, display_name, unread_count",
        )
        .bind(id)
        .bind(&author.subject)
        .bind(author.display_name.as_str())
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(Member::from).collect())
}

/// Everybody in these threads.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_members(
    tx: &mut Tx,
    threads: &[InternalThreadId],
) -> Result<Vec<(InternalThreadId, Member)>, DbError> {
    if threads.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT internal_thread_id, subject, display_name, unread_count FROM internal_people \
         WHERE org_id = $1 AND internal_thread_id IN {}",
        db::rows(2, 1, threads.len())
    );
    let rows: Vec<ListedRow> = tx.query_dynamic(sql).bind_all(threads.iter().copied()).fetch_all(tx).await?;
    Ok(rows.into_iter().map(|row| (row.internal_thread_id, row.member.into())).collect())
}

/// The threads that a person is in, the latest opened first, at most `limit` behind one.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_threads_of(
    tx: &mut Tx,
    subject: &Subject,
    unread_only: bool,
    behind: InternalThreadId,
    limit: i64,
) -> Result<Vec<InternalThreadId>, DbError> {
    let sql = match unread_only {
        true => {
            "SELECT internal_thread_id FROM internal_people WHERE org_id = $1 AND subject = $2 \
             AND internal_thread_id < $3 AND unread_count > 0 ORDER BY internal_thread_id DESC LIMIT $4"
        }
        false => {
            "SELECT internal_thread_id FROM internal_people WHERE org_id = $1 AND subject = $2 \
             AND internal_thread_id < $3 ORDER BY internal_thread_id DESC LIMIT $4"
        }
    };
    tx.query(sql).bind(subject).bind(behind).bind(limit).fetch_values(tx).await
}

/// Moves a person's cursor in the threads of a conversation forward to a time. The caller holds the conversation's lock,
/// so that no message is counted as read that was written meanwhile.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn move_cursor(
    tx: &mut Tx,
    conversation_id: ConversationId,
    subject: &Subject,
    to: Timestamp,
) -> Result<(), DbError> {
    tx.query(
        "UPDATE internal_people SET read_time = $4, unread_count = ( \
             SELECT COUNT(*) FROM internal_messages m WHERE m.org_id = internal_people.org_id \
             AND m.internal_thread_id = internal_people.internal_thread_id AND m.create_time > $4 \
             AND m.author_subject <> internal_people.subject) \
         WHERE org_id = $1 AND conversation_id = $2 AND subject = $3 AND read_time < $4",
    )
    .bind(conversation_id)
    .bind(subject)
    .bind(to)
    .execute(tx)
    .await
    .map(drop)
}

/// What a person has not read of a conversation; `None`: they are in none of its threads.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_unread(
    tx: &mut Tx,
    conversation_id: ConversationId,
    subject: &Subject,
) -> Result<Option<i64>, DbError> {
    tx.query(
        "SELECT CAST(SUM(unread_count) AS BIGINT) FROM internal_people \
         WHERE org_id = $1 AND conversation_id = $2 AND subject = $3",
    )
    .bind(conversation_id)
    .bind(subject)
    .fetch_value(tx)
    .await
}

/// What a person has not read at all.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn count_unread(tx: &mut Tx, subject: &Subject) -> Result<i64, DbError> {
    tx.query(
        "SELECT CAST(COALESCE(SUM(unread_count), 0) AS BIGINT) FROM internal_people \
         WHERE org_id = $1 AND subject = $2 AND unread_count > 0",
    )
    .bind(subject)
    .fetch_value(tx)
    .await
}

/// What a person has not read of each of these conversations; those without anything are left out.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_unread(
    tx: &mut Tx,
    subject: &Subject,
    conversations: &[ConversationId],
) -> Result<Vec<(ConversationId, i64)>, DbError> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT conversation_id, CAST(SUM(unread_count) AS BIGINT) FROM internal_people \
         WHERE org_id = $1 AND subject = $2 AND unread_count > 0 AND conversation_id IN {} \
         GROUP BY conversation_id",
        db::rows(3, 1, conversations.len())
    );
    tx.query_dynamic(sql).bind(subject).bind_all(conversations.iter().copied()).fetch_all(tx).await
}
