//! The table `contacts`.

use db::{DbError, Engine, Json, Query, Tx, rows};
use kernel::{ContactId, Timestamp};

use crate::domain::{Attribute, Block, Contact, Email, Identity, Line, Phone, Profile, Tag};

/// The columns of an insert.
macro_rules! inserted {
    () => {
        "contact_id, version, display_name, given_name, family_name, emails, phones, external_id, language, time_zone, \
         default_channel, avatar_url, company, location, create_time, update_time"
    };
}

/// The columns of a [`ContactRow`].
macro_rules! columns {
    () => {
        concat!(inserted!(), ", block")
    };
}
pub(super) use {columns, inserted};

/// A contact without its tags, identities and attributes, which have tables of their own.
#[derive(Debug, Clone, db::FromRow)]
pub struct ContactRow {
    /// The key.
    pub contact_id: ContactId,
    version: i64,
    display_name: Line,
    given_name: Line,
    family_name: Line,
    emails: Json<Vec<Email>>,
    phones: Json<Vec<Phone>>,
    external_id: Line,
    language: Line,
    time_zone: Line,
    default_channel: Line,
    avatar_url: Line,
    company: Line,
    location: Line,
    create_time: Timestamp,
    update_time: Timestamp,
    block: Option<Json<Block>>,
}

impl ContactRow {
    /// The contact whose row this is, with what the other tables know of it.
    pub fn with(self, tags: Vec<Tag>, identities: Vec<Identity>, attributes: Vec<Attribute>) -> Contact {
        Contact {
            contact_id: self.contact_id,
            version: self.version,
            profile: Profile {
                display_name: self.display_name,
                given_name: self.given_name,
                family_name: self.family_name,
                emails: self.emails.0,
                phones: self.phones.0,
                external_id: self.external_id,
                language: self.language,
                time_zone: self.time_zone,
                default_channel: self.default_channel,
                avatar_url: self.avatar_url,
                company: self.company,
                location: self.location,
            },
            tags,
            identities,
            attributes,
            block: self.block.map(|Json(block)| block),
            create_time: self.create_time,
            update_time: self.update_time,
        }
    }
}

/// Stores a new contact with version 1.
///
/// # Errors
/// [`DbError::Unique`] on `external_id` when another contact has it.
pub async fn insert(tx: &mut Tx, id: ContactId, profile: &Profile, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = concat!(
        "INSERT INTO contacts (org_id, ",
        inserted!(),
        ") VALUES ($1, $2, 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)"
    );
    let query = tx.query(SQL).bind(id);
    bind_profile(query, profile).bind(now).execute(tx).await?;
    Ok(())
}

/// Replaces a contact's profile and counts its version up. For the holder of the contact's lock.
///
/// # Errors
/// [`DbError::Unique`] on `external_id` when another contact has it.
pub async fn update(tx: &mut Tx, id: ContactId, profile: &Profile, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = "UPDATE contacts SET display_name = $3, given_name = $4, family_name = $5, emails = $6, phones = $7,
            external_id = $8, language = $9, time_zone = $10, default_channel = $11, avatar_url = $12, company = $13,
            location = $14, update_time = $15, version = version + 1
        WHERE org_id = $1 AND contact_id = $2";
    let query = tx.query(SQL).bind(id);
    bind_profile(query, profile).bind(now).execute(tx).await?;
    Ok(())
}

/// Stores a contact that was there before, with its own id and time of making, and the given version.
///
/// # Errors
/// [`DbError::Unique`] on `external_id` when another contact has it.
pub async fn restore(tx: &mut Tx, contact: &Contact, version: i64, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str = concat!(
        "INSERT INTO contacts (org_id, ",
        columns!(),
        ") VALUES ($1, $2, $16, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $17, $18)"
    );
    let query = bind_profile(tx.query(SQL).bind(contact.contact_id), &contact.profile);
    let query = query.bind(contact.create_time).bind(version).bind(now);
    query.bind(contact.block.as_ref().map(Json)).execute(tx).await?;
    Ok(())
}

/// Like [`lock`], and nobody refers to the contact anew either: it is about to go.
///
/// # Errors
/// As for every statement.
pub async fn lock_to_delete(tx: &mut Tx, id: ContactId) -> Result<(), DbError> {
    match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => Ok(()),
        Engine::Postgres => {
            const SQL: &str = "SELECT 1 FROM contacts WHERE org_id = $1 AND contact_id = $2 FOR UPDATE";
            tx.query(SQL).bind(id).execute(tx).await.map(drop)
        }
    }
}

/// Removes a contact with its identities, tags, attributes and entries. It is on no list any more.
///
/// # Errors
/// [`DbError::ForeignKey`] when it is on a list.
pub async fn delete(tx: &mut Tx, id: ContactId) -> Result<(), DbError> {
    tx.query("DELETE FROM contacts WHERE org_id = $1 AND contact_id = $2").bind(id).execute(tx).await?;
    Ok(())
}

