//! What whoever deploys it does before the first call: keys, migrations, a look at everything that a process would need.

use std::path::Path;
use std::process::{Output, Stdio};

use testkit::{PostgresDatabase, free_port};
use tokio::process::Command;

use crate::imports::Place;
use crate::processes::Process;
use crate::world::nats_url;

/// The binary, with what it is told; it runs in this folder.
async fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backchannel-under-test"));
    command.args(arguments).envs(environment.iter().copied()).current_dir(folder);
    command.stdin(Stdio::null()).kill_on_drop(true).output().await.unwrap()
}

/// What `doctor` says, and its exit code.
async fn examined(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (String, i32) {
    let free = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    let output = run(folder, &[&["doctor"], &free[..], arguments].concat(), environment).await;
    let said = String::from_utf8(output.stdout).unwrap();
    (said, output.status.code().unwrap())
}

/// How it is with something, by the first word of its line.
fn verdict<'a>(said: &'a str, about: &str) -> &'a str {
    let line = said.lines().find(|line| line.contains(&format!(" {about}: ")));
    line.unwrap_or_else(|| panic!("nothing of {about}: {said}")).split_whitespace().next().unwrap()
}

// G8
#[test]
fn a_newcomer_is_told_that_everything_is_yet_to_come_and_nothing_is_made() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let (said, code) = examined(folder.path(), &[], &[]).await;
        assert_eq!(code, 0, "{said}");
        for (about, how) in
            [("configuration", "ok"), ("keys", "note"), ("database notes", "ok"), ("nats", "ok")]
        {
            assert_eq!(verdict(&said, about), how, "{said}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{said}");
    });
}

// G8
#[test]
fn what_is_wrong_is_named_with_what_to_do_and_with_no_secret() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let database = format!("postgres://ana:s3cret@127.0.0.1:{}/nothing", free_port());
        let nats = format!("nats://ana:s3cret@127.0.0.1:{}", free_port());
        let environment = [("BACKCHANNEL_DATABASE", database.as_str()), ("BACKCHANNEL_NATS", nats.as_str())];
        let (said, code) = examined(folder.path(), &[], &environment).await;
        assert_eq!(code, 1, "{said}");
        assert_eq!((verdict(&said, "database contacts"), verdict(&said, "nats")), ("FAIL", "note"), "{said}");
        assert!(said.contains("BACKCHANNEL_DATABASE") && !said.contains("s3cret"), "{said}");

        let (said, code) = examined(folder.path(), &[], &[("BACKCHANNEL_COLOUR", "red")]).await;
        assert!(code == 1 && verdict(&said, "configuration") == "FAIL" && said.contains("colour"), "{said}");
        let keys = [("BACKCHANNEL_KEYS__JWKS", "nowhere.json"), ("BACKCHANNEL_KEYS__SIGNING", "nowhere.pem")];
        let (said, code) = examined(folder.path(), &[], &keys).await;
        assert!(code == 1 && verdict(&said, "keys") == "FAIL", "{said}");
    });
}

// G8
#[test]
fn peers_are_asked_whether_they_know_our_key() {
    testkit::run(async {
        let place = Place::up().await;
        let (here, grpc) = (place.data.path(), format!("http://{}", place.process.grpc));
        let peers =
            ["CONTACTS", "ROUTING", "NOTES", "NOTIFICATIONS"].map(|it| format!("BACKCHANNEL_PEERS__{it}"));
        let all: Vec<(&str, &str)> = peers.iter().map(|it| (it.as_str(), grpc.as_str())).collect();
        let (said, code) = examined(here, &["--data", "made"], &all).await;
        assert_eq!(code, 0, "{said}");
        for peer in ["contacts", "routing", "notes", "notifications"] {
            assert_eq!(verdict(&said, &format!("peer {peer}")), "ok", "{said}");
            assert_eq!(verdict(&said, &format!("database {peer}")), "ok", "{said}");
        }

        // Another key, as after a restore into the wrong place.
        assert!(run(here, &["keys", "--data", "other"], &[]).await.status.success());
        let (said, code) = examined(here, &["--data", "other"], &all).await;
        assert!(
            code == 1 && verdict(&said, "peer notes") == "FAIL" && said.contains("keys.signing"),
            "{said}"
        );
        let away = [(peers[2].as_str(), "http://127.0.0.1:1")];
        let (said, code) = examined(here, &["--data", "made"], &away).await;
        assert!(
            code == 1 && verdict(&said, "peer notes") == "FAIL" && said.contains("peers.notes"),
            "{said}"
        );
    });
}

