use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};
use kernel::{OrgId, Role};
use proto::common::v1::ErrorReason;
use tonic::Code;

use super::{Handle, Inbound, Response, Target, refuse};
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
    /// Of organizations' contacts: customers must not use up the share of those who help them.
    contacts: Option<DefaultKeyedRateLimiter<OrgId>>,
    /// Of callers nobody knows, all together: as many as those of one organization.
    public: Option<DefaultDirectRateLimiter>,
    calls: Option<Arc<PlacesOfPeople>>,
    streams: Arc<PlacesOfPeople>,
    checks: AtomicU32,
    clock: DefaultClock,
    next: N,
}

impl<N> Rate<N> {
    pub(crate) fn new(limits: &Limits, next: N) -> Self {
        Self {
            people: quota(limits.person_per_second).map(RateLimiter::keyed),
            orgs: quota(limits.org_per_second).map(RateLimiter::keyed),
            contacts: quota(limits.org_per_second).map(RateLimiter::keyed),
            public: quota(limits.org_per_second).map(RateLimiter::direct),
            calls: (limits.calls_per_person > 0).then(|| PlacesOfPeople::at_most(limits.calls_per_person)),
            streams: PlacesOfPeople::at_most(limits.streams_per_person),
            checks: AtomicU32::new(0),
            clock: DefaultClock::default(),
            next,
        }
    }

    fn check(&self, caller: &Caller) -> Result<(), Fault> {
        if self.checks.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
            self.people.iter().for_each(RateLimiter::retain_recent);
            self.orgs.iter().chain(&self.contacts).for_each(RateLimiter::retain_recent);
        }
        if let Some(Err(until)) = self.people.as_ref().map(|people| people.check_key(&caller.person)) {
            return Err(limited("person", until.wait_time_from(self.clock.now())));
        }
        let orgs = if caller.role == Role::Contact { &self.contacts } else { &self.orgs };
        if let Some(Err(until)) = orgs.as_ref().map(|orgs| orgs.check_key(&caller.org)) {
            return Err(limited("organization", until.wait_time_from(self.clock.now())));
        }
        Ok(())
    }
}

impl<N: Handle> Handle for Rate<N> {
    async fn handle(&self, inbound: Inbound) -> Response {
        if inbound.caller.is_none()
            && matches!(inbound.target, Target::Rpc(_))
            && let Some(Err(until)) = self.public.as_ref().map(|public| public.check())
        {
            return refuse(limited("everybody", until.wait_time_from(self.clock.now())));
        }
        let counted =
            inbound.caller.clone().filter(|caller| !matches!(caller.role, Role::Integration | Role::Service));
        let Some(caller) = counted else {
            return self.next.handle(inbound).await;
        };
        if let Err(fault) = self.check(&caller) {
            return refuse(fault);
        }
        if inbound.target.streams() {
            return match PlacesOfPeople::enter(&self.streams, &caller.person) {
                Some(place) => self.next.handle(inbound).await.map(|body| Held::over(body, place)),
                None => refuse(too_many_streams(self.streams.most)),
            };
        }
        // A rate alone does not bound what is at work: twenty calls a second of 30 s each are 600 at once. Nor what waits
        // for a reader who takes nothing: the place is held until the answer is taken.
        let Some(calls) = &self.calls else {
            return self.next.handle(inbound).await;
        };
        match PlacesOfPeople::enter(calls, &caller.person) {
            Some(place) => self.next.handle(inbound).await.map(|body| Held::over(body, place)),
            None => refuse(too_many_calls(calls.most)),
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

fn too_many_calls(most: u32) -> Fault {
    // Spread, so that those refused together do not come back together.
    let delay = Duration::from_millis(rand::random_range(100..500));
    Fault::new(Code::ResourceExhausted, ErrorReason::RateLimited, "too many calls at once, try again")
        .quota("person", format!("at most {most} calls at once"))
        .retry_after(delay)
}

/// How many calls at work, or open streams, each person has.
struct PlacesOfPeople {
    most: u32,
    open: Mutex<HashMap<Arc<str>, u32>>,
}

impl PlacesOfPeople {
    fn at_most(most: u32) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    fn enter(of: &Arc<Self>, person: &Arc<str>) -> Option<Place> {
        let mut open = of.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(Arc::clone(person)).or_default();
        if *count >= of.most {
            return None;
        }
        *count += 1;
        Some(Place { of: Arc::clone(of), person: Arc::clone(person) })
    }
}

struct Place {
    of: Arc<PlacesOfPeople>,
    person: Arc<str>,
}

impl Drop for Place {
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