/// Counts a contact's version up, as its tags, identities or attributes changed. For the holder of the contact's lock.
///
/// # Errors
/// As for every statement.
pub async fn touch(tx: &mut Tx, id: ContactId, now: Timestamp) -> Result<(), DbError> {
    const SQL: &str =
        "UPDATE contacts SET version = version + 1, update_time = $3 WHERE org_id = $1 AND contact_id = $2";
    tx.query(SQL).bind(id).bind(now).execute(tx).await?;
    Ok(())
}

/// Sets or ends a contact's block and counts the version up. For the holder of the contact's lock.
///
/// # Errors
/// As for every statement.
pub async fn set_block(
    tx: &mut Tx,
    id: ContactId,
    block: Option<&Block>,
    now: Timestamp,
) -> Result<(), DbError> {
    const SQL: &str = "UPDATE contacts SET block = $3, version = version + 1, update_time = $4
        WHERE org_id = $1 AND contact_id = $2";
    tx.query(SQL).bind(id).bind(block.map(Json)).bind(now).execute(tx).await?;
    Ok(())
}

/// Which of these contacts there are; until the transaction ends, nobody changes, merges or deletes them.
///
/// # Errors
/// As for every statement.
pub async fn hold(tx: &mut Tx, ids: &[ContactId]) -> Result<Vec<ContactId>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let lock = match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => "",
        Engine::Postgres => " FOR SHARE",
    };
    let sql = format!(
        "SELECT contact_id FROM contacts WHERE org_id = $1 AND contact_id IN (VALUES {}) ORDER BY contact_id{lock}",
        rows(2, ids.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_values(tx).await
}

/// Which of these contacts there are at this moment.
///
/// # Errors
/// As for every statement.
pub async fn which(tx: &mut Tx, ids: &[ContactId]) -> Result<Vec<ContactId>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT contact_id FROM contacts WHERE org_id = $1 AND contact_id IN (VALUES {})",
        rows(2, ids.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_values(tx).await
}

/// Like [`touch`], for several; until the transaction ends, nobody else changes them.
///
/// # Errors
/// As for every statement.
pub async fn touch_all(tx: &mut Tx, ids: &[ContactId], now: Timestamp) -> Result<(), DbError> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE contacts SET version = version + 1, update_time = $2 WHERE org_id = $1 AND contact_id IN (VALUES {})",
        rows(3, ids.len(), 1)
    );
    tx.query_dynamic(sql).bind(now).bind_all(ids.iter().copied()).execute(tx).await?;
    Ok(())
}

/// The contact of this id.
///
/// # Errors
/// As for every statement.
pub async fn find(tx: &mut Tx, id: ContactId) -> Result<Option<ContactRow>, DbError> {
    const SQL: &str = concat!("SELECT ", columns!(), " FROM contacts WHERE org_id = $1 AND contact_id = $2");
    tx.query(SQL).bind(id).fetch_optional(tx).await
}

/// Like [`find`]; until the transaction ends, nobody else changes the contact, its tags or its identities.
///
/// # Errors
/// As for every statement.
pub async fn lock(tx: &mut Tx, id: ContactId) -> Result<Option<ContactRow>, DbError> {
    match tx.engine() {
        // The only writer has locked everything already.
        Engine::Sqlite => find(tx, id).await,
        Engine::Postgres => {
            const SQL: &str = concat!(
                "SELECT ",
                columns!(),
                " FROM contacts WHERE org_id = $1 AND contact_id = $2 FOR NO KEY UPDATE"
            );
            tx.query(SQL).bind(id).fetch_optional(tx).await
        }
    }
}

/// The contacts of these ids, in no order; nothing for those that are not there.
///
/// # Errors
/// As for every statement.
pub async fn list_by_id(tx: &mut Tx, ids: &[ContactId]) -> Result<Vec<ContactRow>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        concat!("SELECT ", columns!(), " FROM contacts WHERE org_id = $1 AND contact_id IN (VALUES {})"),
        rows(2, ids.len(), 1)
    );
    tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await
}

/// Columns of an insert beside the organization.
pub(super) const COLUMNS: usize = 16;

/// The insert of these rows of values.
pub(super) fn insert_sql(values: &str, on_conflict: &str) -> String {
    format!(concat!("INSERT INTO contacts (org_id, ", inserted!(), ") VALUES {} {}"), values, on_conflict)
}

/// Binds such a row, of a contact made now.
pub(super) fn bind_contact(query: Query, id: ContactId, profile: &Profile, now: Timestamp) -> Query {
    bind_profile(query.bind(id).bind(1_i64), profile).bind(now).bind(now)
}

/// Binds `$3` to `$14`, in the order of the columns.
fn bind_profile(query: Query, profile: &Profile) -> Query {
    query
        .bind(&profile.display_name)
        .bind(&profile.given_name)
        .bind(&profile.family_name)
        .bind(Json(&profile.emails))
        .bind(Json(&profile.phones))
        .bind(&profile.external_id)
        .bind(&profile.language)
        .bind(&profile.time_zone)
        .bind(&profile.default_channel)
        .bind(&profile.avatar_url)
        .bind(&profile.company)
        .bind(&profile.location)
}
