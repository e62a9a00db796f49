//! In whose name pushes are sent: the keys that an operator names, and the one that is made for development.

use p256::SecretKey;
use p256::pkcs8::{EncodePrivateKey, LineEnding};

use super::google::Google;
use super::open;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use notifications::config::PushConfig;
use std::path::Path;

/// What is said of a setting that cannot be used.
fn refusal(change: impl FnOnce(&mut PushConfig, &Path)) -> String {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), change).0.unwrap_err().to_string()
}

// D5
#[test]
fn a_key_is_read_in_every_form_that_tools_write_it_in() {
    let key = SecretKey::from_slice(&[7; 32]).unwrap();
    let number = URL_SAFE_NO_PAD.encode(key.to_bytes());
    let forms = [
        key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string(),
        key.to_sec1_pem(LineEnding::CRLF).unwrap().to_string(),
        format!("{number}\n"),
        format!("{number}="),
    ];
    let mut public = Vec::new();
    for form in forms {
        let folder = tempfile::tempdir().unwrap();
        let (services, _) = open(folder.path(), |config, folder| {
            std::fs::write(folder.join("key"), form).unwrap();
            config.vapid_key = Some(folder.join("key"));
            config.vapid_contact = Some("https://example.com/contact".to_owned());
        });
        public.push(services.unwrap().web_push.unwrap().public_key().to_owned());
    }
    assert!(public.iter().all(|key| *key == public[0]), "{public:?}");
    let bytes = URL_SAFE_NO_PAD.decode(&public[0]).unwrap();
    assert_eq!((bytes.len(), bytes[0]), (65, 4), "as browsers take it");
}

// D5 P8
#[test]
fn a_setting_that_cannot_be_used_is_named_with_what_to_do_and_without_what_is_secret() {
    let keys = ["canary", "", "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----", "AAAA"];
    for text in keys {
        let said = refusal(|config, folder| {
            std::fs::write(folder.join("key"), text).unwrap();
            config.vapid_key = Some(folder.join("key"));
            config.vapid_contact = Some("mailto:ops@example.com".to_owned());
        });
        assert!(said.starts_with("push.vapid_key: ") && said.contains("openssl"), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
    let said = refusal(|config, folder| config.vapid_key = Some(folder.join("absent")));
    assert!(said.starts_with("push.vapid_"), "{said}");
    for contact in [
        None,
        Some(""),
        Some("ops@example.com"),
        Some("mailto:"),
        Some("http://example.com"),
        Some("mailto:a@b\n"),
    ] {
        let said = refusal(|config, folder| {
            let key = SecretKey::from_slice(&[7; 32]).unwrap().to_pkcs8_pem(LineEnding::LF).unwrap();
            std::fs::write(folder.join("key"), key.as_bytes()).unwrap();
            config.vapid_key = Some(folder.join("key"));
            config.vapid_contact = contact.map(str::to_owned);
        });
        assert!(said.starts_with("push.vapid_contact: ") && said.contains("mailto:"), "{contact:?}: {said}");
    }
    for text in ["canary", "{}", r#"{"project_id": "p", "client_email": "e", "private_key": "canary"}"#] {
        let said = refusal(|config, folder| {
            std::fs::write(folder.join("account"), text).unwrap();
            config.fcm_service_account = Some(folder.join("account"));
        });
        assert!(said.starts_with("push.fcm_service_account: ") && !said.contains("canary"), "{said}");
    }
    let said = refusal(|config, _| config.fcm_address = "fcm.googleapis.com".to_owned());
    assert!(said.starts_with("push.fcm_address: "), "{said}");
}

// D5
#[test]
fn a_development_key_is_made_once_and_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let public = || {
        let (services, _) = open(folder.path(), |_, _| {});
        services.unwrap().web_push.unwrap().public_key().to_owned()
    };
    let keys: Vec<String> = std::thread::scope(|all| {
        let threads: Vec<_> = (0..8).map(|_| all.spawn(public)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| *key == keys[0]), "whoever comes second uses the first one's");
    let file = std::fs::metadata(folder.path().join("vapid-key.pem")).unwrap();
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
}

// D5 P9
#[test]
fn no_secret_is_in_debug_output() {
    testkit::run(async {
        let google = Google::open().await;
        let folder = tempfile::tempdir().unwrap();
        let (services, _) = open(folder.path(), |config, folder| {
            google.account(&folder.join("account.json"));
            config.fcm_service_account = Some(folder.join("account.json"));
            config.fcm_address = google.server.url.clone();
        });
        let said = format!("{:?}", services.unwrap());
        let pem = std::fs::read_to_string(folder.path().join("vapid-key.pem")).unwrap();
        let secret = pem.lines().nth(1).unwrap();
        assert!(
            !said.contains(secret) && !said.contains("PRIVATE KEY") && !said.contains("token-"),
            "{said}"
        );
    });
}
