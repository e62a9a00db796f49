//! Templates for notes.

use db::{DbError, Engine, Json, Tx};
use kernel::Timestamp;

use crate::domain::{Field, Template, TemplateId, TemplateText};

macro_rules! select_templates {
    ($rest:literal) => {
        concat!(
            "SELECT note_template_id, name, body, fields, version, create_time, update_time FROM note_templates ",
            $rest
        )
    };
}

#[derive(db::FromRow)]
struct TemplateRow {
    note_template_id: TemplateId,
    name: String,
    body: String,
    fields: Json<Vec<Field>>,
    version: i64,
    create_time: Timestamp,
    update_time: Timestamp,
}

impl From<TemplateRow> for Template {
    fn from(row: TemplateRow) -> Self {
        Self {
            id: row.note_template_id,
            version: row.version,
            name: row.name,
            text: TemplateText::stored(row.body, row.fields.0),
            create_time: row.create_time,
            update_time: row.update_time,
        }
    }
}

/// Adds a template.
///
/// # Errors
/// [`DbError`] of the insert: `Unique` if another has its name.
pub async fn insert_template(tx: &mut Tx, template: &Template) -> Result<(), DbError> {
    tx.query(
        "INSERT INTO note_templates \
         (org_id, note_template_id, name, body, fields, version, create_time, update_time) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(template.id)
    .bind(template.name.as_str())
    .bind(template.text.body())
    .bind(Json(template.text.fields()))
    .bind(template.version)
    .bind(template.create_time)
    .bind(template.update_time)
    .execute(tx)
    .await
    .map(drop)
}

/// The template, if the organization has it.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn find_template(tx: &mut Tx, id: TemplateId) -> Result<Option<Template>, DbError> {
    let row: Option<TemplateRow> = tx
        .query(select_templates!("WHERE org_id = $1 AND note_template_id = $2"))
        .bind(id)
        .fetch_optional(tx)
        .await?;
    Ok(row.map(Template::from))
}

/// Like [`find_template`], and nobody else changes the template before this transaction ends.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn lock_template(tx: &mut Tx, id: TemplateId) -> Result<Option<Template>, DbError> {
    let sql = match tx.engine() {
        // The only writer there is holds the whole database already.
        Engine::Sqlite => select_templates!("WHERE org_id = $1 AND note_template_id = $2"),
        Engine::Postgres => select_templates!("WHERE org_id = $1 AND note_template_id = $2 FOR UPDATE"),
    };
    let row: Option<TemplateRow> = tx.query(sql).bind(id).fetch_optional(tx).await?;
    Ok(row.map(Template::from))
}

/// Templates by name, at most `limit` behind a name.
///
/// # Errors
/// [`DbError`] of the read.
pub async fn list_templates(tx: &mut Tx, after: &str, limit: i64) -> Result<Vec<Template>, DbError> {
    let rows: Vec<TemplateRow> = tx
        .query(select_templates!("WHERE org_id = $1 AND name > $2 ORDER BY name LIMIT $3"))
        .bind(after)
        .bind(limit)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(Template::from).collect())
}

/// Writes a changed template. The caller holds the lock.
///
/// # Errors
/// [`DbError`] of the update: `Unique` if another has its name.
pub async fn update_template(tx: &mut Tx, template: &Template) -> Result<(), DbError> {
    tx.query(
        "UPDATE note_templates SET name = $3, body = $4, fields = $5, version = $6, update_time = $7 \
         WHERE org_id = $1 AND note_template_id = $2",
    )
    .bind(template.id)
    .bind(template.name.as_str())
    .bind(template.text.body())
    .bind(Json(template.text.fields()))
    .bind(template.version)
    .bind(template.update_time)
    .execute(tx)
    .await
    .map(drop)
}

/// Removes a template.
///
/// # Errors
/// [`DbError`] of the delete.
pub async fn delete_template(tx: &mut Tx, id: TemplateId) -> Result<(), DbError> {
    tx.query("DELETE FROM note_templates WHERE org_id = $1 AND note_template_id = $2")
        .bind(id)
        .execute(tx)
        .await
        .map(drop)
}
