//! Random days in an office, held against a small model of it: after each step everybody has what they should, and nobody
//! who could take something is left without it.

mod office;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use assignment_routing::app::App;
use assignment_routing::app::effects::Item;
use assignment_routing::app::handover::Handover;
use assignment_routing::domain::agent::{ProfileChange, Skill};
use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::offer::OfferId;
use assignment_routing::domain::priority::Priority;
use assignment_routing::domain::sharing::{Sharing, Strategy};
use assignment_routing::domain::target::Target;
use assignment_routing::error::Error;
use assignment_routing::store::queue::Place;
use assignment_routing::store::{self, MIGRATIONS};
use db::test_support::TestDb;
use db::{DbError, Engine, Retry};
use kernel::{AgentId, ContactId, ConversationId, OrgId, PageSize, TeamId};
use proptest::prelude::*;
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::TestRunner;
use rpc::Caller;

use crate::fixtures::{agent, app, asks, caller_in, conversation, origin, team};
use crate::races::consistent_in;
use office::{ANSWER_WITHIN, Office, RELAX_AFTER};

/// How many days, each in an organization of its own: fewer where a step takes longer.
fn days(engine: Engine) -> usize {
    match engine {
        Engine::Sqlite => 60,
        Engine::Postgres => 15,
    }
}

/// A conversation that comes.
#[derive(Debug, Clone)]
struct Arrival {
    team: usize,
    contact: usize,
    units: i64,
    priority: Priority,
    strategy: Strategy,
    /// The skill that is asked for, with [`Strategy::SkillBased`].
    level: i32,
}

/// What happens. Conversations are named by a number, modulo as many as there are.
#[derive(Debug, Clone)]
enum Step {
    Arrive(Arrival),
    Be(usize, Availability),
    Capacity(usize, i32),
    Level(usize, i32),
    Give(usize, Option<usize>),
    Queue(usize, usize),
    Resolve(usize),
    Reopen(usize),
    Wait,
    /// Answers to what is offered, by a number, modulo as many as there are.
    Accept(usize),
    Reject(usize),
    /// Nobody answers in time.
    Forget,
}

const NAMES: [&str; 4] = ["ana", "ben", "cem", "dora"];

const WORKERS: usize = NAMES.len();

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    use Availability::{Away, Offline, Online};
    let strategies = [Strategy::RoundRobin, Strategy::Balanced, Strategy::SkillBased, Strategy::Sticky];
    let priorities = [Priority::Low, Priority::Normal, Priority::Urgent];
    let arrival = (
        0..2usize,
        0..3usize,
        1..=3i64,
        prop::sample::select(priorities.to_vec()),
        prop::sample::select(strategies.to_vec()),
        1..=4i32,
    )
        .prop_map(|(team, contact, units, priority, strategy, level)| {
            Step::Arrive(Arrival { team, contact, units, priority, strategy, level })
        });
    let step = prop_oneof![
        8 => arrival,
        3 => (0..WORKERS, prop::sample::select(vec![Online, Online, Away, Offline])).prop_map(|(who, how)| Step::Be(who, how)),
        2 => (0..WORKERS, 0..5i32).prop_map(|(who, units)| Step::Capacity(who, units)),
        2 => (0..WORKERS, 0..5i32).prop_map(|(who, level)| Step::Level(who, level)),
        2 => (0..50usize, prop::option::of(0..WORKERS)).prop_map(|(which, to)| Step::Give(which, to)),
        1 => (0..50usize, 0..2usize).prop_map(|(which, team)| Step::Queue(which, team)),
        4 => (0..50usize).prop_map(Step::Resolve),
        2 => (0..50usize).prop_map(Step::Reopen),
        1 => Just(Step::Wait),
        5 => (0..50usize).prop_map(Step::Accept),
        4 => (0..50usize).prop_map(Step::Reject),
        1 => Just(Step::Forget),
    ];
    prop::collection::vec(step, 1..40)
}

/// The office as it is, and as it should be.
struct Day<'a> {
    db: &'a TestDb,
    org: OrgId,
    app: Arc<App>,
    boss: Arc<Caller>,
    /// The people, in their order.
    callers: Vec<Arc<Caller>>,
    contacts: Vec<ContactId>,
    /// In the order in which steps name them.
    people: Vec<AgentId>,
    office: Office,
}

