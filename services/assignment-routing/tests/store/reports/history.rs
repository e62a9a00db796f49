//! An office to which things happen, and what is kept of them for a recount.

use std::sync::Arc;
use std::time::Duration;

use assignment_routing::app::App;
use assignment_routing::app::effects::Item;
use assignment_routing::app::handover::Handover;
use assignment_routing::app::reports::Stretch;
use assignment_routing::domain::conversation::Conversation;
use assignment_routing::domain::history::{EventKind, HistoryEvent};
use assignment_routing::domain::message::{Direction, Message};
use assignment_routing::domain::report::Report;
use assignment_routing::domain::target::Target;
use assignment_routing::error::Error;
use assignment_routing::store;
use assignment_routing::store::queue::Place;
use db::test_support::TestDb;
use db::{DbError, Retry, Tx};
use kernel::{AgentId, ContactId, ConversationId, OrgId, TeamId, Timestamp};
use rpc::Caller;

use super::recount::{Case, Event, Said, expected, shares};
use super::week;
use crate::fixtures::{agent, app, caller_in, conversation, origin, team};

/// When, what, whether it came by itself, and who and which team it names.
type EventRow = (ConversationId, Timestamp, String, bool, Option<AgentId>, Option<TeamId>);

/// What happens. Conversations are named by a number, modulo as many as there ever were; times are in seconds.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// A customer writes first; what they wrote came `lag` late.
    Begin {
        team: usize,
        contact: usize,
        lag: i64,
    },
    /// One does who is blocked.
    BeginBlocked {
        contact: usize,
    },
    /// Somebody answers.
    Answer {
        case: usize,
        lag: i64,
    },
    /// A person gives it to somebody, or to nobody.
    Give {
        case: usize,
        to: Option<usize>,
    },
    /// A person gives it to a team.
    Queue {
        case: usize,
        team: usize,
    },
    /// A queue is served.
    Serve(usize),
    Resolve(usize),
    Reopen(usize),
    Snooze(usize),
    Erase(usize),
    /// The counter looks, once.
    Count,
    Later(i64),
    Earlier(i64),
}

pub(super) struct Story<'a> {
    db: &'a TestDb,
    pub(super) org: OrgId,
    pub(super) app: Arc<App>,
    boss: Arc<Caller>,
    contacts: Vec<ContactId>,
    people: Vec<AgentId>,
    teams: Vec<TeamId>,
    pub(super) cases: Vec<ConversationId>,
    /// What is gone, as it was.
    gone: Vec<Case>,
}

impl<'a> Story<'a> {
    pub(super) async fn begin(db: &'a TestDb, number: usize) -> Self {
        let org = OrgId::parse(&format!("story-{number}")).unwrap();
        let app = app(&db.db, &db.clock);
        let made = db.write(&org, |tx| {
            Box::pin(async move {
                let mut people = Vec::new();
                for name in ["ana", "ben", "cem"] {
                    people.push(agent(tx, name).await?);
                }
                let first = team(tx, "airline", &people).await?;
                let second = team(tx, "bank", &people[1..]).await?;
                Ok::<_, DbError>((people, vec![first, second]))
            })
        });
        let (people, teams) = made.await.unwrap();
        let boss = caller_in(&db.clock, org.clone(), "boss");
        let contacts = (0..3).map(|_| db.clock.new_id().into()).collect();
        Self { db, org, app, boss, contacts, people, teams, cases: Vec::new(), gone: Vec::new() }
    }

    pub(super) async fn take(&mut self, step: Step) {
        self.move_clock(0, 1_000);
        match step {
            Step::Begin { team, contact, lag } => {
                let team = self.teams[team];
                self.write_first(Some(team), contact, lag, true).await;
            }
            Step::BeginBlocked { contact } => self.write_first(None, contact, 0, false).await,
            Step::Answer { case, lag } => self.answer(case, lag).await,
            Step::Give { case, to } => {
                let to = to.map(|who| self.people[who]);
                self.assign(case, to.map_or(Target::Nobody, Target::Agent)).await;
            }
            Step::Queue { case, team } => self.assign(case, Target::Team(self.teams[team])).await,
            Step::Serve(team) => {
                self.app.serve_queue(&self.org, self.teams[team]).await.unwrap();
            }
            Step::Resolve(case) => {
                let Some(item) = self.item(case) else { return };
                tried(self.app.resolve(&self.boss, origin(), item).await);
            }
            Step::Reopen(case) => {
                let Some(item) = self.item(case) else { return };
                tried(self.app.reopen(&self.boss, origin(), item).await);
            }
            Step::Snooze(case) => {
                let Some(item) = self.item(case) else { return };
                let until = self.db.clock.now().plus(Duration::from_secs(3_600));
                tried(self.app.snooze(&self.boss, origin(), item, until).await);
            }
            Step::Erase(contact) => self.erase(contact).await,
            Step::Count => {
                self.app.count_for_reports().await.unwrap();
            }
            Step::Later(seconds) => self.move_clock(seconds, 0),
            Step::Earlier(seconds) => self.move_clock(-seconds, 0),
        }
    }

