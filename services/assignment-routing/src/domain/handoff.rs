//! Giving a conversation away: what whoever takes it has to know, and when that has to be said (R14).

use kernel::{AgentId, Timestamp};
use serde::{Deserialize, Serialize};

use super::target::Target;

/// How soon a handoff wants to be taken up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Urgency {
    /// Can wait.
    Low,
    /// As usual.
    #[default]
    Normal,
    /// Before others.
    High,
    /// At once.
    Urgent,
}

impl Urgency {
    /// As sentences have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// What whoever takes a conversation over has to know. Private: it leaves for the notes service with the transaction of the assignment
/// and is kept nowhere here, and it has no `Debug` that shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Handoff {
    /// Markdown: what it is about.
    pub summary: String,
    /// Markdown: what was done so far.
    pub steps_taken: String,
    /// Markdown: how it should end.
    pub expected_outcome: String,
    /// How soon.
    pub urgency: Urgency,
    /// By when it should be done.
    pub due_time: Option<Timestamp>,
}

impl std::fmt::Debug for Handoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handoff").field("urgency", &self.urgency).finish_non_exhaustive()
    }
}

/// How a person gives a conversation away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Giving {
    /// To a colleague or a team.
    Assigning,
    /// To a supervisor or a team, who know more.
    Escalating,
}

/// Which of these an organization demands a handoff for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoffRules {
    /// Giving what one person has to another.
    pub reassign: bool,
    /// Escalating.
    pub escalate: bool,
}

/// Why a conversation is not given away with, or without, this handoff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The organization demands one, by this setting.
    Required {
        /// As the contract spells it.
        setting: &'static str,
    },
    /// Nobody is told anything by a handoff to nobody.
    ToNobody,
    /// Who takes a conversation has nothing to tell themselves.
    ToOneself,
    /// They have it already.
    TheirsAlready,
}

impl HandoffRules {
    /// Whether `by` may give a conversation that `holder` has to `target` with or without a handoff. `left` had it before a person gave
    /// it to nobody: a way around nobody is a way from one to another all the same.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn check(
        self,
        giving: Giving,
        (holder, left): (Option<AgentId>, Option<AgentId>),
        target: Target,
        by: AgentId,
        handoff: Option<&Handoff>,
    ) -> Result<(), Unfit> {
        let unless = |unfit: Unfit| if handoff.is_some() { Err(unfit) } else { Ok(()) };
        match target {
            Target::Nobody => return unless(Unfit::ToNobody),
            Target::Agent(agent) if agent == by => return unless(Unfit::ToOneself),
            Target::Agent(agent) if Some(agent) == holder => return unless(Unfit::TheirsAlready),
            Target::Agent(_) | Target::Team(_) => {}
        }
        let (demanded, setting) = match giving {
            Giving::Assigning => {
                let had = holder.or(left).is_some_and(|had| target != Target::Agent(had));
                (self.reassign && had, "reassign_requires_handoff")
            }
            Giving::Escalating => (self.escalate, "escalate_requires_handoff"),
        };
        if demanded && handoff.is_none() { Err(Unfit::Required { setting }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    fn handoff() -> Handoff {
        Handoff {
            summary: "secret".into(),
            steps_taken: "secret".into(),
            expected_outcome: "secret".into(),
            urgency: Urgency::High,
            due_time: None,
        }
    }

    const ALL: HandoffRules = HandoffRules { reassign: true, escalate: true };

    // R14
    #[test]
    fn a_handoff_is_demanded_of_who_gives_what_one_has_to_another_and_of_nobody_else() {
        let clock = Clock::system();
        let [ana, ben, cem]: [AgentId; 3] = [clock.new_id(), clock.new_id(), clock.new_id()].map(Into::into);
        let team = Target::Team(clock.new_id().into());
        let needed = Err(Unfit::Required { setting: "reassign_requires_handoff" });
        let assigns = |rules: HandoffRules, holder, target, by| {
            rules.check(Giving::Assigning, (holder, None), target, by, None)
        };
        for target in [Target::Agent(ben), team] {
            assert_eq!(assigns(ALL, Some(ana), target, ana), needed);
            assert_eq!(assigns(ALL, Some(ana), target, cem), needed, "whoever gives it");
            assert_eq!(assigns(ALL, None, target, cem), Ok(()), "nobody had it");
            assert_eq!(assigns(HandoffRules::default(), Some(ana), target, ana), Ok(()));
        }
        assert_eq!(assigns(ALL, Some(ana), Target::Agent(cem), cem), Ok(()), "who takes it over");
        assert_eq!(assigns(ALL, Some(ana), Target::Nobody, ana), Ok(()), "nobody has to know");
    }

    // R14
    #[test]
    fn a_way_around_nobody_does_not_do_without_one() {
        let (clock, told) = (Clock::system(), handoff());
        let [ana, ben, cem]: [AgentId; 3] = [clock.new_id(), clock.new_id(), clock.new_id()].map(Into::into);
        let assigns = |target, by, with| ALL.check(Giving::Assigning, (None, Some(ana)), target, by, with);
        let needed = Err(Unfit::Required { setting: "reassign_requires_handoff" });
        assert_eq!(assigns(Target::Agent(ben), ana, None), needed);
        assert_eq!(assigns(Target::Agent(ben), ana, Some(&told)), Ok(()));
        assert_eq!(assigns(Target::Agent(ben), ben, None), Ok(()), "who takes it over");
        assert_eq!(assigns(Target::Agent(ana), cem, None), Ok(()), "who gets it back");
    }

    // R14
    #[test]
    fn escalating_demands_one_whoever_had_it() {
        let clock = Clock::system();
        let [ana, sue]: [AgentId; 2] = [clock.new_id(), clock.new_id()].map(Into::into);
        let escalates = |rules: HandoffRules, by| {
            rules.check(Giving::Escalating, (None, None), Target::Agent(sue), by, None)
        };
        assert_eq!(escalates(ALL, ana), Err(Unfit::Required { setting: "escalate_requires_handoff" }));
        assert_eq!(escalates(ALL, sue), Ok(()));
        assert_eq!(escalates(HandoffRules { reassign: true, escalate: false }, ana), Ok(()));
    }

    // R14
    #[test]
    fn a_handoff_that_would_reach_nobody_is_refused_and_not_lost() {
        let clock = Clock::system();
        let [ana, ben]: [AgentId; 2] = [clock.new_id(), clock.new_id()].map(Into::into);
        let with = |holder, target| {
            HandoffRules::default().check(Giving::Assigning, (holder, None), target, ana, Some(&handoff()))
        };
        assert_eq!(with(Some(ana), Target::Nobody), Err(Unfit::ToNobody));
        assert_eq!(with(Some(ben), Target::Agent(ana)), Err(Unfit::ToOneself));
        assert_eq!(with(Some(ben), Target::Agent(ben)), Err(Unfit::TheirsAlready));
        assert_eq!(with(Some(ana), Target::Agent(ben)), Ok(()));
    }

    // N3
    #[test]
    fn debug_does_not_show_what_it_says() {
        assert!(!format!("{:?}", handoff()).contains("secret"));
    }
}
