//! The development key of a data folder, with which the commands here sign their tokens.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use kernel::{Clock, OrgId, Role, Subject};
use rpc::auth::{AUDIENCE, TokenSpec};
use rpc::{DevKey, Signer};

use crate::failure::Failure;

/// Who signs: the folder where `backchannel up` made its key.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct KeyFlags {
    /// The data folder of `backchannel up`, where the development key is
    #[arg(long, value_name = "DIR", env = "BACKCHANNEL_DATA", default_value = "data")]
    pub(crate) data: PathBuf,
    /// The organization
    #[arg(long, default_value = "acme", value_parser = OrgId::parse)]
    pub(crate) org: OrgId,
    /// Whom the token is for: the `audience` of the server's configuration
    #[arg(long, env = "BACKCHANNEL_AUDIENCE", default_value = AUDIENCE, value_parser = NonEmptyStringValueParser::new())]
    pub(crate) audience: String,
}

/// Signs tokens of one organization.
#[derive(Clone)]
pub(crate) struct Minter {
    signer: Signer,
    org: OrgId,
    audience: String,
    ttl: Duration,
}

impl KeyFlags {
    /// The flags that lead to the same key again, where they are not the defaults.
    pub(crate) fn repeated(&self) -> String {
        let mut flags = String::new();
        if self.data.as_os_str() != "data" {
            flags.push_str(&format!(" --data {}", self.data.display()));
        }
        if self.org.as_str() != "acme" {
            flags.push_str(&format!(" --org {}", self.org));
        }
        if self.audience != AUDIENCE {
            flags.push_str(&format!(" --audience {}", self.audience));
        }
        flags
    }

    /// Reads the key. It never makes one: a token signed with a key nobody serves with would only puzzle.
    pub(crate) fn minter(&self, clock: &Clock, ttl: Duration) -> Result<Minter, Failure> {
        if self.data.is_file() {
            let file = self.data.display();
            return Err(Failure(format!(
                "{file} is a file: name the data folder of `backchannel up` with --data"
            )));
        }
        let file = self.data.join(DevKey::FILE);
        let there = file.try_exists().map_err(|error| Failure::because(file.display(), error))?;
        if !there {
            return Err(Failure(format!(
                "there is no development key {}; start `backchannel up` once, or name its folder with --data",
                file.display()
            )));
        }
        let key = DevKey::load_or_make(&self.data, clock.clone())
            .map_err(|error| Failure::because("the development key", error))?;
        let (org, audience) = (self.org.clone(), self.audience.clone());
        Ok(Minter { signer: key.signer(), org, audience, ttl })
    }
}

impl Minter {
    /// A token of this organization.
    pub(crate) fn mint(&self, subject: &str, role: Role, name: Option<&str>) -> Result<String, Failure> {
        let subject = Subject::parse(subject).map_err(|error| Failure::because("the subject", error))?;
        let mut spec = TokenSpec::new(self.org.clone(), subject, role);
        spec.ttl = self.ttl;
        spec.audience.clone_from(&self.audience);
        spec.name = name.map(ToOwned::to_owned);
        self.signer.mint(&spec).map_err(|error| Failure::because("the token", error))
    }
}
