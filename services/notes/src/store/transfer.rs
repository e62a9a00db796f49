//! The tables as lines of a file. What is in a line says [`KINDS`](crate::domain::transfer::KINDS); the statements are made of it.

use std::collections::HashSet;

use db::{DbError, Engine, Json, Query, Tx};
use kernel::{ContactId, NoteId};
use sqlx::{ColumnIndex, Decode, FromRow, Row};
use uuid::Uuid;

use crate::domain::transfer::{Field, Kind, Line, Type, Value};

/// A row whose values the database made texts.
struct Texts(Vec<Option<String>>);

impl<'r, R> FromRow<'r, R> for Texts
where
    R: Row,
    usize: ColumnIndex<R>,
    Option<String>: Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>().map(Self)
    }
}

fn line(kind: &'static Kind, row: Texts) -> Result<Line, DbError> {
    let cells = kind.fields.iter().zip(row.0).map(|(field, text)| {
        let wrong =
            || DbError::Corrupt(format!("a column of {} holds no such value: {}", kind.table, field.column));
        text.map(|text| field.of.stored(text).ok_or_else(wrong)).transpose()
    });
    Ok(Line { kind, cells: cells.collect::<Result<_, _>>()? })
}

/// The columns of a kind as texts.
fn texts(engine: Engine, kind: &Kind) -> String {
    let columns = kind.fields.iter().map(|Field { column, of, .. }| match (engine, of) {
        (Engine::Sqlite, Type::Id) => format!("lower(hex({column}))"),
        _ => format!("CAST({column} AS TEXT)"),
    });
    // SQLite makes a text of NULL's hex.
    let columns = columns.zip(kind.fields).map(|(text, field)| match (engine, field.of) {
        (Engine::Sqlite, Type::Id) if field.optional => {
            format!("CASE WHEN {} IS NULL THEN NULL ELSE {text} END", field.column)
        }
        _ => text,
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// The columns of a key in an order that is the same on both databases.
fn ordered(engine: Engine, kind: &Kind) -> Vec<String> {
    let column = |field: &Field| match (engine, field.of) {
        (Engine::Postgres, Type::Subject) => format!("{} COLLATE \"C\"", field.column),
        _ => field.column.to_owned(),
    };
    kind.key_fields().iter().map(column).collect()
}

/// Rows of a kind behind a key, at most `limit`, in the order of their keys. Without a key from the first one on.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list(
    tx: &mut Tx,
    kind: &'static Kind,
    after: Option<&[Option<Value>]>,
    limit: i64,
) -> Result<Vec<Line>, DbError> {
    let (key, columns) = (ordered(tx.engine(), kind), texts(tx.engine(), kind));
    let mut sql = format!("SELECT {columns} FROM {} WHERE org_id = $1", kind.table);
    if after.is_some() && !key.is_empty() {
        sql.push_str(&format!(" AND ({}) > {}", key.join(", "), db::rows(2, 1, key.len())));
    } else if after.is_some() {
        return Ok(Vec::new()); // One row in all, which was read.
    }
    if !key.is_empty() {
        sql.push_str(&format!(" ORDER BY {}", key.join(", ")));
    }
    sql.push_str(&format!(" LIMIT ${}", 2 + after.map_or(0, |_| key.len())));
    let mut query = tx.query_dynamic(sql);
    for (field, value) in kind.key_fields().iter().zip(after.unwrap_or_default()) {
        query = bind(query, field.of, value.as_ref());
    }
    let rows: Vec<Texts> = query.bind(limit).fetch_all(tx).await?;
    rows.into_iter().map(|row| line(kind, row)).collect()
}

/// The rows that have one of these values in some fields, in whichever order.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find(
    tx: &mut Tx,
    kind: &'static Kind,
    fields: &[&'static Field],
    values: &[Vec<Option<Value>>],
) -> Result<Vec<Line>, DbError> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let (table, columns) = (kind.table, texts(tx.engine(), kind));
    let names: Vec<&str> = fields.iter().map(|field| field.column).collect();
    let condition = match names.as_slice() {
        [] => String::new(),
        [name] => format!("AND {name} IN {}", db::rows(2, 1, values.len())),
        names => format!("AND ({}) IN (VALUES {})", names.join(", "), db::rows(2, values.len(), names.len())),
    };
    let mut query = tx.query_dynamic(format!("SELECT {columns} FROM {table} WHERE org_id = $1 {condition}"));
    for values in values {
        for (field, value) in fields.iter().zip(values) {
            query = bind(query, field.of, value.as_ref());
        }
    }
    let rows: Vec<Texts> = query.fetch_all(tx).await?;
    rows.into_iter().map(|row| line(kind, row)).collect()
}

/// Adds rows, none of which is there yet.
///
/// # Errors
/// [`DbError`] of the insert: [`DbError::Busy`] if somebody else added one of them meanwhile.
pub async fn insert(tx: &mut Tx, kind: &Kind, lines: &[&Line]) -> Result<(), DbError> {
    if lines.is_empty() {
        return Ok(());
    }
    let columns = kind.fields.iter().map(|field| field.column);
    let columns: Vec<&str> = columns.chain(kind.derived.iter().map(|derived| derived.column)).collect();
    let sql = format!(
        "INSERT INTO {} (org_id, {}) VALUES {} ON CONFLICT DO NOTHING",
        kind.table,
        columns.join(", "),
        db::org_rows(lines.len(), columns.len())
    );
    let mut query = tx.query_dynamic(sql);
    for line in lines {
        for (field, value) in kind.fields.iter().zip(&line.cells) {
            query = bind(query, field.of, value.as_ref());
        }
        for derived in kind.derived {
            query = bind(query, derived.of, (derived.value)(line).as_ref());
        }
    }
    let added = query.execute(tx).await?;
    if added == lines.len() as u64 { Ok(()) } else { Err(DbError::Busy) }
}

fn bind(query: Query, of: Type, value: Option<&Value>) -> Query {
    match (of, value) {
        (Type::Id, None) => query.bind(None::<Uuid>),
        (Type::Number(..) | Type::Time, None) => query.bind(None::<i64>),
        (Type::Flag, None) => query.bind(None::<bool>),
        (Type::Json(_), None) => query.bind(None::<Json<serde_json::Value>>),
        (_, None) => query.bind(None::<String>),
        (_, Some(Value::Id(id))) => query.bind(*id),
        (_, Some(Value::Text(text))) => query.bind(text.clone()),
        (_, Some(Value::Number(number))) => query.bind(*number),
        (_, Some(Value::Flag(flag))) => query.bind(*flag),
        (_, Some(Value::Time(time))) => query.bind(*time),
        (_, Some(Value::Json(json))) => query.bind(Json(json.clone())),
    }
}

/// Those of the contacts that were merged into others.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_merged(tx: &mut Tx, contacts: &[ContactId]) -> Result<Vec<ContactId>, DbError> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT contact_id FROM contact_aliases WHERE org_id = $1 AND contact_id IN {}",
        db::rows(2, 1, contacts.len())
    );
    tx.query_dynamic(sql).bind_all(contacts.iter().copied()).fetch_values(tx).await
}

