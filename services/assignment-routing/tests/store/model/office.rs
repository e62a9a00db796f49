//! The office as it should be: small, in memory, without any thought of speed.

use std::cmp::Reverse;
use std::time::Duration;

use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::sharing::Strategy;
use kernel::{AgentId, ConversationId, TeamId, Timestamp};

use super::Arrival;

/// After how long any level is enough, and after twice that anybody.
pub(super) const RELAX_AFTER: Duration = Duration::from_secs(100);

/// How long whoever is asked has to answer, and rests before they are asked about the same again.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// As many as anybody is asked about at once.
const MOST_OFFERS: usize = 5;

/// The team that asks before it gives.
pub(super) const ASKING: usize = 1;

/// Somebody who works.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: AgentId,
    pub(super) online: bool,
    pub(super) capacity: i64,
    pub(super) level: i32,
    /// When they last got something, as a place in all that was ever given.
    last: Option<usize>,
    /// Offers in a row that they did not answer.
    missed: usize,
}

/// A conversation.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) id: ConversationId,
    team: usize,
    contact: usize,
    units: i64,
    priority: i64,
    strategy: Strategy,
    level: i32,
    pub(super) resolved: bool,
    pub(super) has: Option<AgentId>,
    /// Since when it waits in the queue of its team.
    pub(super) queued: Option<Timestamp>,
    /// Who had it, and when.
    had: Vec<(usize, AgentId)>,
    /// Who is asked, and since when.
    pub(super) offered: Option<(AgentId, Timestamp)>,
    /// Who refused it since it waits, and when.
    refused: Vec<(AgentId, Timestamp)>,
}

/// Two teams, their members, and everything that ever came.
#[derive(Debug, Default)]
pub(super) struct Office {
    pub(super) teams: Vec<(TeamId, Vec<AgentId>)>,
    pub(super) workers: Vec<Worker>,
    pub(super) cases: Vec<Case>,
    turns: [Option<AgentId>; 2],
    given: usize,
}

impl Case {
    pub(super) fn team(&self) -> usize {
        self.team
    }

    /// It waits for nobody's answer any more, and in no queue.
    fn leave(&mut self) {
        (self.queued, self.offered) = (None, None);
        self.refused.clear();
    }
}

impl Office {
    pub(super) fn hire(&mut self, id: AgentId) {
        self.workers.push(Worker { id, online: true, capacity: 0, level: 0, last: None, missed: 0 });
        self.workers.sort_by_key(|worker| worker.id);
    }

    pub(super) fn worker(&mut self, id: AgentId) -> &mut Worker {
        self.workers.iter_mut().find(|worker| worker.id == id).unwrap()
    }

    pub(super) fn be(&mut self, id: AgentId, availability: Availability) {
        let online = availability == Availability::Online;
        let worker = self.worker(id);
        if worker.online != online {
            worker.missed = 0;
        }
        worker.online = online;
        if availability != Availability::Online {
            for it in self.cases.iter_mut().filter(|it| it.offered.is_some_and(|(asked, _)| asked == id)) {
                it.offered = None;
            }
        }
    }

    /// The cases about which somebody is asked.
    pub(super) fn offered(&self) -> Vec<usize> {
        (0..self.cases.len()).filter(|case| self.cases[*case].offered.is_some()).collect()
    }

    /// Whoever is asked says yes.
    pub(super) fn accept(&mut self, case: usize) {
        let Some((asked, _)) = self.cases[case].offered else { return };
        self.worker(asked).missed = 0;
        self.cases[case].leave();
        self.cases[case].has = Some(asked);
        self.got(asked);
        let given = self.given;
        self.cases[case].had.push((given, asked));
    }

    /// Whoever is asked says no.
    pub(super) fn decline(&mut self, case: usize, now: Timestamp) {
        if let Some((asked, _)) = self.cases[case].offered {
            self.worker(asked).missed = 0;
        }
        self.refuse(case, now);
    }

    /// Whoever is asked says no, or nothing.
    fn refuse(&mut self, case: usize, now: Timestamp) {
        let it = &mut self.cases[case];
        if let Some((asked, _)) = it.offered.take() {
            it.refused.push((asked, now));
        }
    }

    /// Who did not answer in time is not waited for any longer, and who did not so three times in a row is away.
    pub(super) fn time_out(&mut self, now: Timestamp) {
        for case in self.offered() {
            let over = |(_, since): &(AgentId, Timestamp)| since.plus(ANSWER_WITHIN) <= now;
            if let Some((asked, _)) = self.cases[case].offered.filter(over) {
                self.worker(asked).missed += 1;
                self.refuse(case, now);
            }
        }
        let absent = self.workers.iter().filter(|worker| worker.online && worker.missed >= 3);
        for id in absent.map(|worker| worker.id).collect::<Vec<_>>() {
            self.be(id, Availability::Away);
        }
    }

    pub(super) fn arrive(&mut self, id: ConversationId, it: &Arrival, now: Timestamp) {
        self.cases.push(Case {
            id,
            team: it.team,
            contact: it.contact,
            units: it.units,
            priority: i64::from(it.priority.rank()),
            strategy: it.strategy,
            level: if it.strategy == Strategy::SkillBased { it.level } else { 0 },
            resolved: false,
            has: None,
            queued: Some(now),
            had: Vec::new(),
            offered: None,
            refused: Vec::new(),
        });
    }

    pub(super) fn resolve(&mut self, case: usize) {
        let it = &mut self.cases[case];
        it.leave();
        it.resolved = true;
    }

    pub(super) fn reopen(&mut self, case: usize, now: Timestamp) {
        let it = &mut self.cases[case];
        if !it.resolved {
            return;
        }
        it.resolved = false;
        match it.has {
            Some(has) => self.got(has),
            None => it.queued = Some(now),
        }
    }

