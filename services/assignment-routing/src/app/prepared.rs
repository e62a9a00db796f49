//! What a use case knows and holds before the transaction in which workflows run. A peer is asked outside of transactions, and teams are
//! locked before anything else: where a run turns out to need more, nothing has happened yet, and it is begun anew with that.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;

use futures::StreamExt as _;
use futures::stream;
use kernel::{ContactId, OrgId, TeamId};

use super::App;
use crate::domain::facts::ContactFacts;
use crate::error::Error;
use crate::peers;

/// Attempts at one thing: each but the last found that it needs something more.
const TRIES: usize = 5;

/// Contacts asked for at once.
const ASKED_AT_ONCE: usize = 8;

/// What is known and held.
#[derive(Debug, Clone, Default)]
pub struct Prepared {
    contacts: HashMap<ContactId, Option<ContactFacts>>,
    teams: BTreeSet<TeamId>,
}

/// What a run of workflows turned out to need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// What contacts knows of these.
    Contacts(Vec<ContactId>),
    /// The locks of these teams.
    Teams(Vec<TeamId>),
}

impl Prepared {
    /// The teams to lock, by the transaction's first statement.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamId> {
        self.teams.iter().copied().collect()
    }

    /// What is known of a contact; none inside: contacts did not answer.
    ///
    /// # Errors
    /// [`Error::Unprepared`] if contacts was not asked.
    pub(super) fn contact(&self, id: ContactId) -> Result<Option<ContactFacts>, Error> {
        self.contacts.get(&id).cloned().ok_or_else(|| Error::Unprepared(Missing::Contacts(vec![id])))
    }

    /// Makes sure that contacts was asked of all of these, at once.
    ///
    /// # Errors
    /// [`Error::Unprepared`] if it was not.
    pub(super) fn contacts(&self, ids: impl IntoIterator<Item = ContactId>) -> Result<(), Error> {
        let unknown: BTreeSet<ContactId> =
            ids.into_iter().filter(|id| !self.contacts.contains_key(id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        Err(Error::Unprepared(Missing::Contacts(unknown.into_iter().collect())))
    }

    /// Notes what is known of a contact.
    pub(super) fn knows(&mut self, id: ContactId, facts: ContactFacts) {
        self.contacts.insert(id, Some(facts));
    }

    /// Notes that these teams will be locked as well.
    pub(super) fn hold(&mut self, teams: impl IntoIterator<Item = TeamId>) {
        self.teams.extend(teams);
    }

    /// Makes sure that these teams are locked.
    ///
    /// # Errors
    /// [`Error::Unprepared`] if one is not.
    pub(super) fn holds(&self, teams: impl IntoIterator<Item = TeamId>) -> Result<(), Error> {
        let all: BTreeSet<TeamId> = self.teams.iter().copied().chain(teams).collect();
        if all == self.teams {
            return Ok(());
        }
        Err(Error::Unprepared(Missing::Teams(all.into_iter().collect())))
    }
}

impl App {
    /// Does something in whose transaction workflows may run, with what these turn out to need.
    ///
    /// # Errors
    /// Those of the attempts; [`Error::Raced`] if they need ever more.
    pub(super) async fn prepared<T, F>(
        &self,
        org: &OrgId,
        attempt: impl Fn(Prepared) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut prepared = Prepared::default();
        for _ in 0..TRIES {
            match attempt(prepared.clone()).await {
                Err(Error::Unprepared(missing)) => self.provide(org, &mut prepared, missing).await,
                answer => return answer,
            }
        }
        Err(Error::Raced)
    }

    /// Sees to what is missing. Workflows that need what contacts does not say fail, and nothing else does.
    pub(super) async fn provide(&self, org: &OrgId, prepared: &mut Prepared, missing: Missing) {
        match missing {
            Missing::Contacts(ids) => prepared.contacts.extend(self.facts_of(org, ids).await),
            Missing::Teams(teams) => prepared.teams.extend(teams),
        }
    }

    /// What contacts knows of these, a few at a time; none inside: it did not answer.
    pub(super) async fn facts_of(
        &self,
        org: &OrgId,
        ids: Vec<ContactId>,
    ) -> Vec<(ContactId, Option<ContactFacts>)> {
        let ask = |id| async move { (id, peers::find_facts(&self.contacts, org, id).await.ok()) };
        stream::iter(ids).map(ask).buffer_unordered(ASKED_AT_ONCE).collect().await
    }
}
