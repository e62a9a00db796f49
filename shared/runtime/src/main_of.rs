//! What a binary's `main` does.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use kernel::Clock;

use crate::config::{ADDRESS, Config, Overrides};
use crate::error::StartError;
use crate::lifecycle::until_asked_to_stop;
use crate::service::{Deps, Service, Unit};
use crate::start::{Running, start};
use crate::telemetry::Telemetry;

/// The flags of every serving command; the rest of the configuration comes from the file and the environment.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ServeFlags {
    /// Configuration file (TOML)
    #[arg(long, env = "BACKCHANNEL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to serve gRPC and gRPC-Web [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub listen: Option<SocketAddr>,
    /// Where to serve metrics and probes [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub metrics: Option<SocketAddr>,
    /// Folder of SQLite files and development key [default: data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// PostgreSQL instead of SQLite (prefer BACKCHANNEL_DATABASE: flags are seen by everybody on the machine)
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,
    /// NATS, for wake-ups between processes
    #[arg(long, value_name = "URL")]
    pub nats: Option<String>,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("must be {ADDRESS}"))
}

impl ServeFlags {
    /// The configuration that file, environment and these flags make together.
    ///
    /// # Errors
    /// [`StartError::Config`] naming the key that is wrong.
    pub fn load(self) -> Result<Config, StartError> {
        let ServeFlags { config, listen, metrics, data, database, nats } = self;
        Ok(Config::load(config.as_deref(), &Overrides { listen, metrics, data, database, nats })?)
    }
}

#[derive(Parser)]
struct OneService {
    #[command(flatten)]
    serve: ServeFlags,
}

/// The whole `main` of a service's own binary: reads flags, serves that one service, ends on SIGTERM or Ctrl-C.
pub fn main<F, Fut>(name: &'static str, build: F) -> ExitCode
where
    F: Fn(Config, Deps) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Service, StartError>> + Send + 'static,
{
    let flags = OneService::parse().serve;
    let units = vec![Unit::new(name, build)];
    let served = flags.load().and_then(|config| run(config, Clock::system(), units, |_| ()));
    exit_code(served)
}

/// Serves `units` by `clock` with a tokio runtime of its own until SIGTERM or Ctrl-C; `ready` is called when they serve.
/// Returns whether everything ended in order.
///
/// # Errors
/// [`StartError`] if it cannot start.
pub fn run(
    config: Config,
    clock: Clock,
    units: Vec<Unit>,
    ready: impl FnOnce(&Running),
) -> Result<bool, StartError> {
    // What does not depend on `ready` is compiled here, and not again in each binary.
    let mut ready = Some(ready);
    serve_until_asked(config, clock, units, &mut |running| {
        if let Some(ready) = ready.take() {
            ready(running);
        }
    })
}

fn serve_until_asked(
    config: Config,
    clock: Clock,
    units: Vec<Unit>,
    ready: &mut dyn FnMut(&Running),
) -> Result<bool, StartError> {
    let name = match units.as_slice() {
        [one] => one.name(),
        _ => "backchannel",
    };
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::Process(format!("no threads: {error}")))?;
    let clean = threads.block_on(async {
        let telemetry = Telemetry::start(name, &config.telemetry)?;
        // Asked for before the start, so that a signal during it is not lost.
        let asked = tokio::spawn(until_asked_to_stop());
        let running = start(config, clock, units).await?;
        tracing::info!(grpc = %running.grpc, metrics = %running.metrics, "serving");
        ready(&running);
        asked.await.map_err(|error| StartError::Process(error.to_string()))??;
        let clean = running.stop().await;
        // Exporting blocks; the runtime's own threads must stay free for it.
        let flushed = tokio::task::spawn_blocking(move || telemetry.flush()).await;
        Ok::<bool, StartError>(clean && flushed.is_ok())
    })?;
    // Whatever blocking work is left must not hold up the exit.
    threads.shutdown_background();
    Ok(clean)
}

/// Tells the outcome of [`run`] to the system, and the reason of a failure to whoever started it.
pub fn exit_code(served: Result<bool, StartError>) -> ExitCode {
    match served {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            crate::say::aside(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // P8
    #[test]
    fn an_address_without_a_port_is_refused_with_one_that_is_right() {
        for wrong in ["127.0.0.1", "localhost:50051", ":50051", "50051", ""] {
            for flag in ["--listen", "--metrics"] {
                let refused = OneService::try_parse_from(["notes", flag, wrong]).err().unwrap().to_string();
                let said = ["an IP address with a port", "127.0.0.1:50051", flag];
                assert!(said.iter().all(|part| refused.contains(part)), "{refused}");
            }
        }
        let taken = OneService::try_parse_from(["notes", "--listen", "[::1]:0"]).unwrap().serve;
        assert_eq!(taken.listen, Some("[::1]:0".parse().unwrap()));
    }
}
