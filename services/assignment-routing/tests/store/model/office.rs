//! The office as it should be: small, in memory, without any thought of speed.

use std::cmp::Reverse;
use std::time::Duration;

use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::sharing::Strategy;
use kernel::{AgentId, ConversationId, TeamId, Timestamp};

use super::Arrival;

/// After how long any level is enough, and after twice that anybody.
pub(super) const RELAX_AFTER: Duration = Duration::from_secs(100);

/// Somebody who works.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: AgentId,
    pub(super) online: bool,
    pub(super) capacity: i64,
    pub(super) level: i32,
    /// When they last got something, as a place in all that was ever given.
    last: Option<usize>,
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
}

impl Office {
    pub(super) fn hire(&mut self, id: AgentId) {
        self.workers.push(Worker { id, online: true, capacity: 0, level: 0, last: None });
        self.workers.sort_by_key(|worker| worker.id);
    }

    pub(super) fn worker(&mut self, id: AgentId) -> &mut Worker {
        self.workers.iter_mut().find(|worker| worker.id == id).unwrap()
    }

    pub(super) fn be(&mut self, id: AgentId, availability: Availability) {
        self.worker(id).online = availability == Availability::Online;
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
        });
    }

    pub(super) fn resolve(&mut self, case: usize) {
        let it = &mut self.cases[case];
        (it.resolved, it.queued) = (true, None);
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
        (self.cases[case].has, self.cases[case].queued) = (to, None);
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
        (it.has, it.queued, it.team) = (None, Some(now), team);
        (it.strategy, it.level) = (Strategy::RoundRobin, 0);
    }

    /// Gives all that a team can take, one by one.
    pub(super) fn serve(&mut self, team: usize, now: Timestamp) {
        while let Some((case, to)) = self.next(team, now) {
            if self.by_turn(case, to) {
                self.turns[team] = Some(to);
            }
            (self.cases[case].has, self.cases[case].queued) = (Some(to), None);
            self.got(to);
            let given = self.given;
            self.cases[case].had.push((given, to));
        }
    }

    /// Whether something waits that somebody could take.
    pub(super) fn anything_to_take(&self, now: Timestamp) -> bool {
        (0..self.teams.len()).any(|team| self.next(team, now).is_some())
    }

    pub(super) fn units_of(&self, agent: AgentId) -> i64 {
        let open = self.cases.iter().filter(|it| !it.resolved && it.has == Some(agent));
        open.map(|it| it.units).sum()
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
