//! TLS as callers find it. They use tonic's own, which knows nothing of ours.
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::*;
use kernel::{Clock, OrgId, Timestamp};
use proto::notifications::v1::NotifyRequest;
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use rpc::Peer;
use runtime::tls::DevAuthority;
use runtime::{Config, Connections, StartError, TlsFiles, Unit};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::service::Routes;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

/// The first bytes of a handshake whose rest never comes.
const HALF_A_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00";

/// An authority, and in the same folder a certificate for this machine.
struct Papers(TempDir);

impl Papers {
    fn new() -> Self {
        Self::of(Clock::system())
    }

    /// Issued when this clock says.
    fn of(clock: Clock) -> Self {
        let papers = Self(tempfile::tempdir().unwrap());
        papers.issue(clock);
        papers
    }

    /// Good until yesterday, or thereabouts.
    fn ended() -> Self {
        let week_ago = Clock::system().now().minus(Duration::from_secs(7 * 24 * 60 * 60));
        Self::of(Clock::fake(week_ago).0)
    }

    fn issue(&self, clock: Clock) {
        self.issue_into(self.0.path(), clock);
    }

    fn issue_into(&self, folder: &Path, clock: Clock) {
        let authority = DevAuthority::load_or_make(self.0.path(), clock).unwrap();
        authority.issue_into(folder, &["localhost", "127.0.0.1"], 1).unwrap();
    }

    fn files(&self) -> TlsFiles {
        files(self.0.path())
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    /// Trusts this authority, and has no certificate.
    fn trusting(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(self.read("ca.crt")))
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(self.read("tls.crt"), self.read("tls.key"))
    }
}

fn files(folder: &Path) -> TlsFiles {
    let at = |name: &str| Some(folder.join(name));
    TlsFiles { certificate: at("tls.crt"), key: at("tls.key"), authority: at("ca.crt"), mutual: false }
}

fn stub() -> Vec<Unit> {
    vec![unit(Duration::ZERO, Routes::default(), vec![])]
}

async fn serving(files: TlsFiles) -> Process {
    start(stub(), |config| config.tls = files).await
}

fn channel(process: &Process, tls: ClientTlsConfig) -> Channel {
    let endpoint = Endpoint::from_shared(format!("https://{}", process.running.grpc)).unwrap();
    endpoint.tls_config(tls).unwrap().connect_timeout(Duration::from_secs(5)).connect_lazy()
}

/// One call, on a connection of its own.
async fn call(process: &Process, tls: ClientTlsConfig) -> Result<(), Status> {
    notify(channel(process, tls), process.bearer()).await.map(drop)
}

