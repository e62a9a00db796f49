//! Decisions in words.

use kernel::AgentId;

use super::{Cause, Decision, Outcome};
use crate::domain::choose::Exclusion;
use crate::domain::reopen::{ReopenPolicy, Requeued};
use crate::domain::sharing::{Relaxation, Strategy};
use crate::domain::workflow::{Trace, Verdict};

/// Why nobody has the conversation of a blocked contact, and what to do about it.
const UNHEARD: &str = "Nobody was called, as the contact is blocked: it was resolved as soon as it began. Unblock the contact, and \
     their next message opens it; or reopen it by hand.";

impl Decision {
    /// The decision in one sentence. `name` says what people call an agent.
    pub fn summary(&self, name: impl Fn(AgentId) -> String) -> String {
        let named = |agent: Option<AgentId>| agent.map_or_else(|| "nobody".to_owned(), &name);
        let by = named(self.decided_by);
        if let Some(Requeued { policy, holder }) = self.requeued {
            let why = match policy {
                ReopenPolicy::Requeue => String::new(),
                ReopenPolicy::Keep | ReopenPolicy::KeepIfAvailable => {
                    format!(" while {} was not online", name(holder))
                }
            };
            let policy = policy.as_str();
            return format!("It was opened again{why}: it waits in the queue of its team (policy {policy}).");
        }
        if let Some(left) = self.left {
            return left.summary(&name(left.holder), self.cause, self.outcome);
        }
        match (self.outcome, self.cause) {
            (Outcome::Assigned, Cause::Manual) => {
                let over = if self.over_capacity { ", which is more than their capacity" } else { "" };
                let did = if self.escalated { "escalated" } else { "assigned" };
                format!("{by} {did} it to {}{over}.", named(self.chosen))
            }
            (Outcome::Assigned, Cause::Workflow) if self.strategy.is_none() => {
                format!(
                    "{} gave it to {}.",
                    self.doers(|trace| Some(trace.workflow) == self.workflow),
                    named(self.chosen)
                )
            }
            (Outcome::Assigned, Cause::Offer) => {
                format!("{} accepted the offer of a team.", named(self.chosen))
            }
            (Outcome::Unchanged, _) => {
                let ran = self.doers(|trace| trace.verdict != Verdict::NotMatched);
                format!("{ran} ran: who has it stayed as it was.")
            }
            (Outcome::Assigned, cause) => {
                let waited = if cause == Cause::Queue { " after it had waited in the queue" } else { "" };
                format!(
                    "{}{waited}: {} of {} agents could take it{}{}.",
                    self.why(&named(self.chosen)),
                    self.eligible(),
                    self.candidates.len(),
                    self.asked(),
                    self.routed_by(),
                )
            }
            (Outcome::Offered, _) => format!(
                "{}: {} of {} agents could take it{}{}. It was offered to {}.",
                self.why(&named(self.chosen)),
                self.eligible(),
                self.candidates.len(),
                self.asked(),
                self.routed_by(),
                named(self.chosen),
            ),
            (Outcome::Queued, Cause::Manual) if self.escalated => {
                format!("{by} escalated it to a team: it joined the team's queue.")
            }
            (Outcome::Queued, Cause::Manual) => format!("{by} put it into the queue of a team."),
            (Outcome::Queued, _) => {
                format!("{}: it waits in the queue{}{}.", self.nobody(), self.asked(), self.routed_by())
            }
            (Outcome::Unrouted, _) => {
                format!("None of {} workflows gave it to a team: it is unassigned.", self.workflows.len())
            }
            (Outcome::Unassigned, _) => format!("{by} took it from its assignee."),
            (Outcome::Resolved, _) => UNHEARD.to_owned(),
        }
    }

    /// The workflows that fit, by name.
    fn doers(&self, which: impl Fn(&Trace) -> bool) -> String {
        let names: Vec<String> =
            self.workflows.iter().filter(|it| which(it)).map(|it| format!("\"{}\"", it.name)).collect();
        format!("Workflow{} {}", if names.len() == 1 { "" } else { "s" }, names.join(", "))
    }

    fn eligible(&self) -> usize {
        let free = |why: Option<Exclusion>| why.is_none_or(Exclusion::is_preference);
        self.candidates.iter().filter(|candidate| free(candidate.exclusion)).count()
    }

    /// Why whoever got it did and nobody else.
    fn why(&self, chosen: &str) -> String {
        match self.strategy.unwrap_or_default() {
            Strategy::RoundRobin => format!("It was the turn of {chosen} by round robin"),
            Strategy::Balanced => format!("{chosen} had the least to do, and was idle for longest of those"),
            Strategy::SkillBased => {
                format!(
                    "{chosen} had the least to do of those with the skills, and was idle for longest of those"
                )
            }
            Strategy::Sticky if self.last_agent.is_some() && self.chosen == self.last_agent => {
                format!("{chosen} had the contact's last conversation")
            }
            Strategy::Sticky => {
                format!(
                    "It was the turn of {chosen} by round robin, since no last agent of the contact could take it"
                )
            }
        }
    }

    /// Which skills were asked for, as far as they were.
    fn asked(&self) -> String {
        let skills: Vec<String> =
            self.required_skills.iter().map(|skill| format!("{} {}", skill.name, skill.level)).collect();
        match (skills.is_empty(), self.relaxation) {
            (true, _) => String::new(),
            (false, Relaxation::Nothing) => format!("; it requires {}", skills.join(", ")),
            (false, Relaxation::Levels) => {
                format!("; it requires {}, by now at any level", skills.join(", "))
            }
            (false, Relaxation::Skills) => format!("; it required {}, which was given up", skills.join(", ")),
        }
    }

    fn nobody(&self) -> String {
        let count = |why| self.candidates.iter().filter(|candidate| candidate.exclusion == Some(why)).count();
        let why: Vec<String> = [
            (count(Exclusion::Offline), "offline"),
            (count(Exclusion::Away), "away"),
            (count(Exclusion::LeaseExpired), "without a heartbeat"),
            (count(Exclusion::SkillMissing), "without the skills"),
            (count(Exclusion::NoCapacity), "without room for it"),
            (count(Exclusion::RampingUp), "ramping up"),
            (count(Exclusion::OffersOpen), "with other offers to answer"),
            (count(Exclusion::Refused), "asked a moment ago"),
        ]
        .into_iter()
        .filter(|(agents, _)| *agents > 0)
        .map(|(agents, state)| format!("{agents} {state}"))
        .collect();
        match self.candidates.len() {
            0 => "The team has no members".to_owned(),
            all => format!("None of {all} agents could take it ({})", why.join(", ")),
        }
    }

    fn routed_by(&self) -> String {
        let matched =
            |trace: &&Trace| Some(trace.workflow) == self.workflow && trace.verdict == Verdict::Matched;
        let name = self.workflows.iter().find(matched).map(|trace| trace.name.as_str());
        name.map_or_else(String::new, |name| format!("; workflow \"{name}\" chose the team"))
    }
}
