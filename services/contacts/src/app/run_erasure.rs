//! An erasure goes on until nothing is left in any service (P12).
//!
//! A worker takes an erasure for a while, under a sign of its own (a fence), lets each service remove some, and writes down what it
//! answers. Answers are totals, and every step can be repeated: whoever takes over after a crash begins with the services that
//! are not done, and nothing is counted twice. A service that does not answer holds up nobody but those who need its answer.

use std::time::Duration;

use db::Tx;
use erasure::ErasureId;
use kernel::{OrgId, Timestamp};
use tonic::Status;
use uuid::Uuid;

use super::{App, erase};
use crate::Error;
use crate::domain::{ErasingService, Erasure, ErasurePart};
use crate::peers::erasure::{Answer, Erasers};
use crate::store::{erased, erasures};

/// How long a worker has an erasure after each step: longer than any call to a service may take.
const LEASE: Duration = Duration::from_secs(10);

/// Contacts of one call: the most that the contracts take.
const CONTACTS: usize = 100;

/// The method whose first answer stays: it holds ids only.
pub(super) const ERASE_CONTACT: &str = "/backchannel.contacts.v1.ErasureService/EraseContact";

/// An erasure that this worker has.
struct Taken {
    org: OrgId,
    erasure: Erasure,
    fence: Uuid,
}

