//! What tokens are verified and signed with.

use std::path::Path;
use std::sync::Arc;

use kernel::Clock;
use rpc::DevKey;

use super::Finding;
use super::places::open_to_all;
use crate::config::Config;
use crate::credentials::Credentials;

/// What was found of them, and the keys themselves where they can be used. None is made.
pub(super) fn look(config: &Config, clock: &Clock) -> (Vec<Finding>, Option<Arc<Credentials>>) {
    let named = config.keys.jwks.is_some() || config.keys.signing.is_some();
    let development = config.data.join(DevKey::FILE);
    if !named && !development.exists() {
        let text = format!("there is no development key in {} yet", config.data.display());
        let advice = "the first start makes one; for people's own tokens name keys.jwks and keys.signing";
        return (vec![Finding::doubtful("keys", text, advice)], None);
    }
    let credentials = match Credentials::read(config, clock) {
        Ok(credentials) => credentials,
        Err(error) => return (vec![Finding::ill("keys", error.to_string(), "")], None),
    };
    let mut found = vec![if named { of_an_issuer(config, &credentials) } else { of_development(config) }];
    found.extend((named && config.keys.seal.is_none()).then(sealed_by_signing));
    let secrets = config.keys.signing.iter().chain(&config.keys.seal).chain(&config.keys.seals_before);
    found.extend(secrets.filter_map(|secret| readable_by_all(secret)));
    (found, Some(credentials))
}

fn of_development(config: &Config) -> Finding {
    Finding::doubtful(
        "keys",
        format!("tokens are verified with the development key in {}", config.data.display()),
        "good for trying things out; for people's own tokens name keys.jwks and keys.signing",
    )
}

fn of_an_issuer(config: &Config, credentials: &Credentials) -> Finding {
    let issuer = config.issuer.as_deref().unwrap_or_default();
    let theirs = credentials.key_set.as_ref().map_or(0, |set| set.of_others());
    if theirs == 0 {
        return Finding::doubtful(
            "keys",
            format!("keys.jwks has no key but that of the services themselves: who signs for {issuer}?"),
            "put the public keys of your identity provider into it; it is read again within 10 s",
        );
    }
    Finding::well("keys", format!("{theirs} of {issuer}, and one for calls between services"))
}

fn sealed_by_signing() -> Finding {
    Finding::doubtful(
        "keys.seal",
        "is not named: another keys.signing would end every unsubscribe link in emails that were sent",
        "openssl rand -out seal.bin 32, name it keys.seal, and today's keys.signing among keys.seals_before",
    )
}

pub(super) fn readable_by_all(secret: &Path) -> Option<Finding> {
    let readable = secret.metadata().is_ok_and(|file| open_to_all(&file));
    readable.then(|| {
        Finding::doubtful(
            format!("file {}", secret.display()),
            "is a secret, and all users of this machine may read it",
            format!("chmod 600 {}", secret.display()),
        )
    })
}
