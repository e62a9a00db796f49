//! Real processes of the binary: started, awaited, killed by id.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use testkit::free_port;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How long a process may take until it serves. Debug builds on a busy machine are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `backchannel`. It is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// Where it serves gRPC.
    pub(crate) grpc: String,
    /// Where it serves metrics.
    pub(crate) metrics: String,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    log: std::path::PathBuf,
}

impl Process {
    /// Starts `backchannel` with these arguments and waits until it says that it is ready. What it logs goes to `log`.
    /// Where it should listen anywhere, it gets a port that is still free when it is restarted.
    pub(crate) async fn start(arguments: &[&str], environment: &[(&str, &str)], log: &Path) -> Self {
        let somewhere = |argument: &str| match argument {
            "127.0.0.1:0" => format!("127.0.0.1:{}", free_port()),
            other => other.to_owned(),
        };
        let arguments: Vec<String> = arguments.iter().map(|&argument| somewhere(argument)).collect();
        let environment: Vec<(String, String)> =
            environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::spawn(arguments, environment, log).await
    }

    async fn spawn(arguments: Vec<String>, environment: Vec<(String, String)>, log: &Path) -> Self {
        let logged = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("the log opens");
        let mut child = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"))
            .args(&arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(logged)
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is ours")).lines();
        let ready = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let Ok(Ok(Some(ready))) = ready else {
            let said = std::fs::read_to_string(log).unwrap_or_default();
            panic!("{arguments:?} did not get ready: {ready:?}\n{said}");
        };
        // What it says later has to go somewhere, or its writes would fail.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let address = |name: &str| {
            let word = ready.split_whitespace().find_map(|word| word.strip_prefix(name));
            word.unwrap_or_else(|| panic!("no {name} in {ready:?}")).to_owned()
        };
        let (grpc, metrics) = (address("grpc="), address("metrics="));
        Self { child, grpc, metrics, arguments, environment, log: log.to_owned() }
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("it can be killed");
    }

    /// Stops it where it is: it still takes connections, and answers nobody any more.
    pub(crate) async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    /// Lets it go on where it was stopped. For itself no time has passed.
    pub(crate) async fn thaw(&self) {
        self.signal("-CONT").await;
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    async fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.id().to_string()])
            .status()
            .await
            .expect("kill is there");
        assert!(sent.success(), "{signal} is sent");
    }

    /// Starts it again on the ports it had.
    pub(crate) async fn restart(&mut self) {
        let mut arguments = self.arguments.clone();
        for (flag, address) in [("--listen", &self.grpc), ("--metrics", &self.metrics)] {
            match arguments.iter().position(|argument| argument == flag) {
                Some(place) => arguments[place + 1].clone_from(address),
                None => arguments.extend([flag.to_owned(), address.clone()]),
            }
        }
        *self = Self::spawn(arguments, self.environment.clone(), &self.log).await;
    }

    /// Asks it to end as Kubernetes does, and says whether it ended well and how long it took.
    pub(crate) async fn terminate(mut self) -> (bool, Duration) {
        let begun = std::time::Instant::now();
        self.signal("-TERM").await;
        let ended = self.child.wait().await.expect("it ends");
        (ended.success(), begun.elapsed())
    }
}