/// Why a part does not go on now.
enum Halt {
    /// A service did not answer, or not what was asked.
    Unanswered(Status),
    /// The service has not applied yet what this one told it before.
    NotSettled,
    /// Somebody else has the erasure by now.
    Lost,
    /// Our own database.
    Failed(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl App {
    /// Takes the erasure that is due for longest and lets all services remove what they have; tells whether there was one.
    ///
    /// # Errors
    /// [`Error::Database`]; the erasure is taken again later.
    pub(crate) async fn run_erasure(&self, erasers: &Erasers) -> Result<bool, Error> {
        let Some(mut taken) = self.take_erasure().await? else { return Ok(false) };
        let mut wait = Duration::ZERO;
        for service in ErasingService::ALL {
            let part = taken.erasure.part(service);
            let routing = taken.erasure.part(ErasingService::Routing);
            if part.end_time.is_some() || (service.follows_routing() && routing.end_time.is_none()) {
                continue;
            }
            match self.run_part(erasers, &mut taken, service).await {
                Ok(()) => {}
                Err(Halt::Lost) => return Ok(true),
                Err(Halt::Failed(error)) => return Err(error),
                Err(halt) => {
                    if let Halt::Unanswered(status) = halt {
                        tracing::warn!(service = service.as_str(), code = ?status.code(), "an erasure waits");
                    }
                    let failed = taken.erasure.part(service).failed(self.clock.now());
                    wait = wait.max(failed.wait());
                    if !self.save(&mut taken, failed).await? {
                        return Ok(true);
                    }
                }
            }
        }
        self.give_back(taken, wait).await?;
        Ok(true)
    }

    async fn take_erasure(&self) -> Result<Option<Taken>, Error> {
        let due = self.db.read_system(|tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                erasures::anything_due(tx, now).await
            })
        });
        if !due.await.map_err(Error::Database)? {
            return Ok(None);
        }
        let fence = self.clock.new_id();
        let claim = self.db.write_system(move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                erasures::claim(tx, fence, now, now.plus(LEASE)).await
            })
        });
        let Some((org, id)) = claim.await.map_err(Error::Database)? else { return Ok(None) };
        let erasure = self.db.read(&org, move |tx| Box::pin(erase::get(tx, id))).await?;
        Ok(Some(Taken { org, erasure, fence }))
    }

    async fn run_part(
        &self,
        erasers: &Erasers,
        taken: &mut Taken,
        service: ErasingService,
    ) -> Result<(), Halt> {
        match service {
            ErasingService::Contacts => self.erase_here(taken).await,
            ErasingService::Routing => self.erase_conversations(erasers, taken).await,
            ErasingService::Notes => self.erase_notes(erasers, taken).await,
            ErasingService::Notifications => self.erase_notifications(erasers, taken).await,
        }
    }

    /// What the transaction of the request left: answers kept for retries.
    async fn erase_here(&self, taken: &mut Taken) -> Result<(), Halt> {
        let (id, contacts) = (taken.erasure.erasure_id, taken.erasure.contacts());
        let forget = self.db.write(&taken.org, move |tx| {
            Box::pin(async move {
                let mut forgotten = 0;
                for contact in contacts {
                    forgotten += erased::forget_answers(tx, contact, ERASE_CONTACT).await?;
                }
                erasure::count(tx, id, &[("kept_answers", forgotten)]).await?;
                Ok::<_, Error>(erasure::removed(tx, id).await?)
            })
        });
        let removed = forget.await?;
        self.advance(taken, ErasingService::Contacts, Answer { done: true, removed }, true).await
    }

    async fn erase_conversations(&self, erasers: &Erasers, taken: &mut Taken) -> Result<(), Halt> {
        self.settled(taken, ErasingService::Routing).await?;
        let (org, id) = (taken.org.clone(), taken.erasure.erasure_id);
        let chunks = chunks(&taken.erasure);
        for (index, contacts) in chunks.iter().enumerate() {
            loop {
                let answer = erasers.routing(&org, id, contacts.clone()).await.map_err(Halt::Unanswered)?;
                let done = answer.done;
                self.advance(taken, ErasingService::Routing, answer, index + 1 == chunks.len()).await?;
                if done {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn erase_notes(&self, erasers: &Erasers, taken: &mut Taken) -> Result<(), Halt> {
        self.settled(taken, ErasingService::Notes).await?;
        let (org, id) = (taken.org.clone(), taken.erasure.erasure_id);
        let mut token = String::new();
        loop {
            let page = erasers.conversations(&org, id, token).await.map_err(Halt::Unanswered)?;
            let (conversations, next) = page;
            let mut left = !conversations.is_empty();
            while left {
                let asked = erasers.notes_of_conversations(&org, id, conversations.clone());
                let answer = asked.await.map_err(Halt::Unanswered)?;
                left = !answer.done;
                self.advance(taken, ErasingService::Notes, answer, false).await?;
            }
            if next.is_empty() {
                break;
            }
            token = next;
        }
        let chunks = chunks(&taken.erasure);
        for (index, contacts) in chunks.iter().enumerate() {
            loop {
                let asked = erasers.notes_of_contacts(&org, id, contacts.clone());
                let answer = asked.await.map_err(Halt::Unanswered)?;
                let done = answer.done;
                self.advance(taken, ErasingService::Notes, answer, index + 1 == chunks.len()).await?;
                if done {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn erase_notifications(&self, erasers: &Erasers, taken: &mut Taken) -> Result<(), Halt> {
        let (org, id) = (taken.org.clone(), taken.erasure.erasure_id);
        let mut token = String::new();
        loop {
            let page = erasers.conversations(&org, id, token).await.map_err(Halt::Unanswered)?;
            let (conversations, next) = page;
            if conversations.is_empty() {
                // What people were told about notes outside of conversations has no trace of the contact, and goes by its age.
                let none = Answer { done: true, removed: Vec::new() };
                return self.advance(taken, ErasingService::Notifications, none, true).await;
            }
            loop {
                let asked = erasers.notifications(&org, id, conversations.clone());
                let answer = asked.await.map_err(Halt::Unanswered)?;
                let done = answer.done;
                self.advance(taken, ErasingService::Notifications, answer, next.is_empty()).await?;
                if done {
                    break;
                }
            }
            if next.is_empty() {
                return Ok(());
            }
            token = next;
        }
    }

    /// Makes sure that a service has applied every merge and unmerge it was told of: it must not take the conversations of one person
    /// for those of another.
    async fn settled(&self, taken: &Taken, service: ErasingService) -> Result<(), Halt> {
        let target = service.as_str();
        let untold = self
            .db
            .read(&taken.org, move |tx| Box::pin(async move { erased::anything_untold(tx, target).await }));
        if untold.await.map_err(Error::Database)? { Err(Halt::NotSettled) } else { Ok(()) }
    }

    /// Writes down what a service answered; `last`: it was asked about everything.
    async fn advance(
        &self,
        taken: &mut Taken,
        service: ErasingService,
        answer: Answer,
        last: bool,
    ) -> Result<(), Halt> {
        let part = taken.erasure.part(service);
        let part = part.advanced(answer.removed, answer.done && last, self.clock.now());
        if self.save(taken, part).await? { Ok(()) } else { Err(Halt::Lost) }
    }

    /// Stores how far a part is and keeps the erasure for longer; false if somebody else has it by now.
    async fn save(&self, taken: &mut Taken, part: ErasurePart) -> Result<bool, Error> {
        let (id, fence, saved) = (taken.erasure.erasure_id, taken.fence, part.clone());
        let save = self.db.write(&taken.org, move |tx| {
            Box::pin(async move {
                let until = tx.now().await?.plus(LEASE);
                let mine = erasures::extend(tx, id, fence, until).await?;
                if mine {
                    erasures::save_part(tx, id, &saved).await?;
                }
                Ok::<_, Error>(mine)
            })
        });
        let mine = save.await?;
        taken.erasure.parts.retain(|other| other.service != part.service);
        taken.erasure.parts.push(part);
        Ok(mine)
    }

    async fn give_back(&self, taken: Taken, wait: Duration) -> Result<(), Error> {
        let done = taken.erasure.parts.iter().all(|part| part.end_time.is_some());
        let (id, fence, now) = (taken.erasure.erasure_id, taken.fence, self.clock.now());
        let give = self.db.write(&taken.org, move |tx| {
            Box::pin(async move { give_back(tx, id, fence, wait, done.then_some(now)).await })
        });
        give.await
    }
}

async fn give_back(
    tx: &mut Tx,
    id: ErasureId,
    fence: Uuid,
    wait: Duration,
    end_time: Option<Timestamp>,
) -> Result<(), Error> {
    let next = tx.now().await?.plus(wait);
    if erasures::release(tx, id, fence, next, end_time).await? && end_time.is_some() {
        let origin = audit::Origin::system(crate::NAME, "erasures");
        audit::record(tx, &origin, &[audit::Event::new("erasure.complete", id)]).await?;
    }
    Ok(())
}

/// Whom an erasure covers, as many at a time as a call takes.
fn chunks(erasure: &Erasure) -> Vec<Vec<String>> {
    let contacts = erasure.contacts();
    contacts.chunks(CONTACTS).map(|some| some.iter().map(ToString::to_string).collect()).collect()
}
