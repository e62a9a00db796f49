//! Who is there (R2). Coming online drains the queues of the agent's teams (R11).

use std::collections::BTreeMap;

use audit::{Event, Origin};
use db::Tx;
use kernel::{AgentId, OrgId, Role, Timestamp};
use rpc::Caller;

use super::{App, agents};
use crate::NAME;
use crate::domain::agent::Agent;
use crate::domain::choose::Availability;
use crate::domain::presence::Presence;
use crate::error::Error;
use crate::store;

/// Leases ended in one sweep of all organizations.
const EXPIRED_AT_ONCE: i64 = 500;

impl App {
    /// Sets whether an agent is there.
    ///
    /// # Errors
    /// [`Error::NotYours`] for an agent who says it of another; [`Error::NoSuchAgent`], [`Error::Db`].
    pub async fn set_availability(
        &self,
        caller: &Caller,
        origin: Origin,
        id: AgentId,
        availability: Availability,
        pinned: bool,
    ) -> Result<Agent, Error> {
        let (app, own) = (self.clone(), (caller.role == Role::Agent).then(|| caller.subject.clone()));
        let stops = availability != Availability::Online;
        let asking = if stops { self.asking_teams(&caller.org, &[id]).await? } else { Vec::new() };
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &asking).await?;
                    let mut agent = agents::get(tx, id).await?;
                    if own.is_some_and(|own| own != agent.subject) {
                        return Err(Error::NotYours);
                    }
                    let now = tx.now().await?;
                    let say = |_| Presence::set(availability, pinned, now);
                    (agent.presence, _) = app.change_presence(tx, id, now, say).await?;
                    if stops {
                        app.take_back_from(tx, &[id], None).await?;
                    }
                    audit::record(tx, &origin, &[Event::new("agent.set_availability", id)]).await?;
                    Ok(agent)
                })
            })
            .await
    }

    /// Renews the caller's lease, and says what they are now.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn send_heartbeat(&self, caller: &Caller, origin: Origin) -> Result<Presence, Error> {
        let (app, id) = (self.clone(), self.agent_of(caller).await?.id);
        self.db
            .write(&caller.org, move |tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    let beat = |presence: Presence| presence.beat(now);
                    let (presence, changed) = app.change_presence(tx, id, now, beat).await?;
                    // A beat that only renews the lease changes nothing that anybody sees.
                    if changed {
                        audit::record(tx, &origin, &[Event::new("agent.come_online", id)]).await?;
                    }
                    Ok(presence)
                })
            })
            .await
    }

    /// Takes agents offline whose lease is over; says how many leases it looked at. An organization for which that fails keeps no other
    /// waiting.
    ///
    /// # Errors
    /// [`Error::Db`] if it cannot be read whose lease is over; otherwise the last of what failed, when everything else is done.
    pub async fn expire_leases(&self) -> Result<usize, Error> {
        let expired: Vec<(OrgId, AgentId)> = self
            .db
            .read_system(|tx| {
                Box::pin(async move {
                    let now = tx.now().await?;
                    store::presence::list_expired(tx, now, EXPIRED_AT_ONCE).await
                })
            })
            .await?;
        let looked_at = expired.len();
        let mut by_org: BTreeMap<OrgId, Vec<AgentId>> = BTreeMap::new();
        for (org, agent) in expired {
            by_org.entry(org).or_default().push(agent);
        }
        let mut failure = None;
        for (org, agents) in by_org {
            if let Err(error) = self.expire_leases_of(&org, agents).await {
                failure = Some(error);
            }
        }
        failure.map_or(Ok(looked_at), Err)
    }

    async fn expire_leases_of(&self, org: &OrgId, agents: Vec<AgentId>) -> Result<(), Error> {
        let (app, origin) = (self.clone(), Origin::system(NAME, "lease sweep"));
        let asking = self.asking_teams(org, &agents).await?;
        self.db
            .write(org, move |tx| {
                Box::pin(async move {
                    store::locks::lock_teams(tx, &asking).await?;
                    let now = tx.now().await?;
                    let gone = store::presence::expire(tx, &agents, now).await?;
                    app.begin_graces(tx, &gone, now).await?;
                    app.take_back_from(tx, &gone, None).await?;
                    Ok(audit::record(tx, &origin, &Event::each("agent.go_offline", gone)).await?)
                })
            })
            .await
    }

    /// Changes an agent's presence under its row's lock, so that a heartbeat never undoes what somebody says meanwhile.
    /// Says whether availability is another one now.
    async fn change_presence(
        &self,
        tx: &mut Tx,
        id: AgentId,
        now: Timestamp,
        change: impl FnOnce(Presence) -> Presence + Send,
    ) -> Result<(Presence, bool), Error> {
        let before = store::presence::lock_presence(tx, id).await?.ok_or(Error::NoSuchAgent)?;
        let after = change(before);
        let changed = before.at(now) != after.at(now);
        store::presence::save_presence(tx, id, after, changed.then_some(now)).await?;
        // Whose lease is over and was not swept is noted as offline only now.
        if before.availability != Availability::Offline && after.availability == Availability::Offline {
            self.begin_graces(tx, &[id], now).await?;
        }
        if changed && after.at(now) == Availability::Online {
            for (_, team) in store::teams::list_teams_of(tx, &[id]).await? {
                self.ring(tx, team);
            }
        }
        Ok((after, changed))
    }
}
