//! Contacts are found by what is known of them (C5).

use std::collections::HashMap;

use db::Tx;
use kernel::{ContactId, OrgId, PageSize};
use serde::{Deserialize, Serialize};

use super::{App, whole};
use crate::Error;
use crate::domain::{Contact, Search, SearchField, Tier};
use crate::store::contacts::{self, ContactRow};
use crate::store::search::{self, Part, Place};

const KIND: &str = "contacts.search";

/// Entries of a term that are counted to find the rarest: terms with more are all frequent.
const COUNTED: i64 = 1_000;

/// What is looked for.
#[derive(Debug, Clone)]
pub struct SearchContacts {
    /// What contacts must have.
    pub search: Search,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Contacts that were found, best first.
#[derive(Debug, Clone)]
pub struct SearchPage {
    /// The page: each contact, and where the entry is that gave it its place.
    pub hits: Vec<(Contact, SearchField)>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

/// The last place of a page, in the order of one leading term.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    leader: usize,
    tier: Tier,
    word: String,
    contact_id: ContactId,
}

impl App {
    /// Finds contacts. The rarest of the terms leads: in its order contacts are read, and each is held against the others.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this search.
    pub async fn search_contacts(&self, org: &OrgId, find: SearchContacts) -> Result<SearchPage, Error> {
        let SearchContacts { search, page_size, page_token } = find;
        let binding = format!("{org}\n{search:?}");
        let after: Option<Cursor> = match page_token.as_str() {
            "" => None,
            token => Some(
                self.seal.open(KIND, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?,
            ),
        };
        let page = self.db.read(org, move |tx| Box::pin(page(tx, search, after, page_size)));
        let (hits, last) = page.await?;
        let next_page_token = last.map(|last| self.seal.seal(KIND, binding.as_bytes(), &last));
        Ok(SearchPage { hits, next_page_token: next_page_token.unwrap_or_default() })
    }
}

type Hits = Vec<(Contact, SearchField)>;

/// The page after a place, and its last place if there is a next page.
async fn page(
    tx: &mut Tx,
    search: Search,
    after: Option<Cursor>,
    size: PageSize,
) -> Result<(Hits, Option<Cursor>), Error> {
    let leader = match &after {
        Some(cursor) => cursor.leader,
        None if search.terms.len() == 1 => 0,
        None => search.leader(&search::count_each(tx, &search.terms, COUNTED).await?),
    };
    let mut places = places(tx, &search, leader, after.as_ref(), size.and_one()).await?;
    let more = places.len() > size.get();
    places.truncate(size.get());
    let rows = rows(tx, &places).await?;
    let (contacts, _) = whole::page(tx, rows, size).await?;
    let cut = contacts.len() < places.len();
    places.truncate(contacts.len());
    let last = places.last().filter(|_| more || cut).map(|(tier, place)| Cursor {
        leader,
        tier: *tier,
        word: place.word.clone(),
        contact_id: place.contact_id,
    });
    let hits = contacts.into_iter().zip(places).map(|(contact, (_, place))| (contact, place.field));
    Ok((hits.collect(), last))
}

/// The places after one, at most `limit`: what is left of its word and of its tier, then the tiers after it.
async fn places(
    tx: &mut Tx,
    search: &Search,
    leader: usize,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<(Tier, Place)>, Error> {
    let tiers = search.terms.get(leader).map_or(&[][..], |term| term.tiers());
    let mut parts: Vec<(Tier, Part<'_>)> = Vec::with_capacity(tiers.len() + 1);
    if let Some(Cursor { tier, word, contact_id, .. }) = after {
        parts.push((*tier, Part::OfWord(word, *contact_id)));
        parts.push((*tier, Part::AfterWord(word)));
    }
    let later = |tier: &&Tier| after.is_none_or(|cursor| **tier > cursor.tier);
    parts.extend(tiers.iter().filter(later).map(|tier| (*tier, Part::Whole)));
    let mut found = Vec::new();
    for (tier, part) in parts {
        let missing = limit - i64::try_from(found.len()).unwrap_or(limit);
        if missing <= 0 {
            break;
        }
        let places = search::list(tx, search, leader, tier, part, missing).await?;
        found.extend(places.into_iter().map(|place| (tier, place)));
    }
    Ok(found)
}

/// The rows of the contacts at these places, in their order.
async fn rows(tx: &mut Tx, places: &[(Tier, Place)]) -> Result<Vec<ContactRow>, Error> {
    let ids: Vec<ContactId> = places.iter().map(|(_, place)| place.contact_id).collect();
    let rows = contacts::list_by_id(tx, &ids).await?;
    let mut rows: HashMap<ContactId, ContactRow> =
        rows.into_iter().map(|row| (row.contact_id, row)).collect();
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}