// G8
#[test]
fn a_release_migrates_before_it_serves_and_says_what_it_did() {
    testkit::run(async {
        let (folder, database) = (tempfile::tempdir().unwrap(), PostgresDatabase::create().await);
        let (url, nats) = (database.url(), nats_url());
        let environment = [("BACKCHANNEL_DATABASE", url.as_str()), ("BACKCHANNEL_NATS", nats.as_str())];
        let (said, code) = examined(folder.path(), &[], &environment).await;
        assert!(code == 0 && said.contains("no tables yet"), "{said}");
        assert_eq!((verdict(&said, "nats"), verdict(&said, "clock")), ("ok", "ok"), "{said}");

        let migrate = async || {
            let output = run(folder.path(), &["migrate"], &environment).await;
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let (first, again) = (migrate().await, migrate().await);
        for service in ["contacts", "routing", "notes", "notifications"] {
            assert!(first.contains(&format!("{service}: ")) && !first.contains("nothing was due"), "{first}");
            assert!(again.contains(&format!("{service}: nothing was due")), "{again}");
        }
        let (said, code) = examined(folder.path(), &[], &environment).await;
        assert!(code == 0 && said.contains("with the tables of this release"), "{said}");
        // No key is needed for it, and no folder is made.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    });
}

// G8
#[test]
fn keys_that_were_made_beforehand_are_those_that_a_process_takes() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let made = run(folder.path(), &["keys", "--data", "made"], &[]).await;
        assert!(made.status.success() && String::from_utf8_lossy(&made.stdout).contains("jwks.json"));
        let key = std::fs::read(folder.path().join("made/dev-key.pem")).unwrap();
        let mode = std::fs::metadata(folder.path().join("made")).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o700, "it is its owner's");
        let (data, log) = (folder.path().join("made"), folder.path().join("log"));
        let up =
            ["up", "--data", data.to_str().unwrap(), "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        let process = Process::start(&up, &[], &log).await;
        assert!(run(folder.path(), &["keys", "--data", "made"], &[]).await.status.success());
        assert_eq!(std::fs::read(data.join("dev-key.pem")).unwrap(), key);
        assert!(process.terminate().await.0);
    });
}

// G1 G8
#[test]
fn certificates_are_looked_at_and_peers_are_called_over_tls() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        for out in ["ours", "theirs"] {
            assert!(run(folder.path(), &["certificates", "--out", out], &[]).await.status.success());
        }
        let mode = std::fs::metadata(folder.path().join("ours/ca.key")).unwrap().permissions();
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o600, "it is its owner's");
        let at = |file: &str| folder.path().join(file).display().to_string();
        let tls = |certificate: &str, key: &str, authority: &str| {
            [("CERTIFICATE", certificate), ("KEY", key), ("AUTHORITY", authority)]
                .map(|(name, file)| (format!("BACKCHANNEL_TLS__{name}"), at(file)))
        };
        let own = tls("ours/notes/tls.crt", "ours/notes/tls.key", "ours/ca.crt");
        let all = |set: &[(String, String); 3]| set.to_vec();
        let look = async |set: Vec<(String, String)>| {
            let set: Vec<(&str, &str)> =
                set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            examined(folder.path(), &["--data", "made"], &set).await
        };
        let (said, code) = look(all(&own)).await;
        assert_eq!(
            (verdict(&said, "certificate"), verdict(&said, "authority"), code),
            ("ok", "ok", 0),
            "{said}"
        );
        assert!(said.contains("tls.certificate is good for 89 days"), "{said}");
        for (wrong, why) in [
            (tls("ours/notes/tls.crt", "theirs/notes/tls.key", "ours/ca.crt"), "tls.key"),
            (tls("ours/notes/tls.crt", "nowhere.key", "ours/ca.crt"), "nowhere.key"),
            (tls("ours/notes/tls.crt", "ours/notes/tls.key", "theirs/ca.crt"), "not signed by tls.authority"),
        ] {
            let (said, code) = look(wrong.to_vec()).await;
            assert!(code == 1 && said.contains("FAIL  certificate: ") && said.contains(why), "{why}: {said}");
        }

        let data = at("made");
        let up = ["up", "--data", &data, "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];
        let environment: Vec<(&str, &str)> =
            own.iter().map(|(name, file)| (name.as_str(), file.as_str())).collect();
        let process = Process::start(&up, &environment, &folder.path().join("log")).await;
        let peer =
            |scheme: &str| ("BACKCHANNEL_PEERS__NOTES".to_owned(), format!("{scheme}://{}", process.grpc));
        let (said, code) = look([all(&own), vec![peer("https")]].concat()).await;
        assert_eq!((verdict(&said, "peer notes"), code), ("ok", 0), "{said}");
        let theirs = tls("theirs/notes/tls.crt", "theirs/notes/tls.key", "theirs/ca.crt");
        let (said, code) = look([all(&theirs), vec![peer("https")]].concat()).await;
        assert!(
            code == 1 && said.contains("FAIL  peer notes: no TLS") && said.contains("tls.authority"),
            "{said}"
        );
        let (said, _) = look([all(&own), vec![peer("http")]].concat()).await;
        assert_eq!(verdict(&said, "peer notes"), "note", "{said}");

        // The command line finds its way, where it is told whom to trust.
        let report = ["report", "--data", "made", "--addr"];
        let (https, authority) = (format!("https://{}", process.grpc), at("ours/ca.crt"));
        let told =
            run(folder.path(), &[&report[..], &[https.as_str(), "--authority", &authority]].concat(), &[])
                .await;
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        let untold = run(folder.path(), &[&report[..], &[https.as_str()]].concat(), &[]).await;
        let why = String::from_utf8_lossy(&untold.stderr).into_owned();
        assert!(!untold.status.success() && why.contains("--authority"), "{why}");
        assert!(process.terminate().await.0);
    });
}

