//! The keys of a process: what it verifies with, signs with and seals with.

use std::path::Path;
use std::sync::Arc;

use kernel::{Clock, PageSeal, Subject};
use rpc::auth::{DEV_ISSUER, ServiceKey};
use rpc::{DevKey, ServiceTokens, Signer, Verifier};
use sha2::{Digest, Sha256};

use crate::config::{Config, ConfigError};
use crate::key_set::{KeySet, PublicKeys};

/// Who vouches for the tokens of services that have a signing key. No other key may say so, and nobody else may say
/// that somebody is a service.
const SERVICE_ISSUER: &str = "backchannel-services";

const SEAL_MIN_BYTES: usize = 32;

pub(crate) struct Credentials {
    pub(crate) verifier: Verifier,
    /// Where the verifier's keys come from, if from a file that may change.
    pub(crate) key_set: Option<KeySet>,
    /// The same keys for others.
    pub(crate) public_keys: PublicKeys,
    pub(crate) signer: Signer,
    pub(crate) seal: PageSeal,
    audience: String,
    service_issuer: &'static str,
    clock: Clock,
}

impl Credentials {
    /// Reads the configured keys, or the development key, made now if there is none.
    pub(crate) fn read(config: &Config, clock: &Clock) -> Result<Arc<Self>, ConfigError> {
        let read = match (&config.keys.jwks, &config.keys.signing) {
            (Some(jwks), Some(signing)) => Self::configured(config, jwks, signing, clock),
            (None, None) => Self::development(config, clock),
            (None, Some(_)) => Err(ConfigError::bad_value("keys.jwks", "needed beside keys.signing")),
            (Some(_), None) => Err(ConfigError::bad_value(
                "keys.signing",
                "needed beside keys.jwks, as services sign the calls they make to one another",
            )),
        };
        read.map(Arc::new)
    }

    fn configured(config: &Config, jwks: &Path, signing: &Path, clock: &Clock) -> Result<Self, ConfigError> {
        let Some(issuer) = config.issuer.clone() else {
            return Err(ConfigError::bad_value("issuer", "needed with keys.jwks"));
        };
        let pem = text("keys.signing", signing)?;
        let signer = Signer::from_pem(&pem, clock.clone())
            .map_err(|error| ConfigError::bad_value("keys.signing", error))?;
        let key_set = KeySet::of(jwks, text("keys.jwks", jwks)?, &signer);
        let keys = key_set.keys().map_err(|error| ConfigError::bad_value("keys.jwks", error))?;
        let services = ServiceKey { issuer: SERVICE_ISSUER.to_owned(), key_id: signer.key_id().to_owned() };
        let (issuers, audience) = (vec![issuer], config.audience.clone());
        Ok(Credentials {
            verifier: Verifier::telling_services_apart(keys, issuers, services, audience, clock.clone()),
            key_set: Some(key_set),
            public_keys: PublicKeys::File(jwks.to_owned()),
            seal: seal(config, &pem)?,
            signer,
            audience: config.audience.clone(),
            service_issuer: SERVICE_ISSUER,
            clock: clock.clone(),
        })
    }

    fn development(config: &Config, clock: &Clock) -> Result<Self, ConfigError> {
        let bad = |error: &dyn std::fmt::Display| ConfigError::bad_value("data", error);
        let key = DevKey::load_or_make(&config.data, clock.clone()).map_err(|error| bad(&error))?;
        let pem = text("data", &config.data.join(DevKey::FILE))?;
        let keys = key.keys().map_err(|error| bad(&error))?;
        tracing::warn!(
            folder = %config.data.display(),
            "tokens are verified with a development key: whoever reads the folder can be anybody"
        );
        let issuers =
            vec![config.issuer.clone().unwrap_or_else(|| DEV_ISSUER.to_owned()), DEV_ISSUER.to_owned()];
        Ok(Credentials {
            verifier: Verifier::new(keys, issuers, config.audience.clone(), clock.clone()),
            key_set: None,
            public_keys: PublicKeys::Fixed(key.signer().jwks()),
            signer: key.signer(),
            seal: seal(config, &pem)?,
            audience: config.audience.clone(),
            service_issuer: DEV_ISSUER,
            clock: clock.clone(),
        })
    }

