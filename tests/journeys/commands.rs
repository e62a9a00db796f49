//! What the commands say to a person when they cannot go on, and what they leave behind then: nothing.

use std::path::Path;
use std::process::{Output, Stdio};

use testkit::free_port;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::imports::Place;

/// The binary, with what it is told; it runs in this folder.
async fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
    command.args(arguments).envs(environment.iter().copied()).current_dir(folder);
    command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap()
}

/// It did not go on, and this is why.
fn refusal(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    said
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let name = |it: std::io::Result<std::fs::DirEntry>| it.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = std::fs::read_dir(folder).unwrap().map(name).collect();
    names.sort();
    names
}

const FREE: [&str; 4] = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];

/// Where nothing listens: who asks it fails with another error than is expected.
const POSTGRES: [&str; 2] = ["--database", "postgres://nobody@127.0.0.1:1/nothing"];

// P8
#[test]
fn what_is_wrong_with_the_settings_is_found_before_a_database_is_opened() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        for database in [&POSTGRES[..0], &POSTGRES] {
            for service in ["contacts", "routing", "notes", "notifications"] {
                let key = format!("BACKCHANNEL_{}__COLOUR", service.to_uppercase());
                let up = [&["up"][..], &FREE[..], database].concat();
                let said = refusal(&run(folder.path(), &up, &[(key.as_str(), "red")]).await);
                assert!(said.contains(&format!("{service}.colour")) && said.contains(&key), "{said}");
                assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
            }
            let serve =
                [&["serve", "assignment-routing", "--data", "keys"][..], &FREE[..], database].concat();
            let said = refusal(&run(folder.path(), &serve, &[]).await);
            assert!(said.contains("peers.notifications"), "{said}");
            assert_eq!(names(&folder.path().join("keys")), ["dev-key.pem", "jwks.json"]);
            std::fs::remove_dir_all(folder.path().join("keys")).unwrap();
        }
    });
}

// P8 G8
#[test]
fn who_asks_where_nobody_answers_is_told_what_to_do() {
    testkit::run(async {
        let mut place = Place::up().await;
        place.process.kill().await;
        let (folder, id) = (place.data.path(), "01890a5d-ac96-774b-bcce-b302099a8057");
        let (up, elsewhere) = (place.process.grpc.clone(), format!("127.0.0.1:{}", free_port()));
        for asked in [vec!["notes"], vec!["contacts"], vec!["contacts", "x.csv"], vec!["conversation", id]] {
            for address in [up.as_str(), elsewhere.as_str()] {
                let export = [&["export"][..], &asked[..], &["--data", "made", "--addr", address]].concat();
                let said = refusal(&run(folder, &export, &[]).await);
                let nobody = format!("nobody answers at {address}");
                for part in [nobody.as_str(), "backchannel up", "--addr", "--at"] {
                    assert!(said.contains(part), "{asked:?}: {said}");
                }
            }
        }
        assert_eq!(names(folder), ["made", "up.log"]);
    });
}

// P8 G8
#[test]
fn what_cannot_be_meant_is_refused_with_what_can() {
    testkit::run(async {
        let place = Place::up().await;
        let folder = place.data.path();
        let api = ["--data", "made", "--addr", &place.process.grpc];
        let export = [&["export", "contacts", "x.csv", "--columns", "shoe_size"][..], &api].concat();
        let said = refusal(&run(folder, &export, &[]).await);
        assert!(said.contains("columns must be columns that there are, and not shoe_size"), "{said}");
        let token = ["token", "--data", "made", "--role", "contact", "--sub", "cara"];
        let said = refusal(&run(folder, &token, &[]).await);
        assert!(said.contains("contact_id") && said.contains("export contacts"), "{said}");
        let token = ["token", "--data", "up.log", "--role", "agent", "--sub", "ana"];
        let said = refusal(&run(folder, &token, &[]).await);
        assert!(said.contains("up.log is a file") && said.contains("--data"), "{said}");
        assert_eq!(names(folder), ["made", "up.log"]);
    });
}

