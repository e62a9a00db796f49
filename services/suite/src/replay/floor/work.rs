//! What the agents of the floor do: answer what they are offered, at once; where they have room for so many only, finish one after the
//! other meanwhile; and in the end finish what they have, so that what waits is somebody's too.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proto::routing::v1 as pb;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tonic::Code;

use super::super::ledger::Ledger;
use super::super::office::Agent;
use super::churn;
use super::people::Floor;
use crate::client::patiently;
use crate::failure::Failure;
use crate::progress::{Progress, Whole};

/// How often agents look by themselves, when nothing was said to them and when they are to finish.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const FINISH_EVERY: Duration = Duration::from_millis(100);

/// How often an agent finishes one of their conversations while more are recorded.
const FINISH_ONE_EVERY: Duration = Duration::from_secs(1);

/// How long nobody who waits may get an agent before it is given up.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the agents answered.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) accepted: AtomicU64,
    pub(super) rejected: AtomicU64,
    /// The offer was over by then: its time was, or it was taken back.
    pub(super) late: AtomicU64,
}

/// The agents at work. They stop when this is dropped.
pub(in crate::replay) struct Shift {
    floor: Arc<Floor>,
    pub(super) answers: Arc<Answers>,
    finishing: Arc<AtomicBool>,
    working: JoinSet<()>,
    /// Who lets agents come and go, and whether that is over.
    churning: JoinSet<()>,
    settled: Arc<AtomicBool>,
}

impl Shift {
    /// Begins.
    pub(in crate::replay) fn begin(floor: Floor, ledger: &Arc<Ledger>, progress: &Arc<Progress>) -> Self {
        let (floor, answers, finishing) = (Arc::new(floor), Arc::default(), Arc::default());
        let mut working = JoinSet::new();
        for staff in &floor.staff {
            let desk = Desk {
                agent: Arc::clone(&staff.agent),
                reject: floor.args.reject,
                meanwhile: floor.args.capacity > 0,
                ledger: Arc::clone(ledger),
                progress: Arc::clone(progress),
                answers: Arc::clone(&answers),
                finishing: Arc::clone(&finishing),
            };
            working.spawn(desk.work());
        }
        let (mut churning, settled) = (JoinSet::new(), Arc::default());
        if floor.args.churn {
            churning.spawn(churn::come_and_go(Arc::clone(&floor), Arc::clone(&settled)));
        }
        Self { floor, answers, finishing, working, churning, settled }
    }

    /// The floor as it was at the beginning: its sources may be more by now.
    pub(super) fn floor(&self) -> &Floor {
        &self.floor
    }

    /// Waits until nothing is queued any more, while everybody is there and finishes what they have; or until nothing more happens.
    pub(in crate::replay) async fn work_off(&mut self, progress: &Progress) -> Result<(), Failure> {
        self.settle().await?;
        self.finishing.store(true, Ordering::Relaxed);
        progress.begin("still waiting for an agent", Whole::Unknown);
        let (mut fewest, mut since) = (i32::MAX, Instant::now());
        while since.elapsed() < PATIENCE {
            let waiting = self.waiting().await?;
            progress.at(usize::try_from(waiting).unwrap_or_default());
            if waiting == 0 {
                break;
            }
            if waiting < fewest {
                (fewest, since) = (waiting, Instant::now());
            }
            sleep(FINISH_EVERY).await;
        }
        self.finishing.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Ends.
    pub(in crate::replay) async fn end(&mut self) -> Result<(), Failure> {
        self.working.shutdown().await;
        Ok(())
    }

    /// Nobody comes and goes any more: whoever is away comes back.
    async fn settle(&mut self) -> Result<(), Failure> {
        self.settled.store(true, Ordering::Relaxed);
        while self.churning.join_next().await.is_some() {}
        if self.floor.args.churn {
            for staff in &self.floor.staff {
                self.floor.say(&staff.agent_id, pb::Availability::Online).await?;
            }
        }
        Ok(())
    }

    async fn waiting(&self) -> Result<i32, Failure> {
        let request = pb::GetTeamRequest { team_id: self.floor.team_id.clone() };
        let answer = patiently(|| {
            let (mut teams, request) = (self.floor.admin.teams(), request.clone());
            async move { teams.get_team(request).await }
        });
        let answer = answer.await.map_err(|status| Failure::call("the floor", &status))?;
        Ok(answer.team.map(|team| team.queued_conversation_count).unwrap_or_default())
    }
}

/// An agent's desk.
struct Desk {
    agent: Arc<Agent>,
    /// The share that they decline; `None`: they are not asked.
    reject: Option<f64>,
    /// Whether they finish some of what they have while more is recorded.
    meanwhile: bool,
    ledger: Arc<Ledger>,
    progress: Arc<Progress>,
    answers: Arc<Answers>,
    finishing: Arc<AtomicBool>,
}

impl Desk {
    async fn work(self) {
        let mut finished = Instant::now();
        loop {
            let finishing = self.finishing.load(Ordering::Relaxed);
            let rest = if finishing { FINISH_EVERY } else { LOOK_EVERY };
            tokio::select! {
                () = self.agent.offered.notified() => {}
                () = sleep(rest) => {}
            }
            let due = self.meanwhile && finished.elapsed() >= FINISH_ONE_EVERY;
            let most = match (finishing, due) {
                (true, _) => usize::MAX,
                (false, true) => 1,
                (false, false) => 0,
            };
            if due {
                finished = Instant::now();
            }
            if let Err(failure) = self.look(most).await {
                self.progress.say(failure);
            }
        }
    }

