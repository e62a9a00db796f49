//! Where journeys take place: all services in this process, or each in a process of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use kernel::{Clock, OrgId, Role, Subject};
use rpc::{DevKey, Signer, TokenSpec};
use runtime::TlsFiles;
use runtime::tls::Dialer;
use suite::client::{Session, Wire};
use tempfile::TempDir;
use testkit::{Engine, PostgresDatabase, Suite, free_port};

use crate::processes::Process;

/// The organization of most journeys.
pub(crate) const ORG: &str = "acme";

/// All services, somewhere.
pub(crate) struct World {
    pub(crate) wire: Wire,
    signer: Signer,
    place: Place,
}

enum Place {
    Here(Box<Suite>),
    Processes {
        running: Vec<Process>,
        database: Option<Box<PostgresDatabase>>,
        data: TempDir,
        /// Of each service, as peers call it.
        addresses: BTreeMap<&'static str, String>,
        environment: Vec<(String, String)>,
    },
}

/// A process for each service, and one for all.
pub(crate) const SERVICES: [(&str, &str); 4] = [
    ("contacts", "contacts"),
    ("routing", "assignment-routing"),
    ("notes", "notes"),
    ("notifications", "notifications"),
];

impl World {
    /// All services in this process, without limits per person: a test asks more than people do.
    pub(crate) async fn one_process(engine: Engine) -> Self {
        let suite = Suite::of(units()).on(engine).configured(unlimited).start().await;
        let address = suite.grpc().to_string();
        let data = suite.data().to_owned();
        Self {
            wire: Wire::connect(|_| address.clone()).await.expect("the suite answers"),
            signer: DevKey::load_or_make(&data, Clock::system()).expect("the suite's key").signer(),
            place: Place::Here(Box::new(suite)),
        }
    }

    /// Each service in a process of its own, talking over TCP; on PostgreSQL also with NATS.
    pub(crate) async fn four_processes(engine: Engine) -> Self {
        Self::four_processes_with(engine, &[]).await
    }

    /// The same, with further environment variables for all four.
    pub(crate) async fn four_processes_with(engine: Engine, further: &[(&str, &str)]) -> Self {
        Self::four_processes_over("http", &TlsFiles::default(), engine, further).await
    }

    /// The same, over TLS: all four, and whoever calls them here, have these files.
    pub(crate) async fn four_processes_encrypted(engine: Engine, files: &TlsFiles) -> Self {
        let path = |file: &Option<PathBuf>| file.as_ref().expect("a file").display().to_string();
        let (certificate, key) = (path(&files.certificate), path(&files.key));
        let (authority, mutual) = (path(&files.authority), files.mutual.to_string());
        let further = [
            ("BACKCHANNEL_TLS__CERTIFICATE", certificate.as_str()),
            ("BACKCHANNEL_TLS__KEY", &key),
            ("BACKCHANNEL_TLS__AUTHORITY", &authority),
            ("BACKCHANNEL_TLS__MUTUAL", &mutual),
        ];
        Self::four_processes_over("https", files, engine, &further).await
    }

