//! Services under test, in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use db::Engine;
use kernel::{Clock, Hand, OrgId, Role, Subject, Timestamp};
use rpc::TokenSpec;
use runtime::{Config, Running, Secret, Unit};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};

use crate::client::{Bearer, Client};
use crate::port::free_port;
use crate::postgres::PostgresDatabase;

/// Long enough for any test; the fake clock must not be moved further without new clients.
const TOKEN_TTL: Duration = Duration::from_secs(60 * 60);

/// Many tests at once share one PostgreSQL and its 100 connections.
const CONNECTIONS: u32 = 4;

type Change = Box<dyn FnOnce(&mut Config) + Send>;

/// A suite to be.
pub struct Builder {
    units: Vec<Unit>,
    engine: Engine,
    clock: Clock,
    hand: Option<Hand>,
    changes: Vec<Change>,
}

/// Running services. Dropped, they are cut off and their data removed; [`Suite::stop`] ends them in order.
pub struct Suite {
    // In the order in which they have to go.
    running: Option<Running>,
    hand: Option<Hand>,
    config: Config,
    clock: Clock,
    units: Vec<Unit>,
    database: Option<PostgresDatabase>,
    data: TempDir,
}

impl Builder {
    /// On this database. SQLite unless said otherwise.
    #[must_use]
    pub fn on(mut self, engine: Engine) -> Self {
        self.engine = engine;
        self
    }

    /// With a clock that stands at `start` until [`Suite::hand`] moves it.
    #[must_use]
    pub fn with_fake_clock(mut self, start: Timestamp) -> Self {
        let (clock, hand) = Clock::fake(start);
        (self.clock, self.hand) = (clock, Some(hand));
        self
    }

    /// With a changed configuration.
    #[must_use]
    pub fn configured(mut self, change: impl FnOnce(&mut Config) + Send + 'static) -> Self {
        self.changes.push(Box::new(change));
        self
    }

    /// Starts the services on free ports.
    ///
    /// # Panics
    /// If they do not start.
    pub async fn start(self) -> Suite {
        let data = tempfile::tempdir().expect("a folder for the test's data");
        let database = match self.engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(PostgresDatabase::create().await),
        };
        let mut config = Config {
            listen: loopback(),
            metrics: loopback(),
            data: data.path().to_owned(),
            database: database.as_ref().map(|database| Secret::new(database.url())),
            database_connections: Some(CONNECTIONS),
            ..Config::default()
        };
        for change in self.changes {
            change(&mut config);
        }
        let mut suite = Suite {
            running: None,
            hand: self.hand,
            config,
            clock: self.clock,
            units: self.units,
            database,
            data,
        };
        suite.start().await;
        suite
    }
}

impl Suite {
    /// A suite of these services; peers among them find one another in the process.
    pub fn of(units: impl IntoIterator<Item = Unit>) -> Builder {
        Builder {
            units: units.into_iter().collect(),
            engine: Engine::Sqlite,
            clock: Clock::system(),
            hand: None,
            changes: Vec::new(),
        }
    }

    /// Where gRPC is served.
    pub fn grpc(&self) -> SocketAddr {
        self.running().grpc
    }

    /// Where metrics and probes are served.
    pub fn metrics(&self) -> SocketAddr {
        self.running().metrics
    }

    /// The folder of keys and SQLite files.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The address of the PostgreSQL database, if it is on one.
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(PostgresDatabase::url)
    }

    /// The suite's PostgreSQL database.
    ///
    /// # Panics
    /// On SQLite.
    pub fn database(&self) -> &PostgresDatabase {
        self.database.as_ref().expect("the suite is on PostgreSQL")
    }

    /// The suite's time.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Moves the suite's time.
    ///
    /// # Panics
    /// Without [`Builder::with_fake_clock`].
    pub fn hand(&self) -> &Hand {
        self.hand.as_ref().expect("the suite was made with_fake_clock")
    }

    /// A token of `subject` for an hour.
    ///
    /// # Panics
    /// If `org` or `subject` is not valid.
    pub fn token(&self, org: &str, subject: &str, role: Role) -> String {
        let mut spec = TokenSpec::new(
            OrgId::parse(org).expect("an organization"),
            Subject::parse(subject).expect("a subject"),
            role,
        );
        spec.ttl = TOKEN_TTL;
        spec.username = Some(subject.to_owned());
        self.mint(&spec)
    }

    /// A token as told: short ones, foreign audiences.
    ///
    /// # Panics
    /// If it cannot be signed.
    pub fn mint(&self, spec: &TokenSpec) -> String {
        self.running().signer.mint(spec).expect("the development key signs")
    }

    /// A connection of its own, with `subject`'s token.
    ///
    /// # Panics
    /// As [`Suite::token`].
    pub fn client(&self, org: &str, subject: &str, role: Role) -> Client {
        let bearer = Bearer::new(&self.token(org, subject, role));
        Client::new(self.channel(), bearer)
    }

    /// A connection without a token. Connects with the first call, and again after a restart.
    ///
    /// # Panics
    /// Never in practice: the address is the suite's own.
    pub fn channel(&self) -> Channel {
        let endpoint =
            Endpoint::from_shared(format!("http://{}", self.grpc())).expect("an address of our own");
        endpoint.tcp_nodelay(true).connect_lazy()
    }

    /// Ends the services in order and starts them again on the same data and ports.
    ///
    /// # Panics
    /// If they do not end in order or do not start again.
    pub async fn restart(&mut self) {
        let running = self.running.take().expect("the suite runs");
        (self.config.listen, self.config.metrics) = (running.grpc, running.metrics);
        assert!(running.stop().await, "the suite ends in order");
        self.start().await;
    }

    /// Ends the services in order, and removes their data.
    ///
    /// # Panics
    /// If they have to be cut off.
    pub async fn stop(mut self) {
        let running = self.running.take().expect("the suite runs");
        assert!(running.stop().await, "the suite ends in order");
    }

    async fn start(&mut self) {
        let started = runtime::start(self.config.clone(), self.clock.clone(), self.units.clone()).await;
        self.running = Some(started.unwrap_or_else(|error| panic!("the suite does not start: {error}")));
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the suite runs")
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()))
}
