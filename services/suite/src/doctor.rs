//! `backchannel doctor`: what a process would meet if it started with a configuration.

use std::process::ExitCode;

use kernel::Clock;
use runtime::ServeFlags;
use runtime::doctor::{Finding, Verdict, examine};

use crate::failure::{Failure, print};
use crate::up::ServiceName;

#[derive(clap::Args)]
pub(crate) struct DoctorArgs {
    /// Only what this service needs; all of them otherwise
    service: Option<ServiceName>,
    #[command(flatten)]
    flags: ServeFlags,
}

/// Looks, prints what was found and says by the exit code whether a process would do its work.
pub(crate) fn run(args: DoctorArgs, clock: Clock) -> Result<ExitCode, Failure> {
    let services = args.service.map_or_else(|| ServiceName::ALL.to_vec(), |service| vec![service]);
    let found = match args.flags.load() {
        Err(error) => vec![Finding::ill("configuration", error.to_string(), "")],
        Ok(config) => {
            let threads =
                tokio::runtime::Runtime::new().map_err(|error| Failure::because("no threads", error))?;
            let services = services.into_iter().map(|it| (it.unit(), it.migrations())).collect();
            threads.block_on(examine(config, clock, services))
        }
    };
    for finding in &found {
        print(told(finding))?;
    }
    print(summary(&found))?;
    let ill = found.iter().any(|finding| finding.verdict == Verdict::Ill);
    Ok(if ill { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// One finding as text: how it is, with what, why, and on a line of its own what to do.
fn told(finding: &Finding) -> String {
    let verdict = match finding.verdict {
        Verdict::Well => "ok",
        Verdict::Doubtful => "note",
        Verdict::Ill => "FAIL",
    };
    let Finding { about, text, advice, .. } = finding;
    let line = format!("{verdict:<5} {about}: {text}");
    if advice.is_empty() { line } else { format!("{line}\n      {advice}") }
}

fn summary(found: &[Finding]) -> String {
    let of = |verdict| found.iter().filter(|finding| finding.verdict == verdict).count();
    let (notes, fails) = (of(Verdict::Doubtful), of(Verdict::Ill));
    let noted = if notes == 1 { "1 note".to_owned() } else { format!("{notes} notes") };
    if fails == 0 {
        format!("A process would do its work; {noted}.")
    } else {
        format!("{fails} to be mended before a process does its work; {noted}.")
    }
}