/// The variables of ours that a manifest sets to a value, and those values.
fn set_by(manifest: &str) -> Vec<(String, String)> {
    let lines = manifest.lines().map(|line| line.trim().trim_matches(['-', ' ', '{', '}']));
    let ours =
        lines.filter_map(|line| line.strip_prefix("name: ").unwrap_or(line).strip_prefix("BACKCHANNEL_"));
    let pairs = ours.filter_map(|line| line.split_once(", value: ").or_else(|| line.split_once(": ")));
    pairs.map(|(name, value)| (format!("BACKCHANNEL_{name}"), value.trim_matches('"').to_owned())).collect()
}

// G3 G4
#[test]
fn a_process_can_read_what_the_manifests_configure() {
    testkit::run(async {
        let (folder, deploy) =
            (tempfile::tempdir().unwrap(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy"));
        let (base, production) = ("kubernetes/base/backchannel.toml", "kubernetes/overlays/production");
        let read = |name: &str| std::fs::read_to_string(deploy.join(name)).unwrap();
        let cluster: String =
            ["services.yaml", "notifications.yaml"].map(|it| read(&format!("{production}/{it}"))).concat();
        for (file, manifest, least) in [(Some(base), cluster, 6), (None, read("compose/compose.yaml"), 12)] {
            let set = set_by(&manifest);
            assert!(set.len() >= least, "{set:?}");
            let mut environment: Vec<(&str, &str)> =
                set.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            // Nobody of those is here.
            environment.extend([
                ("BACKCHANNEL_DATABASE", "postgres://127.0.0.1:1/no"),
                ("BACKCHANNEL_NATS", "nats://127.0.0.1:1"),
            ]);
            let file = file.map(|file| deploy.join(file).display().to_string());
            let flags: Vec<&str> = file.iter().flat_map(|file| ["--config", file.as_str()]).collect();
            let (said, _) = examined(folder.path(), &flags, &environment).await;
            assert_eq!(verdict(&said, "configuration"), "ok", "{said}");
            // It would be silent about what it did not read.
            environment.push(("BACKCHANNEL_NOTIFICATIONS__COLOUR", "red"));
            let (said, _) = examined(folder.path(), &flags, &environment).await;
            assert_eq!(verdict(&said, "configuration"), "FAIL", "{said}");
        }
    });
}

// G8
#[test]
fn shells_complete_every_command() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let help = run(folder.path(), &["--help"], &[]).await;
        let help = String::from_utf8(help.stdout).unwrap();
        assert!(help.contains("Examples:") && help.contains("backchannel doctor"), "{help}");
        for shell in ["bash", "zsh", "fish"] {
            let script = run(folder.path(), &["completions", shell], &[]).await;
            let script = String::from_utf8(script.stdout).unwrap();
            for command in ["up", "serve", "doctor", "migrate", "export", "report"] {
                assert!(
                    help.contains(&format!("  {command} ")) && script.contains(command),
                    "{shell}: {command}"
                );
            }
        }
    });
}