    /// The tokens of the service of this name for its own calls.
    pub(crate) fn tokens_of(&self, service: &'static str) -> Result<ServiceTokens, ConfigError> {
        let subject = Subject::parse(service).map_err(|error| ConfigError::bad_value(service, error))?;
        Ok(ServiceTokens::issued(
            self.signer.clone(),
            subject,
            self.clock.clone(),
            self.service_issuer.to_owned(),
            self.audience.clone(),
        ))
    }
}

/// The seal of page and resume tokens. Without a file of its own it follows from the signing key, which all replicas
/// share as well.
fn seal(config: &Config, signing_pem: &str) -> Result<PageSeal, ConfigError> {
    let seal = match &config.keys.seal {
        None => PageSeal::new(&derived(signing_pem.as_bytes())),
        Some(file) => PageSeal::new(&sealing("keys.seal", file)?),
    };
    let mut before = Vec::new();
    for file in &config.keys.seals_before {
        let secret = sealing("keys.seals_before", file)?;
        if secret.starts_with(b"-----BEGIN") {
            before.push(derived(&secret));
        }
        before.push(secret);
    }
    Ok(seal.and_before(before))
}

fn derived(signing_pem: &[u8]) -> Vec<u8> {
    let mut secret = Sha256::new_with_prefix("page seal\n");
    secret.update(signing_pem);
    secret.finalize().to_vec()
}

fn sealing(key: &str, file: &Path) -> Result<Vec<u8>, ConfigError> {
    let secret = std::fs::read(file)
        .map_err(|error| ConfigError::bad_value(key, format_args!("{}: {error}", file.display())))?;
    if secret.len() < SEAL_MIN_BYTES {
        return Err(ConfigError::bad_value(key, format_args!("{}: shorter than 32 bytes", file.display())));
    }
    Ok(secret)
}

fn text(key: &str, file: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(file)
        .map_err(|error| ConfigError::bad_value(key, format_args!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(seal: &PageSeal, token: &str) -> bool {
        seal.open::<i64>("k", b"b", token).is_ok()
    }

    // D4
    #[test]
    fn what_was_sealed_before_a_key_was_replaced_still_opens() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let file = folder.path().join(name);
            std::fs::write(&file, content).unwrap();
            file
        };
        let (old_pem, new_pem) =
            (format!("-----BEGIN {}", "a".repeat(40)), format!("-----BEGIN {}", "b".repeat(40)));
        let mut config = Config::default();
        let derived = seal(&config, &old_pem).unwrap().seal("k", b"b", &1);
        assert!(!opens(&seal(&config, &new_pem).unwrap(), &derived), "another signing key alone ends it");

        config.keys.seals_before = vec![file("signing.pem", old_pem.as_bytes())];
        assert!(opens(&seal(&config, &new_pem).unwrap(), &derived));

        config.keys.seal = Some(file("first", &[1; 32]));
        let named = seal(&config, &new_pem).unwrap();
        assert!(opens(&named, &derived));
        let token = named.seal("k", b"b", &1);
        config.keys.seals_before.push(file("first", &[1; 32]));
        config.keys.seal = Some(file("second", &[2; 32]));
        let rotated = seal(&config, &new_pem).unwrap();
        assert!(opens(&rotated, &token) && opens(&rotated, &derived));

        config.keys.seals_before = vec![file("short", &[1; 31])];
        let refused = seal(&config, &new_pem).unwrap_err().to_string();
        assert!(refused.contains("keys.seals_before") && refused.contains("32 bytes"), "{refused}");
    }
}
