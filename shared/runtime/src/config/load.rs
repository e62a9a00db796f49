//! Reading the configuration from its sources.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map};
use figment::{Figment, Metadata, Profile, Provider};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Config, ConfigError, Secret, Section};

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
const NOT_CONFIGURATION: [&str; 5] = ["config", "token", "addr", "authority", "tools"];

impl Config {
    /// Reads `file` if there is one, then the environment, then `flags`.
    ///
    /// # Errors
    /// [`ConfigError`] if the file is missing, a key is unknown or a value has the wrong form.
    pub fn load(file: Option<&Path>, flags: &Overrides) -> Result<Config, ConfigError> {
        let mut sources = Figment::new();
        if let Some(file) = file {
            sources = sources.merge(TextOf::read(file)?);
        }
        let ours = Env::prefixed("BACKCHANNEL_")
            .filter(|key| !key.starts_with("test_") && NOT_CONFIGURATION.iter().all(|other| key != *other))
            .split("__");
        let standard =
            Env::raw().only(&["OTEL_EXPORTER_OTLP_ENDPOINT"]).map(|_| "telemetry.otlp".into()).split(".");
        let sources = sources.merge(standard).merge(ours).merge(Serialized::defaults(flags));
        let mut config: Config = sources.extract().map_err(|error| ConfigError::of(&error, &sources, ""))?;
        super::bounds::check(&config, &sources)?;
        let addresses = [
            ("database", &config.database, ["postgres://", "postgresql://"]),
            ("nats", &config.nats, ["nats://", "tls://"]),
        ];
        for (key, address, schemes) in addresses {
            let known = |address: &Secret| schemes.iter().any(|scheme| address.reveal().starts_with(scheme));
            if address.as_ref().is_some_and(|address| !known(address)) {
                let reason = format!("must begin with {}", schemes.join(" or "));
                return Err(ConfigError::at(key, &sources, &reason));
            }
        }
        let sections = [
            ("contacts", &mut config.contacts),
            ("routing", &mut config.routing),
            ("notes", &mut config.notes),
            ("notifications", &mut config.notifications),
        ];
        for (name, section) in sections {
            *section = Section::of(sources.focus(name));
        }
        Ok(config)
    }
}

/// A configuration file that was read. The library's own reader says neither which file cannot be read nor what to do.
struct TextOf<'a> {
    file: &'a Path,
    text: String,
}

impl<'a> TextOf<'a> {
    fn read(file: &'a Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|error| ConfigError::no_file(file, &error))?;
        Ok(Self { file, text })
    }
}

impl Provider for TextOf<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::from("TOML file", self.file)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Toml::string(&self.text).data()
    }
}

/// Reads one service's section.
pub(super) fn section<T: DeserializeOwned>(service: &str, section: &Section) -> Result<T, ConfigError> {
    let sources = section.sources();
    sources.extract().map_err(|error| ConfigError::of(&error, sources, service))
}
