//! `backchannel replay`: a busy day from recorded messages, and an account of what became of them.
//!
//! | module | story |
//! |---|---|
//! | [`input`] | the file, line by line |
//! | [`line`] | one message, and the rules it has to keep |
//! | [`office`], [`route`] | a team for each source: agents, workflow |
//! | [`floor`] | one team for all sources, who are skills: capacity, offers, agents who come and go |
//! | [`record`] | messages go in, many conversations at once |
//! | [`listen`] | each agent's notification stream, open the whole time |
//! | [`notes`] | every Nth conversation gets a note that mentions a colleague |
//! | [`ledger`] | what was done, and so must be found again |
//! | [`elsewhere`] | conversations of people who are not of the replay |
//! | [`resolve`] | conversations which end with a goodbye are resolved |
//! | [`verify`] | everything read back through the API, as contacts too |
//! | [`report`] | the table and the JSON |

mod elsewhere;
mod floor;
mod input;
mod ledger;
mod line;
mod listen;
mod notes;
mod office;
mod record;
mod report;
mod resolve;
mod route;
mod verify;

use std::collections::HashSet;
use std::io::BufRead;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Role};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::client::{AddressFlags, Wire};
use crate::dev_key::{KeyFlags, Minter};
use crate::failure::{Failure, print};
use crate::progress::{Progress, Whole};
use crate::source;
use floor::Shift;
use input::Piece;
use ledger::Ledger;
use notes::Due;
use office::{Office, SharedOffice};
use record::{Lanes, Recorder};
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
    #[command(flatten)]
    floor: floor::FloorArgs,
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

/// Replays a file; exit code 1 when anything was left out, lost, doubled, unassigned or seen by a contact.
pub(crate) fn run(args: ReplayArgs) -> Result<ExitCode, Failure> {
    let clock = Clock::system();
    let minter = args.key.minter(&clock, TOKEN_LIFE)?;
    let threads = tokio::runtime::Runtime::new().map_err(|error| Failure::because("no threads", error))?;
    let ledger = Arc::new(Ledger::of_a_run(clock.now()));
    let report = threads.block_on(async {
        let wire = args.api.connect().await?;
        let replay = Replay { args: &args, wire, minter, ledger: Arc::clone(&ledger) };
        tokio::select! {
            report = replay.run() => report,
            _ = tokio::signal::ctrl_c() => Err(Failure("stopped by Ctrl-C".to_owned())),
        }
    });
    // The reader may still wait for standard input.
    threads.shutdown_background();
    let report = report.inspect_err(|_| {
        if let Some(so_far) = ledger.open().so_far() {
            runtime::say::aside(so_far);
        }
    })?;
    if args.json {
        let json = serde_json::to_string(&report).map_err(|error| Failure::because("the report", error))?;
        print(json)?;
        if !report.is_clean() {
            runtime::say::aside(report.verdict(""));
        }
    } else {
        print(report.table(&format!("{}{}", args.api.repeated(), args.key.repeated())))?;
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Replay<'a> {
    args: &'a ReplayArgs,
    wire: Wire,
    minter: Minter,
    ledger: Arc<Ledger>,
}

impl Replay<'_> {
    async fn run(&self) -> Result<Report, Failure> {
        let begun = Instant::now();
        let (ledger, concurrency) = (&self.ledger, self.args.concurrency as usize);
        let agents = self.args.agents_per_team as usize;
        let office = Office::new(self.wire.clone(), self.minter.clone(), agents, Arc::clone(ledger))?;
        let office = if self.args.floor.skills { office.with_floor(&self.args.floor).await? } else { office };
        let floor = office.floor().cloned();
        let office = SharedOffice::of(office);
        let channel = self.wire.bearing(&self.minter.mint("replay-channel", Role::Integration, None)?)?;
        let progress = Arc::new(Progress::shown());
        let source = source::open(&self.args.file)?;
        progress.begin("messages recorded", Whole::File(source.share));
        let mut shift = floor.map(|floor| Shift::begin(floor, ledger, &progress));

        let (due, notes_due) = mpsc::unbounded_channel();
        let mut beside = JoinSet::new();
        beside.spawn(elsewhere::look(channel.clone(), Arc::clone(ledger), office.clone()));
        let notes = tokio::spawn(notes::write_all(notes_due, Arc::clone(ledger), office.clone()));
        let recorder = Recorder {
            channel: channel.clone(),
            ledger: Arc::clone(ledger),
            progress: Arc::clone(&progress),
            strict: self.args.strict,
            resolves: shift.is_some(),
        };
        self.record(source.text, &recorder, &office, due).await?;
        let recording = begun.elapsed();

        if let Some(shift) = &mut shift {
            shift.work_off(&progress).await?;
        }
        progress.begin("notes still to be written", Whole::Unknown);
        notes.await.map_err(|error| Failure::because("notes", error))??;
        resolve::closing_ones(&channel, ledger, &progress, concurrency).await;
        if let Some(shift) = &mut shift {
            shift.end().await?;
        }
        let office = office.now();
        verify::settled(ledger, &office, &progress).await;
        beside.abort_all();
        let verifier = verify::Verifier {
            wire: &self.wire,
            minter: &self.minter,
            channel: &channel,
            office: &office,
            ledger,
            progress: &progress,
            concurrency,
        };
        let mut report = verifier.report(shift.as_ref()).await?;
        report.timed(&mut ledger.open().latencies, recording);
        report.elapsed_s = round(begun.elapsed().as_secs_f64());
        Ok(report)
    }

    /// Hands each line to its lane, opening teams on the way, and waits until all are recorded.
    async fn record(
        &self,
        text: Box<dyn BufRead + Send>,
        recorder: &Recorder,
        office: &SharedOffice,
        due: mpsc::UnboundedSender<Due>,
    ) -> Result<(), Failure> {
        let (into, mut pieces) = mpsc::channel(1_024);
        let limit = self.args.limit;
        std::thread::spawn(move || input::read(text, limit, &into));
        let mut lanes = Lanes::start(self.args.concurrency as usize, recorder);
        let mut begun = HashSet::new();
        while let Some(piece) = pieces.recv().await {
            let line = match piece {
                Piece::Message(line) => line,
                Piece::Rejected(bad) => {
                    recorder.reject(&bad)?;
                    continue;
                }
                Piece::CutShort(why) => {
                    recorder.ledger.open().cut_short = true;
                    recorder.progress.say(why);
                    continue;
                }
            };
            office.staffed(&line.source).await?;
            let nth = begun.len();
            if begun.insert(line.conversation.clone())
                && self.args.note_every > 0
                && nth % self.args.note_every == 0
            {
                let _ = due.send(Due { conversation: line.conversation.clone(), since: Instant::now() });
            }
            lanes.send(line).await?;
        }
        lanes.finish().await
    }
}