/// What went wrong, down to its cause.
fn why(refused: &Status) -> String {
    let causes = std::iter::successors(std::error::Error::source(refused), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Ten seconds go by at once, and the process has time to look at its files.
async fn a_look_later() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    tokio::time::sleep(Duration::from_millis(50)).await;
}

// G1
#[tokio::test]
async fn who_trusts_the_authority_is_served_and_who_trusts_another_does_not_believe_it() {
    let (ours, theirs) = (Papers::new(), Papers::new());
    let process = serving(ours.files()).await;
    call(&process, ours.trusting()).await.unwrap();
    let refused = call(&process, theirs.trusting()).await.unwrap_err();
    // Both authorities have the same name: what does not fit is the signature.
    assert!(why(&refused).contains("BadSignature"), "{}", why(&refused));
    let elsewhere = call(&process, ours.trusting().domain_name("notes")).await.unwrap_err();
    assert!(why(&elsewhere).contains("not valid for name"), "{}", why(&elsewhere));
    call(&process, ours.trusting()).await.unwrap();
    assert!(get(process.running.metrics, "/readyz").await.starts_with("HTTP/1.1 200"), "probes need no TLS");
    assert!(process.running.stop().await);
}

// G1
#[tokio::test]
async fn plain_text_is_refused_at_once_and_hurts_nobody() {
    let ours = Papers::new();
    let process = serving(ours.files()).await;
    let encrypted = channel(&process, ours.trusting());
    notify(encrypted.clone(), process.bearer()).await.unwrap();
    let begun = Instant::now();
    assert!(notify(process.channel(), process.bearer()).await.is_err(), "a caller that says http");
    let get = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n".as_slice();
    for said in [get, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &[0; 64]] {
        let mut plain = TcpStream::connect(process.running.grpc).await.unwrap();
        plain.write_all(said).await.unwrap();
        let mut answer = Vec::new();
        // Closed with what was said unread, which some systems call a reset.
        let closed = tokio::time::timeout(Duration::from_secs(3), plain.read_to_end(&mut answer)).await;
        let closed = closed.expect("closed").err().map(|error| error.kind());
        assert!(matches!(closed, None | Some(ErrorKind::ConnectionReset)), "{closed:?}");
        assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    }
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    notify(encrypted, process.bearer()).await.unwrap();
}

// G1
#[tokio::test]
async fn a_certificate_that_has_ended_is_refused_by_both_sides() {
    let ended = Papers::ended();
    let process = serving(ended.files()).await;
    let refused = call(&process, ended.trusting()).await.unwrap_err();
    assert!(why(&refused).contains("expired"), "{}", why(&refused));

    let folder = tempfile::tempdir().unwrap();
    ended.issue_into(folder.path(), Clock::system());
    let process = serving(TlsFiles { mutual: true, ..files(folder.path()) }).await;
    let refused = call(&process, ended.trusting().identity(ended.identity())).await.unwrap_err();
    assert!(why(&refused).contains("CertificateExpired"), "{}", why(&refused));
}

// G1
#[tokio::test]
async fn callers_must_show_a_certificate_where_that_is_asked_for() {
    let (ours, theirs) = (Papers::new(), Papers::new());
    let process = serving(TlsFiles { mutual: true, ..ours.files() }).await;
    call(&process, ours.trusting().identity(ours.identity())).await.unwrap();
    let without = call(&process, ours.trusting()).await.unwrap_err();
    assert!(why(&without).contains("CertificateRequired"), "{}", why(&without));
    let foreign = call(&process, ours.trusting().identity(theirs.identity())).await.unwrap_err();
    // Two authorities of the same name: what does not fit is the signature.
    assert!(
        ["UnknownCA", "DecryptError", "BadCertificate"].iter().any(|it| why(&foreign).contains(it)),
        "{}",
        why(&foreign)
    );
    call(&process, ours.trusting().identity(ours.identity())).await.unwrap();
}

// G1
#[tokio::test]
async fn a_renewed_certificate_is_served_to_new_connections_while_an_open_stream_goes_on() {
    const LOOKS: usize = 100;
    let (old, new) = (Papers::new(), Papers::new());
    let folder = tempfile::tempdir().unwrap();
    old.issue_into(folder.path(), Clock::system());
    let process = start(stub(), |config| {
        config.tls = files(folder.path());
        config.connections = Connections { keep_alive_ms: 3_600_000, ..Connections::default() };
    })
    .await;
    // Time is moved on: a token ends, and whoever watches is pinged.
    let bearer = process.bearer();
    let both = [old.read("ca.crt"), new.read("ca.crt")].concat();
    let both = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(both));
    let mut health = HealthClient::new(channel(&process, old.trusting()));
    let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(watch.message().await.unwrap().unwrap().status, 1, "SERVING");
    let calls = async |tls: &ClientTlsConfig| notify(channel(&process, tls.clone()), bearer.clone()).await;
    assert!(calls(&new.trusting()).await.is_err(), "not renewed yet");

    // First the certificate alone, whose key is still on its way: what was there stays.
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("tls.crt"), new.read("tls.crt")).unwrap();
    for _ in 0..3 {
        a_look_later().await;
        calls(&old.trusting()).await.unwrap();
    }
    std::fs::write(at("tls.key"), new.read("tls.key")).unwrap();
    let mut looks = 0;
    while calls(&new.trusting()).await.is_err() {
        calls(&both).await.expect("no call fails while it changes");
        looks += 1;
        assert!(looks < LOOKS, "the new certificate is never served");
        a_look_later().await;
    }
    calls(&both).await.unwrap();
    assert!(calls(&old.trusting()).await.is_err(), "new connections have the new one only");

    for broken in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        std::fs::write(at("tls.crt"), broken).unwrap();
        a_look_later().await;
        calls(&new.trusting()).await.expect("a broken file changes nothing");
    }
    std::fs::remove_file(at("tls.key")).unwrap();
    a_look_later().await;
    calls(&new.trusting()).await.expect("a missing file changes nothing");

    let (stopped, ended) =
        tokio::join!(process.running.stop(), async { (watch.message().await, watch.message().await) });
    assert!(stopped, "in order");
    assert_eq!(ended.0.unwrap().unwrap().status, 2, "the stream from before is told that the process goes");
    assert!(ended.1.unwrap().is_none(), "and ends well");
}

// G1
#[tokio::test]
async fn handshakes_that_are_never_finished_hold_nothing() {
    let ours = Papers::new();
    let process = start(stub(), |config| {
        config.tls = ours.files();
        config.connections = Connections { handshakes: 2, handshake_ms: 400, ..Connections::default() };
    })
    .await;
    let mut silent = Vec::new();
    for said in [b"".as_slice(), HALF_A_HELLO].repeat(10) {
        let mut stream = TcpStream::connect(process.running.grpc).await.unwrap();
        stream.write_all(said).await.unwrap();
        silent.push(stream);
    }
    let begun = Instant::now();
    let mut tries = 0;
    while let Err(late) = call(&process, ours.trusting()).await {
        tries += 1;
        assert!(tries < 20, "{late}");
    }
    for mut stream in silent {
        let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok(), "still open");
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let mut half = TcpStream::connect(process.running.grpc).await.unwrap();
    half.write_all(HALF_A_HELLO).await.unwrap();
    assert!(process.running.stop().await, "nor do they hold up the end");
}

