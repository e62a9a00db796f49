//! What a service is to the process that runs it, and what it is given.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use db::{Db, Migrations, Target};
use futures::FutureExt;
use futures::future::BoxFuture;
use kernel::{Clock, PageSeal};
use outbox::Wake;
use rpc::Peer;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::config::{Config, ConfigError};
use crate::error::StartError;
use crate::worker::Worker;

/// A service, ready to be served: what `service(config, deps)` of a service crate returns.
#[derive(Debug)]
pub struct Service {
    /// The generated servers, each with `max_decoding_message_size(rpc::MESSAGE_LIMIT)`.
    pub routes: Routes,
    /// What goes on beside the calls.
    pub workers: Vec<Worker>,
    /// Full names of its proto services, for the health service (`NAME` of the generated servers).
    pub health: Vec<&'static str>,
}

type Build = Arc<dyn Fn(Config, Deps) -> BoxFuture<'static, Result<Service, StartError>> + Send + Sync>;

type Check = Arc<dyn Fn(&Config) -> Result<(), ConfigError> + Send + Sync>;

/// A service's name and how it is made: what the suite composes, and `main` runs alone.
#[derive(Clone)]
pub struct Unit {
    pub(crate) name: &'static str,
    pub(crate) build: Build,
    pub(crate) check: Check,
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Unit").field(&self.name).finish()
    }
}

impl Unit {
    /// The unit of a service crate. `name` is the one by which peers know it: `contacts`, `routing`, `notes` or
    /// `notifications`; also its schema, its file and its section of the configuration.
    pub fn new<F, Fut>(name: &'static str, build: F) -> Self
    where
        F: Fn(Config, Deps) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Service, StartError>> + Send + 'static,
    {
        Unit {
            name,
            build: Arc::new(move |config, deps| build(config, deps).boxed()),
            check: Arc::new(|_| Ok(())),
        }
    }

    /// Says what the service reads its section of the configuration as. A process looks at the sections of all its services
    /// before it opens the first database, so that a wrong key leaves nothing changed.
    #[must_use]
    pub fn reading<T: DeserializeOwned>(mut self) -> Self {
        let name = self.name;
        self.check = Arc::new(move |config| config.section::<T>(name).map(drop));
        self
    }

    /// The name.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// What a service gets from the process.
#[derive(Clone)]
pub struct Deps {
    /// Time and ids.
    pub clock: Clock,
    /// Wake-ups, shared by all services of the process and, with NATS, between processes.
    pub wake: Wake,
    /// Seals page and resume tokens.
    pub seal: PageSeal,
    /// Cancelled when the server's streams shall end with a resume token; give it to [`rpc::stream`].
    pub streams_end: CancellationToken,
    pub(crate) service: &'static str,
    pub(crate) peers: HashMap<&'static str, Peer>,
    pub(crate) databases: Databases,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Deps {
    /// The service's database, migrated. The process closes it at the end.
    ///
    /// # Errors
    /// [`StartError::Database`] if it cannot be reached or migrated.
    pub async fn open(&self, migrations: &'static Migrations) -> Result<Db, StartError> {
        self.databases.open(self.service, migrations, self.clock.clone()).await
    }

    /// Another service: in this process, or at the address in `peers.<name>`.
    ///
    /// # Errors
    /// [`StartError::Config`] if it is in neither place.
    pub fn peer(&self, name: &'static str) -> Result<Peer, StartError> {
        self.peers.get(name).cloned().ok_or_else(|| {
            let key = format!("peers.{name}");
            let reason = format!("{} asks this service, so its address is needed", self.service);
            ConfigError::bad_value(&key, reason).into()
        })
    }
}

/// Where the services of a process keep their data, and which databases are open.
#[derive(Clone)]
pub(crate) struct Databases {
    place: Place,
    connections: Option<u32>,
    open: Arc<Mutex<Vec<Db>>>,
}

#[derive(Clone)]
enum Place {
    Folder(PathBuf),
    Postgres(String),
}

impl Databases {
    pub(crate) fn of(config: &Config) -> Self {
        let place = match &config.database {
            Some(url) => Place::Postgres(url.reveal().to_owned()),
            None => Place::Folder(config.data.clone()),
        };
        Databases { place, connections: config.database_connections, open: Arc::default() }
    }

    /// Where a service keeps its data.
    pub(crate) fn target(&self, service: &str) -> Target {
        let mut target = match &self.place {
            Place::Folder(folder) => Target::sqlite(folder.join(format!("{service}.db"))),
            Place::Postgres(url) => Target::postgres(url, service),
        };
        if let Some(wanted) = self.connections {
            match &mut target {
                Target::Sqlite { readers: most, .. } | Target::Postgres { connections: most, .. } => {
                    *most = wanted
                }
            }
        }
        target
    }

    pub(crate) async fn open(
        &self,
        service: &'static str,
        migrations: &'static Migrations,
        clock: Clock,
    ) -> Result<Db, StartError> {
        let target = self.target(service);
        let db = Db::open(target, migrations, clock)
            .await
            .map_err(|error| StartError::Database { service, error })?;
        self.open.lock().unwrap_or_else(PoisonError::into_inner).push(db.clone());
        Ok(db)
    }

    /// Closes every database that was opened.
    pub(crate) async fn close(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        for db in open {
            db.close().await;
        }
    }
}