    /// Counts all there is.
    pub(super) async fn count(&self) {
        while self.app.count_for_reports().await.unwrap() {}
    }

    fn move_clock(&self, seconds: i64, micros: i64) {
        let now = self.db.clock.now().as_micros();
        self.db.hand.set(Timestamp::from_micros(now + seconds * 1_000_000 + micros));
    }

    fn item(&self, case: usize) -> Option<Item> {
        let place = case.checked_rem(self.cases.len())?;
        Some(Item { id: self.cases[place], expected: None })
    }

    async fn write_first(&mut self, team: Option<TeamId>, contact: usize, lag: i64, heard: bool) {
        // Who was erased is somebody new when they write again.
        let contact = self.contacts[contact];
        let made = self.db.write(&self.org, move |tx| {
            Box::pin(async move {
                let (clock, now) = (tx.clock().clone(), tx.clock().now());
                let mut new = conversation(&clock, team);
                new.contact = contact;
                if heard {
                    new.record(Direction::Inbound, now);
                } else {
                    new.record_unheard(now);
                    new.resolve(now);
                }
                let message = message(tx, &new, Direction::Inbound, lag);
                let kind = if heard { EventKind::Queued } else { EventKind::Resolved };
                let happened = new.happened(kind, clock.new_id().into(), now, None);
                store::conversations::insert_conversation(tx, &new).await?;
                store::messages::insert_message(tx, &message).await?;
                store::history::insert_events(tx, &[HistoryEvent { team, ..happened }]).await?;
                if let Some(team) = team {
                    store::queue::join(tx, &Place::of(&new, team, now)).await?;
                }
                Ok::<_, DbError>(new.id)
            })
        });
        self.cases.push(made.await.unwrap());
    }

    async fn answer(&self, case: usize, lag: i64) {
        let Some(item) = self.item(case) else { return };
        let answered = self.db.write(&self.org, move |tx| {
            Box::pin(async move {
                let Some(mut it) = store::conversations::lock_conversation(tx, item.id).await? else {
                    return Ok::<_, DbError>(true);
                };
                let now = tx.clock().now();
                it.record(Direction::Outbound, now);
                it.next_entry(now);
                let message = message(tx, &it, Direction::Outbound, lag);
                store::messages::insert_message(tx, &message).await?;
                store::conversations::save_conversation(tx, &mut it).await
            })
        });
        assert!(answered.await.unwrap());
    }

    async fn assign(&self, case: usize, target: Target) {
        let Some(item) = self.item(case) else { return };
        let retry =
            Retry { caller: self.boss.subject.clone(), method: "assign", request_id: None, digest: [0; 32] };
        tried(self.app.assign(&self.boss, origin(), retry, item, Handover::to(target)).await);
    }

    async fn erase(&mut self, contact: usize) {
        let id = self.contacts[contact];
        self.remember(contact).await;
        let erasure = self.db.clock.new_id().into();
        loop {
            match self.app.erase_contact(&self.boss, origin(), erasure, vec![id]).await {
                Ok(progress) if progress.done => break,
                Ok(_) => {}
                Err(Error::Db(error)) if error.is_transient() => {}
                Err(error) => panic!("{error}"),
            }
        }
        self.contacts[contact] = self.db.clock.new_id().into();
    }

    /// Keeps what happened to conversations of a contact that are about to go.
    pub(super) async fn remember(&mut self, contact: usize) {
        let (id, now) = (self.contacts[contact], self.db.clock.now());
        for mut case in self.histories().await {
            if case.contact == id {
                case.gone = Some(now);
                self.gone.push(case);
            }
        }
    }

    /// All that is written down of conversations.
    async fn histories(&self) -> Vec<Case> {
        let read = self.db.read(&self.org, |tx| {
            Box::pin(async move {
                let cases: Vec<(ConversationId, ContactId)> = tx
                    .query("SELECT conversation_id, contact_id FROM conversations WHERE org_id = $1")
                    .fetch_all(tx)
                    .await?;
                let events: Vec<EventRow> = tx
                    .query(
                        "SELECT conversation_id, event_time, type, actor_subject IS NULL, agent_id, team_id
                         FROM conversation_events WHERE org_id = $1 ORDER BY event_time",
                    )
                    .fetch_all(tx)
                    .await?;
                let messages: Vec<(ConversationId, Timestamp, Timestamp, bool)> = tx
                    .query(
                        "SELECT conversation_id, create_time, sent_time, direction = 'INBOUND'
                         FROM messages WHERE org_id = $1 ORDER BY position",
                    )
                    .fetch_all(tx)
                    .await?;
                Ok::<_, DbError>((cases, events, messages))
            })
        });
        let (cases, events, messages) = read.await.unwrap();
        let case = |(id, contact)| Case {
            contact,
            events: events
                .iter()
                .filter(|(of, ..)| *of == id)
                .map(|(_, time, kind, by_itself, agent, team)| Event {
                    time: *time,
                    kind: kind.clone(),
                    by_itself: *by_itself,
                    agent: *agent,
                    team: *team,
                })
                .collect(),
            messages: messages
                .iter()
                .filter(|(of, ..)| *of == id)
                .map(|(_, time, sent, inbound)| Said { time: *time, sent: *sent, inbound: *inbound })
                .collect(),
            gone: None,
        };
        cases.into_iter().map(case).collect()
    }

