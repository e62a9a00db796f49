//! Reading the configuration from its sources.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::Dict;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::Config;

/// The configuration is not usable; the text names the key and where it came from.
#[derive(Debug, Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A key whose value parses but cannot be used.
    pub fn bad_value(key: &str, reason: impl std::fmt::Display) -> Self {
        ConfigError(format!("{key}: {reason}"))
    }

    pub(super) fn no_section(service: &str) -> Self {
        ConfigError(format!("there is no section for {service:?}"))
    }

    fn of(error: &figment::Error) -> Self {
        // Key, kind and source of each problem, but no values: they may be secrets.
        let problems: Vec<String> = error.clone().into_iter().map(|problem| describe(&problem)).collect();
        ConfigError(problems.join("; "))
    }
}

fn describe(problem: &figment::Error) -> String {
    use figment::error::Kind;
    let key = problem.path.join(".");
    let source = problem.metadata.as_ref().map(|from| format!(" (from {})", from.name)).unwrap_or_default();
    match &problem.kind {
        Kind::UnknownField(name, expected) => {
            format!("unknown key {name:?}{source}; known here: {}", expected.join(", "))
        }
        Kind::MissingField(name) => format!("missing key {name:?}"),
        Kind::InvalidType(_, expected) => format!("{key}: expected {expected}{source}"),
        Kind::InvalidValue(_, expected) => format!("{key}: expected {expected}{source}"),
        Kind::Message(text) if key.is_empty() => format!("{text}{source}"),
        Kind::Message(text) => format!("{key}: {text}{source}"),
        _ => format!("{key}: not usable{source}"),
    }
}

/// What was said on the command line; wins over everything else.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Overrides {
    /// [`Config::listen`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// [`Config::metrics`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<SocketAddr>,
    /// [`Config::data`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// [`Config::database`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// [`Config::nats`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nats: Option<String>,
}

/// Variables that start like ours and configure something else: the command line's own and the tests'.
const NOT_CONFIGURATION: [&str; 4] = ["config", "token", "addr", "tools"];

impl Config {
    /// Reads `file` if there is one, then the environment, then `flags`.
    ///
    /// # Errors
    /// [`ConfigError`] if the file is missing, a key is unknown or a value has the wrong form.
    pub fn load(file: Option<&Path>, flags: &Overrides) -> Result<Config, ConfigError> {
        let mut sources = Figment::new();
        if let Some(file) = file {
            sources = sources.merge(Toml::file_exact(file));
        }
        let ours = Env::prefixed("BACKCHANNEL_")
            .filter(|key| !key.starts_with("test_") && NOT_CONFIGURATION.iter().all(|other| key != *other))
            .split("__");
        let standard =
            Env::raw().only(&["OTEL_EXPORTER_OTLP_ENDPOINT"]).map(|_| "telemetry.otlp".into()).split(".");
        sources
            .merge(standard)
            .merge(ours)
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| ConfigError::of(&error))
    }
}

/// Reads one service's section from the values found under its name.
pub(super) fn section<T: DeserializeOwned>(service: &str, values: &Dict) -> Result<T, ConfigError> {
    Figment::from(Serialized::defaults(values))
        .extract()
        .map_err(|error| ConfigError(format!("[{service}] {}", ConfigError::of(&error).0)))
}
