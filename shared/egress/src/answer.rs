//! What came back.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use kernel::Timestamp;

/// The answer to a request, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status. A redirect is not followed: it is an answer like another.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as much of it as came in time and within [`ANSWER_LIMIT`](crate::ANSWER_LIMIT).
    pub body: Bytes,
    /// Whether that is all of the body.
    pub whole: bool,
}

impl Answer {
    /// How long the other side asks to be left alone (`Retry-After`, in seconds or as a date). A date in the past is no time.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse::<u32>() {
            return Some(Duration::from_secs(seconds.into()));
        }
        let then = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
        let then = i64::try_from(then.as_micros()).ok()?;
        Some(Timestamp::from_micros(then).since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(retry_after: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, retry_after.parse().unwrap());
        Answer { status: StatusCode::TOO_MANY_REQUESTS, headers, body: Bytes::new(), whole: true }
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        // 1994-11-06 08:49:37 UTC, the example of RFC 9110.
        let now = Timestamp::from_micros(784_111_777_000_000);
        assert_eq!(answer("120").retry_after(now), Some(Duration::from_secs(120)));
        let date = answer("Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(date.retry_after(now), Some(Duration::from_secs(30)));
        assert_eq!(date.retry_after(now.plus(Duration::from_secs(60))), Some(Duration::ZERO));
        for strange in ["", "soon", "-1", "99999999999999999999", "1.5"] {
            assert_eq!(answer(strange).retry_after(now), None, "{strange:?}");
        }
    }
}
