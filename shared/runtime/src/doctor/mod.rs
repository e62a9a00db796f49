//! What a process would meet if it started with a configuration: looked at without starting anything, and without changing anything.

mod databases;
mod keys;
mod neighbours;
mod places;
mod tls;

use db::Migrations;
use futures::future::BoxFuture;
use kernel::Clock;

use crate::config::Config;
use crate::service::Unit;

/// How it is with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Well,
    /// It will do, but whoever runs this should know.
    Doubtful,
    /// A process would not start, or not do its work.
    Ill,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at: `database notes`, `peer routing`.
    pub about: String,
    /// How it is with it.
    pub verdict: Verdict,
    /// What was found.
    pub text: String,
    /// What to do about it; empty where it is well.
    pub advice: String,
}

impl Finding {
    pub(crate) fn well(about: impl Into<String>, text: impl Into<String>) -> Self {
        Self { about: about.into(), verdict: Verdict::Well, text: text.into(), advice: String::new() }
    }

    pub(crate) fn doubtful(
        about: impl Into<String>,
        text: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let (about, text, advice) = (about.into(), text.into(), advice.into());
        Self { about, verdict: Verdict::Doubtful, text, advice }
    }

    /// What a configuration is refused for. Most of those texts say what to do themselves.
    pub fn ill(about: impl Into<String>, text: impl Into<String>, advice: impl Into<String>) -> Self {
        let (about, text, advice) = (about.into(), text.into(), advice.into());
        Self { about, verdict: Verdict::Ill, text, advice }
    }
}

/// Looks at everything that `services` would need under this configuration: their settings, the places they listen at and write
/// to, keys, certificates, databases, NATS, peers, clocks, the collector of traces.
// Not `async fn`: the body of one is compiled again in each crate that awaits it.
pub fn examine(
    config: Config,
    clock: Clock,
    services: Vec<(Unit, &'static Migrations)>,
) -> BoxFuture<'static, Vec<Finding>> {
    Box::pin(async move {
        let mut found = settings(&config, &services);
        found.extend(places::look(&config).await);
        let (of_keys, credentials) = keys::look(&config, &clock);
        found.extend(of_keys);
        let (of_tls, tls) = tls::look(&config, &clock);
        found.extend(of_tls);
        found.extend(databases::look(&config, &clock, &services).await);
        found.push(neighbours::nats(&config).await);
        if let Some(credentials) = credentials {
            found.extend(neighbours::peers(&config, &credentials, tls.as_ref()).await);
        }
        found.extend(neighbours::collector(&config).await);
        found
    })
}

fn settings(config: &Config, services: &[(Unit, &'static Migrations)]) -> Vec<Finding> {
    let wrong: Vec<Finding> = services
        .iter()
        .filter_map(|(unit, _)| (unit.check)(config).err())
        .map(|error| Finding::ill("configuration", error.to_string(), "correct it, or take it away"))
        .collect();
    if wrong.is_empty() { vec![Finding::well("configuration", "can be read")] } else { wrong }
}
