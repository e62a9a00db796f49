//! `backchannel report` as a person runs it, behind a replay.

use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::process::Command;

use crate::imports::Place;

async fn run(place: &Place, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
    command.args(arguments).args(["--data", "made", "--addr", &place.process.grpc]);
    command.current_dir(place.data.path()).stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The reports of all teams, once everything is counted.
async fn counted(place: &Place) -> Vec<Value> {
    for _ in 0..400 {
        let reports: Vec<Value> =
            serde_json::from_str(&said(&run(place, &["report", "--json"]).await)).unwrap();
        if reports.iter().all(|it| it["complete"] == true) {
            return reports;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("not everything is counted");
}

// R19 G8
#[test]
fn a_report_shows_what_became_of_a_day() {
    testkit::run(async {
        let place = Place::up().await;
        assert!(said(&run(&place, &["report"]).await).contains("There are no teams yet."));
        let line = |source: &str, number: u32| {
            format!(
                r#"{{"conversation":"{source}{number}","contact":"of-{number}","channel":"chat","source":"{source}","turn":0,"text":"hi","intent":""}}"#
            )
        };
        let lines: Vec<String> = (0..6)
            .map(|number| line("shop", number))
            .chain((0..3).map(|number| line("bank", number)))
            .collect();
        std::fs::write(place.data.path().join("day.jsonl"), lines.join("\n")).unwrap();
        said(&run(&place, &["replay", "day.jsonl", "--agents-per-team", "2"]).await);

        let reports = counted(&place).await;
        let total = |team: &str| {
            let of_it = reports.iter().find(|it| it["team"] == team);
            of_it.unwrap_or_else(|| panic!("no {team} in {reports:#?}"))["total"].clone()
        };
        assert_eq!(
            (&total("shop-team")["assigned"], &total("bank-team")["assigned"]),
            (&Value::from(6), &Value::from(3))
        );
        assert_eq!(total("shop-team")["open"], 6);
        let table = said(&run(&place, &["report", "--team", "@Shop-Team", "--days", "3"]).await);
        for part in ["@shop-team", "@shop-1", "@shop-2", "fairness 1.000", "3 days in UTC"] {
            assert!(table.contains(part), "{part} in\n{table}");
        }
        assert!(said(&run(&place, &["report"]).await).contains("@bank-team"));
        let nobody = run(&place, &["report", "--team", "nobody"]).await;
        assert_eq!(nobody.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&nobody.stderr).contains("there is no team @nobody"));
        let mars = run(&place, &["report", "--time-zone", "Mars/Olympus"]).await;
        assert_eq!(mars.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&mars.stderr).contains("Europe/Berlin"), "what would be one");
    });
}
