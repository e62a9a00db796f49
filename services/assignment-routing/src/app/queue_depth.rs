//! How much waits for agents, for dashboards and alerts.

use std::time::Duration;

use super::App;
use crate::error::Error;
use crate::store;

impl App {
    /// How many conversations of all organizations wait for an agent, and for how long the first of them.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn queue_depth(&self) -> Result<(i64, Option<Duration>), Error> {
        self.db
            .read_system(|tx| Box::pin(async move { Ok::<_, Error>(store::queue::depth(tx).await?) }))
            .await
    }
}