    async fn look(&self, most: usize) -> Result<(), Failure> {
        if let Some(share) = self.reject {
            self.answer(share).await?;
        }
        if most > 0 { self.finish(most).await } else { Ok(()) }
    }

    /// Answers what is offered.
    async fn answer(&self, share: f64) -> Result<(), Failure> {
        let api = &self.agent.api;
        let offers = patiently(|| {
            let mut offers = api.offers();
            async move { offers.list_offers(pb::ListOffersRequest::default()).await }
        });
        let offers = offers.await.map_err(|status| Failure::call(&self.agent.subject, &status))?;
        for offer in offers.offers {
            let counted = match is_declined(&offer.offer_id, share) {
                true => self.decline(offer.offer_id).await,
                false => self.accept(offer.offer_id).await,
            };
            let counter = match counted {
                Ok(counter) => counter,
                Err(late) if late.code() == Code::FailedPrecondition => &self.answers.late,
                Err(status) => return Err(Failure::call(&self.agent.subject, &status)),
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn accept(&self, offer_id: String) -> Result<&AtomicU64, tonic::Status> {
        let request = pb::AcceptOfferRequest { offer_id };
        let answer = patiently(|| {
            let (mut offers, request) = (self.agent.api.offers(), request.clone());
            async move { offers.accept_offer(request).await }
        })
        .await?;
        // Nobody is told of what they did themselves.
        if let Some(conversation) = answer.conversation {
            let mut account = self.ledger.open();
            account.assignees.insert(conversation.conversation_id, self.agent.subject.clone());
        }
        Ok(&self.answers.accepted)
    }

    async fn decline(&self, offer_id: String) -> Result<&AtomicU64, tonic::Status> {
        let request = pb::RejectOfferRequest { offer_id, reason: String::new() };
        patiently(|| {
            let (mut offers, request) = (self.agent.api.offers(), request.clone());
            async move { offers.reject_offer(request).await }
        })
        .await?;
        Ok(&self.answers.rejected)
    }

    /// Resolves so many of what one has, at most: first those in which nothing happened for longest.
    async fn finish(&self, most: usize) -> Result<(), Failure> {
        let failed = |status: tonic::Status| Failure::call(&self.agent.subject, &status);
        let request = pb::ListConversationsRequest { view: pb::InboxView::Mine.into(), ..Default::default() };
        let mine = patiently(|| {
            let (mut conversations, request) = (self.agent.api.conversations(), request.clone());
            async move { conversations.list_conversations(request).await }
        });
        let entries = mine.await.map_err(failed)?.entries;
        let mut mine: Vec<pb::Conversation> = entries.into_iter().filter_map(|it| it.conversation).collect();
        mine.sort_by_key(|it| it.last_activity_time.as_ref().map(|time| (time.seconds, time.nanos)));
        for pb::Conversation { conversation_id, .. } in mine.into_iter().take(most) {
            let request = pb::ResolveConversationRequest { conversation_id, etag: String::new() };
            let resolved = patiently(|| {
                let (mut conversations, request) = (self.agent.api.conversations(), request.clone());
                async move { conversations.resolve_conversation(request).await }
            });
            resolved.await.map_err(failed)?;
        }
        Ok(())
    }
}

/// Whether an offer is among the share that is declined: by chance, as its id is, and the same whenever it is asked.
fn is_declined(offer_id: &str, share: f64) -> bool {
    let mut hasher = DefaultHasher::new();
    offer_id.hash(&mut hasher);
    ((hasher.finish() % 10_000) as f64) < share * 10_000.0
}
