//! The certificate: readable, with its own key, good for a while yet, and signed by whom peers and callers trust.

use std::time::Duration;

use kernel::{Clock, Timestamp};
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::pki_types::UnixTime;
use tokio_rustls::rustls::server::ParsedCertificate;

use super::Finding;
use super::keys::readable_by_all;
use crate::config::{Config, TlsFiles};
use crate::tls::{Material, Tls, Validity, provider};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Whoever renews certificates does it earlier than this.
const SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What was found, and TLS for calls to peers where it can be had.
pub(super) fn look(config: &Config, clock: &Clock) -> (Vec<Finding>, Option<Tls>) {
    let tls = match Tls::of(config, clock) {
        Ok(tls) => tls,
        Err(error) => {
            let advice =
                "correct it; a certificate for trying things out is made by `backchannel certificates`";
            return (vec![Finding::ill("certificate", error.to_string(), advice)], None);
        }
    };
    // It was read a moment ago.
    let material = Material::read(&config.tls).ok().filter(|_| tls.is_some());
    (material.map(|material| judge(&material, &config.tls, clock.now())).unwrap_or_default(), tls)
}

fn judge(material: &Material, files: &TlsFiles, now: Timestamp) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(own) = material.identity.as_ref().and_then(|identity| identity.chain.first()) {
        found.push(age("certificate", "tls.certificate", Validity::of(own), now));
        found.extend(signed(material, now));
        found.extend(files.key.as_deref().and_then(readable_by_all));
    }
    for authority in material.authority.iter().flatten() {
        found.push(age("authority", "tls.authority", Validity::of(authority), now));
    }
    found
}

/// How long a certificate is good for yet.
fn age(about: &str, key: &str, validity: Option<Validity>, now: Timestamp) -> Finding {
    let Some(Validity { begins, ends }) = validity else {
        return Finding::ill(
            about,
            format!("{key} has a certificate that says not when it ends"),
            "name another",
        );
    };
    if now < begins {
        let advice = "let this machine and that of the authority take their time from a time server";
        return Finding::ill(
            about,
            format!("{key} is not good yet: it begins in {}", days(begins.since(now))),
            advice,
        );
    }
    if ends <= now {
        let text = format!("{key} has ended {} ago: nobody takes it any more", days(now.since(ends)));
        return Finding::ill(
            about,
            text,
            "renew it; a process takes the new one within 10 s, without a restart",
        );
    }
    let text = format!("{key} is good for {} yet", days(ends.since(now)));
    if ends.since(now) < SOON {
        let advice = "see that it is renewed; a process takes the new one within 10 s, without a restart";
        return Finding::doubtful(about, text, advice);
    }
    Finding::well(about, text)
}

fn days(span: Duration) -> String {
    match span.as_secs() / DAY.as_secs() {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        more => format!("{more} days"),
    }
}

/// Whether the authority is the one that has signed the certificate.
fn signed(material: &Material, now: Timestamp) -> Option<Finding> {
    material.authority.as_ref()?;
    let (own, between) = material.identity.as_ref()?.chain.split_first()?;
    let (roots, own) = (material.roots().ok()?, ParsedCertificate::try_from(own).ok()?);
    // By the age of its own it was judged before: here it counts who has signed.
    let then =
        Validity::of(&material.identity.as_ref()?.chain[0]).map_or(now, |it| now.clamp(it.begins, it.ends));
    let then = UnixTime::since_unix_epoch(then.since(Timestamp::from_micros(0)));
    let algorithms = provider().signature_verification_algorithms.all;
    let verified = verify_server_cert_signed_by_trust_anchor(&own, &roots, between, then, algorithms);
    verified.err().map(|error| {
        Finding::ill(
            "certificate",
            format!("tls.certificate is not signed by tls.authority: {error}"),
            "take both from the same authority; tls.certificate needs those between it and the authority, too",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use crate::tls::DevAuthority;

    fn now() -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000)
    }

    fn authority(folder: &std::path::Path) -> DevAuthority {
        DevAuthority::load_or_make(folder, Clock::fake(now()).0).unwrap()
    }

    fn judged(folder: &std::path::Path, now: Timestamp) -> Vec<Finding> {
        let at = |name: &str| Some(folder.join(name));
        let (certificate, key, authority) = (at("tls.crt"), at("tls.key"), at("ca.crt"));
        let files = TlsFiles { certificate, key, authority, mutual: false };
        judge(&Material::read(&files).unwrap(), &files, now)
    }

    // G8
    #[test]
    fn a_certificate_is_judged_by_its_end_and_by_who_signed_it() {
        let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        authority(ours.path()).issue_into(ours.path(), &["notes"], 30).unwrap();
        let later = |days: u32| now().plus(DAY * days);
        for (at, verdict, said) in [
            (now(), Verdict::Well, "30 days"),
            (later(20), Verdict::Doubtful, "10 days"),
            (later(31), Verdict::Ill, "has ended"),
            (now().minus(DAY), Verdict::Ill, "not good yet"),
        ] {
            let found = judged(ours.path(), at);
            assert_eq!((found[0].about.as_str(), found[0].verdict), ("certificate", verdict), "{found:?}");
            assert!(found[0].text.contains(said), "{found:?}");
            assert!(found.iter().all(|it| !it.text.contains("not signed")), "{found:?}");
        }
        let other = authority(theirs.path());
        std::fs::write(ours.path().join("ca.crt"), other.certificate()).unwrap();
        let found = judged(ours.path(), now());
        assert!(
            found.iter().any(|it| it.verdict == Verdict::Ill && it.text.contains("not signed")),
            "{found:?}"
        );
    }
}
