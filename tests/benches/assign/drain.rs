//! A backlog waits while nobody is there; then everybody comes.

use std::time::{Duration, Instant};

use proto::routing::v1::Availability;

use crate::office::Office;
use crate::profile::Profile;

/// How often is looked at how many were given.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Drains a backlog; when each tenth of it was given, from the moment in which everybody was there.
pub(crate) async fn drain(office: &mut Office, count: usize, profile: bool) -> Vec<Duration> {
    office.are(Availability::Away).await;
    let (before, team_id) = (office.given().await, office.team_id.clone());
    office.wait_for(&team_id, count).await;
    let profile = profile.then(|| Profile::begin(office.database()));
    let begun = Instant::now();
    office.are(Availability::Online).await;
    let mut marks = Vec::new();
    while marks.len() < 10 {
        let given = office.given().await - before;
        while marks.len() < 10 && given * 10 >= count * (marks.len() + 1) {
            marks.push(begun.elapsed());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    if let Some(profile) = profile {
        profile.tell();
    }
    marks
}
