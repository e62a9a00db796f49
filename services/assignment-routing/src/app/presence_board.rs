//! Who is where at this moment, as this process knows: in memory only. What is said in one process is told to the others by wake-ups,
//! which may be lost; it is said again within seconds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use kernel::{AgentId, ConversationId, OrgId, Timestamp};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::domain::who_is_here::{Activity, Everybody, Here};

/// Changes that a stream may be behind before it looks at all of its conversations.
const BACKLOG: usize = 256;

/// A conversation of an organization.
pub type Where = (OrgId, ConversationId);

/// Who is where.
#[derive(Debug)]
pub struct PresenceBoard {
    /// This process, as others know it: what it says comes back to it.
    process: Uuid,
    everywhere: Mutex<HashMap<Where, Everybody>>,
    changes: broadcast::Sender<Where>,
}

/// What a process tells the others: `process/conversation/agent/activity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Said {
    process: Uuid,
    conversation: ConversationId,
    agent: AgentId,
    activity: Activity,
}

impl Said {
    fn text(&self) -> String {
        let Self { process, conversation, agent, activity } = self;
        format!("{process}/{conversation}/{agent}/{}", activity.as_str())
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        Some(Self {
            process: parts.next()?.parse().ok()?,
            conversation: ConversationId::parse(parts.next()?).ok()?,
            agent: AgentId::parse(parts.next()?).ok()?,
            activity: Activity::read(parts.next()?).filter(|_| parts.next().is_none())?,
        })
    }
}

impl PresenceBoard {
    /// An empty one. `process` is an id that no other process has.
    #[must_use]
    pub fn new(process: Uuid) -> Self {
        Self { process, everywhere: Mutex::default(), changes: broadcast::Sender::new(BACKLOG) }
    }

    /// Somebody says what they do at a conversation; what the other processes are to be told.
    pub fn say(&self, at: &Where, agent: AgentId, activity: Activity, now: Timestamp) -> String {
        self.note(at, agent, activity, now);
        Said { process: self.process, conversation: at.1, agent, activity }.text()
    }

    /// Takes over what a process told, unless it was this one, or it is nothing that a process tells.
    pub fn hear(&self, org: &OrgId, told: &str, now: Timestamp) {
        if let Some(said) = Said::read(told).filter(|said| said.process != self.process) {
            self.note(&(org.clone(), said.conversation), said.agent, said.activity, now);
        }
    }

    fn note(&self, at: &Where, agent: AgentId, activity: Activity, now: Timestamp) {
        let mut everywhere = self.everywhere();
        let everybody = everywhere.entry(at.clone()).or_default();
        let changed = everybody.say(agent, activity, now);
        if !everybody.forget(now) {
            everywhere.remove(at);
        }
        drop(everywhere);
        if changed {
            // Fails if nobody listens, which is fine.
            let _nobody = self.changes.send(at.clone());
        }
    }

    /// Who is at a conversation.
    pub fn here(&self, at: &Where, now: Timestamp) -> Vec<Here> {
        self.everywhere().get(at).map(|everybody| everybody.here(now)).unwrap_or_default()
    }

    /// Where something changed, from now on. What ends by itself is not told.
    pub fn changes(&self) -> broadcast::Receiver<Where> {
        self.changes.subscribe()
    }

    /// Forgets conversations where nobody is any more.
    pub fn forget(&self, now: Timestamp) {
        self.everywhere().retain(|_, everybody| everybody.forget(now));
    }

    fn everywhere(&self) -> MutexGuard<'_, HashMap<Where, Everybody>> {
        // A panic under the lock leaves the map whole: each change to it is one call.
        self.everywhere.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    // R18
    #[test]
    fn what_is_said_in_one_process_is_known_in_the_others_and_to_the_organization_only() {
        let clock = Clock::system();
        let (here, there) = (PresenceBoard::new(clock.new_id()), PresenceBoard::new(clock.new_id()));
        let (org, agent) = (OrgId::parse("acme").unwrap(), clock.new_id().into());
        let place = (org.clone(), clock.new_id().into());
        let told = here.say(&place, agent, Activity::Typing, at(0));
        there.hear(&org, &told, at(1));
        assert_eq!(there.here(&place, at(2)).len(), 1);
        let foreign = (OrgId::parse("globex").unwrap(), place.1);
        assert_eq!(there.here(&foreign, at(2)), []);
        let left = here.say(&place, agent, Activity::Left, at(3));
        // Its own words, which come back late, bring nobody back.
        here.hear(&org, &told, at(4));
        assert_eq!(here.here(&place, at(4)), []);
        there.hear(&org, &left, at(4));
        assert_eq!((there.here(&place, at(4)), there.everywhere().len()), (vec![], 0));
        for garbage in ["", "all", "a/b/c/d", &format!("{told}/more"), &told.replace("typing", "dancing")] {
            there.hear(&org, garbage, at(5));
        }
        assert_eq!(there.here(&place, at(5)), []);
    }

    // R18
    #[test]
    fn conversations_where_nobody_is_are_forgotten() {
        let clock = Clock::system();
        let board = PresenceBoard::new(clock.new_id());
        let org = OrgId::parse("acme").unwrap();
        for _ in 0..10 {
            board.say(&(org.clone(), clock.new_id().into()), clock.new_id().into(), Activity::Viewing, at(0));
        }
        board.forget(at(14));
        assert_eq!(board.everywhere().len(), 10);
        board.forget(at(15));
        assert_eq!(board.everywhere().len(), 0);
    }
}
