//! How long an import takes, and whether its memory stays flat: rows with 1 % bad ones through gRPC into an empty organization, then the
//! same file again, which changes nothing. Of the bad ones every fifth has a quote that nobody closed, the others no email address.
//!
//! `cargo bench -p journeys --bench import -- 100000`; 100,000 rows unless given. The file is made while it is sent: what grows is the
//! server, which is in this process.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at what it did not expect and prints"
)]

use std::time::Instant;

use kernel::Role;
use proto::contacts::v1::contact_import_service_client::ContactImportServiceClient;
use proto::contacts::v1::import_contacts_request::Frame as Piece;
use proto::contacts::v1::import_contacts_response::Frame;
use proto::contacts::v1::*;
use testkit::{Engine, Suite};

/// Every so manieth row is bad.
const BAD: usize = 100;
/// Every so manieth row has a quote that is not closed; it takes no row behind it along.
const OPEN: usize = 5 * BAD;
/// Rows of a piece.
const PIECE: usize = 500;
/// Where memory is looked at, in percent of the rows.
const LOOK: [i64; 3] = [10, 50, 100];

fn main() {
    let rows = std::env::args().filter_map(|rows| rows.parse().ok()).next().unwrap_or(100_000);
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    threads.block_on(async {
        measure(Engine::Sqlite, rows).await;
        match std::env::var_os("BACKCHANNEL_TEST_POSTGRES") {
            Some(_) => measure(Engine::Postgres, rows).await,
            None => println!("PostgreSQL  not measured: BACKCHANNEL_TEST_POSTGRES is not set"),
        }
    });
}

async fn measure(engine: Engine, rows: usize) {
    let units = [contacts::unit(), assignment_routing::unit(), notes::unit(), notifications::unit()];
    let suite = Suite::of(units).on(engine).start().await;
    let bad = i64::try_from(rows / BAD).unwrap();
    let good = i64::try_from(rows).unwrap() - bad;
    let first = import(&suite, rows, &format!("{engine:?}: new")).await;
    assert_eq!((first.created, first.updated, first.unchanged, first.rejected), (good, 0, 0, bad));
    let again = import(&suite, rows, &format!("{engine:?}: again")).await;
    assert_eq!((again.created, again.updated, again.unchanged, again.rejected), (0, 0, good, bad));
}

/// Imports the rows, and prints how long that took and how large the process was on the way.
async fn import(suite: &Suite, rows: usize, what: &str) -> ContactImportCounts {
    let mut client = ContactImportServiceClient::new(suite.client("bench", "root", Role::Admin));
    let begun = Instant::now();
    let pieces = futures::stream::iter((0..=rows.div_ceil(PIECE)).map(move |piece| piece_of(piece, rows)));
    let mut answers = client.import_contacts(pieces).await.unwrap().into_inner();
    let mut expected = (1..=rows / BAD).map(|bad| i64::try_from(bad * BAD + 1).unwrap());
    let (mut looks, mut sizes) = (LOOK.iter().peekable(), Vec::new());
    loop {
        match answers.message().await.unwrap().unwrap().frame.unwrap() {
            Frame::Progress(progress) => {
                for row in progress.rejected {
                    assert_eq!(Some(row.line), expected.next());
                    let open = (row.line - 1) % i64::try_from(OPEN).unwrap() == 0;
                    let (is_open, reason) = (row.reason() == RowRejectionReason::Unreadable, row.reason());
                    assert!(
                        is_open == open && (open || reason == RowRejectionReason::InvalidValue),
                        "{row:?}"
                    );
                }
                let done = dealt_with(&progress.counts.unwrap()) * 100 / i64::try_from(rows).unwrap();
                while looks.next_if(|look| **look <= done).is_some() {
                    sizes.push(format!("{} MiB", resident_mib()));
                }
            }
            Frame::Finished(finished) => {
                let per_second = rows as f64 / begun.elapsed().as_secs_f64();
                println!(
                    "{what:<18} {rows} rows, {per_second:.0} rows/s; memory at 10, 50, 100 %: {}",
                    sizes.join(", ")
                );
                assert_eq!(expected.next(), None, "a bad row was not told");
                return finished.counts.unwrap();
            }
            Frame::Opened(_) | Frame::Header(_) | Frame::Heartbeat(_) => {}
            Frame::Closing(closing) => unreachable!("{closing:?}"),
        }
    }
}

fn dealt_with(counts: &ContactImportCounts) -> i64 {
    counts.created + counts.updated + counts.unchanged + counts.rejected
}

/// The start, the header, then rows.
fn piece_of(piece: usize, rows: usize) -> ImportContactsRequest {
    if piece == 0 {
        let format = ContactFileFormat::Csv.into();
        let start = ContactImportStart { format, ..ContactImportStart::default() };
        return ImportContactsRequest { frame: Some(Piece::Start(start)) };
    }
    let mut text = String::new();
    if piece == 1 {
        text.push_str("external_id,display_name,emails,phones,company,tags\n");
    }
    for row in (piece - 1) * PIECE + 1..=(piece * PIECE).min(rows) {
        let email = if row % BAD == 0 { "nobody".to_owned() } else { format!("person{row}@example.com") };
        let company = row % 5_000;
        // Tags in quotes would close it in the same line.
        let (open, quote) = if row % OPEN == 0 { ("\"", "") } else { ("", "\"") };
        text.push_str(&format!(
            "e{row},{open}Given{} Family{row},{email},+4989{:08},Company {company},{quote}vip;t{}{quote}\n",
            row % 900,
            10_000_000 + row,
            row % 50
        ));
    }
    ImportContactsRequest { frame: Some(Piece::Chunk(text.into_bytes())) }
}

/// Memory of this process, as the system counts it.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
