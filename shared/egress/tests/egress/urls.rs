//! Which URLs may be named.

use std::sync::Arc;

use egress::{Egress, EgressSettings, Failure};
use proptest::prelude::*;

use crate::support::{Fake, get, lax, over};

fn production() -> Egress {
    Egress::new(&EgressSettings::default()).unwrap()
}

// D8
#[test]
fn a_webhooks_url_is_https_with_a_host_and_without_a_password() {
    let egress = production();
    for good in [
        "https://example.com",
        "https://example.com/hook?token=a%20b",
        "https://EXAMPLE.com:8443/",
        "https://8.8.8.8/",
        "https://[2606:2800:220:1::1]:443/x",
        "https://xn--bcher-kva.example/",
    ] {
        assert!(egress.admit(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "example.com",
        "/hook",
        "//example.com/hook",
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https://",
        "https:///hook",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com/#part",
        "https://exam ple.com/",
        "https://example.com/\r\nx: y",
        "https://bücher.example/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:/",
        "https://[::1/",
        "https://[]/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
    ] {
        assert!(egress.admit(bad).is_err(), "{bad:?}");
    }
    assert!(egress.admit(&format!("https://example.com/{}", "x".repeat(2048))).is_err());
}

// D8
#[test]
fn what_development_allows_is_only_what_it_says() {
    let egress = Egress::new(&lax()).unwrap();
    assert!(egress.admit("http://127.0.0.1:8080/hook").is_ok());
    assert!(egress.admit("http://user@127.0.0.1/").is_err() && egress.admit("ftp://127.0.0.1/").is_err());
    let http_alone = Egress::new(&EgressSettings { allow_http: true, ..Default::default() }).unwrap();
    assert!(http_alone.admit("http://127.0.0.1/").is_err());
}

// Fault 28
#[tokio::test]
async fn a_request_is_checked_like_a_url_that_somebody_names() {
    let network = Arc::new(Fake::default());
    let egress = over(&network, &EgressSettings::default());
    for bad in ["http://example.com/", "https://user:pass@example.com/", "https://127.0.0.1/"] {
        assert_eq!(get(&egress, bad).await.unwrap_err(), Failure::BadUrl, "{bad}");
    }
    assert_eq!((network.dialled().len(), *network.resolved.lock().unwrap()), (0, 0));
}

// Fault 32
#[test]
fn a_url_is_not_shown_by_accident() {
    let url = production().admit("https://example.com/secret").unwrap();
    assert!(!format!("{url:?}").contains("secret"));
    assert_eq!(url.host(), "example.com");
}

proptest! {
    // Fault 30
    #[test]
    fn no_text_makes_reading_a_url_panic_and_what_passes_has_a_host(text in "(https?://)?\\PC{0,80}") {
        if let Ok(url) = production().admit(&text) {
            prop_assert!(text.to_lowercase().starts_with("https://") && !url.host().is_empty() && !text.contains('@'));
        }
    }
}
