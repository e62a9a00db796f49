//! `backchannel replay`: a busy day from recorded messages, and an account of what became of them.
//!
//! | module | story |
//! |---|---|
//! | [`input`] | the file, line by line |
//! | [`office`] | a team for each source: agents, workflow |
//! | [`record`] | messages go in, many conversations at once |
//! | [`listen`] | each agent's notification stream, open the whole time |
//! | [`notes`] | every Nth conversation gets a note that mentions a colleague |
//! | [`ledger`] | what was done, and so must be found again |
//! | [`verify`] | everything read back through the API, as contacts too |
//! | [`report`] | the table and the JSON |

mod input;
mod ledger;
mod listen;
mod notes;
mod office;
mod record;
mod report;
mod resolve;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use kernel::{Clock, Role};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::{AddressFlags, Wire};
use crate::dev_key::{KeyFlags, Minter};
use crate::failure::Failure;
use input::{Line, Rejected};
use ledger::Ledger;
use notes::Due;
use office::Office;
use record::Lanes;
use report::{Report, round};

/// A day is long, but not longer than this.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3_600);

#[derive(clap::Args)]
pub(crate) struct ReplayArgs {
    /// JSON Lines, plain or gzip; - for standard input (docs/message-import-format.md)
    file: PathBuf,
    #[command(flatten)]
    api: AddressFlags,
    #[command(flatten)]
    key: KeyFlags,
    /// Agents of each team; there is one team for each source
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    agents_per_team: u32,
    /// On every Nth conversation the assignee writes a note; 0: none
    #[arg(long, default_value_t = 5)]
    note_every: usize,
    /// Messages on their way at once
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1_024))]
    concurrency: u32,
    /// Stop after so many messages
    #[arg(long)]
    limit: Option<u64>,
    /// Stop at the first line that is not a message
    #[arg(long)]
    strict: bool,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

/// Replays a file; exit code 1 when anything was lost, doubled, unassigned or seen by a contact.
#[expect(clippy::print_stdout, reason = "the report is this command's output")]
pub(crate) fn run(args: ReplayArgs) -> Result<ExitCode, Failure> {
    let minter = args.key.minter(&Clock::system(), TOKEN_LIFE)?;
    let threads = tokio::runtime::Runtime::new().map_err(|error| Failure::because("no threads", error))?;
    let report = threads.block_on(async {
        let wire = args.api.connect().await?;
        Replay { args: &args, wire, minter }.run().await
    });
    // The reader may still wait for standard input.
    threads.shutdown_background();
    let report = report?;
    if args.json {
        let json = serde_json::to_string(&report).map_err(|error| Failure::because("the report", error))?;
        println!("{json}");
    } else {
        println!("{}", report.table());
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Replay<'a> {
    args: &'a ReplayArgs,
    wire: Wire,
    minter: Minter,
}

impl Replay<'_> {
    async fn run(&self) -> Result<Report, Failure> {
        let begun = Instant::now();
        let ledger = Arc::new(Ledger::default());
        let agents = self.args.agents_per_team as usize;
        let office = Office::new(self.wire.clone(), self.minter.clone(), agents, Arc::clone(&ledger))?;
        let office = Arc::new(RwLock::new(Arc::new(office)));
        let channel = self.wire.bearing(&self.minter.mint("replay-channel", Role::Integration, None)?)?;
        let progress = spinner("messages");

        let (due, notes_due) = mpsc::unbounded_channel();
        let seating = {
            let office = Arc::clone(&office);
            Arc::new(move |subject: &str| {
                office.read().unwrap_or_else(PoisonError::into_inner).agent_and_neighbour(subject)
            })
        };
        let notes = tokio::spawn(notes::write_all(notes_due, Arc::clone(&ledger), seating));
        let mut lanes = Lanes::start(self.args.concurrency as usize, &channel, &ledger, &progress);
        let rejected = self.dispatch(&mut lanes, &office, &ledger, &due).await?;
        lanes.finish().await?;
        let recording = begun.elapsed();
        progress.finish();

        drop(due);
        notes.await.map_err(|error| Failure::because("notes", error))??;
        let office = Arc::clone(&office.read().unwrap_or_else(PoisonError::into_inner));
        resolve::closing_ones(&channel, &ledger, self.args.concurrency as usize).await?;
        verify::settled(&ledger, office.heard()).await;
        let mut report = verify::Verifier {
            wire: &self.wire,
            minter: &self.minter,
            channel: &channel,
            office: &office,
            ledger: &ledger,
            concurrency: self.args.concurrency as usize,
        }
        .report()
        .await?;
        report.rejected = rejected;
        report.timed(&mut ledger.open().latencies, recording);
        report.elapsed_s = round(begun.elapsed().as_secs_f64());
        Ok(report)
    }

    /// Hands each line to its lane, opening teams on the way; returns how many were rejected.
    async fn dispatch(
        &self,
        lanes: &mut Lanes,
        office: &RwLock<Arc<Office>>,
        ledger: &Ledger,
        due: &mpsc::UnboundedSender<Due>,
    ) -> Result<u64, Failure> {
        let from = input::open(&self.args.file)
            .map_err(|error| Failure::because(self.args.file.display(), error))?;
        let (into, mut lines) = mpsc::channel::<Result<Line, Rejected>>(1_024);
        let limit = self.args.limit;
        std::thread::spawn(move || input::read(from, limit, &into));
        let mut rejected = 0;
        let mut conversations = 0;
        while let Some(line) = lines.recv().await {
            let line = match line {
                Ok(line) => line,
                Err(bad) if self.args.strict => {
                    return Err(Failure(format!("line {}: {}", bad.line, bad.reason)));
                }
                Err(bad) => {
                    rejected += 1;
                    complain(&bad);
                    continue;
                }
            };
            self.staffed(office, &line.source).await?;
            if ledger.open().sending(&line) {
                if self.args.note_every > 0 && conversations % self.args.note_every == 0 {
                    let _ = due.send(Due { conversation: line.conversation.clone(), since: Instant::now() });
                }
                conversations += 1;
            }
            lanes.send(line).await?;
        }
        Ok(rejected)
    }

    async fn staffed(&self, office: &RwLock<Arc<Office>>, source: &str) -> Result<(), Failure> {
        let present = Arc::clone(&office.read().unwrap_or_else(PoisonError::into_inner));
        if present.has(source) {
            return Ok(());
        }
        let grown = present.with_team(source).await?;
        *office.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(grown);
        Ok(())
    }
}

#[expect(clippy::print_stderr, reason = "said to the person at the terminal")]
fn complain(bad: &Rejected) {
    eprintln!("line {}: {}", bad.line, bad.reason);
}

/// Counts up beside a running clock; hidden where standard error is not a terminal.
fn spinner(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed_precise}  {human_pos} {msg}  {per_sec}");
    let bar = ProgressBar::new_spinner().with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
