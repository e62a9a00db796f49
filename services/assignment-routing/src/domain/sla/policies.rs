//! Which policy a conversation is under, and how its clocks follow what becomes of it.
//!
//! What is read is how the conversation stands, not what just happened to it: so it does not matter who changed it, and a look more
//! changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use kernel::{TeamId, Timestamp};

use super::clock::Wait;
use super::{Clock, End, Metric, SlaPolicy, Tracking};
use crate::domain::condition::{BadExpression, Condition, Sheet, Vocabulary};
use crate::domain::conversation::Conversation;
use crate::domain::facts::Facts;
use crate::domain::hours::Hours;

/// What conditions of policies may ask about: what a conversation itself says, and only somebody's change of it changes.
const ASKED: Vocabulary =
    &[("conversation", &["source", "channel", "subject", "priority", "team_id", "tags"])];

/// The policies of an organization in the order in which they are tried, and the business hours of its teams.
#[derive(Debug, Clone, Default)]
pub struct Policies(Arc<Compiled>);

#[derive(Debug, Default)]
struct Compiled {
    policies: Vec<(SlaPolicy, Condition)>,
    hours: BTreeMap<TeamId, Hours>,
}

/// Compiles the condition of a policy.
///
/// # Errors
/// [`BadExpression`] where the text is no condition, or asks for something else than what the conversation says.
pub fn condition(text: &str) -> Result<Condition, BadExpression> {
    Condition::over(text, ASKED)
}

impl Policies {
    /// Compiles policies. One that is disabled, or whose stored condition no longer compiles, is left out.
    #[must_use]
    pub fn compile(mut policies: Vec<SlaPolicy>, hours: BTreeMap<TeamId, Hours>) -> Self {
        policies.retain(|policy| !policy.disabled);
        policies.sort_by_key(|policy| (policy.position, policy.create_time, policy.id));
        let compiled = |policy: SlaPolicy| condition(&policy.condition).ok().map(|it| (policy, it));
        Self(Arc::new(Compiled { policies: policies.into_iter().filter_map(compiled).collect(), hours }))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.policies.is_empty()
    }

    /// Lets the clocks of a conversation follow how it stands now. Whoever asks is about to write it.
    pub fn follow(&self, it: &mut Conversation, now: Timestamp) {
        let policy = self.find(it);
        if policy.is_none() && it.sla.is_none() {
            return;
        }
        let mut tracking = it.sla.take().unwrap_or_default();
        tracking.under = policy.map(SlaPolicy::under);
        for metric in Metric::ALL {
            self.follow_metric(&mut tracking, it, metric, policy, now);
        }
        tracking.tidy();
        it.sla = Some(tracking);
    }

    /// The first policy whose condition holds. One that fails does not.
    fn find(&self, it: &Conversation) -> Option<&SlaPolicy> {
        let mut sheet = None;
        let mut holds = |condition: &Condition| {
            // Most organizations have a policy for everything else: nothing is written down for that.
            condition.is_always()
                || condition.holds(sheet.get_or_insert_with(|| Sheet::of(&Facts::of(it), None))) == Ok(true)
        };
        self.0.policies.iter().find(|(_, condition)| holds(condition)).map(|(policy, _)| policy)
    }

    fn follow_metric(
        &self,
        tracking: &mut Tracking,
        it: &Conversation,
        metric: Metric,
        policy: Option<&SlaPolicy>,
        now: Timestamp,
    ) {
        let wait = Wait::of(it, metric, tracking.clock(metric), now);
        let target = policy.and_then(|policy| Some((policy, policy.targets.of(metric)?)));
        if let Some(clock) = tracking.clock_mut(metric)
            && clock.end.is_none()
            && let Some(end) = clock.ends(&wait, target.is_some(), now)
        {
            clock.finish(end);
        }
        let (Some((policy, target)), Some((start, still))) = (target, wait.start()) else { return };
        match tracking.clock_mut(metric).map(|clock| (clock.end, clock)) {
            Some((None, _)) => {}
            // It has a target again, and is waited for as if it had been all the time.
            Some((Some(End { done: false, .. }), clock)) if clock.start == start => clock.resume(),
            _ => tracking.clocks.push(Clock::begun(metric, start, still, policy)),
        }
        let hours = policy.hours_of.or(it.team).and_then(|team| self.0.hours.get(&team));
        if let Some(clock) = tracking.clock_mut(metric).filter(|clock| clock.end.is_none()) {
            clock.go_on(policy, target, hours, still, now);
        }
    }
}
