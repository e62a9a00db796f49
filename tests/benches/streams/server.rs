//! A process of its own, so that its memory is not the benchmark's.

use std::path::Path;
use std::process::Stdio;

use kernel::{Clock, OrgId, Role, Subject};
use rpc::{DevKey, Signer, TokenSpec};
use tempfile::TempDir;
use testkit::{Bearer, Client};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tonic::transport::{Channel, Endpoint};

pub(crate) const ORG: &str = "bench";

/// `backchannel up`, without the limits that keep a person from doing what a benchmark does.
pub(crate) struct Server {
    child: Child,
    address: String,
    signer: Signer,
    _data: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let signer = DevKey::load_or_make(data.path(), Clock::system()).unwrap().signer();
        let folder = data.path().to_str().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
        command.args(["up", "--data", folder, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        for limit in ["CALLS_PER_PERSON", "PERSON_PER_SECOND", "ORG_PER_SECOND"] {
            command.env(format!("BACKCHANNEL_LIMITS__{limit}"), "0");
        }
        command.env("BACKCHANNEL_LIMITS__STREAMS", "100000");
        command.env("BACKCHANNEL_TELEMETRY__FILTER", "warn");
        let (child, address) = ready(command).await;
        Self { child, address, signer, _data: data }
    }

    /// A connection of its own.
    pub(crate) fn channel(&self) -> Channel {
        connection(&self.address)
    }

    /// A connection, as somebody.
    pub(crate) fn over(&self, channel: &Channel, subject: &str, role: Role) -> Client {
        let mut spec = TokenSpec::new(OrgId::parse(ORG).unwrap(), Subject::parse(subject).unwrap(), role);
        spec.ttl = std::time::Duration::from_secs(3_600);
        spec.username = Some(subject.to_owned());
        Client::new(channel.clone(), Bearer::new(&self.signer.mint(&spec).unwrap()))
    }

    /// What the process has in memory, in KiB.
    pub(crate) fn resident_kib(&self) -> f64 {
        resident_kib(self.child.id().unwrap())
    }
}

/// Starts a process and waits until it says where it serves.
pub(crate) async fn ready(mut command: Command) -> (Child, String) {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = loop {
        let line = lines.next_line().await.unwrap().expect("it gets ready");
        if let Some(address) = line.split_whitespace().find_map(|word| word.strip_prefix("grpc=")) {
            break address.to_owned();
        }
    };
    // What it says later has to go somewhere.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    (child, address)
}

pub(crate) fn connection(address: &str) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    endpoint.tcp_nodelay(true).connect_lazy()
}

pub(crate) fn resident_kib(process: u32) -> f64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status"));
    let status = status.unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
