//! Finding notes by what they say.

use std::collections::HashMap;

use db::Tx;
use kernel::page::{MOST_BYTES, limit};
use kernel::{Malformed, NoteId, OrgId, PageSize};
use rpc::Call;
use sha2::{Digest, Sha256};

use super::App;
use crate::domain::search::{Filter, Query, Snippet, Token, words_in};
use crate::error::Error;
use crate::store::search::{self as store, Before, Found};

/// What page tokens of a search are sealed as.
const SEARCH: &str = "notes.search";
/// Notes looked at for a page of a search for a phrase: the index does not know what follows what.
const MOST_LOOKED_AT: usize = 256;
/// Notes loaded by one statement.
const STEP: usize = 32;

/// Which notes are wanted.
#[derive(Debug)]
pub struct Search {
    /// What they say.
    pub query: Query,
    /// And what else about them.
    pub filter: Filter,
    /// How many, at most.
    pub size: PageSize,
    /// The token of the page before; empty for the first.
    pub token: String,
}

/// A page of hits.
#[derive(Debug)]
pub struct Hits {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// Where the next page begins; empty at the end.
    pub next_token: String,
}

/// A note that was found.
#[derive(Debug)]
pub struct Hit {
    /// The note. Its text is left out: the snippet is shown.
    pub note: Found,
    /// The part that fits best.
    pub snippet: Snippet,
}

/// A search that goes through the index.
struct Walk {
    query: Query,
    filter: Filter,
    tokens: Vec<Token>,
    size: usize,
    bytes: usize,
    /// Behind the last note that was looked at.
    at: Before,
    hits: Vec<Hit>,
}

impl App {
    /// Finds notes of the organization, newest first.
    ///
    /// # Errors
    /// [`Error::Malformed`] if nothing is searched for, or for a token of another search; [`Error::Database`].
    pub async fn search_notes(&self, call: &Call, search: Search) -> Result<Hits, Error> {
        let org = &call.caller.org;
        let Search { query, mut filter, size, token } = search;
        if filter.tokens(org, &query).is_empty() {
            let reason = "must have a word where no author, conversation, contact, kind or mention is named";
            return Err(Malformed::new(reason).at("query").into());
        }
        let binding = binding(org, &filter, &query);
        let at = match token.as_str() {
            "" => Before::NEWEST,
            token => {
                self.seal.open(SEARCH, &binding, token).map_err(|malformed| malformed.at("page_token"))?
            }
        };
        if let Some(contact) = filter.contact_id {
            filter.contact_id = Some(self.home(org, contact).await?);
        }
        let tokens = filter.tokens(org, &query);
        let walk = Walk { query, filter, tokens, size: size.get(), bytes: 0, at, hits: Vec::new() };
        let (hits, next) = self.db.read(org, move |tx| Box::pin(walk.page(tx))).await?;
        let next_token = next.map(|next| self.seal.seal(SEARCH, &binding, &next)).unwrap_or_default();
        Ok(Hits { hits, next_token })
    }
}

/// What a page token is bound to. Digested, as a query may repeat what is private, and tokens can be read.
fn binding(org: &OrgId, filter: &Filter, query: &Query) -> Vec<u8> {
    let filters = filter.tokens(org, &Query::default()).into_iter().map(|token| token.text);
    let parts = [org.to_string(), query.normal_form()].into_iter().chain(filters);
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        // In none of them.
        digest.update([0]);
    }
    for time in [filter.since, filter.until] {
        digest.update(time.map_or(i64::MIN, |time| time.as_micros()).to_be_bytes());
    }
    digest.finalize().to_vec()
}

impl Walk {
    /// The next page, and from where to go on if there may be more.
    async fn page(mut self, tx: &mut Tx) -> Result<(Vec<Hit>, Option<Before>), Error> {
        // One more than fits says that there is more. Where not every note with the words is a hit, more are looked at.
        let most = if self.query.needs_order() { MOST_LOOKED_AT } else { self.size + 1 };
        let span = (self.filter.since, self.filter.until);
        let places = store::find(tx, &self.tokens, span, self.at, limit(most)).await?;
        for places in places.chunks(STEP) {
            let ids: Vec<NoteId> = places.iter().map(|(id, _)| *id).collect();
            let notes = store::load(tx, &ids).await?;
            let mut notes: HashMap<NoteId, Found> =
                notes.into_iter().map(|note| (note.note_id, note)).collect();
            for (id, place) in places {
                if self.is_full() {
                    return Ok((self.hits, Some(self.at)));
                }
                if let Some(note) = notes.remove(id) {
                    self.look_at(note);
                }
                self.at = *place;
            }
        }
        let ended = places.len() < most;
        Ok((self.hits, (!ended).then_some(self.at)))
    }

    /// Of each hit all is read and counted, and a part shown.
    fn is_full(&self) -> bool {
        self.hits.len() == self.size || self.bytes > MOST_BYTES
    }

    fn look_at(&mut self, mut note: Found) {
        let body = std::mem::take(&mut note.body);
        self.bytes += body.as_str().len();
        let words: Vec<_> = words_in(body.as_str()).collect();
        if self.filter.admits(note.create_time) && (!self.query.needs_order() || self.query.admits(&words)) {
            let snippet = Snippet::of(body.as_str(), &words, &self.query);
            self.hits.push(Hit { note, snippet });
        }
    }
}
