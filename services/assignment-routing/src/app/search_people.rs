//! Finding people inside by name (I3).

use db::Tx;
use kernel::PageSize;
use rpc::Caller;

use super::App;
use crate::domain::agent::Found;
use crate::domain::name_query::NameQuery;
use crate::error::Error;
use crate::store;

/// Page tokens of this list.
const LIST: &str = "routing.people";

/// People read by one statement: so many are in memory at most beside the page.
const STEP: i64 = 500;

/// Whom to find.
#[derive(Debug, Clone)]
pub struct Search {
    /// What they are called.
    pub name: NameQuery,
    /// Only supervisors and admins.
    pub supervisors_only: bool,
}

impl App {
    /// Finds people by name, by username: the page, and the token of the next. Names are compared here and not in SQL,
    /// where the two databases disagree about the case of letters beyond ASCII.
    ///
    /// # Errors
    /// [`Error::BadPageToken`], [`Error::Db`].
    pub async fn search_people(
        &self,
        caller: &Caller,
        search: Search,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Found>, String), Error> {
        let binding = format!("{} {search:?}", caller.org).into_bytes();
        let after: String = match token {
            "" => String::new(),
            token => self.seal.open(LIST, &binding, token).map_err(Error::BadPageToken)?,
        };
        let found = self.db.read(&caller.org, move |tx| Box::pin(find(tx, search, after, size.get() + 1)));
        let mut found: Vec<Found> = found.await?;
        let more = found.len() > size.get();
        found.truncate(size.get());
        let last = found.last().filter(|_| more).map(|found| found.person.username.as_str());
        let next = last.map(|last| self.seal.seal(LIST, &binding, &last)).unwrap_or_default();
        Ok((found, next))
    }
}

/// The first `most` people behind a username whom the search fits.
async fn find(tx: &mut Tx, search: Search, mut after: String, most: usize) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    loop {
        let people = store::people::list_people_behind(tx, search.supervisors_only, &after, STEP).await?;
        let ended = people.len() < usize::try_from(STEP).unwrap_or(usize::MAX);
        after = people.last().map(|last| last.person.username.clone()).unwrap_or(after);
        let fits = |found: &Found| search.name.fits([&found.person.display_name, &found.person.username]);
        found.extend(people.into_iter().filter(fits).take(most - found.len()));
        if ended || found.len() == most {
            return Ok(found);
        }
    }
}
