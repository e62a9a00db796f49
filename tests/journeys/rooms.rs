//! Who knows one service knows all: the same rooms, the same names; and nobody imports what is not theirs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const SERVICES: [&str; 4] = ["contacts", "assignment-routing", "notes", "notifications"];

/// Each is a file or, when it has grown, a folder of the same name.
const ROOMS: [&str; 10] =
    ["main", "config", "domain", "error", "wire", "store", "peers", "events", "app", "api"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

#[test]
fn the_four_services_have_the_same_rooms() {
    for service in SERVICES {
        let folder = root().join("services").join(service);
        for wanted in ["README.md", "migrations/sqlite", "migrations/postgres", "tests", "src/lib.rs"] {
            assert!(folder.join(wanted).exists(), "{service} has no {wanted}");
        }
        let rooms: BTreeSet<String> = std::fs::read_dir(folder.join("src"))
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        let expected: BTreeSet<String> =
            ROOMS.iter().chain(&["lib", "worker"]).map(|room| (*room).to_owned()).collect();
        assert_eq!(rooms, expected, "{service}");
        let migrations = |engine: &str| -> BTreeSet<_> {
            let folder = folder.join("migrations").join(engine);
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect()
        };
        assert_eq!(
            migrations("sqlite"),
            migrations("postgres"),
            "{service}: the same steps on both databases"
        );
    }
}

#[test]
fn the_readme_of_a_service_names_every_table_it_has() {
    let services = [
        ("contacts", &contacts::store::MIGRATIONS),
        ("assignment-routing", &assignment_routing::store::MIGRATIONS),
        ("notes", &notes::MIGRATIONS),
        ("notifications", &notifications::store::MIGRATIONS),
    ];
    for (service, migrations) in services {
        let readme =
            std::fs::read_to_string(root().join("services").join(service).join("README.md")).unwrap();
        let steps = migrations.sets.iter().flat_map(|set| set.steps);
        let tables: Vec<&str> = steps.flat_map(|step| created(step.postgres)).collect();
        assert!(tables.len() > 3, "{service}: {tables:?}");
        let unnamed: Vec<_> =
            tables.into_iter().filter(|table| !readme.contains(&format!("`{table}`"))).collect();
        assert!(unnamed.is_empty(), "{service}: {unnamed:?}");
    }
}

/// The tables which a migration makes.
fn created(sql: &str) -> impl Iterator<Item = &str> {
    sql.split("CREATE TABLE ").skip(1).filter_map(|rest| rest.split([' ', '(', '\n']).next())
}

// G8
#[test]
fn the_shell_of_the_guides_makes_request_ids_with_what_is_everywhere() {
    for service in ["notes", "contacts"] {
        let readme =
            std::fs::read_to_string(root().join("services").join(service).join("README.md")).unwrap();
        assert!(readme.contains("$(uuid)") && !readme.contains("uuidgen"), "{service}");
        let uuid = readme.lines().find(|line| line.starts_with("uuid() {")).unwrap();
        let made = || {
            let made = std::process::Command::new("bash").arg("-c").arg(format!("{uuid}\nuuid")).output();
            String::from_utf8(made.unwrap().stdout).unwrap().trim().to_owned()
        };
        let (one, other) = (made(), made());
        assert!(kernel::ContactId::parse(&one).is_ok() && one != other, "{service}: {one}");
    }
}

/// Services whose library is not compiled once more for its tests, and the files whose tests run in `tests/service` instead.
const MOUNTED: [(&str, &[&str]); 3] = [
    ("contacts", &["src/domain/", "src/wire/transfer/", "src/wire/broken.rs"]),
    (
        "assignment-routing",
        &["src/domain/", "src/app/presence_board.rs", "src/app/watch/pace.rs", "src/app/watch/tally.rs"],
    ),
    ("notes", &["src/domain/"]),
];

#[test]
fn no_test_stands_where_nobody_runs_it() {
    for (service, mounted) in MOUNTED {
        let folder = root().join("services").join(service);
        let mut folders = vec![folder.join("src")];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                let runs = mounted.iter().any(|mounted| name.starts_with(mounted));
                let tests = std::fs::read_to_string(&path).unwrap().contains("#[test]");
                assert!(runs || !tests, "{service}/{name}: its tests belong into tests/service");
            }
        }
    }
}

/// What of ours each crate may import, besides in tests.
const MAY_IMPORT: [(&str, &[&str]); 18] = [
    ("proto", &[]),
    ("shared/kernel", &[]),
    ("shared/db", &["kernel"]),
    ("shared/audit", &["kernel", "db"]),
    ("shared/outbox", &["kernel", "db"]),
    ("shared/erasure", &["kernel", "db"]),
    ("shared/rpc", &["kernel", "proto"]),
    ("shared/merges", &["kernel", "proto", "db", "audit", "outbox", "rpc"]),
    ("shared/runtime", &["kernel", "proto", "db", "audit", "outbox", "rpc"]),
    ("shared/announce", &["kernel", "proto", "db", "audit", "outbox", "rpc", "runtime"]),
    ("shared/zones", &["kernel"]),
    ("shared/egress", &["kernel"]),
    ("shared/testkit", &["kernel", "proto", "db", "outbox", "rpc", "runtime"]),
    ("services/contacts", SHARED),
    ("services/assignment-routing", SHARED),
    ("services/notes", SHARED),
    ("services/notifications", SHARED),
    (
        "services/suite",
        &[
            "kernel",
            "proto",
            "db",
            "audit",
            "outbox",
            "rpc",
            "runtime",
            "contacts",
            "assignment-routing",
            "notes",
            "notifications",
        ],
    ),
];

const SHARED: &[&str] = &[
    "kernel", "proto", "db", "audit", "outbox", "erasure", "rpc", "merges", "runtime", "announce", "zones",
    "egress",
];

#[test]
fn nobody_imports_what_is_not_theirs() {
    let ours: BTreeSet<&str> =
        MAY_IMPORT.iter().map(|(folder, _)| folder.rsplit('/').next().unwrap()).collect();
    for (folder, allowed) in MAY_IMPORT {
        let manifest = std::fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let section =
            manifest.split("\n[").find(|section| section.starts_with("dependencies]")).unwrap_or_default();
        let imported = section.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
        for import in imported.filter(|import| ours.contains(import)) {
            assert!(allowed.contains(&import), "{folder} imports {import}");
        }
    }
}
