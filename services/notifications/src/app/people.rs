//! Who the people behind subjects are: address, name, languages, zone. Routing knows them; what it said is good for a minute.
//!
//! The address comes from the profile that the organization keeps, and from nowhere else: nobody has mail of the organization sent
//! to an address that only they have typed in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kernel::{Clock, OrgId, Subject, Timestamp};
use zones::Zone;

use crate::error::Error;
use crate::peers::people::{ASKED, Directory};

/// How long it is good what routing said about somebody whom email reaches. Whom it does not is asked about each time: what is dropped
/// because of a minute-old answer is dropped for good.
const GOOD: Duration = Duration::from_secs(60);

/// The most people who are remembered.
const REMEMBERED: usize = 20_000;

/// A person, as far as telling them something needs to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The `sub` of their tokens.
    pub subject: Subject,
    /// What to call them; the username if they have no other name.
    pub name: String,
    /// Where they get email; none if the profile says nothing.
    pub email: Option<String>,
    /// Languages they read, BCP 47, the best first; empty if nobody said.
    pub languages: Vec<String>,
    /// What their clocks show.
    pub zone: Zone,
}

impl Person {
    /// Somebody of whom nothing is known but that tokens name them.
    #[must_use]
    pub fn unknown(subject: Subject) -> Self {
        Self { subject, name: String::new(), email: None, languages: Vec::new(), zone: Zone::UTC }
    }
}

impl std::fmt::Debug for Person {
    /// Names and addresses stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// What routing said about somebody, and until when that is good.
#[derive(Clone)]
struct Said {
    until: Timestamp,
    person: Arc<Person>,
}

/// The people inside, as routing knows them.
pub struct People {
    directory: Directory,
    clock: Clock,
    said: Mutex<HashMap<(OrgId, Subject), Said>>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").finish_non_exhaustive()
    }
}

impl People {
    /// Nobody is known yet.
    pub fn new(directory: Directory, clock: Clock) -> Self {
        Self { directory, clock, said: Mutex::default() }
    }

    /// Whom to ask.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Those of these people whom routing knows. No transaction may be open.
    ///
    /// # Errors
    /// [`Error::Routing`] if routing has to be asked and does not answer.
    pub async fn find_all(
        &self,
        org: &OrgId,
        subjects: &[Subject],
    ) -> Result<HashMap<Subject, Arc<Person>>, Error> {
        let now = self.clock.now();
        let (mut found, unknown) = self.remembered(org, subjects, now);
        for asked in unknown.chunks(ASKED) {
            let profiles = self.directory.profiles(org, asked).await?;
            let mut profiles: HashMap<Subject, Arc<Person>> =
                profiles.into_iter().map(|person| (person.subject.clone(), Arc::new(person))).collect();
            self.remember(org, asked, &profiles, now.plus(GOOD));
            found.extend(profiles.drain());
        }
        Ok(found)
    }

    /// A person, if routing knows them. No transaction may be open.
    ///
    /// # Errors
    /// [`Error::Routing`] if routing has to be asked and does not answer.
    pub async fn find(&self, org: &OrgId, subject: &Subject) -> Result<Option<Arc<Person>>, Error> {
        Ok(self.find_all(org, std::slice::from_ref(subject)).await?.remove(subject))
    }

    /// Those who are remembered, and those to ask about.
    fn remembered(
        &self,
        org: &OrgId,
        subjects: &[Subject],
        now: Timestamp,
    ) -> (HashMap<Subject, Arc<Person>>, Vec<Subject>) {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut unknown) = (HashMap::new(), Vec::new());
        for subject in subjects {
            match said.get(&(org.clone(), subject.clone())).filter(|said| said.until > now) {
                Some(Said { person, .. }) => {
                    found.insert(subject.clone(), Arc::clone(person));
                }
                None => unknown.push(subject.clone()),
            }
        }
        (found, unknown)
    }

    fn remember(
        &self,
        org: &OrgId,
        asked: &[Subject],
        profiles: &HashMap<Subject, Arc<Person>>,
        until: Timestamp,
    ) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() + asked.len() > REMEMBERED {
            // Everybody is asked for again, which costs a question for each two hundred.
            said.clear();
        }
        for subject in asked {
            let whose = (org.clone(), subject.clone());
            match profiles.get(subject).filter(|person| person.email.is_some()) {
                Some(person) => said.insert(whose, Said { until, person: Arc::clone(person) }),
                None => said.remove(&whose),
            };
        }
    }
}
