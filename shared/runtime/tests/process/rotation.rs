//! The identity provider's keys change while the process serves.
use std::path::Path;
use std::time::Duration;

use crate::support::*;
use kernel::{Clock, OrgId, Role, Subject};
use rpc::{DevKey, Signer, TokenSpec};
use tonic::Code;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Routes;

const ISSUER: &str = "https://id.example";

/// Who vouches for what services say to one another.
const SERVICES: &str = "backchannel-services";

/// A new key pair, in a folder of its own below this one.
fn key(folder: &Path, name: &str) -> Signer {
    DevKey::load_or_make(&folder.join(name), Clock::system()).unwrap().signer()
}

/// The public halves of these keys in one set, as the provider publishes it.
fn set(keys: &[&Signer]) -> String {
    let one = |key: &&Signer| key.jwks().replace(r#"{"keys":["#, "").replace("]}", "");
    let keys: Vec<String> = keys.iter().map(one).collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

/// A person's token, as the provider makes it.
fn bearer(key: &Signer) -> MetadataValue<Ascii> {
    token(key, ISSUER, Role::Agent)
}

fn token(key: &Signer, issuer: &str, role: Role) -> MetadataValue<Ascii> {
    let mut spec = TokenSpec::new(OrgId::parse("acme").unwrap(), Subject::parse("notes").unwrap(), role);
    spec.issuer = issuer.to_owned();
    format!("Bearer {}", key.mint(&spec).unwrap()).parse().unwrap()
}

/// Whether the token is believed. People may not call what the stub serves, and are told so if it is.
async fn accepts(process: &Process, bearer: &MetadataValue<Ascii>) -> bool {
    match notify(process.channel(), bearer.clone()).await {
        Ok(_) => true,
        Err(status) if status.code() == Code::PermissionDenied => true,
        Err(status) => {
            assert_eq!(status.code(), Code::Unauthenticated, "{status}");
            false
        }
    }
}

/// Ten seconds go by at once, and the process has time to look at its files.
async fn a_look_later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(20)).await;
}

#[tokio::test]
async fn keys_change_without_a_restart_and_no_good_token_is_refused() {
    const LOOKS: usize = 100;
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (key(folder.path(), "old"), key(folder.path(), "new"));
    key(folder.path(), "services");
    let published = folder.path().join("published.json");
    std::fs::write(&published, set(&[&old])).unwrap();
    let process = start(vec![unit(Duration::ZERO, Routes::default(), vec![])], |config| {
        config.issuer = Some(ISSUER.to_owned());
        config.keys.jwks = Some(published.clone());
        config.keys.signing = Some(folder.path().join("services").join(DevKey::FILE));
    })
    .await;
    let (old_token, new_token) = (bearer(&old), bearer(&new));
    assert!(accepts(&process, &old_token).await);
    assert!(!accepts(&process, &new_token).await, "not published yet");

    // First both keys are published, then the provider signs with the new one.
    std::fs::write(&published, set(&[&old, &new])).unwrap();
    let mut looks = 0;
    while !accepts(&process, &new_token).await {
        assert!(accepts(&process, &old_token).await, "the old key is still good");
        looks += 1;
        assert!(looks < LOOKS, "the new key is never accepted");
        a_look_later().await;
    }
    assert!(accepts(&process, &old_token).await, "the old key is still good");

    for broken in ["", "{", r#"{"keys":[]}"#] {
        std::fs::write(&published, broken).unwrap();
        for _ in 0..5 {
            a_look_later().await;
            assert!(accepts(&process, &old_token).await, "a broken file changes nothing");
            assert!(accepts(&process, &new_token).await, "a broken file changes nothing");
        }
    }
    std::fs::remove_file(&published).unwrap();
    a_look_later().await;
    assert!(accepts(&process, &new_token).await, "a missing file changes nothing");

    // A key that is taken out takes its tokens with it.
    std::fs::write(&published, set(&[&new])).unwrap();
    let mut looks = 0;
    while accepts(&process, &old_token).await {
        assert!(accepts(&process, &new_token).await, "the new key is good");
        looks += 1;
        assert!(looks < LOOKS, "the old key is never given up");
        a_look_later().await;
    }
    assert!(accepts(&process, &new_token).await, "the new key is good");
    for issuer in [ISSUER, SERVICES] {
        assert!(!accepts(&process, &token(&new, issuer, Role::Service)).await, "a service of the provider's");
    }
    let own = notify(process.channel(), token(&process.running.signer, SERVICES, Role::Service)).await;
    assert!(own.is_ok(), "services trust one another whatever the provider publishes: {own:?}");
    assert!(process.running.stop().await);
}
