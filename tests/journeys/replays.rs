//! `backchannel replay` as a person runs it: again, after a stop, over a restart, with lines that are no messages.

use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

use crate::imports::Place;

impl Place {
    fn folder(&self) -> std::path::PathBuf {
        self.data.path().join("made")
    }

    fn replay(&self, file: &str, further: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
        command
            .args(["replay", file, "--addr", &self.process.grpc, "--data"])
            .arg(self.folder())
            .args(further);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// How many messages were recorded, as the server counts.
    async fn recorded(&self) -> u32 {
        let page = crate::operations::get(&self.process.metrics, "/metrics").await;
        let counted = |line: &&str| {
            line.starts_with("rpc_server_duration_seconds_count")
                && line.contains("RecordMessage")
                && line.contains("\"OK\"")
        };
        let count = page.lines().find(counted).and_then(|line| line.rsplit(' ').next()?.parse().ok());
        count.unwrap_or_default()
    }

    /// Replays these lines; the exit code and the report.
    async fn replayed(&self, lines: &[String], further: &[&str]) -> (i32, Value) {
        let file = self.data.path().join("day.jsonl");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let mut flags = vec!["--json", "--note-every", "1"];
        flags.extend(further);
        read(self.replay(file.to_str().unwrap(), &flags).output().await.unwrap())
    }
}

fn read(output: Output) -> (i32, Value) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code().unwrap(), report)
}

fn line(conversation: &str, intent: &str) -> String {
    format!(
        r#"{{"conversation":"{conversation}","contact":"of-{conversation}","channel":"chat","source":"shop","turn":0,"text":"hi","intent":"{intent}"}}"#
    )
}

fn lines(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| line(&format!("c{number}"), "")).collect()
}

// P13
#[test]
fn a_second_replay_with_fewer_agents_hears_those_of_the_first() {
    testkit::run(async {
        let place = Place::up().await;
        let (code, first) = place.replayed(&lines(0..4), &["--agents-per-team", "3"]).await;
        assert_eq!(code, 0, "{first}");
        let (code, second) = place.replayed(&lines(4..10), &["--agents-per-team", "1"]).await;
        assert_eq!((code, &second["notifications_lost"]), (0, &Value::from(0)), "{second}");
        assert_eq!(second["notes"], 6, "{second}");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(place.folder()).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o700, "the folder that `up` makes is its owner's");
    });
}

// P13
#[test]
fn goodbyes_of_an_earlier_run_are_resolved_and_then_nothing_changes() {
    testkit::run(async {
        let place = Place::up().await;
        let (_, first) = place.replayed(&[line("a", "")], &[]).await;
        assert_eq!(first["resolved"], 0);
        let (code, second) = place.replayed(&[line("a", "thankyou")], &[]).await;
        assert_eq!(
            (code, &second["known_before"], &second["resolved"]),
            (0, &Value::from(1), &Value::from(1)),
            "{second}"
        );
        assert_eq!(second["changed"], true);
        let (code, third) = place.replayed(&[line("a", "thankyou")], &[]).await;
        assert_eq!(
            (code, &third["changed"], &third["resolved"]),
            (0, &Value::from(false), &Value::from(1)),
            "{third}"
        );
    });
}

// P13
#[test]
fn lines_that_are_refused_cost_nothing_but_themselves_and_success() {
    testkit::run(async {
        let place = Place::up().await;
        // Neither may cost the note on it: it is longer than a note may be, and has what a note may not have.
        let long = line("b", "").replace("\"hi\"", &format!("\"a\\u0007b {}\"", "x".repeat(65_000)));
        let day = [line("a", ""), line("x", "").replace("\"chat\"", "\"Chat!\""), long, "[]".to_owned()];
        let (code, report) = place.replayed(&day, &[]).await;
        assert_eq!(code, 1, "{report}");
        assert_eq!(
            (&report["conversations"], &report["messages_lost"]),
            (&Value::from(2), &Value::from(0)),
            "{report}"
        );
        assert_eq!((&report["rejected"], &report["notes"]), (&Value::from(2), &Value::from(2)), "{report}");
        let file = place.data.path().join("day.jsonl");
        let strict = place.replay(file.to_str().unwrap(), &["--strict"]).output().await.unwrap();
        assert_eq!(strict.status.code(), Some(2));
    });
}

// P13 P6
#[test]
fn a_replay_outlives_a_killed_server() {
    testkit::run(async {
        let mut place = Place::up().await;
        let mut replay = place.replay("-", &["--json"]).spawn().unwrap();
        let mut file = replay.stdin.take().unwrap();
        let mut said = BufReader::new(replay.stderr.take().unwrap()).lines();
        file.write_all(b"no message\n").await.unwrap();
        assert!(said.next_line().await.unwrap().unwrap().starts_with("line 1: "));
        let day = lines(0..200);
        file.write_all(format!("{}\n", day[..100].join("\n")).as_bytes()).await.unwrap();
        place.process.kill().await;
        place.process.restart().await;
        file.write_all(day[100..].join("\n").as_bytes()).await.unwrap();
        drop(file);
        tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
        let (code, report) = read(replay.wait_with_output().await.unwrap());
        assert_eq!((code, &report["rejected"]), (1, &Value::from(1)), "{report}");
        assert_eq!(
            (&report["conversations"], &report["messages_lost"]),
            (&Value::from(200), &Value::from(0)),
            "{report}"
        );
        assert_eq!(report["notifications_lost"], 0, "{report}");
    });
}

