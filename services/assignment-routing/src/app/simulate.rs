//! What a draft of the workflows would make of past conversations (R15). It only reads.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use db::{DbError, Tx};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use kernel::page::{Filling, limit};
use kernel::{ContactId, ConversationId, OrgId, PageSize, Timestamp};
use rpc::Caller;

use super::App;
use super::begin_conversation::BEGINNING;
use super::rulesets::calendar;
use super::workflows::{WorkflowChange, check_named};
use crate::domain::begun::Begun;
use crate::domain::conversation::{Conversation, Status};
use crate::domain::facts::{ContactFacts, Facts};
use crate::domain::priority::Priority;
use crate::domain::ruleset::{Notice, Plan, Ruleset};
use crate::domain::workflow::Workflow;
use crate::error::Error;
use crate::peers;
use crate::store;

/// Page tokens of this list.
const LIST: &str = "routing.simulation";

/// Conditions evaluated by one call, at most, for more than one conversation.
const MOST_EVALUATIONS: usize = 20_000;

/// Contacts asked for at once.
const ASKED_AT_ONCE: usize = 8;

/// A draft, and the conversations it is tried on.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Every workflow there would be.
    pub draft: Vec<WorkflowChange>,
    /// Conversations that began then or later.
    pub from: Timestamp,
    /// Conversations that began before; `None`: before now.
    pub until: Option<Timestamp>,
    /// What the request says but for its page: tokens are for no other.
    pub said: Vec<u8>,
}

/// A conversation of which the draft makes something else.
#[derive(Debug, Clone)]
pub struct Differing {
    /// The conversation.
    pub conversation: ConversationId,
    /// When it began.
    pub create_time: Timestamp,
    /// What the workflows as they are make of it.
    pub present: Plan,
    /// What the draft makes of it.
    pub draft: Plan,
}

/// A page of what would be different.
#[derive(Debug, Clone, Default)]
pub struct Simulated {
    /// The workflows of the draft, in the order in which they were said.
    pub draft: Vec<Workflow>,
    /// Where the two differ.
    pub changed: Vec<Differing>,
    /// How many were looked at.
    pub looked_at: usize,
    /// How many workflows of the draft failed.
    pub failed: usize,
    /// The token of the next page.
    pub next: String,
}

/// What is read for a page.
struct Material {
    present: Ruleset,
    draft: Ruleset,
    conversations: Vec<(Conversation, String)>,
    more: bool,
}

impl App {
    /// Tries a draft on a page of past conversations.
    ///
    /// # Errors
    /// [`Error::BadCondition`], [`Error::Incomplete`], [`Error::NoSuchTeam`], [`Error::NoSuchAgent`] for a draft that could not be saved;
    /// [`Error::Invalid`], [`Error::BadPageToken`]; [`Error::Peer`] if contacts does not say what conditions ask for; [`Error::Db`].
    pub async fn simulate(
        &self,
        caller: &Caller,
        trial: Trial,
        size: PageSize,
        token: &str,
    ) -> Result<Simulated, Error> {
        let binding = [caller.org.as_str().as_bytes(), b" ", &trial.said].concat();
        let after: Option<ConversationId> = match token {
            "" => None,
            token => Some(self.seal.open(LIST, &binding, token).map_err(Error::BadPageToken)?),
        };
        let begun = Begun { from: trial.from, until: trial.until.unwrap_or_else(|| self.clock.now()) };
        let drafted = |(index, spec)| self.drafted(&format!("workflows[{index}]"), spec);
        let draft: Vec<Workflow> =
            trial.draft.into_iter().enumerate().map(drafted).collect::<Result<_, _>>()?;
        let material = self.material(&caller.org, draft.clone(), begun, after, size).await?;
        let last = material.conversations.last().filter(|_| material.more);
        let next = last.map(|(last, _)| self.seal.seal(LIST, &binding, &last.id)).unwrap_or_default();
        let contacts = self.contacts_of(&caller.org, &material).await?;
        let mut simulated = Simulated { draft, next, ..Simulated::default() };
        for (it, text) in &material.conversations {
            simulated.try_on(&material, it, beginning(it, text, &contacts));
            // Between two of them others get their turn: conditions are worked out, not waited for.
            tokio::task::yield_now().await;
        }
        Ok(simulated)
    }