/// A process whose service asks `notifications` at this address, and the peer by which it does.
async fn asking(at: String, data: &Path, files: TlsFiles) -> (Process, Peer) {
    let found: Arc<Mutex<Option<Peer>>> = Arc::default();
    let kept = Arc::clone(&found);
    let notes = Unit::new("notes", move |_config, deps| {
        let kept = Arc::clone(&kept);
        async move {
            *kept.lock().unwrap() = Some(deps.peer("notifications")?);
            let service = runtime::Service { routes: Routes::default(), workers: vec![], health: vec![] };
            Ok::<_, StartError>(service)
        }
    });
    let process = start(vec![notes], |config| {
        config.data = data.to_owned();
        config.peers.notifications = Some(at);
        config.tls = files;
    })
    .await;
    let peer = found.lock().unwrap().take().unwrap();
    (process, peer)
}

async fn ask(peer: &Peer) -> Result<(), Status> {
    let peer = peer.as_service(&OrgId::parse("acme").unwrap(), Duration::from_secs(5));
    IngestServiceClient::new(peer).notify(NotifyRequest::default()).await.map(drop)
}

// G1
#[tokio::test]
async fn services_call_one_another_over_tls_and_believe_their_own_authority_only() {
    let (ours, theirs) = (Papers::new(), Papers::new());
    let asked = serving(TlsFiles { mutual: true, ..ours.files() }).await;
    let (at, data) = (format!("https://{}", asked.running.grpc), asked.data.path());
    // An empty request is refused by its rules: it has arrived.
    let (_, peer) = asking(at.clone(), data, ours.files()).await;
    assert_eq!(ask(&peer).await.unwrap_err().code(), Code::InvalidArgument);
    let foreign = TlsFiles { authority: theirs.files().authority, ..ours.files() };
    let unknown = TlsFiles { authority: ours.files().authority, ..TlsFiles::default() };
    for (why, files) in [("its authority is another's", foreign), ("it has no certificate", unknown)] {
        let (_, peer) = asking(at.clone(), data, files).await;
        assert_eq!(ask(&peer).await.unwrap_err().code(), Code::Unavailable, "{why}");
    }
    let (_, plain) = asking(at.replace("https", "http"), data, ours.files()).await;
    assert_eq!(ask(&plain).await.unwrap_err().code(), Code::Unavailable, "plain text");
}

// G1
#[tokio::test]
async fn a_caller_shows_its_renewed_certificate_on_its_next_connection() {
    let ours = Papers::ended();
    let (server, caller) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    ours.issue_into(server.path(), Clock::system());
    ours.issue_into(caller.path(), Clock::fake(Timestamp::from_micros(1_700_000_000_000_000)).0);
    let asked = serving(TlsFiles { mutual: true, ..files(server.path()) }).await;
    let at = format!("https://{}", asked.running.grpc);
    let (_process, peer) = asking(at, asked.data.path(), files(caller.path())).await;
    assert_eq!(ask(&peer).await.unwrap_err().code(), Code::Unavailable, "it has ended");
    ours.issue_into(caller.path(), Clock::system());
    let mut looks = 0;
    while ask(&peer).await.unwrap_err().code() != Code::InvalidArgument {
        looks += 1;
        assert!(looks < 100, "the renewed certificate is never shown");
        a_look_later().await;
    }
}

// P8
#[tokio::test]
async fn half_a_configuration_and_files_that_do_not_fit_are_refused_at_start() {
    let (ours, theirs) = (Papers::new(), Papers::new());
    let (whole, data) = (ours.files(), tempfile::tempdir().unwrap());
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    for (tls, said) in [
        (TlsFiles { key: None, ..whole.clone() }, "tls.key: needed with tls.certificate"),
        (TlsFiles { certificate: None, ..whole.clone() }, "tls.certificate: needed with tls.key"),
        (
            TlsFiles { authority: None, mutual: true, ..whole.clone() },
            "tls.authority: needed with tls.mutual",
        ),
        (TlsFiles { key: theirs.files().key, ..whole.clone() }, "tls.key: "),
        (TlsFiles { key: whole.certificate.clone(), ..whole.clone() }, "tls.key: "),
        (TlsFiles { certificate: whole.key.clone(), ..whole.clone() }, "there is no certificate in it"),
        (TlsFiles { authority: Some("nowhere.crt".into()), ..whole.clone() }, "tls.authority: nowhere.crt"),
    ] {
        let config =
            Config { listen: free, metrics: free, data: data.path().join("data"), tls, ..Config::default() };
        let refused = runtime::start(config, Clock::system(), stub()).await.unwrap_err().to_string();
        assert!(refused.contains(said), "{said}: {refused}");
        assert!(!data.path().join("data").exists(), "nothing was made");
    }
}
