//! The configuration of a process: a file, then the environment, then flags; unknown keys are refused.
//!
//! ```toml
//! listen = "127.0.0.1:50051"     # BACKCHANNEL_LISTEN
//! database = "postgres://..."    # BACKCHANNEL_DATABASE; absent: SQLite files under `data`
//!
//! [peers]
//! routing = "http://routing:50051"   # BACKCHANNEL_PEERS__ROUTING
//!
//! [notifications]                # what that service alone understands, see its src/config.rs
//! ```

mod bounds;
mod load;
mod secret;
#[cfg(test)]
mod tests;
mod wrong;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

pub use load::Overrides;
pub use secret::{Secret, Section};
pub(crate) use wrong::ADDRESS;
pub use wrong::ConfigError;

/// Everything a process can be told. See the fields for defaults.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where gRPC and gRPC-Web are served. Default `127.0.0.1:50051`; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The internal address: `/metrics`, `/healthz`, `/readyz`, `/jwks.json` and gRPC reflection. Default `127.0.0.1:9464`.
    pub metrics: SocketAddr,
    /// The folder of the SQLite files and of the development key. Default `./data`.
    pub data: PathBuf,
    /// `postgres://...`: a schema per service there. Absent: one SQLite file per service under `data`.
    pub database: Option<Secret>,
    /// `nats://...`, for wake-ups between processes. Absent: inside this process only.
    pub nats: Option<Secret>,
    /// Connections per service's database, for reading on SQLite. Default: what suits it, see [`db::Target`].
    pub database_connections: Option<u32>,
    /// The `iss` that people's tokens must carry. Needed with `keys.jwks`; the development key has its own.
    pub issuer: Option<String>,
    /// The `aud` that tokens must carry. Default `backchannel`.
    pub audience: String,
    /// Keys to verify and to sign tokens with.
    pub keys: KeyFiles,
    /// Encryption of the public address and of calls to peers.
    pub tls: TlsFiles,
    /// How much a process takes before it refuses.
    pub limits: rpc::Limits,
    /// How much the listener takes.
    pub connections: Connections,
    /// Where the services are that this process does not run itself.
    pub peers: PeerAddresses,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// How to stop.
    pub shutdown: ShutdownConfig,
    /// Whether reflection is on the public address too, as `backchannel up` has it. Default false.
    pub public_reflection: bool,
    /// What only the service of that name understands; read it with [`Config::section`].
    pub contacts: Section,
    /// As `contacts`.
    pub routing: Section,
    /// As `contacts`.
    pub notes: Section,
    /// As `contacts`.
    pub notifications: Section,
}

/// Files with keys. Neither named: a development key is made in [`Config::data`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyFiles {
    /// The public keys that tokens are verified with, as a JWKS file. Read again within 10 s of a change: keys are
    /// rotated without a restart.
    pub jwks: Option<PathBuf>,
    /// The Ed25519 key (PKCS#8 PEM) that this process signs service tokens with, the same for all
    /// processes of a suite. Tokens with the role `service` are taken from this key only.
    pub signing: Option<PathBuf>,
    /// At least 32 random bytes that page and resume tokens and the links in emails are sealed with, the same for all
    /// replicas. Absent: derived from the signing key, and another one ends them all.
    pub seal: Option<PathBuf>,
    /// Files that were `keys.seal` before, or signing keys that a seal was derived from: what was sealed with them still opens.
    pub seals_before: Vec<PathBuf>,
}

/// Files for TLS, in PEM. None named: nothing is encrypted. They are read again within 10 s of a change: certificates are renewed
/// without a restart, and without the end of a connection. The internal address is never encrypted: probes cannot do it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate of this process, with those between it and the authority. With it, gRPC is served over TLS only; where
    /// peers ask for a certificate, it is shown to them.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// The authorities that must have signed the certificates of peers at `https://`, and those of callers with `mutual`. More than
    /// one while one takes over from another. Absent: those that the system trusts.
    pub authority: Option<PathBuf>,
    /// Whether callers must show a certificate of `authority`. Default false.
    pub mutual: bool,
}

/// Addresses of peers, as `http://host:port`, or `https://host:port` where they serve with [`TlsFiles`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PeerAddresses {
    /// The contacts service.
    pub contacts: Option<String>,
    /// The assignment-routing service.
    pub routing: Option<String>,
    /// The notes service.
    pub notes: Option<String>,
    /// The notifications service.
    pub notifications: Option<String>,
}

