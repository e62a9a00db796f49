//! Targets whose time has come (R17): people are warned, or told that one was missed; each once, in the transaction of the look that finds
//! it out, together with the history of the conversation. What runs and what ended, the conversations say themselves:
//! [`Policies::follow`](crate::domain::sla::policies::Policies::follow) is asked wherever one is written.

use std::collections::{BTreeSet, HashMap};

use audit::Origin;
use db::Tx;
use kernel::{ConversationId, EventId, Subject, TeamId, Timestamp};
use proto::notifications::v1::NotificationType;

use super::App;
use super::grace::MOST_TOLD;
use super::prepared::Prepared;
use crate::domain::conversation::Conversation;
use crate::domain::history::{EventKind, HistoryEvent};
use crate::domain::sla::breach::Breach;
use crate::domain::sla::news::News;
use crate::domain::sla::{Metric, Under};
use crate::domain::timer::Timer;
use crate::error::Error;
use crate::events::ToldSeveral;
use crate::store;
use crate::store::sla_breaches::Ended;

/// What comes of a look at clocks.
#[derive(Default)]
struct Looked {
    changed: Vec<Conversation>,
    history: Vec<HistoryEvent>,
    missed: Vec<Breach>,
    ended: Vec<Ended>,
    told: Vec<outbox::Event>,
    timers: Vec<Timer>,
}

impl App {
    /// Looks at the clocks of conversations whose time may have come, which are locked.
    ///
    /// # Errors
    /// [`Error::Raced`], [`Error::Db`].
    pub(super) async fn fire_slas(
        &self,
        tx: &mut Tx,
        due: &[Timer],
        _origin: &Origin,
        _prepared: &Prepared,
    ) -> Result<(), Error> {
        let ids: BTreeSet<ConversationId> = due.iter().map(|timer| timer.subject.into()).collect();
        let ids: Vec<ConversationId> = ids.into_iter().collect();
        let found = store::bulk::lock_conversations(tx, &ids).await?;
        let ruleset = self.rulesets.current(tx).await?;
        let now = tx.now().await?;
        let teams: BTreeSet<TeamId> = found.iter().filter_map(|it| it.team).collect();
        let teams: Vec<TeamId> = teams.into_iter().collect();
        let mut supervisors: HashMap<TeamId, Vec<Subject>> = HashMap::new();
        for (team, subject) in store::teams::list_supervisors_of(tx, &teams).await? {
            supervisors.entry(team).or_default().push(subject);
        }
        // Who looks after everything hears of what no team's supervisors look after.
        let unseen = |it: &Conversation| !it.team.is_some_and(|team| supervisors.contains_key(&team));
        let others = match found.iter().any(unseen) {
            true => store::unanswered::list_supervisors(tx, MOST_TOLD).await?,
            false => Vec::new(),
        };
        let mut looked = Looked::default();
        for mut it in found {
            let before = it.sla.clone();
            ruleset.policies().follow(&mut it, now);
            let of_team = it.team.and_then(|team| supervisors.get(&team)).map_or(&others[..], Vec::as_slice);
            self.tell_of(&mut looked, &mut it, of_team, now);
            looked.timers.extend(it.sla_timer());
            if it.sla != before {
                looked.changed.push(it);
            }
        }
        self.write_look(tx, looked).await
    }

    /// Tells what there is to be told of a conversation's clocks.
    fn tell_of(&self, looked: &mut Looked, it: &mut Conversation, supervisors: &[Subject], now: Timestamp) {
        let Some(mut tracking) = it.sla.take() else { return };
        for news in tracking.tell(now) {
            match news {
                News::Warned { metric, under } => {
                    let event = self.happened(looked, it, EventKind::SlaWarned, metric, now);
                    looked.told.extend(warning(it, event, metric, &under, supervisors, now).event());
                }
                News::Breached { metric, under, start, due, end } => {
                    let event = self.happened(looked, it, EventKind::SlaBreached, metric, now);
                    looked.told.extend(breach(it, event, metric, &under, supervisors, now).event());
                    looked.missed.push(Breach {
                        id: event,
                        conversation: it.id,
                        metric,
                        policy: under,
                        team: it.team,
                        assignee: it.assignee_id(),
                        start,
                        due,
                        end,
                    });
                }
                News::Ended { metric, start, end } => {
                    looked.ended.push(Ended { conversation: it.id, metric, start, end });
                }
            }
        }
        it.sla = Some(tracking);
    }

    /// An entry of its history; its id.
    fn happened(
        &self,
        looked: &mut Looked,
        it: &mut Conversation,
        kind: EventKind,
        metric: Metric,
        now: Timestamp,
    ) -> EventId {
        let id: EventId = self.clock.new_id().into();
        let agent = it.assignee_id();
        let happened = it.happened(kind, id, now, None);
        looked.history.push(HistoryEvent { agent, metric: Some(metric), ..happened });
        id
    }

    async fn write_look(&self, tx: &mut Tx, looked: Looked) -> Result<(), Error> {
        let Looked { changed, history, missed, ended, told, timers } = looked;
        let changed: Vec<&Conversation> = changed.iter().collect();
        let saved = store::bulk::save_conversations(tx, &changed).await?;
        if usize::try_from(saved) != Ok(changed.len()) {
            return Err(Error::Raced);
        }
        if !changed.is_empty() {
            self.ring_inboxes(tx);
        }
        self.remember(tx, &history).await?;
        store::sla_breaches::insert_breaches(tx, &missed).await?;
        store::sla_breaches::end_breaches(tx, &ended).await?;
        store::timers::set(tx, &timers).await?;
        self.outbox.record(tx, &told).await?;
        let count = missed.len() as u64;
        if count > 0 {
            tx.after_commit(move || metrics::counter!("routing_sla_breaches_total").increment(count));
        }
        Ok(())
    }
}

/// Who has the conversation is warned; if nobody has, the supervisors of its team are, or those of the organization.
fn warning(
    it: &Conversation,
    event: EventId,
    metric: Metric,
    under: &Under,
    supervisors: &[Subject],
    now: Timestamp,
) -> ToldSeveral {
    let recipients = match &it.assignee {
        Some(person) => vec![person.subject.to_string()],
        None => each_once(supervisors.iter()),
    };
    let reason = format!("{} of policy \"{}\" is almost due.", named(metric), under.name);
    let about = NotificationType::SlaWarning;
    ToldSeveral { event, about, recipients, reason, conversation: it.id, occur_time: now }
}

/// Who has the conversation is told, and so are the supervisors of its team, or those of the organization.
fn breach(
    it: &Conversation,
    event: EventId,
    metric: Metric,
    under: &Under,
    supervisors: &[Subject],
    now: Timestamp,
) -> ToldSeveral {
    let recipients = each_once(it.assignee.iter().map(|person| &person.subject).chain(supervisors));
    let reason = format!("{} of policy \"{}\" is late.", named(metric), under.name);
    let about = NotificationType::SlaBreach;
    ToldSeveral { event, about, recipients, reason, conversation: it.id, occur_time: now }
}

fn each_once<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Vec<String> {
    let each: BTreeSet<String> = subjects.map(ToString::to_string).collect();
    each.into_iter().collect()
}

/// What is measured, as the beginning of a sentence.
fn named(metric: Metric) -> &'static str {
    match metric {
        Metric::FirstResponse => "The first response to a conversation",
        Metric::NextResponse => "The next response to a conversation",
        Metric::Resolution => "The resolution of a conversation",
    }
}