    /// A person gives it to somebody, or to nobody.
    pub(super) fn give(&mut self, case: usize, to: Option<AgentId>) {
        if self.cases[case].resolved || (to.is_some() && self.cases[case].has == to) {
            return;
        }
        self.cases[case].leave();
        self.cases[case].has = to;
        if let Some(to) = to {
            self.got(to);
            let given = self.given;
            self.cases[case].had.push((given, to));
        }
    }

    /// A person gives it to a team.
    pub(super) fn queue(&mut self, case: usize, team: usize, now: Timestamp) {
        let it = &mut self.cases[case];
        if it.resolved || (it.queued.is_some() && it.team == team) {
            return;
        }
        it.leave();
        (it.has, it.queued, it.team) = (None, Some(now), team);
        (it.strategy, it.level) = (Strategy::RoundRobin, 0);
    }

    /// Gives all that a team can take, one by one, or asks about it.
    pub(super) fn serve(&mut self, team: usize, now: Timestamp) {
        while let Some((case, to)) = self.next(team, now) {
            if self.by_turn(case, to) {
                self.turns[team] = Some(to);
            }
            self.got(to);
            let given = self.given;
            let it = &mut self.cases[case];
            if team == ASKING {
                if it.refused.iter().any(|(agent, _)| *agent == to) {
                    it.refused.clear();
                }
                it.offered = Some((to, now));
            } else {
                it.leave();
                it.has = Some(to);
                it.had.push((given, to));
            }
        }
    }

    /// Whether something waits that somebody could take.
    pub(super) fn anything_to_take(&self, now: Timestamp) -> bool {
        (0..self.teams.len()).any(|team| self.next(team, now).is_some())
    }

    pub(super) fn units_of(&self, agent: AgentId) -> i64 {
        let asked = |it: &Case| it.offered.is_some_and(|(asked, _)| asked == agent);
        let open = self.cases.iter().filter(|it| !it.resolved && (it.has == Some(agent) || asked(it)));
        open.map(|it| it.units).sum()
    }

    fn asked_about(&self, agent: AgentId) -> usize {
        self.cases.iter().filter(|it| it.offered.is_some_and(|(asked, _)| asked == agent)).count()
    }

    fn got(&mut self, agent: AgentId) {
        self.given += 1;
        let given = self.given;
        self.worker(agent).last = Some(given);
    }

    /// The first in the queue whom anybody can take, and who does.
    fn next(&self, team: usize, now: Timestamp) -> Option<(usize, AgentId)> {
        let mut queue: Vec<usize> = (0..self.cases.len())
            .filter(|case| self.cases[*case].team == team && self.cases[*case].queued.is_some())
            .filter(|case| self.cases[*case].offered.is_none())
            .collect();
        queue.sort_by_key(|case| {
            let it = &self.cases[*case];
            (Reverse(it.priority), it.queued, it.id)
        });
        queue.into_iter().find_map(|case| Some((case, self.taker(case, now)?)))
    }

    fn taker(&self, case: usize, now: Timestamp) -> Option<AgentId> {
        let it = &self.cases[case];
        let last_turn = self.turns[it.team];
        let mut able: Vec<&Worker> =
            self.workers.iter().filter(|worker| self.is_able(worker, it, now)).collect();
        if it.team == ASKING {
            let refused = |worker: &&Worker| it.refused.iter().find(|(agent, _)| *agent == worker.id);
            let last = able.iter().filter_map(refused).map(|(_, time)| *time).max();
            if able.iter().any(|worker| refused(worker).is_none()) {
                able.retain(|worker| refused(worker).is_none());
            } else if last.is_some_and(|last| now < last.plus(ANSWER_WITHIN)) {
                return None;
            }
        }
        // Behind whoever had the last turn first.
        able.sort_by_key(|worker| (Some(worker.id) <= last_turn, worker.id));
        if let Some(known) = self.known(case)
            && able.iter().any(|worker| worker.id == known)
        {
            return Some(known);
        }
        match it.strategy {
            Strategy::RoundRobin | Strategy::Sticky => able.first().map(|worker| worker.id),
            Strategy::Balanced | Strategy::SkillBased => able
                .iter()
                .min_by_key(|worker| (self.units_of(worker.id), worker.last))
                .map(|worker| worker.id),
        }
    }

    fn is_able(&self, worker: &Worker, it: &Case, now: Timestamp) -> bool {
        let waited = it.queued.map_or(Duration::ZERO, |since| now.since(since));
        let level = if waited >= 2 * RELAX_AFTER {
            0
        } else if waited >= RELAX_AFTER {
            it.level.min(1)
        } else {
            it.level
        };
        self.teams[it.team].1.contains(&worker.id)
            && worker.online
            && worker.level >= level
            && (worker.capacity == 0 || self.units_of(worker.id) + it.units <= worker.capacity)
            && (it.team != ASKING || self.asked_about(worker.id) < MOST_OFFERS)
    }

    /// Who of the team last had a conversation of the contact.
    fn known(&self, case: usize) -> Option<AgentId> {
        let it = &self.cases[case];
        let members = &self.teams[it.team].1;
        let of_the_contact = self.cases.iter().filter(|other| other.contact == it.contact);
        let had = of_the_contact.flat_map(|other| &other.had).filter(|(_, agent)| members.contains(agent));
        had.max().map(|(_, agent)| *agent).filter(|_| it.strategy == Strategy::Sticky)
    }

    fn by_turn(&self, case: usize, to: AgentId) -> bool {
        match self.cases[case].strategy {
            Strategy::RoundRobin => true,
            Strategy::Sticky => self.known(case) != Some(to),
            _ => false,
        }
    }
}
