//! Offers of conversations to agents. Who makes one or ends one holds the conversation's lock; of an agent's load, their row's.

use db::{DbError, Tx};
use kernel::{AgentId, ConversationId, TeamId, Timestamp};

use super::{list, unreadable};
use crate::domain::offer::{Offer, OfferId, OfferState, Refusal};

const OFFER: &str =
    "SELECT o.offer_id, o.conversation_id, o.agent_id, o.team_id, o.units, o.queue_time, o.offer_time,
         o.expire_time, o.state, o.end_time, o.reason
     FROM offers o WHERE o.org_id = $1";

#[derive(db::FromRow)]
struct OfferRow {
    offer_id: OfferId,
    conversation_id: ConversationId,
    agent_id: AgentId,
    team_id: TeamId,
    units: i64,
    queue_time: Timestamp,
    offer_time: Timestamp,
    expire_time: Timestamp,
    state: String,
    end_time: Option<Timestamp>,
    reason: String,
}

impl OfferRow {
    fn offer(self) -> Result<Offer, DbError> {
        Ok(Offer {
            id: self.offer_id,
            conversation: self.conversation_id,
            agent: self.agent_id,
            team: self.team_id,
            units: self.units,
            queue_time: self.queue_time,
            offer_time: self.offer_time,
            expire_time: self.expire_time,
            state: OfferState::read(&self.state).ok_or_else(|| unreadable("offers.state"))?,
            end_time: self.end_time,
            reason: self.reason,
        })
    }
}

fn offers(rows: Vec<OfferRow>) -> Result<Vec<Offer>, DbError> {
    rows.into_iter().map(OfferRow::offer).collect()
}

/// Makes offers. The schema refuses a second open one of a conversation.
pub async fn insert_offers(tx: &mut Tx, offers: &[Offer]) -> Result<(), DbError> {
    let sql = format!(
        "INSERT INTO offers (org_id, offer_id, conversation_id, agent_id, team_id, units, queue_time, offer_time,
             expire_time, state) VALUES {}",
        db::org_rows(offers.len(), 9)
    );
    let mut query = tx.query_dynamic(sql);
    for it in offers {
        query = query
            .bind(it.id)
            .bind(it.conversation)
            .bind(it.agent)
            .bind(it.team)
            .bind(it.units)
            .bind(it.queue_time)
            .bind(it.offer_time)
            .bind(it.expire_time)
            .bind(it.state.as_str());
    }
    query.execute(tx).await.map(drop)
}

/// Reads an offer, open or not.
pub async fn find_offer(tx: &mut Tx, offer: OfferId) -> Result<Option<Offer>, DbError> {
    let row: Option<OfferRow> =
        tx.query_dynamic(format!("{OFFER} AND o.offer_id = $2")).bind(offer).fetch_optional(tx).await?;
    row.map(OfferRow::offer).transpose()
}

/// Reads offers, open or not.
pub async fn list_offers(tx: &mut Tx, ids: &[OfferId]) -> Result<Vec<Offer>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{OFFER} AND o.offer_id IN {}", list(2, ids.len()));
    offers(tx.query_dynamic(sql).bind_all(ids.iter().copied()).fetch_all(tx).await?)
}

/// What waits for an agent's answer at a moment, oldest first, behind an offer.
pub async fn list_open_of(
    tx: &mut Tx,
    agent: AgentId,
    now: Timestamp,
    after: OfferId,
    limit: i64,
) -> Result<Vec<Offer>, DbError> {
    let sql = format!(
        "{OFFER} AND o.agent_id = $2 AND o.state = 'OPEN' AND o.expire_time > $3 AND o.offer_id > $4
         ORDER BY o.offer_id LIMIT $5"
    );
    offers(tx.query_dynamic(sql).bind(agent).bind(now).bind(after).bind(limit).fetch_all(tx).await?)
}

/// What of these conversations waits for an agent's answer.
pub async fn list_open_to(
    tx: &mut Tx,
    agent: AgentId,
    conversations: &[ConversationId],
) -> Result<Vec<Offer>, DbError> {
    let sql = format!(
        "{OFFER} AND o.agent_id = $2 AND o.state = 'OPEN' AND o.conversation_id IN {}",
        list(3, conversations.len())
    );
    let query = tx.query_dynamic(sql).bind(agent).bind_all(conversations.iter().copied());
    offers(query.fetch_all(tx).await?)
}

/// What of these conversations waits for anybody's answer.
pub async fn list_open(tx: &mut Tx, conversations: &[ConversationId]) -> Result<Vec<Offer>, DbError> {
    let sql =
        format!("{OFFER} AND o.state = 'OPEN' AND o.conversation_id IN {}", list(2, conversations.len()));
    offers(tx.query_dynamic(sql).bind_all(conversations.iter().copied()).fetch_all(tx).await?)
}

