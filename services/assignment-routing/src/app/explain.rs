//! Why somebody has a conversation (R15).

use std::collections::{BTreeSet, HashMap};

use db::Tx;
use kernel::page::{Filling, limit};
use kernel::{AgentId, ConversationId, DecisionId, PageSize};
use rpc::Caller;

use super::App;
use crate::domain::agent::Person;
use crate::domain::decision::Decision;
use crate::domain::offer::{Offer, OfferId};
use crate::error::Error;
use crate::store;

/// Page tokens of this list.
const LIST: &str = "routing.decisions";

/// A page of decisions, and everybody they speak of.
#[derive(Debug, Clone, Default)]
pub struct Explained {
    /// The decisions, newest first.
    pub decisions: Vec<Decision>,
    /// The people in them.
    pub people: HashMap<AgentId, Person>,
    /// The offers that they made, as these are now.
    pub offers: HashMap<OfferId, Offer>,
    /// The token of the next page.
    pub next: String,
}

impl App {
    /// Lists the decisions on a conversation, newest first. A page ends where an answer would become too large.
    ///
    /// # Errors
    /// [`Error::NoSuchConversation`], [`Error::BadPageToken`], [`Error::Db`].
    pub async fn explain(
        &self,
        caller: &Caller,
        id: ConversationId,
        size: PageSize,
        token: &str,
    ) -> Result<Explained, Error> {
        let binding = format!("{} {id}", caller.org).into_bytes();
        let before: Option<DecisionId> = match token {
            "" => None,
            token => Some(self.seal.open(LIST, &binding, token).map_err(Error::BadPageToken)?),
        };
        let (mut page, next): (Explained, Option<DecisionId>) = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    store::conversations::find_conversation(tx, id)
                        .await?
                        .ok_or(Error::NoSuchConversation)?;
                    let (decisions, people, next) = read_page(tx, id, before, size.get()).await?;
                    let offers: Vec<OfferId> = decisions.iter().filter_map(|it| it.offer).collect();
                    let offers = store::offers::list_offers(tx, &offers).await?;
                    let offers = offers.into_iter().map(|offer| (offer.id, offer)).collect();
                    Ok::<_, Error>((Explained { decisions, people, offers, next: String::new() }, next))
                })
            })
            .await?;
        page.next = next.map(|last| self.seal.seal(LIST, &binding, &last)).unwrap_or_default();
        Ok(page)
    }
}

type People = HashMap<AgentId, Person>;

/// The decisions before one that fit on a page, whom they speak of, and the last of them, if there is a next page.
async fn read_page(
    tx: &mut Tx,
    id: ConversationId,
    mut before: Option<DecisionId>,
    size: usize,
) -> Result<(Vec<Decision>, People, Option<DecisionId>), Error> {
    let (mut page, mut people) = (Filling::new(size), People::new());
    loop {
        let step = page.step();
        let decisions = store::decisions::list_decisions(tx, id, before, limit(step)).await?;
        let ended = decisions.len() < step;
        let agents: BTreeSet<AgentId> = decisions.iter().flat_map(Decision::people).collect();
        let unknown: Vec<AgentId> = agents.into_iter().filter(|agent| !people.contains_key(agent)).collect();
        let known = store::agents::list_people(tx, &unknown).await?;
        people.extend(known.into_iter().map(|person| (person.agent, person)));
        for it in decisions {
            let (last, bytes) = (it.id, bytes(&it, &people));
            if !page.takes(it, bytes) {
                return Ok((page.items(), people, before));
            }
            before = Some(last);
        }
        if ended {
            return Ok((page.items(), people, None));
        }
    }
}

/// What ids, numbers and the frame of a decision, and of a person in it, take in an answer, at most.
const FRAME: usize = 1_024;
const PERSON: usize = 128;

/// What a decision takes in an answer, about: it names every member of the team.
fn bytes(it: &Decision, people: &People) -> usize {
    let named = |agent: AgentId| {
        people.get(&agent).map_or(0, |person| {
            person.subject.as_str().len() + person.username.len() + person.display_name.len()
        })
    };
    let spoken_of: usize = it.people().map(|agent| PERSON + named(agent)).sum();
    let traces: usize = it.workflows.iter().map(|trace| PERSON + trace.name.len() + trace.detail.len()).sum();
    FRAME + spoken_of + traces
}
