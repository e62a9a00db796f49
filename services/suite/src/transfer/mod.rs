//! `backchannel import KIND FILE` and `backchannel export KIND`: an organization's data in and out, by the streams of the services
//! (P13).
//!
//! | module | story |
//! |---|---|
//! | [`contacts`] | contacts, as CSV or JSON Lines |
//! | [`conversation`] | the history of a conversation, as PDF or JSON |
//! | [`notes`] | everything private, as JSON Lines |
//! | [`sending`], [`receiving`] | streams of files, opened again where they break |
//! | [`target`] | files that are written |
//! | [`window`] | pieces of a file that were sent and may have to be sent again |
//!
//! A further kind of data is a file of its own with its arguments, a variant here, and nothing else.

mod contacts;
mod conversation;
mod notes;
mod receiving;
mod sending;
mod target;
mod window;

use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use kernel::{Clock, Role};

use crate::client::{AddressFlags, Session};
use crate::dev_key::KeyFlags;
use crate::failure::Failure;

/// A file may be long, but not longer than this.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3_600);

#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    #[command(subcommand)]
    kind: ImportKind,
}

#[derive(clap::Subcommand)]
enum ImportKind {
    /// Contacts from CSV or JSON Lines (docs/contact-file-format.md)
    Contacts(contacts::ImportContacts),
    /// Everything in the notes service from JSON Lines (docs/note-file-format.md)
    Notes(notes::ImportNotes),
}

#[derive(clap::Args)]
pub(crate) struct ExportArgs {
    #[command(subcommand)]
    kind: ExportKind,
}

#[derive(clap::Subcommand)]
enum ExportKind {
    /// Contacts to CSV or JSON Lines (docs/contact-file-format.md)
    Contacts(contacts::ExportContacts),
    /// The history of a conversation as PDF or JSON
    Conversation(conversation::ExportConversation),
    /// Everything in the notes service to JSON Lines (docs/note-file-format.md)
    Notes(notes::ExportNotes),
}

/// Brings data in; exit code 1 when a row was left out.
pub(crate) fn import(args: ImportArgs) -> Result<ExitCode, Failure> {
    match args.kind {
        ImportKind::Contacts(contacts) => contacts.run(),
        ImportKind::Notes(notes) => notes.run(),
    }
}

/// Takes data out.
pub(crate) fn export(args: ExportArgs) -> Result<ExitCode, Failure> {
    match args.kind {
        ExportKind::Contacts(contacts) => contacts.run(),
        ExportKind::Conversation(conversation) => conversation.run(),
        ExportKind::Notes(notes) => notes.run(),
    }
}

/// Where the API is and as whom it is called.
#[derive(Debug, clap::Args)]
struct ApiFlags {
    #[command(flatten)]
    api: AddressFlags,
    #[command(flatten)]
    key: KeyFlags,
}

impl ApiFlags {
    /// Does the work as an administrator; Ctrl-C ends it with what `so_far` says.
    fn run<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        work: impl FnOnce(Session) -> F,
        so_far: impl Fn() -> String,
    ) -> Result<T, Failure> {
        let token =
            self.key.minter(&Clock::system(), TOKEN_LIFE)?.mint("backchannel-cli", Role::Admin, None)?;
        let threads =
            tokio::runtime::Runtime::new().map_err(|error| Failure::because("no threads", error))?;
        let done = threads.block_on(async {
            let session = self.api.connect().await?.bearing(&token)?;
            tokio::select! {
                done = work(session) => done,
                _ = tokio::signal::ctrl_c() => Err(Failure(format!("stopped by Ctrl-C; {}", so_far()))),
            }
        });
        // A reader may still wait for standard input.
        threads.shutdown_background();
        done
    }
}