    async fn four_processes_over(
        scheme: &str,
        files: &TlsFiles,
        engine: Engine,
        further: &[(&str, &str)],
    ) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        // Made before anybody starts, so that all four read the same key.
        let signer = DevKey::load_or_make(data.path(), Clock::system()).expect("a key").signer();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some(PostgresDatabase::create().await),
        };
        let addresses: BTreeMap<&'static str, String> =
            SERVICES.iter().map(|(peer, _)| (*peer, format!("127.0.0.1:{}", free_port()))).collect();
        let mut environment: Vec<(String, String)> = addresses
            .iter()
            .map(|(peer, address)| {
                (format!("BACKCHANNEL_PEERS__{}", peer.to_uppercase()), format!("{scheme}://{address}"))
            })
            .collect();
        environment.push(("BACKCHANNEL_LIMITS__CALLS_PER_PERSON".into(), "0".into()));
        environment.push(("BACKCHANNEL_LIMITS__PERSON_PER_SECOND".into(), "0".into()));
        environment.push(("BACKCHANNEL_LIMITS__ORG_PER_SECOND".into(), "0".into()));
        if let Some(database) = &database {
            environment.push(("BACKCHANNEL_DATABASE".into(), database.url()));
            environment.push(("BACKCHANNEL_DATABASE_CONNECTIONS".into(), "4".into()));
            environment.push(("BACKCHANNEL_NATS".into(), nats_url()));
        }
        environment.extend(further.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())));
        let folder = data.path().to_str().expect("a plain path");
        let starting = SERVICES.iter().map(|(peer, service)| {
            let log = data.path().join(format!("{service}.log"));
            let (environment, listen) = (borrowed(&environment), &addresses[peer]);
            async move {
                let arguments =
                    ["serve", service, "--data", folder, "--listen", listen, "--metrics", "127.0.0.1:0"];
                Process::start(&arguments, &environment, &log).await
            }
        });
        let running = futures::future::join_all(starting).await;
        Self {
            wire: Wire::connect_by(
                || Dialer::with(files, &Clock::system()),
                |service| format!("{scheme}://{}", addresses[service]),
            )
            .await
            .expect("all answer"),
            signer,
            place: Place::Processes {
                running,
                database: database.map(Box::new),
                data,
                addresses,
                environment,
            },
        }
    }

    /// One more process of a service, with further environment variables: the others go on calling the first one.
    pub(crate) async fn replica(&self, peer: &str, further: &[(&str, &str)]) -> Process {
        let Place::Processes { data, environment, .. } = &self.place else {
            panic!("all is in this process")
        };
        let (_, service) = SERVICES.iter().find(|(name, _)| *name == peer).expect("a service");
        let mut environment = borrowed(environment);
        environment.extend(further);
        let folder = data.path().to_str().expect("a plain path");
        let arguments =
            ["serve", service, "--data", folder, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        let log = data.path().join(format!("{service}-{}.log", Clock::system().new_id()));
        Process::start(&arguments, &environment, &log).await
    }

    /// The API, of which this process serves the part of its service.
    pub(crate) async fn by_way_of(&self, peer: &str, process: &Process) -> Wire {
        let Place::Processes { addresses, .. } = &self.place else { panic!("all is in this process") };
        let address = |service: &str| match service == peer {
            true => process.grpc.clone(),
            false => addresses[service].clone(),
        };
        Wire::connect(address).await.expect("all answer")
    }

    /// The API as somebody of [`ORG`].
    pub(crate) fn as_one(&self, subject: &str, role: Role) -> Session {
        self.as_one_of(ORG, subject, role)
    }

    /// The API as somebody.
    pub(crate) fn as_one_of(&self, org: &str, subject: &str, role: Role) -> Session {
        self.wire.bearing(&self.token(org, subject, role)).expect("a token fits a header")
    }

    /// A token of an hour.
    pub(crate) fn token(&self, org: &str, subject: &str, role: Role) -> String {
        self.short_token(org, subject, role, Duration::from_secs(3_600))
    }

    /// A token that ends after so long.
    pub(crate) fn short_token(&self, org: &str, subject: &str, role: Role, ttl: Duration) -> String {
        let mut spec = TokenSpec::new(OrgId::parse(org).unwrap(), Subject::parse(subject).unwrap(), role);
        spec.ttl = ttl;
        self.signer.mint(&spec).expect("the key signs")
    }

    /// The one process, where everything is in this one.
    pub(crate) fn suite(&self) -> &Suite {
        let Place::Here(suite) = &self.place else { panic!("each service has a process") };
        suite
    }

    /// The address of the one process, as `host:port`.
    pub(crate) fn address(&self) -> String {
        match &self.place {
            Place::Here(suite) => suite.grpc().to_string(),
            Place::Processes { running, .. } => running[0].grpc.clone(),
        }
    }

    /// The address of a service's process, as `host:port`.
    pub(crate) fn address_of(&self, peer: &str) -> String {
        let Place::Processes { addresses, .. } = &self.place else { panic!("all is in this process") };
        addresses[peer].clone()
    }

    /// Where metrics are, of one process after the other.
    pub(crate) fn metrics(&self) -> Vec<String> {
        match &self.place {
            Place::Here(suite) => vec![suite.metrics().to_string()],
            Place::Processes { running, .. } => {
                running.iter().map(|process| process.metrics.clone()).collect()
            }
        }
    }

    /// What the processes logged so far; nothing where everything is in this process.
    pub(crate) fn logs(&self) -> String {
        let Place::Processes { data, .. } = &self.place else { return String::new() };
        let files = SERVICES.iter().map(|(_, service)| data.path().join(format!("{service}.log")));
        files.map(|file| std::fs::read_to_string(file).expect("a log")).collect()
    }

    /// Where the processes keep what they have: the folder, and the database of PostgreSQL.
    pub(crate) fn stores(&self) -> (PathBuf, Option<String>) {
        let Place::Processes { data, database, .. } = &self.place else { panic!("all is in this process") };
        (data.path().to_owned(), database.as_ref().map(|database| database.url()))
    }

    /// The process of a service, as peers call it, where each has its own.
    pub(crate) fn process(&mut self, peer: &str) -> &mut Process {
        let Place::Processes { running, .. } = &mut self.place else { panic!("all is in this process") };
        let place = SERVICES.iter().position(|(name, _)| *name == peer).expect("a service");
        &mut running[place]
    }

    /// Ends everything in order.
    pub(crate) async fn stop(self) {
        match self.place {
            Place::Here(suite) => suite.stop().await,
            Place::Processes { running, .. } => end(running).await,
        }
    }

    /// Ends the processes in order and gives what they leave: the folder, and the database of PostgreSQL.
    pub(crate) async fn leave(self) -> (TempDir, Option<Box<PostgresDatabase>>) {
        let Place::Processes { running, database, data, .. } = self.place else {
            panic!("all is in this process")
        };
        end(running).await;
        (data, database)
    }
}

