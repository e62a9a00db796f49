//! What of the log of inbox changes concerns one person (R16).

use std::collections::HashSet;

use kernel::{AgentId, ConversationId, TeamId};

use super::conversation::{Conversation, Status};
use super::inbox_log::{Changed, Standing};
use super::view::{Entry, View};

/// Conversations with mentions of one person that are remembered, at most. Somebody with more is asked for anew each time.
pub const MOST_MENTIONS: usize = 2_000;

/// Who follows which views.
#[derive(Debug, Clone)]
pub struct Interest {
    /// Their `sub`.
    pub subject: String,
    /// Their agent.
    pub agent: AgentId,
    /// Their teams.
    pub teams: HashSet<TeamId>,
    /// The views, in the order of [`View::COUNTED`].
    pub views: Vec<View>,
    /// The conversations that are not resolved in which they were mentioned; `None`: too many to remember.
    pub mentioned: Option<HashSet<ConversationId>>,
}

/// How a change concerns somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concern {
    /// Not at all.
    None,
    /// A conversation may have come into a followed view, or changed there.
    MayShow(ConversationId),
    /// A conversation was, as far as the log knows, in a followed view, and may have left it.
    Showed(ConversationId),
    /// Their teams changed.
    Teams,
    /// A conversation is offered to them, or is not any more.
    Offered(ConversationId),
}

impl Concern {
    /// The conversation whose offer to them changed.
    #[must_use]
    pub fn offered(self) -> Option<ConversationId> {
        if let Self::Offered(id) = self { Some(id) } else { None }
    }
}

impl Interest {
    /// How a change concerns them.
    #[must_use]
    pub fn concern(&self, what: &Changed) -> Concern {
        match what {
            Changed::Teams(agent) if *agent == self.agent => Concern::Teams,
            // Whatever view shows it: its flags changed.
            Changed::Reading { id, subject } if *subject == self.subject => Concern::Showed(*id),
            Changed::Offer { id, agent } if *agent == self.agent => Concern::Offered(*id),
            Changed::Teams(_) | Changed::Reading { .. } | Changed::Offer { .. } => Concern::None,
            Changed::Conversation { id, was, is } => {
                if was.is_some_and(|was| self.may_show(*id, was)) {
                    Concern::Showed(*id)
                } else if is.is_some_and(|is| self.may_show(*id, is)) || self.comes_back(*was, *is) {
                    Concern::MayShow(*id)
                } else {
                    Concern::None
                }
            }
        }
    }

    /// They were mentioned in a conversation.
    pub fn remember(&mut self, id: ConversationId) {
        let Some(mentioned) = &mut self.mentioned else { return };
        if mentioned.len() >= MOST_MENTIONS {
            self.mentioned = None;
        } else {
            mentioned.insert(id);
        }
    }

    /// Whether they follow the view.
    #[must_use]
    pub fn follows(&self, view: View) -> bool {
        self.views.contains(&view)
    }

    /// Whether a followed view may show a conversation that stands so.
    fn may_show(&self, id: ConversationId, at: Standing) -> bool {
        let open = at.status == Status::Open;
        let mine = at.assignee == Some(self.agent);
        let mentioned = || self.mentioned.as_ref().is_none_or(|mentioned| mentioned.contains(&id));
        self.views.iter().any(|view| match view {
            View::Mine => open && mine,
            View::Unassigned => open && at.assignee.is_none(),
            View::Team => open && at.team.is_some_and(|team| self.teams.contains(&team)),
            View::Mentioned => at.status != Status::Resolved && mentioned(),
            View::Unread => open && (mine || mentioned()),
            View::All => open,
            View::Resolved => at.status == Status::Resolved,
            View::Snoozed => at.status == Status::Snoozed,
            View::Unresolved | View::Every => false,
        })
    }

    /// Whether it may be one with a mention of theirs that was resolved before, and is not remembered for that.
    fn comes_back(&self, was: Option<Standing>, is: Option<Standing>) -> bool {
        let resolved = |at: Option<Standing>| at.is_some_and(|at| at.status == Status::Resolved);
        resolved(was) && !resolved(is) && (self.follows(View::Mentioned) || self.follows(View::Unread))
    }
}

/// A conversation as the views of one person see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line of a view.
    pub entry: Entry,
    /// It belongs to one of their teams.
    pub of_my_teams: bool,
    /// They were mentioned in it at some time.
    pub ever_mentioned: bool,
}

