use std::time::Duration;

use http::HeaderMap;
use tokio::time::{Instant, timeout_at};

use super::{Handle, Inbound, Response, refuse};
use crate::{Fault, Limits};

/// Above everything that can wait, because nobody may hold our capacity longer than their own patience: without a
/// deadline of its own a call gets the default one, and no call gets more than the longest. When time is over the call's
/// future is dropped (writes run in tasks of their own, so an accepted one is finished). Of a stream it is the opening
/// that is timed.
pub(crate) struct Deadline<N> {
    default: Duration,
    longest: Duration,
    next: N,
}

impl<N> Deadline<N> {
    pub(crate) fn new(limits: &Limits, next: N) -> Self {
        Self { default: limits.default_deadline(), longest: limits.longest_deadline(), next }
    }
}

impl<N: Handle> Handle for Deadline<N> {
    async fn handle(&self, mut inbound: Inbound) -> Response {
        let asked = timeout_of(inbound.request.headers());
        let allowed = asked.unwrap_or(self.default).min(self.longest);
        inbound.deadline = Instant::now() + allowed;
        match timeout_at(inbound.deadline, self.next.handle(inbound)).await {
            Ok(response) => response,
            Err(_) => refuse(Fault::deadline_exceeded()),
        }
    }
}

/// The caller's `grpc-timeout`: at most eight digits and a unit. Anything else counts as none, so the default holds.
fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3_600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", http::HeaderValue::from_bytes(text.as_bytes()).unwrap());
        timeout_of(&headers)
    }

    #[test]
    fn every_unit_of_the_protocol_is_read() {
        let second = Duration::from_secs(1);
        assert_eq!(parsed("1H"), Some(second * 3_600));
        assert_eq!(parsed("2M"), Some(second * 120));
        assert_eq!(parsed("3S"), Some(second * 3));
        assert_eq!(parsed("4m"), Some(second * 4 / 1_000));
        assert_eq!(parsed("5u"), Some(second * 5 / 1_000_000));
        assert_eq!(parsed("99999999n"), Some(Duration::from_nanos(99_999_999)));
    }

    #[test]
    fn what_the_protocol_does_not_know_is_no_deadline() {
        for odd in ["", "S", "5", "5s", "-5S", "+5S", " 5S", "123456789S", "5.0S", "5é", "é"] {
            assert_eq!(parsed(odd), None, "{odd:?}");
        }
    }
}