    async fn material(
        &self,
        org: &OrgId,
        draft: Vec<Workflow>,
        begun: Begun,
        after: Option<ConversationId>,
        size: PageSize,
    ) -> Result<Material, Error> {
        let app = self.clone();
        self.db
            .read(org, move |tx| {
                Box::pin(async move {
                    check_named(tx, &draft).await?;
                    let draft = Ruleset::compile(draft, calendar(tx).await?, BTreeMap::new());
                    let present = app.rulesets.current(tx).await?;
                    let each = draft.count(BEGINNING) + present.count(BEGINNING);
                    let size = size.get().min(MOST_EVALUATIONS / each.max(1)).max(1);
                    let (conversations, more) = page(tx, begun, after, size).await?;
                    Ok::<_, Error>(Material { present, draft, conversations, more })
                })
            })
            .await
    }

    /// What contacts knows, where conditions ask for it.
    async fn contacts_of(
        &self,
        org: &OrgId,
        material: &Material,
    ) -> Result<HashMap<ContactId, ContactFacts>, Error> {
        let asked = material.draft.asks(BEGINNING) | material.present.asks(BEGINNING);
        if !asked.contact {
            return Ok(HashMap::new());
        }
        let contacts: BTreeSet<ContactId> = material.conversations.iter().map(|(it, _)| it.contact).collect();
        let ask = |id| async move { Ok::<_, Error>((id, peers::find_facts(&self.contacts, org, id).await?)) };
        stream::iter(contacts).map(ask).buffer_unordered(ASKED_AT_ONCE).try_collect().await
    }
}

impl Simulated {
    fn try_on(&mut self, material: &Material, it: &Conversation, facts: Facts) {
        let present = material.present.run(BEGINNING, facts.clone(), it.create_time);
        let draft = material.draft.run(BEGINNING, facts, it.create_time);
        self.looked_at += 1;
        self.failed += draft.failures();
        if !same(&present, &draft) {
            let (conversation, create_time) = (it.id, it.create_time);
            self.changed.push(Differing { conversation, create_time, present, draft });
        }
    }
}

/// Whether two plans do the same, whichever workflows said so.
fn same(one: &Plan, other: &Plan) -> bool {
    let to = |plan: &Plan| {
        let queue = plan.queue.as_ref().map(|routed| (routed.team, routed.sharing.clone()));
        let notes: Vec<String> =
            plan.notes.iter().map(|note| format!("{}\n{}", note.name, note.text)).collect();
        let told = |it: &Notice| {
            (plan.name_of(it.workflow).to_owned(), it.agents.clone(), it.team, it.reason.clone())
        };
        let notices: Vec<_> = plan.notices.iter().map(told).collect();
        (queue, plan.agent.map(|named| named.agent), notes, notices)
    };
    one.tags == other.tags && one.priority == other.priority && to(one) == to(other)
}

/// A conversation as it began, as far as that is known.
fn beginning(it: &Conversation, text: &str, contacts: &HashMap<ContactId, ContactFacts>) -> Facts {
    Facts {
        priority: Priority::default(),
        status: Status::Open,
        team: None,
        assigned: false,
        message_count: 1,
        contact: contacts.get(&it.contact).cloned(),
        text: text.to_owned(),
        ..Facts::of(it)
    }
}

/// The conversations that fit on a page, each with its first text, and whether there are more.
async fn page(
    tx: &mut Tx,
    begun: Begun,
    mut after: Option<ConversationId>,
    size: usize,
) -> Result<(Vec<(Conversation, String)>, bool), DbError> {
    let mut page = Filling::new(size);
    loop {
        let step = page.step();
        let some = store::begun::list_begun(tx, begun, after, limit(step)).await?;
        let ended = some.len() < step;
        for (it, text) in some {
            let (id, bytes) = (it.id, text.len());
            if !page.takes((it, text), bytes) {
                return Ok((page.items(), true));
            }
            after = Some(id);
        }
        if ended {
            return Ok((page.items(), false));
        }
    }
}
