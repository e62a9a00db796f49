//! Trying again while a server is busy, away or being restarted.

use std::collections::hash_map::RandomState;
use std::error::Error;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use tokio::time::Instant;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// How long a call is tried. Only calls which are safe to repeat come here.
const PATIENCE: Duration = Duration::from_secs(60);

/// The first wait; each further one is twice as long, up to the sixth.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Calls until it is answered: waits as long as the server asks where it is busy, with back-off where it is away.
pub(crate) async fn patiently<T, F, Fut>(mut call: F) -> Result<T, Status>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let mut pace = Pace::begin();
    loop {
        match call().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(status) if pace.again(&status, false).await => {}
            Err(status) => return Err(status),
        }
    }
}

/// When what broke is begun again, and when no more.
#[derive(Debug)]
pub(crate) struct Pace {
    /// When it got on last.
    since: Instant,
    /// Tries since then.
    tried: u32,
}

impl Pace {
    pub(crate) fn begin() -> Self {
        Self { since: Instant::now(), tried: 0 }
    }

    /// Waits until it may be begun again, after something that got on or did not. False at once where nothing is to be hoped for.
    pub(crate) async fn again(&mut self, status: &Status, got_on: bool) -> bool {
        if got_on {
            *self = Self::begin();
        }
        if !is_passing(status) || self.since.elapsed() > PATIENCE {
            return false;
        }
        tokio::time::sleep(wait(status, self.tried)).await;
        self.tried += 1;
        true
    }
}

/// Whether the same call may be answered a little later.
pub(crate) fn is_passing(status: &Status) -> bool {
    let passing =
        [Code::Unavailable, Code::DeadlineExceeded, Code::Aborted, Code::Cancelled, Code::ResourceExhausted];
    // A status with a source was made here, of a connection that broke; a server's has none.
    passing.contains(&status.code()) || status.source().is_some()
}

/// How long to wait before the next try.
fn wait(status: &Status, tried: u32) -> Duration {
    let backoff = FIRST_WAIT * 2u32.pow(tried.min(5));
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay).unwrap_or_default();
    // Everybody who waits for the same server would come back at once: half of the wait is chance.
    let chance = RandomState::new().build_hasher().finish() % 1_000;
    asked + backoff / 2 + backoff.mul_f64(chance as f64 / 2_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    // P6
    #[test]
    fn a_broken_connection_is_tried_again_and_a_refusal_is_not() {
        let broken = Status::from_error(Box::new(std::io::Error::other("reset")));
        for status in [broken, Status::unavailable(""), Status::cancelled(""), Status::resource_exhausted("")]
        {
            assert!(is_passing(&status), "{status:?}");
        }
        for status in [Status::unknown(""), Status::unauthenticated(""), Status::invalid_argument("")] {
            assert!(!is_passing(&status), "{status:?}");
        }
    }

    // P6
    #[tokio::test(start_paused = true)]
    async fn a_server_that_stays_away_is_given_up_after_a_minute_and_one_that_comes_back_is_not() {
        let begun = Instant::now();
        let away = async || Err::<tonic::Response<()>, _>(Status::unavailable("away"));
        let given_up = patiently(away).await;
        assert_eq!(given_up.unwrap_err().code(), Code::Unavailable);
        let longest = PATIENCE + FIRST_WAIT * 32;
        assert!((PATIENCE..=longest).contains(&begun.elapsed()), "{:?}", begun.elapsed());

        let (begun, back) = (Instant::now(), PATIENCE / 2);
        let answered = patiently(async || match begun.elapsed() < back {
            true => Err(Status::unavailable("away")),
            false => Ok(tonic::Response::new(7)),
        });
        assert_eq!(answered.await.unwrap(), 7);
    }

    // P6
    #[test]
    fn waits_grow_are_left_to_chance_and_never_shorter_than_asked() {
        let away = Status::unavailable("");
        for tried in 0..10 {
            let backoff = FIRST_WAIT * 2u32.pow(tried.min(5));
            let waits: Vec<_> = (0..20).map(|_| wait(&away, tried)).collect();
            assert!(waits.iter().all(|wait| (backoff / 2..=backoff).contains(wait)), "{waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]));
        }
        let mut details = tonic_types::ErrorDetails::new();
        details.set_retry_info(Some(Duration::from_secs(9)));
        let busy = Status::with_error_details(Code::ResourceExhausted, "", details);
        assert!(wait(&busy, 0) >= Duration::from_secs(9));
    }
}
