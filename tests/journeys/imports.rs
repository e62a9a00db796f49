//! `backchannel import contacts` and `backchannel export contacts` as a person runs them: with a spreadsheet's file, over a killed
//! server, and into another organization.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::processes::Process;

/// A server, and a folder beside its own.
pub(crate) struct Place {
    pub(crate) process: Process,
    pub(crate) data: TempDir,
}

impl Place {
    pub(crate) async fn up() -> Self {
        Self::up_with(&[]).await
    }

    /// With these variables in its environment.
    pub(crate) async fn up_with(environment: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("made");
        let log = data.path().join("up.log");
        let arguments =
            ["up", "--data", folder.to_str().unwrap(), "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        Self { process: Process::start(&arguments, environment, &log).await, data }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.data.path().join(name)
    }

    fn command(&self, what: &str, file: &Path, further: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
        command.args([what, "contacts"]).arg(file).args(["--addr", &self.process.grpc, "--data"]);
        command.arg(self.data.path().join("made")).args(further);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Imports a file; the exit code and the report.
    async fn import(&self, file: &Path, further: &[&str]) -> (i32, Value) {
        let mut flags = vec!["--json"];
        flags.extend(further);
        read(self.command("import", file, &flags).output().await.unwrap())
    }

    /// Exports to a file, which is read.
    async fn export(&self, name: &str, further: &[&str]) -> Vec<u8> {
        let file = self.file(name);
        let output = self.command("export", &file, further).output().await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::read(file).unwrap()
    }
}

fn read(output: Output) -> (i32, Value) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code().unwrap(), report)
}

/// As a spreadsheet writes it; every tenth row is no good.
fn spreadsheet(rows: usize) -> String {
    let mut file = String::from("\u{feff}External ID;Name;E-Mail;Tags\r\n");
    for row in 1..=rows {
        let email = if row % 10 == 0 { "-".to_owned() } else { format!("p{row}@example.com") };
        file.push_str(&format!("e{row};\"Zoë; {row}\";{email};\"vip;t{row}\"\r\n"));
    }
    file
}

fn counts(report: &Value) -> [i64; 4] {
    ["created", "updated", "unchanged", "rejected"].map(|name| report[name].as_i64().unwrap())
}

// C10 G8
#[test]
fn rows_that_were_left_out_are_mended_in_their_file_and_imported() {
    testkit::run(async {
        let place = Place::up().await;
        let (file, bad) = (place.file("people.csv"), place.file("bad.csv"));
        std::fs::write(&file, spreadsheet(500)).unwrap();
        let (code, trial) = place.import(&file, &["--dry-run"]).await;
        assert_eq!((code, counts(&trial)), (1, [450, 0, 0, 50]), "{trial}");
        let (code, report) = place.import(&file, &["--rejects", bad.to_str().unwrap()]).await;
        assert_eq!((code, counts(&report)), (1, [450, 0, 0, 50]), "{report}");

        let rejected = std::fs::read_to_string(&bad).unwrap();
        let mut lines = rejected.lines();
        assert_eq!(
            lines.next().unwrap(),
            "reject.line;reject.field;reject.reason;External ID;Name;E-Mail;Tags"
        );
        assert!(lines.next().unwrap().starts_with("11;emails[0];\"emails[0] must"), "{rejected}");
        std::fs::write(&bad, rejected.replace(";-;", ";;")).unwrap();
        let (code, mended) = place.import(&bad, &[]).await;
        assert_eq!((code, counts(&mended)), (0, [50, 0, 0, 0]), "{mended}");

        let out = place.export("out.jsonl.gz", &["--columns", "external_id,display_name,emails,tags"]).await;
        assert!(out.starts_with(&[0x1f, 0x8b]));
        let (code, elsewhere) = place.import(&place.file("out.jsonl.gz"), &["--org", "other"]).await;
        assert_eq!((code, counts(&elsewhere)), (0, [500, 0, 0, 0]), "{elsewhere}");
        let flags = ["--org", "other", "--columns", "external_id,display_name,emails,tags"];
        let (one, other) =
            (place.export("one.csv", &flags[2..]).await, place.export("other.csv", &flags).await);
        assert_eq!(String::from_utf8(one).unwrap(), String::from_utf8(other).unwrap());
    });
}

// C10 G8
#[test]
fn a_file_that_is_none_is_refused_in_words_about_it() {
    testkit::run(async {
        let place = Place::up().await;
        let file = place.file("people.csv");
        for (text, said) in [
            ("external_id,shoe size\n", "columns which there are not: shoe size"),
            ("Ana,ana@example.com\n", "error: the header is missing: the first line must name columns"),
            ("", "the file is empty"),
        ] {
            std::fs::write(&file, text).unwrap();
            let output = place.command("import", &file, &[]).output().await.unwrap();
            let error = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(2) && error.contains(said), "{error}");
        }
        let unnamed = place.command("import", Path::new("-"), &[]).output().await.unwrap();
        assert!(String::from_utf8_lossy(&unnamed.stderr).contains("--format"));
    });
}

// C10 P14
#[test]
fn an_import_outlives_a_killed_server() {
    testkit::run(async {
        let mut place = Place::up().await;
        let mut import =
            place.command("import", Path::new("-"), &["--json", "--format", "csv"]).spawn().unwrap();
        let mut file = import.stdin.take().unwrap();
        let all = spreadsheet(6_000);
        // More than a pipe holds: what is written is read, so the import has begun. Some of it is in by then, or none: it makes no
        // difference.
        let (first, rest) = all.as_bytes().split_at(220_000);
        file.write_all(first).await.unwrap();
        place.process.kill().await;
        place.process.restart().await;
        file.write_all(rest).await.unwrap();
        drop(file);
        let (code, report) = read(import.wait_with_output().await.unwrap());
        let [created, updated, unchanged, rejected] = counts(&report);
        assert_eq!((code, created + unchanged, updated, rejected), (1, 5_400, 0, 600), "{report}");
        let out = place.export("out.csv", &["--columns", "external_id"]).await;
        assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 5_401);
    });
}
