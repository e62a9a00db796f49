//! What organizations want to be told, as far as this process knows.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kernel::OrgId;
use proto::notifications::v1::webhook_event_service_client::WebhookEventServiceClient;
use proto::notifications::v1::{GetWebhookInterestRequest, GetWebhookInterestResponse, WebhookEventType};
use rpc::Peer;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};

/// After so long it is asked again.
const FRESH: Duration = Duration::from_secs(10);

/// After so long an answer counts no more. A transaction that relied on it lasts at most 6 s longer: together below the 30 s within which
/// a new webhook is told everything.
const BELIEVED: Duration = Duration::from_secs(20);

/// Between two questions about an organization of which there is no answer.
const ASK_AGAIN: Duration = Duration::from_secs(2);

/// The time of one question.
const PATIENCE: Duration = Duration::from_secs(2);

/// Organizations that are remembered, at most.
const MOST: usize = 10_000;

/// What is known of organizations.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    memory: Mutex<Memory>,
    asked: Notify,
}

#[derive(Debug, Default)]
struct Memory {
    known: HashMap<OrgId, Known>,
    /// To be asked about, each once.
    questions: Vec<OrgId>,
}

#[derive(Debug, Default)]
struct Known {
    answer: Option<Answer>,
    /// When the last question was put.
    asked_at: Option<Instant>,
}

#[derive(Debug)]
struct Answer {
    /// When it was asked: what changed since may be missing.
    at: Instant,
    wants: Wants,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Wants {
    types: BTreeSet<i32>,
    private_text: bool,
}

impl Interest {
    /// Whether somebody may want to be told.
    pub(crate) fn wants(&self, org: &OrgId, kind: WebhookEventType) -> bool {
        self.look(org, |wants| wants.types.contains(&i32::from(kind)))
    }

    /// Whether somebody may want to know what notes say.
    pub(crate) fn wants_private_text(&self, org: &OrgId) -> bool {
        self.look(org, |wants| wants.private_text)
    }

    /// What the answer says, or yes where there is none that counts.
    fn look(&self, org: &OrgId, says: impl FnOnce(&Wants) -> bool) -> bool {
        let now = Instant::now();
        let mut memory = self.lock();
        let Memory { known, questions } = &mut *memory;
        if !known.contains_key(org) {
            make_room(known, now);
            known.insert(org.clone(), Known::default());
        }
        let Some(it) = known.get_mut(org) else { return true };
        let fresh = it.answer.as_ref().is_some_and(|answer| now < answer.at + FRESH);
        if !fresh && it.asked_at.is_none_or(|at| now >= at + ASK_AGAIN) {
            it.asked_at = Some(now);
            questions.push(org.clone());
            self.asked.notify_one();
        }
        match &it.answer {
            Some(answer) if now < answer.at + BELIEVED => says(&answer.wants),
            _ => true,
        }
    }

    /// Organizations to ask about.
    fn take_questions(&self) -> Vec<OrgId> {
        std::mem::take(&mut self.lock().questions)
    }

    fn answered(&self, org: &OrgId, at: Instant, wants: Wants) {
        if let Some(it) = self.lock().known.get_mut(org) {
            it.answer = Some(Answer { at, wants });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        // A panic under the lock leaves it whole: nothing in there panics half-way.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets those in which nothing happened lately, and if that is not enough everybody: they are asked about again.
fn make_room(known: &mut HashMap<OrgId, Known>, now: Instant) {
    if known.len() < MOST {
        return;
    }
    known.retain(|_, it| it.asked_at.is_some_and(|at| now < at + BELIEVED));
    if known.len() >= MOST {
        known.clear();
    }
}

/// Asks about organizations in which something happens, until it is stopped.
pub(crate) async fn ask(interest: Arc<Interest>, notifications: Peer, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = interest.asked.notified() => {}
        }
        for org in interest.take_questions() {
            let at = Instant::now();
            let mut client = WebhookEventServiceClient::new(notifications.as_service(&org, PATIENCE));
            let answer = tokio::select! {
                () = stop.cancelled() => return,
                answer = client.get_webhook_interest(GetWebhookInterestRequest {}) => answer,
            };
            match wants(answer.map(tonic::Response::into_inner)) {
                Ok(wants) => interest.answered(&org, at, wants),
                Err(status) => tracing::debug!(code = ?status.code(), "no answer on what webhooks want"),
            }
        }
    }
}

/// A version of the service that does not know the question has no webhooks.
fn wants(answer: Result<GetWebhookInterestResponse, Status>) -> Result<Wants, Status> {
    match answer {
        Ok(answer) => {
            Ok(Wants { types: answer.types.into_iter().collect(), private_text: answer.private_text })
        }
        Err(status) if status.code() == Code::Unimplemented => Ok(Wants::default()),
        Err(status) => Err(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: WebhookEventType = WebhookEventType::NoteCreated;

    fn org(name: &str) -> OrgId {
        OrgId::parse(name).unwrap()
    }

    impl Interest {
        /// An answer came: these types, and nothing private.
        pub(crate) fn learn(&self, org: &OrgId, types: &[WebhookEventType]) {
            let types = types.iter().map(|kind| (*kind).into()).collect();
            self.answered(org, Instant::now(), Wants { types, private_text: false });
        }
    }

    // D8
    #[tokio::test(start_paused = true)]
    async fn what_is_not_known_is_wanted_and_asked_once() {
        let (interest, acme) = (Interest::default(), org("acme"));
        assert!(interest.wants(&acme, KIND) && interest.wants_private_text(&acme));
        assert_eq!(interest.take_questions(), std::slice::from_ref(&acme));
        assert!(interest.wants(&acme, KIND));
        assert!(interest.take_questions().is_empty(), "the question is under way");
        interest.learn(&acme, &[]);
        assert!(!interest.wants(&acme, KIND) && !interest.wants_private_text(&acme));
        assert!(interest.wants(&org("globex"), KIND), "another organization");
    }

    // D8
    #[tokio::test(start_paused = true)]
    async fn an_answer_is_asked_again_when_it_is_old_and_counts_no_more_when_it_is_older() {
        let (interest, acme) = (Interest::default(), org("acme"));
        assert!(interest.wants(&acme, KIND));
        interest.take_questions();
        interest.learn(&acme, &[WebhookEventType::NoteDeleted]);
        tokio::time::advance(FRESH).await;
        assert!(!interest.wants(&acme, KIND), "still believed");
        assert_eq!(interest.take_questions().len(), 1);
        tokio::time::advance(BELIEVED - FRESH).await;
        assert!(interest.wants(&acme, KIND), "nobody answered: everything is recorded");
        assert_eq!(interest.take_questions().len(), 1, "and it is asked again");
    }

    // D8
    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded() {
        let interest = Interest::default();
        for number in 0..3 * MOST {
            assert!(interest.wants(&org(&format!("org-{number}")), KIND));
        }
        assert!(interest.lock().known.len() <= MOST);
    }

    // Fault 31
    #[test]
    fn a_version_that_knows_no_webhooks_has_none() {
        assert_eq!(wants(Err(Status::unimplemented(""))).unwrap(), Wants::default());
        assert!(wants(Err(Status::unavailable(""))).is_err());
    }
}
