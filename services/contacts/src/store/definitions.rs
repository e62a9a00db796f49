//! The table `attribute_definitions`.

use db::{DbError, Engine, Json, Tx, rows};
use kernel::Timestamp;

use crate::domain::{Choices, Definition, Key, Line, ValueType};

/// The columns of a [`DefinitionRow`].
macro_rules! columns {
    () => {
        "attribute_key, version, display_name, description, value_type, choices, archived, create_time, update_time"
    };
}

#[derive(db::FromRow)]
struct DefinitionRow {
    attribute_key: Key,
    version: i64,
    display_name: Line,
    description: Line,
    value_type: ValueType,
    choices: Json<Choices>,
    archived: bool,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl From<DefinitionRow> for Definition {
    fn from(row: DefinitionRow) -> Self {
        Self {
            key: row.attribute_key,
            version: row.version,
            display_name: row.display_name,
            description: row.description,
            value_type: row.value_type,
            choices: row.choices.0,
            archived: row.archived,
            create_time: row.create_time,
            update_time: row.update_time,
        }
    }
}

/// Stores a new definition.
///
/// # Errors
/// [`DbError::Unique`] on `attribute_key` when there is one with this key.
pub async fn insert(tx: &mut Tx, new: &Definition) -> Result<(), DbError> {
    const SQL: &str = concat!(
        "INSERT INTO attribute_definitions (org_id, ",
        columns!(),
        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    );
    let query = tx.query(SQL).bind(&new.key).bind(new.version).bind(&new.display_name).bind(&new.description);
    let query = query.bind(new.value_type.as_str()).bind(Json(&new.choices)).bind(new.archived);
    query.bind(new.create_time).bind(new.update_time).execute(tx).await?;
    Ok(())
}

/// Replaces a definition. For the holder of its lock.
///
/// # Errors
/// As for every statement.
pub async fn update(tx: &mut Tx, new: &Definition) -> Result<(), DbError> {
    const SQL: &str =
        "UPDATE attribute_definitions SET version = $3, display_name = $4, description = $5, choices = $6,
            archived = $7, update_time = $8
        WHERE org_id = $1 AND attribute_key = $2";
    let query = tx.query(SQL).bind(&new.key).bind(new.version).bind(&new.display_name).bind(&new.description);
    let query = query.bind(Json(&new.choices)).bind(new.archived).bind(new.update_time);
    query.execute(tx).await?;
    Ok(())
}

/// Removes a definition.
///
/// # Errors
/// [`DbError::ForeignKey`] when contacts have values of it.
pub async fn delete(tx: &mut Tx, key: &Key) -> Result<(), DbError> {
    const SQL: &str = "DELETE FROM attribute_definitions WHERE org_id = $1 AND attribute_key = $2";
    tx.query(SQL).bind(key).execute(tx).await?;
    Ok(())
}

/// The definition with this key.
///
/// # Errors
/// As for every statement.
pub async fn find(tx: &mut Tx, key: &Key) -> Result<Option<Definition>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM attribute_definitions WHERE org_id = $1 AND attribute_key = $2"
    );
    Ok(tx.query(SQL).bind(key).fetch_optional::<DefinitionRow>(tx).await?.map(Definition::from))
}

/// Like [`find`]; until the transaction ends, nobody else changes the definition or gives a contact a value of it.
///
/// # Errors
/// As for every statement.
pub async fn lock(tx: &mut Tx, key: &Key) -> Result<Option<Definition>, DbError> {
    match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => find(tx, key).await,
        Engine::Postgres => {
            const SQL: &str = concat!(
                "SELECT ",
                columns!(),
                " FROM attribute_definitions WHERE org_id = $1 AND attribute_key = $2 FOR UPDATE"
            );
            Ok(tx.query(SQL).bind(key).fetch_optional::<DefinitionRow>(tx).await?.map(Definition::from))
        }
    }
}

/// The definitions with these keys. Until the transaction ends they stay as they are, since values are checked against them.
///
/// # Errors
/// As for every statement.
pub async fn hold(tx: &mut Tx, keys: &[&Key]) -> Result<Vec<Definition>, DbError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let held = match tx.engine() {
        Engine::Sqlite => "",
        Engine::Postgres => "FOR SHARE",
    };
    let sql = format!(
        concat!(
            "SELECT ",
            columns!(),
            " FROM attribute_definitions WHERE org_id = $1 AND attribute_key IN (VALUES {}) ORDER BY attribute_key {}"
        ),
        rows(2, keys.len(), 1),
        held
    );
    let rows: Vec<DefinitionRow> = tx.query_dynamic(sql).bind_all(keys.iter().copied()).fetch_all(tx).await?;
    Ok(rows.into_iter().map(Definition::from).collect())
}

/// How many definitions there are.
///
/// # Errors
/// As for every statement.
pub async fn count_all(tx: &mut Tx) -> Result<i64, DbError> {
    tx.query("SELECT COUNT(*) FROM attribute_definitions WHERE org_id = $1").fetch_value(tx).await
}

/// Definitions after `after`, by key, at most `limit`. Nothing sorts before the empty text.
///
/// # Errors
/// As for every statement.
pub async fn list(
    tx: &mut Tx,
    with_archived: bool,
    after: &str,
    limit: i64,
) -> Result<Vec<Definition>, DbError> {
    const SQL: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM attribute_definitions WHERE org_id = $1 AND attribute_key > $2 AND ($3 OR NOT archived)
          ORDER BY attribute_key LIMIT $4"
    );
    let query = tx.query(SQL).bind(after).bind(with_archived).bind(limit);
    Ok(query.fetch_all::<DefinitionRow>(tx).await?.into_iter().map(Definition::from).collect())
}
