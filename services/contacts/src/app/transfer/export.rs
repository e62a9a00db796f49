//! Contacts, lists and definitions come out, step by step: no transaction is open between two steps, whose reader may be slow.

use std::collections::HashMap;

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{ContactId, OrgId, PageSize};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Error;
use crate::app::{App, whole};
use crate::domain::{Contact, ContactList, Definition, ListId, ListName, Tag};
use crate::store::walk::{self, Among, Way};
use crate::store::{batch, definitions, lists};

/// Contacts or lists of one step.
const STEP: i32 = 100;

/// Which contacts come out, and whether what they refer to comes as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Only those which carry it.
    pub tag: Option<Tag>,
    /// Only those on it.
    pub list: Option<ListId>,
    /// Whether definitions come out.
    pub definitions: bool,
    /// Whether lists come out.
    pub lists: bool,
    /// Whether contacts come with the lists they are on.
    pub memberships: bool,
}

/// How far an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportPlace {
    /// Before everything.
    Beginning,
    /// Behind this list.
    List(ListId),
    /// Behind this contact.
    Contact(ContactId),
    /// Behind the last contact.
    Archived,
    /// Behind everything.
    End,
}

/// What a step brings.
#[derive(Debug, Clone)]
pub enum Exported {
    /// All definitions.
    Definitions(Vec<Definition>),
    /// Lists.
    Lists(Vec<ContactList>),
    /// Contacts, with the lists they are on.
    Contacts(Vec<(Contact, Vec<ListName>)>),
    /// The definitions that are archived, again.
    Archived(Vec<Definition>),
}

/// One step of an export.
#[derive(Debug, Clone)]
pub struct ExportStep {
    /// What it brings.
    pub what: Exported,
    /// Where the next begins.
    pub next: ExportPlace,
}

impl App {
    /// Leaves a record that contacts leave the system, or go on to.
    ///
    /// # Errors
    /// [`Error::NoSuchList`].
    pub async fn begin_export(
        &self,
        org: &OrgId,
        origin: &Origin,
        export: Uuid,
        resumed: bool,
        filter: &ExportFilter,
    ) -> Result<(), Error> {
        if let Some(list) = filter.list {
            self.get_list(org, list).await?;
        }
        let action = if resumed { "contact_export.resume" } else { "contact_export.begin" };
        self.tell(org, origin, Event::new(action, export), false).await
    }

    /// All definitions, by key.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn all_definitions(&self, org: &OrgId) -> Result<Vec<Definition>, Error> {
        let all =
            self.db.read(org, |tx| Box::pin(async move { definitions::list(tx, true, "", i64::MAX).await }));
        all.await.map_err(Error::Database)
    }

    /// What comes behind a place.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn export_step(
        &self,
        org: &OrgId,
        filter: &ExportFilter,
        after: ExportPlace,
    ) -> Result<ExportStep, Error> {
        let filter = filter.clone();
        self.db.read(org, move |tx| Box::pin(async move { step(tx, &filter, after).await })).await
    }
}

async fn step(tx: &mut Tx, filter: &ExportFilter, after: ExportPlace) -> Result<ExportStep, Error> {
    let first_contact = ExportPlace::Contact(ContactId::from_uuid(Uuid::nil()));
    match after {
        ExportPlace::Beginning => {
            let all = if filter.definitions { all_definitions(tx).await? } else { Vec::new() };
            let nil = ExportPlace::List(ListId::from_uuid(Uuid::nil()));
            let next = if filter.lists { nil } else { first_contact };
            Ok(ExportStep { what: Exported::Definitions(all), next })
        }
        ExportPlace::List(after) => {
            let mut some = lists::list_after(tx, after, i64::from(STEP)).await?;
            let last = some.last().map(|list| list.list_id);
            some.retain(|list| filter.list.is_none_or(|only| only == list.list_id));
            let next = last.map_or(first_contact, ExportPlace::List);
            Ok(ExportStep { what: Exported::Lists(some), next })
        }
        ExportPlace::Contact(after) => {
            let (some, last) = contacts_after(tx, filter, after).await?;
            let next = last.map_or(ExportPlace::Archived, ExportPlace::Contact);
            Ok(ExportStep { what: Exported::Contacts(some), next })
        }
        ExportPlace::Archived | ExportPlace::End => {
            let mut all = if filter.definitions { all_definitions(tx).await? } else { Vec::new() };
            all.retain(|definition| definition.archived);
            Ok(ExportStep { what: Exported::Archived(all), next: ExportPlace::End })
        }
    }
}

async fn all_definitions(tx: &mut Tx) -> Result<Vec<Definition>, DbError> {
    definitions::list(tx, true, "", i64::MAX).await
}

type OnLists = Vec<(Contact, Vec<ListName>)>;

/// The contacts behind one, oldest first, as many as a page has room for; and the last of them, if there are more.
async fn contacts_after(
    tx: &mut Tx,
    filter: &ExportFilter,
    after: ContactId,
) -> Result<(OnLists, Option<ContactId>), Error> {
    let size = PageSize::of(STEP)?;
    let among = Among { tag: filter.tag.as_ref(), list: filter.list };
    let rows = walk::list(tx, among, Way::On(after), size.and_one()).await?;
    let (found, last) = whole::page(tx, rows, size).await?;
    let ids: Vec<ContactId> = found.iter().map(|contact| contact.contact_id).collect();
    let mut on: HashMap<ContactId, Vec<ListName>> = HashMap::new();
    if filter.memberships {
        for (contact, _, name) in batch::lists_of(tx, &ids).await? {
            on.entry(contact).or_default().push(name);
        }
    }
    let with_lists = |contact: Contact| {
        let lists = on.remove(&contact.contact_id).unwrap_or_default();
        (contact, lists)
    };
    Ok((found.into_iter().map(with_lists).collect(), last))
}
