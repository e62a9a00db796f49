//! `backchannel`: all services in one process, each alone, and what one does from a terminal.
//!
//! | module | command |
//! |---|---|
//! | [`up`] | `up`: everything on one port; `serve NAME`: one service |
//! | [`token`] | `token`: a token signed with the development key |
//! | [`replay`] | `replay FILE`: pushes recorded messages through the API and checks what became of them |
//! | [`transfer`] | `import KIND FILE`, `export KIND`: an organization's data in and out |
//! | [`explain`] | `explain ID`: why a conversation is with whom it is with |
//! | [`report`] | `report`: how much teams did, day by day |
//!
//! [`client`] and [`dev_key`] are what the commands which call the API share; [`source`] and [`progress`] those which read files and take
//! their time; [`counted`] says how many there are of something.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kernel::Clock;

pub mod client;
mod counted;
mod dev_key;
mod explain;
mod failure;
mod progress;
mod replay;
mod report;
mod source;
mod token;
mod transfer;
mod up;

pub use failure::Failure;

/// The private side of customer conversations: notes, assignment, handoffs, notifications.
#[derive(Parser)]
#[command(name = "backchannel", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve all services on one port, in one process
    ///
    /// Without further servers: SQLite files and a development key in the data folder.
    Up(runtime::ServeFlags),
    /// Serve one service, which finds the others under [peers] of its configuration
    Serve(up::ServeOne),
    /// Print a token signed with the development key of a data folder
    Token(token::TokenArgs),
    /// Push recorded messages through the API as a busy day, then check what became of them
    Replay(replay::ReplayArgs),
    /// Bring an organization's data in from a file
    Import(transfer::ImportArgs),
    /// Write an organization's data to a file
    Export(transfer::ExportArgs),
    /// Explain how a conversation came to its assignee
    Explain(explain::ExplainArgs),
    /// Show how much teams did, day by day
    Report(report::ReportArgs),
}

/// The whole of the binary's `main`.
#[must_use]
pub fn main() -> ExitCode {
    main_by(Clock::system())
}

/// The same, where what serves goes by another clock: for the tests' own binary, as machines' clocks may be wrong.
#[must_use]
pub fn main_by(clock: Clock) -> ExitCode {
    match Cli::parse().command {
        Command::Up(flags) => up::up(flags, clock),
        Command::Serve(one) => up::serve(one, clock),
        Command::Token(args) => failure::told(token::run(&args)),
        Command::Replay(args) => failure::told(replay::run(args)),
        Command::Import(args) => failure::told(transfer::import(args)),
        Command::Export(args) => failure::told(transfer::export(args)),
        Command::Explain(args) => failure::told(explain::run(args)),
        Command::Report(args) => failure::told(report::run(args)),
    }
}