    pub(super) async fn is_complete(&self) -> bool {
        self.app.team_report(&self.boss, self.teams[0], week()).await.unwrap().report.complete
    }

    pub(super) async fn standings(&self) -> i64 {
        let read = self.db.read(&self.org, |tx| {
            Box::pin(async move {
                tx.query("SELECT COUNT(*) FROM report_standings WHERE org_id = $1")
                    .fetch_value::<i64>(tx)
                    .await
            })
        });
        read.await.unwrap()
    }

    /// How many conversations an agent or a team has open, as these say themselves.
    async fn open(&self, column: &'static str, subject: uuid::Uuid) -> i64 {
        let read = self.db.read(&self.org, move |tx| {
            Box::pin(async move {
                let sql = format!("SELECT COUNT(*) FROM conversations WHERE org_id = $1 AND status = 'OPEN' AND {column} = $2");
                tx.query_dynamic(sql).bind(subject).fetch_value::<i64>(tx).await
            })
        });
        read.await.unwrap()
    }

    /// Where a report that ends behind all that happened has something else open than there is.
    async fn compare_open(
        &self,
        is: &Report,
        cases: &[Case],
        column: &'static str,
        subject: uuid::Uuid,
    ) -> Result<(), String> {
        let clock = is.zone.clock();
        let last = is.days[is.days.len() - 1].0;
        let later = |case: &Case| case.events.iter().any(|it| clock.shows(it.time).day > last);
        let should = self.open(column, subject).await;
        if is.total.open == should || cases.iter().any(later) {
            return Ok(());
        }
        Err(format!("{column}: {} are open, should be {should}", is.total.open))
    }

    /// Where reports are not what the recount comes to.
    pub(super) async fn compare(&self, stretch: Stretch) -> Result<(), String> {
        let mut cases = self.histories().await;
        cases.extend(self.gone.iter().cloned());
        let boss = self.supervisor();
        for (place, agent) in self.people.iter().enumerate() {
            let is = self.app.agent_report(&boss, *agent, stretch).await.unwrap().report;
            let should = expected(&cases, agent.as_uuid(), &is);
            if is != should {
                return Err(format!("agent {place}: is {is:#?}, should be {should:#?}"));
            }
            self.compare_open(&is, &cases, "assignee_id", agent.as_uuid()).await?;
        }
        for (place, team) in self.teams.iter().enumerate() {
            let it = self.app.team_report(&boss, *team, stretch).await.unwrap();
            let should = expected(&cases, team.as_uuid(), &it.report);
            if it.report != should {
                return Err(format!("team {place}: is {:#?}, should be {should:#?}", it.report));
            }
            self.compare_open(&it.report, &cases, "team_id", team.as_uuid()).await?;
            let should = shares(&cases, *team, &it.report);
            let mut is: Vec<(AgentId, i64)> =
                it.shares.iter().map(|(who, count)| (who.agent, *count)).collect();
            is.sort();
            if is != should {
                return Err(format!("team {place} shares {is:?}, should share {should:?}"));
            }
        }
        Ok(())
    }

    /// Who may read everybody's report.
    fn supervisor(&self) -> Arc<Caller> {
        let mut caller = (*self.boss).clone();
        caller.role = kernel::Role::Supervisor;
        Arc::new(caller)
    }
}

fn message(tx: &Tx, it: &Conversation, direction: Direction, lag: i64) -> Message {
    let id = tx.clock().new_id();
    Message {
        id: id.into(),
        conversation: it.id,
        position: it.message_count,
        channel: it.channel.clone(),
        external_id: id.to_string(),
        direction,
        text: String::new(),
        author: None,
        sent_time: Timestamp::from_micros(tx.clock().now().as_micros() - lag * 1_000_000),
        create_time: it.last_entry_time,
    }
}

/// What people try, and what they cannot do: what is gone or resolved.
fn tried(done: Result<Conversation, Error>) {
    match done {
        Ok(_) | Err(Error::Resolved | Error::NoSuchConversation) => {}
        Err(error) => panic!("{error}"),
    }
}