// P13
#[test]
fn a_replay_stopped_by_ctrl_c_says_how_far_it_came_and_the_next_one_goes_on() {
    testkit::run(async {
        let place = Place::up().await;
        let mut replay = place.replay("-", &[]).spawn().unwrap();
        let day = lines(0..10);
        let mut file = replay.stdin.take().unwrap();
        file.write_all(format!("{}\n", day[..5].join("\n")).as_bytes()).await.unwrap();
        while place.recorded().await < 5 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let id = replay.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
        let stopped = replay.wait_with_output().await.unwrap();
        drop(file);
        let said = String::from_utf8_lossy(&stopped.stderr).into_owned();
        assert_eq!(stopped.status.code(), Some(2), "{said}");
        let told =
            said.lines().find_map(|line| line.strip_prefix("until then: ")).expect("it says how far it came");
        // The answer to the last one may still have been on its way.
        let told: u32 = told.split(' ').next().unwrap().parse().unwrap();
        assert!((1..=5).contains(&told), "{said}");
        assert!(said.contains("run it again"), "{said}");

        let (code, report) = place.replayed(&day, &[]).await;
        assert_eq!((code, &report["known_before"]), (0, &Value::from(5)), "{report}");
        assert_eq!(
            (&report["conversations"], &report["messages_lost"]),
            (&Value::from(10), &Value::from(0)),
            "{report}"
        );
    });
}

// P13 R3 R10 R12
#[test]
fn on_a_floor_skills_capacity_offers_and_people_who_come_and_go_leave_nobody_without_an_agent_or_a_reason() {
    testkit::run(async {
        let place = Place::up().await;
        let day: Vec<String> = (0..60)
            .map(|number| {
                let goodbye = if number % 3 == 0 { "thankyou" } else { "" };
                let source = ["bank", "hotel", "shop"][number % 3];
                line(&format!("f{number}"), goodbye).replace("\"shop\"", &format!("\"{source}\""))
            })
            .collect();
        let floor = ["--skills", "--agents", "6", "--capacity", "2", "--churn", "--reject", "0.2"];
        let (code, report) = place.replayed(&day, &floor).await;
        assert_eq!(code, 0, "{report}");
        let number = |field: &str| report[field].as_u64().unwrap_or_else(|| panic!("{field}: {report}"));
        assert_eq!((number("conversations"), number("unexplained")), (60, 0), "{report}");
        // 40 say no goodbye: with room for 12 some of them have to wait.
        assert!(number("waited") > 0 && number("offers_accepted") >= 40, "{report}");
        assert!(report["fairness"].as_f64().unwrap() > 0.5, "{report}");
        assert!(report["fairness_of_expected"].as_f64().unwrap() > 0.5, "{report}");
        let (code, again) = place.replayed(&day, &floor).await;
        assert_eq!((code, &again["known_before"]), (0, &Value::from(60)), "{again}");
    });
}

// P13 G8
#[test]
fn the_wrong_key_is_named_and_a_folder_in_use_is_refused() {
    testkit::run(async {
        let place = Place::up().await;
        let other = Place::up().await;
        let mut crossed = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
        crossed.args(["replay", "-", "--addr", &place.process.grpc, "--data"]).arg(other.folder());
        let mut crossed = crossed.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        crossed.stdin.take().unwrap().write_all(line("a", "").as_bytes()).await.unwrap();
        let crossed = crossed.wait_with_output().await.unwrap();
        let said = String::from_utf8_lossy(&crossed.stderr).into_owned();
        assert_eq!(crossed.status.code(), Some(2), "{said}");
        assert!(said.contains("that server knows another key or audience"), "{said}");
        let said = second_up(&place.folder()).await;
        assert!(said.contains("in use by another process"), "{said}");
    });
}

// P1 G8
#[test]
fn a_server_with_an_audience_of_its_own_is_called_with_it() {
    testkit::run(async {
        let place = Place::up_with(&[("BACKCHANNEL_AUDIENCE", "desk")]).await;
        let file = place.folder().join("day.jsonl");
        std::fs::write(&file, line("a", "")).unwrap();
        let refused = place.replay(file.to_str().unwrap(), &[]).output().await.unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("--audience"), "{said}");
        let (code, report) = place.replayed(&[line("a", "")], &["--audience", "desk"]).await;
        assert_eq!((code, &report["messages"]), (0, &Value::from(1)), "{report}");
    });
}

async fn second_up(folder: &Path) -> String {
    let mut second = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
    second.args(["up", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--data"]).arg(folder);
    let ended = second.output().await.unwrap();
    assert_eq!(ended.status.code(), Some(2));
    String::from_utf8_lossy(&ended.stderr).into_owned()
}
