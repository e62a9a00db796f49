//! Who is at a conversation at this moment, and what they do there (R18). It is never stored: what is not said again is over.

use std::time::Duration;

use kernel::{AgentId, Timestamp};

/// How long somebody is there after they last said so.
const STAYS: Duration = Duration::from_secs(15);

/// How long somebody writes after they last said so.
const WRITES: Duration = Duration::from_secs(6);

/// People who are told of at one conversation, at most. Twice as many are remembered.
pub const MOST_SHOWN: usize = 50;

/// What somebody does at a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// They look at it.
    Viewing,
    /// They write in it.
    Typing,
    /// They went away.
    Left,
}

impl Activity {
    /// As processes spell it to one another.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewing => "viewing",
            Self::Typing => "typing",
            Self::Left => "left",
        }
    }

    /// Reads what [`Activity::as_str`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::Viewing, Self::Typing, Self::Left].into_iter().find(|activity| activity.as_str() == text)
    }
}

/// Somebody who is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Here {
    /// Who.
    pub agent: AgentId,
    /// What they do; never [`Activity::Left`].
    pub activity: Activity,
    /// Since when.
    pub since: Timestamp,
}

/// What one person said last.
#[derive(Debug, Clone, Copy)]
struct Said {
    agent: AgentId,
    came: Timestamp,
    stays_until: Timestamp,
    /// Since when they write, and until when they do if they do not say so again.
    writes: Option<(Timestamp, Timestamp)>,
}

impl Said {
    fn here(&self, now: Timestamp) -> Option<Here> {
        let (activity, since) = match self.writes.filter(|(_, until)| now < *until) {
            Some((since, _)) => (Activity::Typing, since),
            None => (Activity::Viewing, self.came),
        };
        (now < self.stays_until).then_some(Here { agent: self.agent, activity, since })
    }
}

/// Everybody who is at one conversation, who came first at the front.
#[derive(Debug, Clone, Default)]
pub struct Everybody(Vec<Said>);

impl Everybody {
    /// Somebody says what they do; says whether others see a difference.
    pub fn say(&mut self, agent: AgentId, activity: Activity, now: Timestamp) -> bool {
        self.forget(now);
        let at = self.0.iter().position(|said| said.agent == agent);
        let before = at.and_then(|at| self.0.get(at)).and_then(|said| said.here(now));
        if activity == Activity::Left {
            self.0.retain(|said| said.agent != agent);
            return before.is_some();
        }
        if at.is_none() && self.0.len() >= 2 * MOST_SHOWN {
            return false;
        }
        if at.is_none() {
            self.0.push(Said { agent, came: now, stays_until: now, writes: None });
        }
        let Some(said) = self.0.iter_mut().find(|said| said.agent == agent) else { return false };
        said.stays_until = now.plus(STAYS);
        said.writes = match (activity, before) {
            (Activity::Typing, Some(Here { activity: Activity::Typing, since, .. })) => {
                Some((since, now.plus(WRITES)))
            }
            (Activity::Typing, _) => Some((now, now.plus(WRITES))),
            _ => None,
        };
        before != said.here(now)
    }

    /// Who is there.
    #[must_use]
    pub fn here(&self, now: Timestamp) -> Vec<Here> {
        self.0.iter().filter_map(|said| said.here(now)).take(MOST_SHOWN).collect()
    }

    /// Forgets who is not there any more; says whether anybody is.
    pub fn forget(&mut self, now: Timestamp) -> bool {
        self.0.retain(|said| now < said.stays_until);
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn agent() -> AgentId {
        Clock::system().new_id().into()
    }

    fn seen(it: &Everybody, now: i64) -> Vec<(AgentId, Activity, Timestamp)> {
        it.here(at(now)).into_iter().map(|here| (here.agent, here.activity, here.since)).collect()
    }

    // R18
    #[test]
    fn whoever_does_not_say_it_again_stops_writing_and_is_gone_soon_after() {
        let (mut it, ana) = (Everybody::default(), agent());
        assert!(it.say(ana, Activity::Viewing, at(0)));
        assert!(!it.say(ana, Activity::Viewing, at(5)), "nobody sees a difference");
        assert!(it.say(ana, Activity::Typing, at(10)));
        assert!(!it.say(ana, Activity::Typing, at(14)));
        assert_eq!(seen(&it, 19), [(ana, Activity::Typing, at(10))]);
        assert_eq!(seen(&it, 20), [(ana, Activity::Viewing, at(0))]);
        assert_eq!(seen(&it, 28), [(ana, Activity::Viewing, at(0))]);
        assert_eq!(seen(&it, 29), []);
        assert!(it.say(ana, Activity::Viewing, at(30)));
        assert_eq!(seen(&it, 30), [(ana, Activity::Viewing, at(30))], "they came again");
    }

    // R18
    #[test]
    fn who_leaves_is_gone_at_once_and_the_others_stay_in_their_order() {
        let (mut it, ana, ben, eve) = (Everybody::default(), agent(), agent(), agent());
        for (second, agent) in [(0, ana), (1, ben), (2, eve)] {
            assert!(it.say(agent, Activity::Viewing, at(second)));
        }
        assert!(it.say(ben, Activity::Left, at(3)));
        assert!(!it.say(ben, Activity::Left, at(3)));
        assert_eq!(it.here(at(3)).iter().map(|here| here.agent).collect::<Vec<_>>(), [ana, eve]);
        assert!(it.forget(at(16)) && !it.forget(at(17)));
    }

    // R18
    #[test]
    fn a_crowd_is_bounded() {
        let mut it = Everybody::default();
        for _ in 0..200 {
            it.say(agent(), Activity::Typing, at(0));
        }
        assert_eq!((it.here(at(1)).len(), it.0.len()), (MOST_SHOWN, 2 * MOST_SHOWN));
        assert!(it.say(agent(), Activity::Viewing, at(15)), "there is room again");
    }
}
