//! Tokens that must not open anything (faults 22 and 23), and those that must.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use kernel::{Clock, Role, Timestamp};
use rpc::{Keys, TokenRefused, Verifier};
use serde_json::json;

use crate::forge::{Forge, NOW, SERVICES, bad_tokens, claims, signed};
use crate::support::{signer, spec};

#[test]
fn no_bad_token_is_accepted() {
    let forge = Forge::new();
    assert!(forge.verifier.verify(&forge.with_claims(json!({}))).is_ok(), "the table changes a good token");
    let bad = bad_tokens(&forge);
    assert!(bad.len() >= 200, "{}", bad.len());
    let accepted: Vec<_> =
        bad.iter().filter(|(_, token)| forge.verifier.verify(token).is_ok()).map(|(what, _)| what).collect();
    assert!(accepted.is_empty(), "accepted of {}: {accepted:#?}", bad.len());
}

#[test]
fn the_services_own_key_and_issuer_make_a_service() {
    let forge = Forge::new();
    let token = forge.by("ec", json!({"iss": SERVICES, "role": "service", "sub": "notes"}));
    assert_eq!(forge.verifier.verify(&token).map(|caller| caller.role), Ok(Role::Service));
}

#[test]
fn each_of_the_three_algorithms_opens_with_its_own_key() {
    let forge = Forge::new();
    for (kid, alg, key, algorithm) in [
        ("ed", "EdDSA", &forge.key, Algorithm::EdDSA),
        ("rsa", "RS256", &forge.rsa, Algorithm::RS256),
        ("ec", "ES256", &forge.ec, Algorithm::ES256),
    ] {
        let header = json!({"alg": alg, "kid": kid}).to_string();
        let token = signed(&header, &claims().to_string(), key, algorithm);
        assert_eq!(forge.verifier.verify(&token).map(|caller| caller.role), Ok(Role::Agent), "{alg}");
    }
}

#[test]
fn what_the_standard_allows_is_accepted() {
    let forge = Forge::new();
    for change in [
        json!({"aud": ["other", "backchannel"]}),
        json!({"exp": NOW - 29}),
        json!({"nbf": NOW + 29}),
        json!({"exp": NOW as f64 + 0.5}),
        json!({"name": 7, "preferred_username": null, "iat": "yesterday", "extra": {}}),
    ] {
        assert!(forge.verifier.verify(&forge.with_claims(change.clone())).is_ok(), "{change}");
    }
    // Where a key could be fetched from is not looked at: the token is judged by the key we have.
    let elsewhere =
        json!({"jku": "https://evil/jwks.json", "x5u": "https://evil", "jwk": {"kty": "oct", "k": "AA"}});
    assert!(forge.verifier.verify(&forge.with_header(elsewhere)).is_ok());
    assert!(forge.verifier.verify(&forge.with_header(json!({"typ": "at+jwt"}))).is_ok());
}

#[test]
fn a_name_that_could_break_a_header_is_dropped() {
    let forge = Forge::new();
    let names = json!({"name": "Ana\r\nBcc: all", "preferred_username": "ana"});
    let caller = forge.verifier.verify(&forge.with_claims(names)).unwrap();
    assert_eq!((caller.name.as_deref(), caller.username.as_deref()), (None, Some("ana")));
}

#[test]
fn a_cached_token_ends_with_its_time() {
    let forge = Forge::new();
    let token = forge.with_claims(json!({"exp": NOW + 60}));
    assert!(forge.verifier.verify(&token).is_ok());
    forge.hand.advance(Duration::from_secs(59));
    assert!(forge.verifier.verify(&token).is_ok());
    forge.hand.advance(Duration::from_secs(30));
    assert!(forge.verifier.verify(&token).is_ok(), "within the leeway");
    forge.hand.advance(Duration::from_secs(1));
    assert_eq!(forge.verifier.verify(&token).err(), Some(TokenRefused::Expired));
}

#[test]
fn a_rotation_refuses_no_good_token_and_a_removed_key_opens_nothing() {
    let (clock, _hand) = Clock::fake(Timestamp::from_micros(NOW * 1_000_000));
    let (old, new) = (signer(1, &clock), signer(2, &clock));
    let keys = |signer: &rpc::Signer| Keys::from_jwks(&signer.jwks()).unwrap();
    let verifier = Verifier::new(keys(&old), vec!["backchannel-dev".into()], "backchannel", clock);
    let (first, second) =
        (old.mint(&spec("ana", Role::Agent)).unwrap(), new.mint(&spec("ana", Role::Agent)).unwrap());
    assert!(verifier.verify(&first).is_ok() && verifier.verify(&second).is_err());
    verifier.replace_keys(keys(&old).and(keys(&new)).unwrap());
    assert!(verifier.verify(&first).is_ok() && verifier.verify(&second).is_ok());
    verifier.replace_keys(keys(&new));
    assert_eq!(verifier.verify(&first).err(), Some(TokenRefused::UnknownKey), "also from the cache");
    assert!(verifier.verify(&second).is_ok());
}

#[test]
fn a_key_set_that_cannot_be_trusted_is_refused() {
    let good = r#"{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert!(Keys::from_jwks(&format!(r#"{{"keys":[{good}]}}"#)).is_ok());
    let private = good.replace('}', r#","d":"AAAA"}"#);
    let short = good.replace("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "AAAA");
    let weak =
        format!(r#"{{"kty":"RSA","kid":"r","n":"{}","e":"AQAB"}}"#, URL_SAFE_NO_PAD.encode([255; 128]));
    for keys in [
        "",
        "x",
        &format!("{good},{good}"),
        &private,
        &short,
        &weak,
        r#"{"kty":"oct","kid":"h","k":"c2VjcmV0"}"#,
        &good.replace(r#""kid":"a","#, ""),
        &good.replace("OKP", "RSA"),
    ] {
        assert!(Keys::from_jwks(&format!(r#"{{"keys":[{keys}]}}"#)).is_err(), "{keys}");
    }
}

#[test]
fn the_development_key_is_made_once_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let dir = dir.path().to_owned();
            std::thread::spawn(move || {
                rpc::DevKey::load_or_make(&dir, Clock::system()).unwrap().signer().jwks()
            })
        })
        .collect();
    let mut made: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    made.dedup();
    assert_eq!(made.len(), 1, "eight at once make one key");
    let mode = std::fs::metadata(dir.path().join(rpc::DevKey::FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(dir.path().join("jwks.json")).unwrap(), made[0]);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no drafts stay");
}