/// The conversations that wait for the answer of one of these agents; with a team, of its queue only.
pub async fn list_asked_about(
    tx: &mut Tx,
    agents: &[AgentId],
    team: Option<TeamId>,
) -> Result<Vec<ConversationId>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let of_team =
        if team.is_some() { format!(" AND o.team_id = ${}", agents.len() + 2) } else { String::new() };
    let sql = format!(
        "SELECT o.conversation_id FROM offers o
         WHERE o.org_id = $1 AND o.agent_id IN {} AND o.state = 'OPEN'{of_team}",
        list(2, agents.len())
    );
    let mut query = tx.query_dynamic(sql).bind_all(agents.iter().copied());
    if let Some(team) = team {
        query = query.bind(team);
    }
    query.fetch_values(tx).await
}

/// The teams that may ask one of these agents, or have.
pub async fn list_asking_teams(tx: &mut Tx, agents: &[AgentId]) -> Result<Vec<TeamId>, DbError> {
    if agents.is_empty() {
        return Ok(Vec::new());
    }
    let among = list(2, agents.len());
    let sql = format!(
        "SELECT m.team_id FROM team_members m JOIN teams t ON t.org_id = m.org_id AND t.team_id = m.team_id
         WHERE m.org_id = $1 AND m.agent_id IN {among} AND t.assignment_mode <> 'AUTO_ACCEPT'
         UNION SELECT o.team_id FROM offers o
         WHERE o.org_id = $1 AND o.agent_id IN {among} AND o.state = 'OPEN'"
    );
    tx.query_dynamic(sql).bind_all(agents.iter().copied()).fetch_values(tx).await
}

/// Ends these offers, as far as they are open.
pub async fn end_offers(
    tx: &mut Tx,
    ids: &[OfferId],
    state: OfferState,
    now: Timestamp,
    reason: &str,
) -> Result<u64, DbError> {
    let sql = format!(
        "UPDATE offers SET state = $2, end_time = $3, reason = $4, refused = $5
         WHERE org_id = $1 AND state = 'OPEN' AND offer_id IN {}",
        list(6, ids.len())
    );
    tx.query_dynamic(sql)
        .bind(state.as_str())
        .bind(now)
        .bind(reason)
        .bind(state.refuses())
        .bind_all(ids.iter().copied())
        .execute(tx)
        .await
}

/// What was taken back from somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct TakenBack {
    /// Who was asked.
    pub agent_id: AgentId,
    /// The team that asked.
    pub team_id: TeamId,
    /// What was reserved for it.
    pub units: i64,
}

/// Takes back what is offered of these conversations.
pub async fn take_back(
    tx: &mut Tx,
    conversations: &[ConversationId],
    now: Timestamp,
) -> Result<Vec<TakenBack>, DbError> {
    if conversations.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "UPDATE offers SET state = 'TAKEN_BACK', end_time = $2
         WHERE org_id = $1 AND state = 'OPEN' AND conversation_id IN {} RETURNING agent_id, team_id, units",
        list(3, conversations.len())
    );
    tx.query_dynamic(sql).bind(now).bind_all(conversations.iter().copied()).fetch_all(tx).await
}

/// Who refused these conversations, each since it waits, and is not to be asked again yet.
pub async fn list_refusals(
    tx: &mut Tx,
    conversations: &[ConversationId],
) -> Result<Vec<(ConversationId, Refusal)>, DbError> {
    let sql = format!(
        "SELECT o.conversation_id, o.agent_id, o.end_time FROM offers o
         JOIN queue q ON q.org_id = o.org_id AND q.conversation_id = o.conversation_id AND q.queue_time = o.queue_time
         WHERE o.org_id = $1 AND o.refused AND o.conversation_id IN {}",
        list(2, conversations.len())
    );
    let query = tx.query_dynamic(sql).bind_all(conversations.iter().copied());
    let rows: Vec<(ConversationId, AgentId, Timestamp)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(conversation, agent, time)| (conversation, Refusal { agent, time })).collect())
}

/// Everybody may be asked about these again.
pub async fn forget_refusals(tx: &mut Tx, conversations: &[ConversationId]) -> Result<(), DbError> {
    let sql = format!(
        "UPDATE offers SET refused = FALSE WHERE org_id = $1 AND refused AND conversation_id IN {}",
        list(2, conversations.len())
    );
    tx.query_dynamic(sql).bind_all(conversations.iter().copied()).execute(tx).await.map(drop)
}