impl PeerAddresses {
    /// Every peer there can be, by name.
    pub(crate) fn all(&self) -> [(&'static str, Option<&String>); 4] {
        [
            ("contacts", self.contacts.as_ref()),
            ("routing", self.routing.as_ref()),
            ("notes", self.notes.as_ref()),
            ("notifications", self.notifications.as_ref()),
        ]
    }
}

/// Bounds of the listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// Connections open at once; more wait in the kernel's queue.
    pub open: usize,
    /// HTTP/2 streams open at once on a connection.
    pub streams: u32,
    /// Bytes of a request's headers, names included.
    pub header_bytes: u32,
    /// TLS handshakes under way at once; further ones wait for a place in their time.
    pub handshakes: usize,
    /// Milliseconds a new connection has for its TLS handshake; then it is closed.
    pub handshake_ms: u64,
    /// Milliseconds a new connection has to send its first request's headers, whatever it sends before; then it is closed.
    pub first_request_ms: u64,
    /// Milliseconds between HTTP/2 pings on a connection; one without an answer for 10 s is closed.
    pub keep_alive_ms: u64,
    /// Milliseconds an answer may wait until its reader takes more of it; then the connection is closed.
    pub stalled_ms: u64,
}

impl Default for Connections {
    fn default() -> Self {
        Connections {
            open: 10_000,
            streams: 512,
            header_bytes: 16 * 1024,
            handshakes: 256,
            handshake_ms: 5_000,
            first_request_ms: 10_000,
            keep_alive_ms: 20_000,
            stalled_ms: 30_000,
        }
    }
}

/// Logs and traces.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// What is logged, in the syntax of `RUST_LOG` (which wins if set). Default `info`.
    pub filter: String,
    /// How it is written to standard error. Default by terminal.
    pub format: LogFormat,
    /// Where traces go (`http://collector:4317`). Also `OTEL_EXPORTER_OTLP_ENDPOINT`. Absent: nowhere.
    pub otlp: Option<String>,
    /// The share of traces begun here that is kept, 0 to 1. Default 1.
    pub sample: f64,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// `Pretty` on a terminal, `Json` otherwise.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Pretty,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        TelemetryConfig { filter: "info".to_owned(), format: LogFormat::Auto, otlp: None, sample: 1.0 }
    }
}

/// How to stop. The steps together stay under 25 s.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownConfig {
    /// Milliseconds between NOT_SERVING and refusing connections, for balancers to notice; at most 5,000. Default 0:
    /// set it where there is a balancer.
    pub balancer_wait_ms: u64,
}

impl ShutdownConfig {
    /// The longest wait: the other steps need the rest of 25 s.
    const BALANCER_WAIT_MOST_MS: u64 = 5_000;

    pub(crate) fn balancer_wait(&self) -> Duration {
        Duration::from_millis(self.balancer_wait_ms.min(Self::BALANCER_WAIT_MOST_MS))
    }
}

impl Config {
    /// Reads one service's own section.
    ///
    /// # Errors
    /// [`ConfigError`] naming the key that is unknown or has a bad value.
    pub fn section<T: DeserializeOwned>(&self, service: &'static str) -> Result<T, ConfigError> {
        let (name, section) = match service {
            "contacts" => ("contacts", &self.contacts),
            "routing" | "assignment-routing" => ("routing", &self.routing),
            "notes" => ("notes", &self.notes),
            "notifications" => ("notifications", &self.notifications),
            _ => return Err(ConfigError::no_section(service)),
        };
        load::section(name, section)
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 50_051)),
            metrics: SocketAddr::from(([127, 0, 0, 1], 9_464)),
            data: PathBuf::from("data"),
            database: None,
            nats: None,
            database_connections: None,
            issuer: None,
            audience: rpc::auth::AUDIENCE.to_owned(),
            keys: KeyFiles::default(),
            tls: TlsFiles::default(),
            limits: rpc::Limits::default(),
            connections: Connections::default(),
            peers: PeerAddresses::default(),
            telemetry: TelemetryConfig::default(),
            shutdown: ShutdownConfig::default(),
            public_reflection: false,
            contacts: Section::default(),
            routing: Section::default(),
            notes: Section::default(),
            notifications: Section::default(),
        }
    }
}
