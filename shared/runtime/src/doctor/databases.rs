//! Each service's database: there, of a version that is supported, with tables that this program can serve from; and its clock.

use std::time::Duration;

use db::{DbError, Inspection, Migrations, Target, inspect};
use kernel::Clock;
use tokio::time::timeout;

use super::Finding;
use crate::config::Config;
use crate::service::{Databases, Unit};

/// A server that says nothing for so long is not there.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tokens and leases are good for a little longer than they say, for clocks that differ by less than this.
const LEEWAY: Duration = Duration::from_secs(30);

/// Clocks that are kept by a time server never differ by this.
const NOTICEABLE: Duration = Duration::from_secs(2);

pub(super) async fn look(
    config: &Config,
    clock: &Clock,
    services: &[(Unit, &'static Migrations)],
) -> Vec<Finding> {
    let databases = Databases::of(config);
    let mut found = Vec::with_capacity(services.len() + 2);
    let (mut server, mut each) = (None, 0);
    for (unit, migrations) in services {
        let about = format!("database {}", unit.name());
        let target = databases.target(unit.name());
        if let Target::Postgres { connections, .. } = &target {
            each = *connections;
        }
        let inspected = timeout(PATIENCE, inspect(&target, migrations)).await;
        let no_answer = |_| Err(DbError::Unavailable("it does not answer".to_owned()));
        match inspected.unwrap_or_else(no_answer) {
            Ok(inspection) => {
                found.push(tables(about, &inspection));
                server = Some(inspection);
            }
            Err(error) => {
                let advice = match &error {
                    DbError::Unusable(_) => "",
                    DbError::Migration(_) => {
                        "serve with the release that these tables are from, or restore a backup from before it"
                    }
                    _ => "see that it runs, and that --database or BACKCHANNEL_DATABASE leads there",
                };
                found.push(Finding::ill(about, error.to_string(), advice));
            }
        }
    }
    if let Some(server) = server {
        found.extend(time(clock, &server));
        found.extend(connections(each, &server, services.len()));
    }
    found
}

fn tables(about: String, found: &Inspection) -> Finding {
    let engine = &found.engine;
    if !found.supported {
        return Finding::ill(
            about,
            format!("{engine} is older than what is supported"),
            "PostgreSQL 15 or newer is",
        );
    }
    if !found.made {
        return Finding::well(about, format!("{engine}: no tables yet, the first start makes them"));
    }
    let due = found.due.len();
    if due == 0 {
        return Finding::well(about, format!("{engine}, with the tables of this release"));
    }
    Finding::doubtful(
        about,
        format!("{engine}: {due} steps are due, the next is {}", found.due[0]),
        "the next start runs them; or run them now with `backchannel migrate`, after a backup",
    )
}

fn time(clock: &Clock, found: &Inspection) -> Option<Finding> {
    let theirs = found.time?;
    let ours = clock.now();
    let apart = ours.since(theirs).max(theirs.since(ours));
    let seconds = apart.as_secs_f64();
    let advice = "let both machines take their time from a time server";
    Some(if apart >= LEEWAY {
        Finding::ill("clock", format!("this machine and the database's are {seconds:.0} s apart"), advice)
    } else if apart >= NOTICEABLE {
        Finding::doubtful("clock", format!("{seconds:.0} s from the database's"), advice)
    } else {
        Finding::well("clock", "the same as the database's, to within 2 s")
    })
}

/// Whether the server takes as many connections as one replica of each service may open, twice: during an update there are two.
fn connections(each: u32, found: &Inspection, services: usize) -> Option<Finding> {
    let most = found.connections?;
    let services = i64::try_from(services).unwrap_or(i64::MAX);
    let wanted = i64::from(each).saturating_mul(services).saturating_mul(2);
    Some(if wanted > most {
        Finding::doubtful(
            "connections",
            format!(
                "the database takes {most}; {services} services with {each} each need {wanted} in an update"
            ),
            "raise max_connections there, or lower database_connections",
        )
    } else {
        Finding::well("connections", format!("the database takes {most}, {wanted} are needed at most"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use kernel::Timestamp;

    fn server(seconds: i64) -> Inspection {
        Inspection {
            engine: "PostgreSQL 15.8".to_owned(),
            supported: true,
            made: true,
            due: Vec::new(),
            time: Some(Timestamp::from_micros(seconds * 1_000_000)),
            connections: Some(100),
        }
    }

    // G8
    #[test]
    fn clocks_that_differ_are_told_by_how_much_and_refused_from_where_tokens_fail() {
        let (clock, _) = Clock::fake(Timestamp::from_micros(1_000_000_000));
        for (theirs, verdict) in [
            (1_000, Verdict::Well),
            (999, Verdict::Well),
            (990, Verdict::Doubtful),
            (1_010, Verdict::Doubtful),
            (970, Verdict::Ill),
            (4_600, Verdict::Ill),
        ] {
            let found = time(&clock, &server(theirs)).unwrap();
            assert_eq!(found.verdict, verdict, "{theirs}: {found:?}");
        }
    }

    // G8
    #[test]
    fn a_server_that_takes_too_few_connections_is_noticed() {
        assert_eq!(connections(16, &server(0), 4).unwrap().verdict, Verdict::Doubtful);
        assert_eq!(connections(16, &server(0), 1).unwrap().verdict, Verdict::Well);
        assert_eq!(connections(4, &server(0), 4).unwrap().verdict, Verdict::Well);
    }

    // G8
    #[test]
    fn tables_of_an_older_release_and_a_server_that_is_too_old_are_told() {
        let older = Inspection { due: vec!["notes/0002".to_owned()], ..server(0) };
        let found = tables("database notes".to_owned(), &older);
        assert!(found.verdict == Verdict::Doubtful && found.text.contains("notes/0002"), "{found:?}");
        let found = tables(String::new(), &Inspection { supported: false, ..server(0) });
        assert_eq!(found.verdict, Verdict::Ill);
    }
}
