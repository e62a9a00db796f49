//! Whom a process talks to: NATS, the other services, the collector of traces.

use std::io::ErrorKind;
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use kernel::OrgId;
use proto::common::v1::ErrorReason;
use rpc::{Peer, PeerService};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::{Code, Status};

use super::Finding;
use crate::config::Config;
use crate::credentials::Credentials;
use crate::start::peer_at;
use crate::tls::{Dialer, Tls};

/// For an answer of somebody who is there.
const PATIENCE: Duration = Duration::from_secs(3);

/// An organization for calls that are refused before anybody looks for it.
const NOBODYS: &str = "doctor";

pub(super) async fn nats(config: &Config) -> Finding {
    match (&config.nats, &config.database) {
        (None, None) => Finding::well("nats", "not needed: one process serves from SQLite"),
        (None, Some(_)) => Finding::doubtful(
            "nats",
            "not configured: what one process changes another sees up to 250 ms later",
            "name it with --nats or BACKCHANNEL_NATS where there is more than one process",
        ),
        (Some(address), _) => match timeout(PATIENCE, outbox::nats_version(address.reveal())).await {
            Ok(Ok(version)) => Finding::well("nats", format!("NATS {version} answers")),
            refused => {
                let why = refused.map_or("no answer".to_owned(), |refused| refused.err().unwrap_or_default());
                let advice = "start it, or correct the address; until then wake-ups stay in each process";
                Finding::doubtful("nats", format!("cannot be reached: {why}"), advice)
            }
        },
    }
}

/// Asks each configured peer something that no service may: who refuses it for its role is there, serves what we expect and
/// knows our key.
pub(super) async fn peers(config: &Config, credentials: &Credentials, tls: Option<&Tls>) -> Vec<Finding> {
    let dialer = tls.map(|tls| &tls.dialer);
    let Ok(tokens) = credentials.tokens_of("doctor") else { return Vec::new() };
    let mut found = Vec::new();
    for (name, address) in config.peers.all() {
        let Some(address) = address else { continue };
        let about = format!("peer {name}");
        let uri = address.parse::<Uri>();
        if dialer.is_some() && uri.as_ref().is_ok_and(|uri| uri.scheme() == Some(&Scheme::HTTP)) {
            let advice = format!("take https:// in peers.{name}, and serve there with a certificate");
            found.push(Finding::doubtful(about.clone(), "is called without encryption", advice));
        }
        found.push(match uri {
            Ok(uri) => match untrusted(&uri, dialer).await {
                Some(why) => Finding::ill(
                    about,
                    format!("no TLS with {address}: {why}"),
                    format!("see that {name} serves with a certificate for that name, and that tls.authority has who signed it"),
                ),
                None => judge(about, name, address, ask(name, peer_at(uri, dialer, tokens.clone())).await),
            },
            Err(error) => {
                let text = format!("peers.{name}: {error}");
                Finding::ill(about, text, format!("an address is http://{name}:50051"))
            }
        });
    }
    found
}

/// Why there is no TLS with somebody who is there.
async fn untrusted(uri: &Uri, dialer: Option<&Dialer>) -> Option<String> {
    let dialer = dialer.filter(|_| uri.scheme() == Some(&Scheme::HTTPS))?;
    let refused = timeout(PATIENCE, dialer.dial(uri)).await.ok()?.err()?;
    matches!(refused.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof).then(|| refused.to_string())
}

async fn ask(name: &str, peer: Peer) -> Status {
    let Ok(org) = OrgId::parse(NOBODYS) else { return Status::internal("") };
    let peer = peer.as_service(&org, PATIENCE);
    let answer = match name {
        "contacts" => contacts(peer).await,
        "routing" => routing(peer).await,
        "notes" => notes(peer).await,
        _ => notifications(peer).await,
    };
    answer.err().unwrap_or_else(|| Status::ok(""))
}

/// Every service has this one, for admins only.
macro_rules! asker {
    ($name:ident) => {
        async fn $name(peer: PeerService) -> Result<(), Status> {
            use proto::$name::v1::ListAuditEventsRequest;
            use proto::$name::v1::admin_service_client::AdminServiceClient;
            AdminServiceClient::new(peer).list_audit_events(ListAuditEventsRequest::default()).await.map(drop)
        }
    };
}

asker!(contacts);
asker!(routing);
asker!(notes);
asker!(notifications);

fn judge(about: String, name: &str, address: &str, answer: Status) -> Finding {
    let reason = rpc::reason_of(&answer);
    match (answer.code(), reason) {
        (Code::PermissionDenied, _) => {
            Finding::well(about, format!("answers at {address}, and knows our key"))
        }
        (Code::Unauthenticated, Some(ErrorReason::TokenExpired)) => Finding::ill(
            about,
            "finds the time of our tokens wrong: its clock and ours differ by more than 30 s",
            "let both machines take their time from a time server",
        ),
        (Code::Unauthenticated, _) => Finding::ill(
            about,
            format!("answers at {address}, and does not know our key"),
            "give all processes of a suite the same keys.signing, and the same audience",
        ),
        (Code::Unimplemented, _) => Finding::ill(
            about,
            format!("what answers at {address} is another service"),
            format!("correct peers.{name}"),
        ),
        (Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled, _) => Finding::ill(
            about,
            format!("nobody answers at {address}"),
            format!("start it, or correct peers.{name}; meanwhile what is meant for it waits in the outbox"),
        ),
        (code, _) => Finding::ill(about, format!("answers {code:?} at {address}"), "see its log"),
    }
}

pub(super) async fn collector(config: &Config) -> Option<Finding> {
    let endpoint = config.telemetry.otlp.as_deref()?;
    let advice = "start it, or correct telemetry.otlp; meanwhile traces are lost and nothing else";
    let Some(place) = endpoint.parse::<Uri>().ok().and_then(|uri| {
        let tls = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        uri.host().map(|host| (host.trim_matches(['[', ']']).to_owned(), port))
    }) else {
        let text = "telemetry.otlp is no address";
        return Some(Finding::ill("traces", text, "an address is http://collector:4317"));
    };
    Some(match timeout(PATIENCE, TcpStream::connect(place)).await {
        Ok(Ok(_)) => Finding::well("traces", "the collector takes connections"),
        _ => Finding::doubtful("traces", "the collector takes no connections", advice),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    // G8
    #[test]
    fn a_peer_that_refuses_the_role_is_well_and_whatever_else_it_says_is_told_with_what_to_do() {
        let judged = |status| judge("peer notes".to_owned(), "notes", "http://notes:50051", status);
        assert_eq!(judged(Status::permission_denied("")).verdict, Verdict::Well);
        for (status, said) in [
            (Status::unauthenticated(""), "keys.signing"),
            (Status::unimplemented(""), "peers.notes"),
            (Status::unavailable(""), "peers.notes"),
            (Status::internal(""), "log"),
        ] {
            let found = judged(status);
            assert!(found.verdict == Verdict::Ill && found.advice.contains(said), "{found:?}");
        }
    }
}
