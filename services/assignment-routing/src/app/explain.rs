//! Why somebody has a conversation (R15).

use std::collections::{BTreeSet, HashMap};

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
    /// Lists the decisions on a conversation, newest first.
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
        let mut page: Explained = self
            .db
            .read(&caller.org, move |tx| {
                Box::pin(async move {
                    store::conversations::find_conversation(tx, id)
                        .await?
                        .ok_or(Error::NoSuchConversation)?;
                    let decisions = store::decisions::list_decisions(tx, id, before, size.and_one()).await?;
                    let agents: BTreeSet<AgentId> = decisions.iter().flat_map(Decision::people).collect();
                    let agents: Vec<AgentId> = agents.into_iter().collect();
                    let people = store::agents::list_people(tx, &agents).await?;
                    let people = people.into_iter().map(|person| (person.agent, person)).collect();
                    let offers: Vec<OfferId> = decisions.iter().filter_map(|it| it.offer).collect();
                    let offers = store::offers::list_offers(tx, &offers).await?;
                    let offers = offers.into_iter().map(|offer| (offer.id, offer)).collect();
                    Ok::<_, Error>(Explained { decisions, people, offers, next: String::new() })
                })
            })
            .await?;
        let more = page.decisions.len() > size.get();
        page.decisions.truncate(size.get());
        let next =
            page.decisions.last().filter(|_| more).map(|last| self.seal.seal(LIST, &binding, &last.id));
        page.next = next.unwrap_or_default();
        Ok(page)
    }
}
