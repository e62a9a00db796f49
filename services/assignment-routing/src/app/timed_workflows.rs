//! Workflows that a wait triggers: nobody has a conversation, or its customer has no answer, for as long as the workflow says (R9).

use std::collections::{BTreeMap, BTreeSet};

use db::Tx;
use kernel::{ConversationId, Timestamp, WorkflowId};
use uuid::Uuid;

use super::App;
use super::prepared::Prepared;
use super::waits::Change;
use super::workflow_runs::Occasion;
use crate::domain::conversation::Conversation;
use crate::domain::ruleset::Ruleset;
use crate::domain::timer::Timer;
use crate::domain::workflow::Trigger;
use crate::error::Error;
use crate::store;

/// What timers come to: the conversations whose workflows run, and what is to be looked at again.
#[derive(Debug, Default)]
struct Looked {
    run: Vec<(Conversation, BTreeSet<WorkflowId>)>,
    again: Vec<Timer>,
}

impl App {
    /// Runs workflows on conversations that have waited for as long as these ask for, each over the facts as they are now. The workflows
    /// of one conversation that are due at once are one run.
    ///
    /// # Errors
    /// [`Error::Unprepared`], [`Error::Raced`], [`Error::Db`].
    pub(super) async fn fire_workflows(
        &self,
        tx: &mut Tx,
        due: &[Timer],
        prepared: &Prepared,
    ) -> Result<(), Error> {
        let (ruleset, now) = (self.rulesets.current(tx).await?, tx.now().await?);
        let ids: Vec<ConversationId> = due.iter().map(|timer| timer.subject.into()).collect();
        let found = store::bulk::lock_conversations(tx, &ids).await?;
        let Looked { run, again } = look(&ruleset, found, due, now);
        store::timers::set(tx, &again).await?;
        // What any of them may need is asked for at once, not one after the other.
        let all: BTreeSet<WorkflowId> = run.iter().flat_map(|(_, which)| which).copied().collect();
        let timed = ruleset.only(&all);
        if timed.asks(Trigger::TIMED).contact {
            prepared.contacts(run.iter().map(|(it, _)| it.contact))?;
        }
        prepared.holds(timed.teams(Trigger::TIMED).chain(run.iter().filter_map(|(it, _)| it.team)))?;
        let mut done = Vec::with_capacity(run.len());
        for (was, which) in run {
            let occasion = Occasion::waited(self.clock.now());
            let which = timed.only(&which);
            let is = self.run_workflows(tx, was.clone(), &which, occasion, prepared).await?;
            done.push((was, is));
        }
        let changes = done.iter().map(|(was, is)| Change { was: Some(was), is });
        self.begin_waits(tx, &ruleset, &changes.collect::<Vec<_>>()).await
    }
}

/// What timers come to. A workflow that was deleted or switched off has nothing to look at, nor has one whose wait is over.
fn look(ruleset: &Ruleset, found: Vec<Conversation>, due: &[Timer], now: Timestamp) -> Looked {
    let mut timers: BTreeMap<Uuid, Vec<&Timer>> = BTreeMap::new();
    for timer in due {
        timers.entry(timer.subject).or_default().push(timer);
    }
    let mut looked = Looked::default();
    for it in found {
        let mut run = BTreeSet::new();
        for timer in timers.remove(&it.id.as_uuid()).unwrap_or_default() {
            let workflow = WorkflowId::parse(&timer.rule).ok().and_then(|id| ruleset.find(id));
            let awaited = workflow.filter(|workflow| workflow.is_awaited(&it));
            let wait = awaited.and_then(|awaited| Some((awaited.id, timer.since.plus(awaited.after?))));
            match wait {
                Some((_, over)) if over > now => looked.again.push(timer.clone().later(over)),
                Some((workflow, _)) => {
                    run.insert(workflow);
                }
                None => {}
            }
        }
        if !run.is_empty() {
            looked.run.push((it, run));
        }
    }
    looked
}
