//! Migrating without serving: before a release's first process starts.

use db::{Migrations, inspect};
use futures::future::BoxFuture;
use kernel::Clock;

use crate::config::Config;
use crate::error::StartError;
use crate::service::Databases;
use crate::start::private_folder;

/// A service, and the steps that were due in its database.
pub type Migrated = (&'static str, Vec<String>);

/// Brings the databases of these services to the form that this program needs, one after the other. Says of each which steps
/// were due. Other processes may go on serving from PostgreSQL meanwhile, those of the release before this one too.
///
/// # Errors
/// [`StartError`] of the first that cannot be brought there; those before it stay migrated.
// Not `async fn`: the body of one is compiled again in each crate that awaits it.
pub fn migrate(
    config: Config,
    clock: Clock,
    services: Vec<(&'static str, &'static Migrations)>,
) -> BoxFuture<'static, Result<Vec<Migrated>, StartError>> {
    Box::pin(async move {
        if config.database.is_none() {
            private_folder(&config)?;
        }
        let databases = Databases::of(&config);
        let mut done = Vec::with_capacity(services.len());
        for (service, migrations) in services {
            let failed = |error| StartError::Database { service, error };
            let due = inspect(&databases.target(service), migrations).await.map_err(failed)?.due;
            databases.open(service, migrations, clock.clone()).await?;
            done.push((service, due));
        }
        databases.close().await;
        Ok(done)
    })
}