fn borrowed(environment: &[(String, String)]) -> Vec<(&str, &str)> {
    environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

async fn end(running: Vec<Process>) {
    for process in running {
        let (well, took) = process.terminate().await;
        assert!(well, "it ends well");
        assert!(took < Duration::from_secs(25), "it ends within 25 s, took {took:?}");
    }
}

/// Tests ask more than people do.
fn unlimited(config: &mut runtime::Config) {
    config.limits.calls_per_person = 0;
    config.limits.person_per_second = 0;
    config.limits.org_per_second = 0;
}

/// The four services.
pub(crate) fn units() -> [runtime::Unit; 4] {
    [contacts::unit(), assignment_routing::unit(), notes::unit(), notifications::unit()]
}

/// The NATS of the test run.
pub(crate) fn nats_url() -> String {
    std::env::var("BACKCHANNEL_TEST_NATS").expect(
        "BACKCHANNEL_TEST_NATS is not set: start the tests by tests/run, which starts the servers they need",
    )
}

/// One journey, four tests: one process and four processes, each on both databases.
macro_rules! in_every_shape {
    ($($(#[$attribute:meta])* async fn $name:ident($world:ident: World) $body:block)+) => {$(
        mod $name {
            use super::*;

            $(#[$attribute])*
            async fn body($world: World) $body

            #[test]
            fn one_process_sqlite() {
                testkit::run(async { body(World::one_process(testkit::Engine::Sqlite).await).await });
            }

            #[test]
            fn one_process_postgres() {
                testkit::run(async { body(World::one_process(testkit::Engine::Postgres).await).await });
            }

            #[test]
            fn four_processes_sqlite() {
                testkit::run(async { body(World::four_processes(testkit::Engine::Sqlite).await).await });
            }

            #[test]
            fn four_processes_postgres_and_nats() {
                testkit::run(async { body(World::four_processes(testkit::Engine::Postgres).await).await });
            }
        }
    )+};
}
pub(crate) use in_every_shape;
