use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use kernel::{OrgId, Role};
use proto::common::v1::ErrorReason;
use tonic::Code;

use super::{Handle, Inbound, Response, refuse};
use crate::body::Held;
use crate::{Caller, Fault, Limits};

/// Limiters forget idle callers once in so many calls: the memory for somebody who calls once must not stay.
const SWEEP_EVERY: u32 = 4_096;

/// Innermost of the refusing layers, because fairness is between people, so we must know who calls, and because calls
/// that were refused for another reason should not use up anybody's share. Adapters and services carry many people's
/// work, so they are not counted; the process's own limits hold them.
pub(crate) struct Rate<N> {
    people: Option<DefaultKeyedRateLimiter<Arc<str>>>,
    orgs: Option<DefaultKeyedRateLimiter<OrgId>>,
    streams: Arc<StreamsOfPeople>,
    checks: AtomicU32,
    clock: DefaultClock,
    next: N,
}

impl<N> Rate<N> {
    pub(crate) fn new(limits: &Limits, next: N) -> Self {
        Self {
            people: quota(limits.person_per_second).map(RateLimiter::keyed),
            orgs: quota(limits.org_per_second).map(RateLimiter::keyed),
            streams: Arc::new(StreamsOfPeople { most: limits.streams_per_person, open: Mutex::default() }),
            checks: AtomicU32::new(0),
            clock: DefaultClock::default(),
            next,
        }
    }

    fn check(&self, caller: &Caller) -> Result<(), Fault> {
        if self.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            self.people.iter().for_each(RateLimiter::retain_recent);
            self.orgs.iter().for_each(RateLimiter::retain_recent);
        }
        if let Some(Err(until)) = self.people.as_ref().map(|people| people.check_key(&caller.person)) {
            return Err(limited("person", until.wait_time_from(self.clock.now())));
        }
        if let Some(Err(until)) = self.orgs.as_ref().map(|orgs| orgs.check_key(&caller.org)) {
            return Err(limited("organization", until.wait_time_from(self.clock.now())));
        }
        Ok(())
    }
}

impl<N: Handle> Handle for Rate<N> {
    async fn handle(&self, inbound: Inbound) -> Response {
        let counted =
            inbound.caller.clone().filter(|caller| !matches!(caller.role, Role::Integration | Role::Service));
        let Some(caller) = counted else {
            return self.next.handle(inbound).await;
        };
        if let Err(fault) = self.check(&caller) {
            return refuse(fault);
        }
        if !inbound.target.streams() {
            return self.next.handle(inbound).await;
        }
        match StreamsOfPeople::enter(&self.streams, &caller.person) {
            Some(place) => self.next.handle(inbound).await.map(|body| Held::over(body, place)),
            None => refuse(too_many_streams(self.streams.most)),
        }
    }
}

fn quota(per_second: u32) -> Option<Quota> {
    let rate = NonZeroU32::new(per_second)?;
    Some(Quota::per_second(rate).allow_burst(rate.saturating_mul(NonZeroU32::new(2)?)))
}

fn limited(whose: &str, wait: Duration) -> Fault {
    Fault::new(Code::ResourceExhausted, ErrorReason::RateLimited, "too many calls, try again later")
        .quota(whose, "calls per second")
        .retry_after(wait)
}

fn too_many_streams(most: u32) -> Fault {
    Fault::new(
        Code::ResourceExhausted,
        ErrorReason::TooManyStreams,
        "too many streams are open, close one first",
    )
    .quota("person", format!("at most {most} streams at once"))
    .retry_after(Duration::from_secs(1))
}

/// How many streams each person has open.
struct StreamsOfPeople {
    most: u32,
    open: Mutex<HashMap<Arc<str>, u32>>,
}

impl StreamsOfPeople {
    fn enter(of: &Arc<Self>, person: &Arc<str>) -> Option<StreamPlace> {
        let mut open = of.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(Arc::clone(person)).or_default();
        if *count >= of.most {
            return None;
        }
        *count += 1;
        Some(StreamPlace { of: Arc::clone(of), person: Arc::clone(person) })
    }
}

struct StreamPlace {
    of: Arc<StreamsOfPeople>,
    person: Arc<str>,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.of.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.person);
            }
        }
    }
}
