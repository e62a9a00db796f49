//! The service's own settings: the section `[notes]` of the configuration.

use std::time::Duration;

use db::Engine;
use serde::Deserialize;

/// The service's own settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotesConfig {
    /// Milliseconds between two looks for notes that changed without a wake-up reaching this process. Absent: 250 on PostgreSQL, where
    /// other processes write as well; 2,000 on SQLite, where none does.
    pub poll_ms: Option<u64>,
}

impl NotesConfig {
    /// The time between two looks.
    pub fn poll(&self, engine: Engine) -> Duration {
        let usual = match engine {
            Engine::Postgres => 250,
            Engine::Sqlite => 2_000,
        };
        Duration::from_millis(self.poll_ms.unwrap_or(usual).max(1))
    }
}