// P13 G8
#[test]
fn a_conversation_goes_to_standard_output_for_a_dash() {
    const DAY: &str = r#"{"conversation":"a1","contact":"cara","channel":"chat","source":"airline","turn":0,"text":"hello"}"#;
    testkit::run(async {
        let place = Place::up().await;
        let folder = place.data.path();
        let api = ["--data", "made", "--addr", &place.process.grpc];
        std::fs::write(folder.join("day.jsonl"), DAY).unwrap();
        let day = run(folder, &[&["replay", "day.jsonl"][..], &api].concat(), &[]).await;
        let day = String::from_utf8(day.stdout).unwrap();
        let id = day.split("explain ").nth(1).and_then(|it| it.split_whitespace().next()).unwrap();
        let before = names(folder);
        let export = async |further: &[&str]| {
            let arguments = [&["export", "conversation", id, "--out"][..], further, &api].concat();
            run(folder, &arguments, &[]).await
        };

        let json = export(&["-", "--format", "json"]).await;
        let said = String::from_utf8_lossy(&json.stderr).into_owned();
        assert!(json.status.success() && said.starts_with("standard output: "), "{said}");
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
        assert!(json.to_string().contains("hello"), "{json}");
        assert!(export(&["-"]).await.stdout.starts_with(b"%PDF"));
        let said = refusal(&export(&["x.pdf", "--format", "json"]).await);
        assert!(said.contains("x.pdf") && said.contains(".json"), "{said}");
        assert_eq!(names(folder), before);

        assert!(export(&["x.json"]).await.status.success());
        assert!(std::fs::read(folder.join("x.json")).unwrap().starts_with(b"{"));
        let contacts = run(folder, &[&["export", "contacts", "x.csv"][..], &api].concat(), &[]).await;
        let said = String::from_utf8_lossy(&contacts.stderr).into_owned();
        assert!(said.starts_with("1 contact in "), "{said}");
    });
}

// P8
#[test]
fn at_a_terminal_it_serves_and_speaks_of_nothing_but_itself() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let up = [&[env!("CARGO_BIN_EXE_backchannel-under-test"), "up"][..], &FREE[..]].concat().join(" ");
        // What runs under `script` has a terminal.
        let mut terminal = Command::new("script");
        terminal.args(["-qefc", &up, "/dev/null"]).current_dir(folder.path()).env("TERM", "xterm");
        let mut terminal =
            terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(terminal.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        while let Ok(Some(line)) = lines.next_line().await {
            let ready = line.starts_with("ready grpc=");
            said.push(line);
            if ready {
                break;
            }
        }
        let (ready, before) = said.split_last().unwrap();
        assert!(ready.starts_with("ready grpc=127.0.0.1:"), "{said:?}");
        // Each line of its log begins with the time, which is dimmed.
        assert!(before.iter().all(|line| line.starts_with("\u{1b}[2m2")), "{before:?}");
    });
}

// P8
#[test]
fn what_cannot_be_written_is_not_called_done() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let token = ["token", "--org", "acme", "--sub", "ana", "--role", "agent"];
        let key = [&["serve", "contacts", "--data", "data"][..], &FREE[..]].concat();
        refusal(&run(folder.path(), &key, &[]).await);
        assert!(run(folder.path(), &token, &[]).await.status.success());
        let mut full = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
        let full = full.args(token).current_dir(folder.path()).stdin(Stdio::null());
        let full = full.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
        let said = refusal(&full.stderr(Stdio::piped()).spawn().unwrap().wait_with_output().await.unwrap());
        assert!(said.contains("standard output"), "{said}");
    });
}

// P8
#[test]
fn numbers_that_would_serve_nobody_are_refused() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        for (key, value) in [
            ("limits.unary_in_flight", "0"),
            ("limits.streams_per_person", "0"),
            ("limits.default_deadline_ms", "0"),
            ("connections.open", "0"),
            ("connections.streams", "0"),
            ("connections.header_bytes", "0"),
            ("telemetry.sample", "7"),
            ("shutdown.balancer_wait_ms", "60000"),
            ("database_connections", "0"),
        ] {
            let variable = format!("BACKCHANNEL_{}", key.to_uppercase().replace('.', "__"));
            let up = [&["up"][..], &FREE[..]].concat();
            let said = refusal(&run(folder.path(), &up, &[(variable.as_str(), value)]).await);
            assert!(said.contains(&format!("{key}: must be")) && said.contains(&variable), "{said}");
        }
        assert!(names(folder.path()).is_empty());
    });
}
