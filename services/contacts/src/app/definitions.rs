//! Attributes are defined, and the definitions changed (C4).

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{OrgId, PageSize, Timestamp};

use super::App;
use crate::Error;
use crate::domain::{Choices, Definition, DefinitionChange, Key, Line, MOST_DEFINITIONS, Term, ValueType};
use crate::error::Used;
use crate::store::{definitions, search};

const KIND: &str = "attributes.list";

/// What a new attribute shall be.
#[derive(Debug, Clone)]
pub struct DefineAttribute {
    /// Names it.
    pub key: Key,
    /// What people call it; empty: the key.
    pub display_name: Line,
    /// What it is for.
    pub description: Line,
    /// The type of its values.
    pub value_type: ValueType,
    /// What may be chosen.
    pub choices: Choices,
    /// The request, for its retries.
    pub retry: Retry,
}

/// What shall become of a definition.
#[derive(Debug, Clone)]
pub struct UpdateDefinition {
    /// Which.
    pub key: Key,
    /// The change.
    pub change: DefinitionChange,
    /// The version that was read; nothing: whatever it is now.
    pub version: Option<i64>,
    /// The request, for its retries.
    pub retry: Retry,
}

/// Which definitions are asked for.
#[derive(Debug, Clone)]
pub struct ListDefinitions {
    /// Whether archived ones too.
    pub with_archived: bool,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Definitions, by key.
#[derive(Debug, Clone)]
pub struct DefinitionPage {
    /// The page.
    pub definitions: Vec<Definition>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Defines an attribute.
    ///
    /// # Errors
    /// [`Error::Taken`] when there is one with this key, [`Error::TooManyDefinitions`], [`Error::RequestIdReused`].
    pub async fn define_attribute(
        &self,
        org: &OrgId,
        origin: Origin,
        define: DefineAttribute,
    ) -> Result<Definition, Error> {
        let (retry, now) = (define.retry.clone(), self.clock.now());
        let request_id = retry.request_id;
        let origin = origin.of_request(request_id);
        let defined = self.db.write_once(org, retry, move |tx| Box::pin(insert(tx, define, now, origin)));
        defined.await.map_err(|error: Error| error.of_request(request_id))
    }

    /// Reads a definition.
    ///
    /// # Errors
    /// [`Error::NoSuchDefinition`].
    pub async fn get_definition(&self, org: &OrgId, key: Key) -> Result<Definition, Error> {
        let found = self.db.read(org, move |tx| Box::pin(async move { definitions::find(tx, &key).await }));
        found.await.map_err(Error::Database)?.ok_or(Error::NoSuchDefinition)
    }

    /// Lists definitions by key.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_definitions(
        &self,
        org: &OrgId,
        list: ListDefinitions,
    ) -> Result<DefinitionPage, Error> {
        let ListDefinitions { with_archived, page_size, page_token } = list;
        let binding = format!("{org}\n{with_archived}");
        let after: String = match page_token.as_str() {
            "" => String::new(),
            token => {
                self.seal.open(KIND, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?
            }
        };
        let page = self.db.read(org, move |tx| {
            Box::pin(async move { definitions::list(tx, with_archived, &after, page_size.and_one()).await })
        });
        let mut definitions = page.await.map_err(Error::Database)?;
        let more = definitions.len() > page_size.get();
        definitions.truncate(page_size.get());
        let last = definitions.last().filter(|_| more);
        let token = last.map(|last| self.seal.seal(KIND, binding.as_bytes(), &last.key));
        Ok(DefinitionPage { definitions, next_page_token: token.unwrap_or_default() })
    }

    /// Changes a definition. What changes nothing leaves the version as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchDefinition`], [`Error::StaleVersion`], [`Error::InUse`] when contacts have a choice that is no longer there,
    /// [`Error::Malformed`] for choices that the type does not have, [`Error::RequestIdReused`].
    pub async fn update_definition(
        &self,
        org: &OrgId,
        origin: Origin,
        update: UpdateDefinition,
    ) -> Result<Definition, Error> {
        let (retry, now) = (update.retry.clone(), self.clock.now());
        let request_id = retry.request_id;
        let origin = origin.of_request(request_id);
        let updated = self.db.write_once(org, retry, move |tx| Box::pin(change(tx, update, now, origin)));
        updated.await.map_err(|error: Error| error.of_request(request_id))
    }
}

async fn insert(
    tx: &mut Tx,
    define: DefineAttribute,
    now: Timestamp,
    origin: Origin,
) -> Result<Definition, Error> {
    let DefineAttribute { key, display_name, description, value_type, choices, retry: _ } = define;
    let nameless = Definition {
        key,
        version: 1,
        display_name: Line::default(),
        description,
        value_type,
        choices,
        archived: false,
        create_time: now,
        update_time: now,
    };
    let name = DefinitionChange { display_name: Some(display_name), ..DefinitionChange::default() };
    let definition = name.over(&nameless)?;
    // Calls at the same moment may go beyond it by as many as they are.
    if usize::try_from(definitions::count_all(tx).await?).unwrap_or(usize::MAX) >= MOST_DEFINITIONS {
        return Err(Error::TooManyDefinitions);
    }
    definitions::insert(tx, &definition).await?;
    audit::record(tx, &origin, &[Event::new("attribute.create", definition.key.as_str())]).await?;
    Ok(definition)
}

/// The definition of this key and version, kept as it is until the transaction ends.
pub(super) async fn locked(tx: &mut Tx, key: &Key, version: Option<i64>) -> Result<Definition, Error> {
    let definition = definitions::lock(tx, key).await?.ok_or(Error::NoSuchDefinition)?;
    if version.is_some_and(|version| version != definition.version) {
        return Err(Error::StaleVersion { current: definition.version });
    }
    Ok(definition)
}

async fn change(
    tx: &mut Tx,
    update: UpdateDefinition,
    now: Timestamp,
    origin: Origin,
) -> Result<Definition, Error> {
    let old = locked(tx, &update.key, update.version).await?;
    let mut new = update.change.over(&old)?;
    if new == old {
        return Ok(old);
    }
    let gone: Vec<Term> =
        old.choices.without(&new.choices).iter().map(|choice| Term::choice(&old.key, choice)).collect();
    if !gone.is_empty() && search::count_each(tx, &gone, 1).await?.into_iter().any(|used| used > 0) {
        return Err(Error::InUse(Used::Choice));
    }
    (new.version, new.update_time) = (old.version + 1, now);
    definitions::update(tx, &new).await?;
    audit::record(tx, &origin, &[Event::new("attribute.update", new.key.as_str())]).await?;
    Ok(new)
}