/// Who was told of these notes because a text of them mentioned them.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_told(tx: &mut Tx, notes: &[NoteId]) -> Result<Vec<(NoteId, kernel::Subject)>, DbError> {
    if notes.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT note_id, subject FROM mentioned_people WHERE org_id = $1 AND note_id IN {} ORDER BY note_id, subject",
        db::rows(2, 1, notes.len())
    );
    tx.query_dynamic(sql).bind_all(notes.iter().copied()).fetch_all(tx).await
}

/// Lets the latest internal message of each conversation be at least as late as this one, so that the next one is later.
///
/// # Errors
/// [`DbError`] of the write.
pub async fn move_latest(tx: &mut Tx, messages: &[&Line]) -> Result<(), DbError> {
    // One row each: a statement changes no row twice.
    let mut latest = std::collections::BTreeMap::new();
    for message in messages {
        if let Some((conversation, time)) = message.id("conversation_id").zip(message.time("create_time")) {
            let last = latest.entry(conversation).or_insert(time);
            *last = time.max(*last);
        }
    }
    if latest.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO internal_conversations (org_id, conversation_id, last_message_time) VALUES {} \
         ON CONFLICT (org_id, conversation_id) DO UPDATE SET last_message_time = excluded.last_message_time \
         WHERE internal_conversations.last_message_time < excluded.last_message_time",
        db::org_rows(latest.len(), 2)
    );
    let query = tx.query_dynamic(sql);
    let query =
        latest.into_iter().fold(query, |query, (conversation, time)| query.bind(conversation).bind(time));
    query.execute(tx).await.map(drop)
}

/// Counts what the people of these threads have not read.
///
/// # Errors
/// [`DbError`] of the update.
pub async fn count_unread(tx: &mut Tx, threads: &HashSet<Uuid>) -> Result<(), DbError> {
    if threads.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE internal_people SET unread_count = ( \
             SELECT COUNT(*) FROM internal_messages m WHERE m.org_id = internal_people.org_id \
             AND m.internal_thread_id = internal_people.internal_thread_id \
             AND m.create_time > internal_people.read_time AND m.author_subject <> internal_people.subject) \
         WHERE org_id = $1 AND internal_thread_id IN {}",
        db::rows(2, 1, threads.len())
    );
    tx.query_dynamic(sql).bind_all(threads.iter().copied()).execute(tx).await.map(drop)
}