impl Line {
    /// The views which show it to the agent, in the order of [`View::COUNTED`]. It says what `store::views::belongs` says in SQL.
    #[must_use]
    pub fn views(&self, agent: AgentId) -> Vec<View> {
        View::COUNTED.into_iter().filter(|view| self.is_in(*view, agent)).collect()
    }

    fn is_in(&self, view: View, agent: AgentId) -> bool {
        let it: &Conversation = &self.entry.conversation;
        let open = it.status == Status::Open;
        let mine = it.assignee_id() == Some(agent);
        match view {
            View::Mine => open && mine,
            View::Unassigned => open && it.assignee.is_none(),
            View::Team => open && self.of_my_teams,
            View::Mentioned => it.status != Status::Resolved && self.ever_mentioned,
            View::Unread => open && (mine || self.ever_mentioned) && self.entry.unread,
            View::All => open,
            View::Resolved => it.status == Status::Resolved,
            View::Snoozed => it.status == Status::Snoozed,
            View::Unresolved => it.status != Status::Resolved,
            View::Every => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Clock;

    use super::*;

    fn id<T: From<uuid::Uuid>>() -> T {
        Clock::system().new_id().into()
    }

    fn ana(views: &[View]) -> Interest {
        Interest {
            subject: "ana".into(),
            agent: id(),
            teams: HashSet::new(),
            views: views.to_vec(),
            mentioned: Some(HashSet::new()),
        }
    }

    fn stands(status: Status, assignee: Option<AgentId>, team: Option<TeamId>) -> Option<Standing> {
        Some(Standing { status, assignee, team })
    }

    // R16
    #[test]
    fn a_change_concerns_whoever_has_the_conversation_in_a_followed_view_before_or_after() {
        let (me, other, team) = (ana(&[View::Mine]), id::<AgentId>(), id::<TeamId>());
        let mine = stands(Status::Open, Some(me.agent), None);
        let theirs = stands(Status::Open, Some(other), Some(team));
        let nobodys = stands(Status::Open, None, Some(team));
        let it = id();
        let concern = |me: &Interest, was, is| me.concern(&Changed::Conversation { id: it, was, is });
        assert_eq!(concern(&me, mine, theirs), Concern::Showed(it));
        assert_eq!(concern(&me, theirs, mine), Concern::MayShow(it));
        assert_eq!(concern(&me, mine, None), Concern::Showed(it));
        assert_eq!(concern(&me, None, theirs), Concern::None);
        assert_eq!(concern(&ana(&[View::Unassigned]), None, nobodys), Concern::MayShow(it));
        let mut of_team = ana(&[View::Team]);
        assert_eq!(concern(&of_team, None, nobodys), Concern::None);
        of_team.teams.insert(team);
        assert_eq!(concern(&of_team, None, nobodys), Concern::MayShow(it));
    }

    // R16 R7
    #[test]
    fn who_follows_mentions_is_concerned_by_conversations_that_mention_them_also_once_they_come_back() {
        let mut me = ana(&[View::Mentioned]);
        let (it, other) = (id(), Some(id()));
        let open = stands(Status::Open, other, None);
        let resolved = stands(Status::Resolved, other, None);
        let concern = |me: &Interest, was, is| me.concern(&Changed::Conversation { id: it, was, is });
        assert_eq!(concern(&me, open, open), Concern::None);
        assert_eq!(concern(&me, resolved, open), Concern::MayShow(it));
        me.remember(it);
        assert_eq!(concern(&me, open, resolved), Concern::Showed(it));
        me.mentioned = Some((0..MOST_MENTIONS).map(|_| id()).collect());
        me.remember(it);
        assert_eq!((me.mentioned.clone(), concern(&me, open, open)), (None, Concern::Showed(it)));
    }

    // R16
    #[test]
    fn what_others_read_and_which_teams_others_are_in_concerns_nobody_else() {
        let me = ana(&View::COUNTED);
        let it = id();
        let reading = |subject: &str| me.concern(&Changed::Reading { id: it, subject: subject.into() });
        assert_eq!((reading("ana"), reading("ben")), (Concern::Showed(it), Concern::None));
        assert_eq!(me.concern(&Changed::Teams(me.agent)), Concern::Teams);
        assert_eq!(me.concern(&Changed::Teams(id())), Concern::None);
        let offer = |agent| me.concern(&Changed::Offer { id: it, agent });
        assert_eq!((offer(me.agent), offer(id())), (Concern::Offered(it), Concern::None));
    }
}