impl<'a> Day<'a> {
    async fn begin(db: &'a TestDb, number: usize) -> Self {
        let org = OrgId::parse(&format!("day-{number}")).unwrap();
        let mut app = (*app(&db.db, &db.clock)).clone();
        app.settings.assign_batch = 3;
        let (people, teams) = db
            .write(&org, |tx| {
                Box::pin(async move {
                    let mut people = Vec::new();
                    for name in NAMES {
                        people.push(agent(tx, name).await?);
                    }
                    let first = team(tx, "airline", &people[..3]).await?;
                    let second = team(tx, "bank", &people[1..]).await?;
                    asks(tx, second).await?;
                    let costs = BTreeMap::from([("units-2".to_owned(), 2), ("units-3".to_owned(), 3)]);
                    store::settings::insert_channel_units(tx, &costs).await?;
                    Ok::<_, DbError>((people, [first, second]))
                })
            })
            .await
            .unwrap();
        let mut office = Office::default();
        for id in &people {
            office.hire(*id);
        }
        office.teams = vec![(teams[0], people[..3].to_vec()), (teams[1], people[1..].to_vec())];
        let boss = caller_in(&db.clock, org.clone(), "boss");
        let callers = NAMES.map(|name| caller_in(&db.clock, org.clone(), name)).to_vec();
        let contacts = (0..3).map(|_| db.clock.new_id().into()).collect();
        Self { db, org, app: Arc::new(app), boss, callers, contacts, people, office }
    }

    fn later(&self, span: Duration) {
        self.db.hand.advance(span);
    }

    fn case(&self, number: usize) -> Option<usize> {
        (!self.office.cases.is_empty()).then(|| number % self.office.cases.len())
    }

    async fn take(&mut self, step: Step) {
        self.later(Duration::from_millis(1));
        let now = self.db.clock.now();
        match step {
            Step::Arrive(it) => {
                let id = self.arrive(&it).await;
                self.office.arrive(id, &it, now);
            }
            Step::Be(who, availability) => {
                let id = self.people[who];
                let said = self.app.set_availability(&self.callers[who], origin(), id, availability, true);
                said.await.unwrap();
                self.office.be(id, availability);
            }
            Step::Capacity(who, units) => {
                let change = ProfileChange { capacity_units: Some(units), ..ProfileChange::default() };
                self.change(self.people[who], change).await;
                self.office.worker(self.people[who]).capacity = i64::from(units);
            }
            Step::Level(who, level) => {
                let skill = (level > 0).then(|| Skill { name: "german".into(), level });
                let skills = Some(skill.into_iter().collect());
                self.change(self.people[who], ProfileChange { skills, ..ProfileChange::default() }).await;
                self.office.worker(self.people[who]).level = level;
            }
            Step::Give(number, to) => {
                let Some(case) = self.case(number) else { return };
                let to = to.map(|who| self.people[who]);
                self.assign(case, to.map_or(Target::Nobody, Target::Agent)).await;
                self.office.give(case, to);
            }
            Step::Queue(number, team) => {
                let Some(case) = self.case(number) else { return };
                self.assign(case, Target::Team(self.office.teams[team].0)).await;
                self.office.queue(case, team, now);
            }
            Step::Resolve(number) => {
                let Some(case) = self.case(number) else { return };
                self.app.resolve(&self.boss, origin(), self.item(case)).await.unwrap();
                self.office.resolve(case);
            }
            Step::Reopen(number) => {
                let Some(case) = self.case(number) else { return };
                self.app.reopen(&self.boss, origin(), self.item(case)).await.unwrap();
                self.office.reopen(case, now);
            }
            Step::Wait => self.later(RELAX_AFTER),
            Step::Accept(number) => {
                let Some((case, who, offer)) = self.offer(number).await else { return };
                let taken = self.app.accept_offer(&self.callers[who], origin(), offer).await.unwrap();
                assert_eq!(taken.assignee_id(), Some(self.people[who]));
                self.office.accept(case);
            }
            Step::Reject(number) => {
                let Some((case, who, offer)) = self.offer(number).await else { return };
                let why = String::new();
                self.app.reject_offer(&self.callers[who], origin(), offer, why).await.unwrap();
                self.office.decline(case, now);
            }
            Step::Forget => self.later(ANSWER_WITHIN),
        }
    }

    /// One of the offers that are open, with its case and whom it asks.
    async fn offer(&self, number: usize) -> Option<(usize, usize, OfferId)> {
        let offered = self.office.offered();
        let case = *offered.get(number % offered.len().max(1))?;
        let asked = self.office.cases[case].offered.map(|(asked, _)| asked);
        let who = self.people.iter().position(|id| Some(*id) == asked)?;
        let size = PageSize::of(0).unwrap();
        let (open, _) = self.app.list_offers(&self.callers[who], size, "").await.unwrap();
        let of_it = open.iter().find(|(offer, _)| offer.conversation == self.office.cases[case].id);
        Some((case, who, of_it.unwrap().0.id))
    }

    async fn arrive(&self, it: &Arrival) -> ConversationId {
        let (team, it, contact) = (self.office.teams[it.team].0, it.clone(), self.contacts[it.contact]);
        let made = self.db.write(&self.org, move |tx| {
            Box::pin(async move {
                let clock = tx.clock().clone();
                let mut new = conversation(&clock, Some(team));
                (new.contact, new.priority, new.channel) =
                    (contact, it.priority, format!("units-{}", it.units));
                let german = Skill { name: "german".into(), level: it.level };
                let skilled = it.strategy == Strategy::SkillBased;
                new.sharing = Some(Sharing {
                    strategy: it.strategy,
                    required_skills: skilled.then_some(german).into_iter().collect(),
                    relax_after: skilled.then_some(RELAX_AFTER),
                });
                new.units = store::conversations::insert_conversation(tx, &new).await?.unwrap();
                store::queue::join(tx, &Place::of(&new, team, clock.now())).await?;
                Ok::<_, DbError>(new.id)
            })
        });
        made.await.unwrap()
    }

