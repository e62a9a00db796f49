//! Waking the queues of who may get work now that they did not before (R11).

use db::Tx;
use kernel::{AgentId, TeamId};

use super::App;
use crate::error::Error;
use crate::store;

impl App {
    /// These agents have less open: what waits for one whose capacity is limited may be theirs now.
    pub(super) async fn room_made(
        &self,
        tx: &mut Tx,
        agents: impl IntoIterator<Item = AgentId>,
    ) -> Result<(), Error> {
        let agents: Vec<AgentId> = agents.into_iter().collect();
        for team in store::loads::list_waiting_for(tx, &agents).await? {
            self.ring(tx, team);
        }
        Ok(())
    }

    /// What agents of these teams can do, or how much, is another now.
    pub(super) fn ring_all(&self, tx: &mut Tx, teams: &[TeamId]) {
        for team in teams {
            self.ring(tx, *team);
        }
    }
}
