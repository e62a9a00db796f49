//! What goes to push services, and what their answers mean: the real protocols against servers on this machine.

mod browser;
mod delivered;
mod fcm;
mod google;
mod keys;
pub(crate) mod outside;
mod web_push;

use std::path::Path;

use egress::{Egress, EgressSettings};
use kernel::{Clock, Hand};
use notifications::config::PushConfig;
use notifications::domain::push::{Push, Urgency};
use notifications::peers::push::{PushServices, Unusable};
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;

use crate::support::NEW_YEAR;

/// In every push here, and in nothing that is not encrypted or for the device.
const CANARY: &str = "canary-55b2";

/// The network of this machine.
fn egress() -> Egress {
    let here =
        EgressSettings { allow_private_addresses: true, allow_http: true, ..EgressSettings::default() };
    Egress::new(&here).unwrap()
}

/// What a process can send with.
struct Sender {
    services: PushServices,
    hand: Hand,
    folder: TempDir,
}

impl Sender {
    /// With a development key, and what else `change` sets up in the folder.
    fn with(change: impl FnOnce(&mut PushConfig, &Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (services, hand) = open(folder.path(), change);
        Self { services: services.unwrap(), hand, folder }
    }
}

fn open(
    folder: &Path,
    change: impl FnOnce(&mut PushConfig, &Path),
) -> (Result<PushServices, Unusable>, Hand) {
    let (clock, hand) = Clock::fake(NEW_YEAR);
    let mut config = PushConfig::default();
    change(&mut config, folder);
    (PushServices::open(&config, Some(folder), &egress(), &clock), hand)
}

/// A push that says something.
fn push() -> Push {
    Push {
        title: format!("{CANARY} mentioned you"),
        body: String::new(),
        data: BTreeMap::from([("kind", "single".to_owned()), ("note_id", "n-1".to_owned())]),
        tag: "0190a5dac96774bbcceb302099a80570".to_owned(),
        replaces: false,
        urgency: Urgency::Normal,
        ttl: Duration::from_secs(86_400),
    }
}
