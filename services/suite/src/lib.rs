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
//! | [`doctor`] | `doctor`: what a process would meet if it started with a configuration |
//! | [`migrate`] | `migrate`: the tables of a release, before it serves |
//! | [`keys`] | `keys`: a development key without a server |
//! | [`certificates`] | `certificates`: a development authority and what it signs |
//! | [`completions`] | `completions SHELL`: for the shell that calls this |
//! | [`descriptors`] | `descriptors`: the contracts for programs, such as the edge |
//!
//! [`client`] and [`dev_key`] are what the commands which call the API share; [`source`] and [`progress`] those which read files and take
//! their time; [`counted`] says how many there are of something.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use kernel::Clock;

mod certificates;
pub mod client;
mod completions;
mod counted;
mod descriptors;
mod dev_key;
mod doctor;
mod explain;
mod failure;
mod keys;
mod migrate;
mod progress;
mod replay;
mod report;
mod source;
mod token;
mod transfer;
mod up;

pub use failure::Failure;

const EXAMPLES: &str = "\
Examples:
  backchannel up                                    everything, on one port, in ./data
  backchannel token --sub ana --role agent          a token, to call it with
  backchannel replay day.jsonl --agents-per-team 2  a day of messages through it
  backchannel explain CONVERSATION                  why a conversation is with whom it is with
  backchannel export contacts contacts.csv          an organization's contacts, as a file
  backchannel doctor --config backchannel.toml      whether a process would do with that configuration
  source <(backchannel completions bash)            commands and flags by the tab key";

/// The private side of customer conversations: notes, assignment, handoffs, notifications.
#[derive(Parser)]
#[command(name = "backchannel", version, about, arg_required_else_help = true, after_help = EXAMPLES)]
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
    /// Check what a process would meet under a configuration, and say what to do about it
    ///
    /// Settings, addresses, keys, certificates, databases, NATS, peers, clocks. Nothing is started or changed. Ends with 0 where a process would do its
    /// work, with 1 where it would not.
    Doctor(doctor::DoctorArgs),
    /// Bring the tables of all services to the form of this release, without serving
    Migrate(runtime::ServeFlags),
    /// Make a development key, if there is none: to sign tokens with before anything serves
    Keys(keys::KeysArgs),
    /// Make certificates for trying out TLS between services and edge, signed by an authority of one's own
    ///
    /// Called again, it renews them: a process takes them within 10 s. In production something else issues them, such as cert-manager.
    Certificates(certificates::CertificatesArgs),
    /// Print what completes commands and flags in a shell
    Completions(completions::CompletionsArgs),
    /// Write the contracts as a descriptor set, for Envoy and other programs that read contracts
    Descriptors(descriptors::DescriptorsArgs),
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
        Command::Doctor(args) => failure::told(doctor::run(args, clock)),
        Command::Migrate(flags) => migrate::run(flags, clock),
        Command::Keys(args) => failure::told(keys::run(&args, clock)),
        Command::Certificates(args) => failure::told(certificates::run(&args, clock)),
        Command::Completions(args) => failure::told(completions::run(&args, Cli::command())),
        Command::Descriptors(args) => failure::told(descriptors::run(&args)),
    }
}