    fn item(&self, case: usize) -> Item {
        Item { id: self.office.cases[case].id, expected: None }
    }

    fn retry(&self, method: &'static str) -> Retry {
        Retry { caller: self.boss.subject.clone(), method, request_id: None, digest: [0; 32] }
    }

    async fn change(&self, id: AgentId, change: ProfileChange) {
        self.app.update_agent(&self.boss, origin(), self.retry("update"), id, change, None).await.unwrap();
    }

    async fn assign(&self, case: usize, target: Target) {
        let (item, handover) = (self.item(case), Handover::to(target));
        match self.app.assign(&self.boss, origin(), self.retry("assign"), item, handover).await {
            Ok(_) | Err(Error::Resolved) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Serves every queue until nothing more is to be done, here and there.
    async fn serve(&mut self) {
        while self.app.fire_due().await.unwrap() > 0 {}
        self.office.time_out(self.db.clock.now());
        for team in 0..self.office.teams.len() {
            loop {
                self.later(Duration::from_millis(1));
                let served = self.app.serve_queue(&self.org, self.office.teams[team].0).await.unwrap();
                if !served.more {
                    break;
                }
            }
            self.office.serve(team, self.db.clock.now());
        }
    }

    /// What is not as it should be.
    async fn difference(&self) -> Option<String> {
        if self.office.anything_to_take(self.db.clock.now()) {
            return Some("the model leaves something that somebody could take".to_owned());
        }
        let read = self.db.read(&self.org, |tx| {
            Box::pin(async move {
                tx.query(
                    "SELECT c.conversation_id, COALESCE(c.assignee_id, o.agent_id), c.status = 'RESOLVED', q.team_id
                     FROM conversations c
                     LEFT JOIN queue q ON q.org_id = c.org_id AND q.conversation_id = c.conversation_id
                     LEFT JOIN offers o
                         ON o.org_id = c.org_id AND o.conversation_id = c.conversation_id AND o.state = 'OPEN'
                     WHERE c.org_id = $1",
                )
                .fetch_all::<(ConversationId, Option<AgentId>, bool, Option<TeamId>)>(tx)
                .await
            })
        });
        let mut is: Vec<_> = read.await.unwrap();
        is.sort();
        let mut should: Vec<_> = self
            .office
            .cases
            .iter()
            .map(|it| {
                let asked = it.offered.map(|(asked, _)| asked);
                (it.id, it.has.or(asked), it.resolved, it.queued.map(|_| self.office.teams[it.team()].0))
            })
            .collect();
        should.sort();
        let names = |id: Option<AgentId>| id.and_then(|id| self.people.iter().position(|known| *known == id));
        let differing = is.iter().zip(&should).find(|(is, should)| is != should);
        differing.map(|(is, should)| {
            let place = self.office.cases.iter().position(|it| it.id == should.0);
            format!(
                "conversation {place:?}: {:?} has it or is asked, and it waits: {}; it should be {:?} and {}",
                names(is.1),
                is.3.is_some(),
                names(should.1),
                should.3.is_some()
            )
        })
    }
}

/// Goes through a day; says what is wrong, and after how many steps.
async fn live(db: &TestDb, number: usize, steps: Vec<Step>) -> Result<(), String> {
    let mut day = Day::begin(db, number).await;
    for (place, step) in steps.into_iter().enumerate() {
        day.take(step).await;
        day.serve().await;
        if let Some(difference) = day.difference().await {
            return Err(format!("after step {place}: {difference}"));
        }
    }
    consistent_in(&db.db, &day.org).await;
    Ok(())
}

// R3, R8, R10, R11, R12
db::both_databases!(any_day_goes_as_in_the_model, MIGRATIONS, |db| async move {
    let mut runner = TestRunner::deterministic();
    let mut number = 0;
    for _ in 0..days(db.engine()) {
        let mut day = steps().new_tree(&mut runner).unwrap();
        number += 1;
        let Err(mut wrong) = live(&db, number, day.current()).await else { continue };
        let mut least = day.current();
        // The shortest day on which something goes wrong.
        while day.simplify() {
            loop {
                number += 1;
                match live(&db, number, day.current()).await {
                    Err(still) => {
                        (wrong, least) = (still, day.current());
                        break;
                    }
                    Ok(()) if day.complicate() => {}
                    Ok(()) => break,
                }
            }
        }
        panic!("{wrong}\n{least:#?}");
    }
});
