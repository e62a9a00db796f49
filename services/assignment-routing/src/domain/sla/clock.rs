//! What a clock waits for, and how it runs.

use std::time::Duration;

use kernel::Timestamp;

use super::{Clock, End, Metric, SlaPolicy, ToldOf};
use crate::domain::conversation::{Conversation, Status};
use crate::domain::hours::Hours;

/// What a metric waits for, as a conversation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// It runs since then.
    Runs(Timestamp),
    /// It began then, and stands still.
    Still(Timestamp),
    /// It waits for nothing; so a clock that runs has ended.
    Over(End),
}

impl Wait {
    /// What a metric waits for, of a conversation with this latest clock.
    pub(super) fn of(it: &Conversation, metric: Metric, clock: Option<&Clock>, now: Timestamp) -> Self {
        match metric {
            Metric::FirstResponse | Metric::NextResponse => Self::response(it, metric, now),
            Metric::Resolution => Self::resolution(it, clock, now),
        }
    }

    fn response(it: &Conversation, metric: Metric, now: Timestamp) -> Self {
        let awaited = match it.first_reply_time {
            None => Metric::FirstResponse,
            Some(_) => Metric::NextResponse,
        };
        let resolved = it.status == Status::Resolved;
        match it.waiting_since.filter(|_| metric == awaited && !resolved) {
            Some(since) => Self::Runs(since),
            None => Self::Over(match it.first_reply_time {
                Some(time) if metric == Metric::FirstResponse => End { time, done: true },
                Some(_) if !resolved => End { time: it.last_activity_time.min(now), done: true },
                _ => End { time: it.resolve_time.filter(|_| resolved).unwrap_or(now), done: false },
            }),
        }
    }

    fn resolution(it: &Conversation, clock: Option<&Clock>, now: Timestamp) -> Self {
        let (again, resolved) = (it.waiting_since.unwrap_or(now), it.resolve_time);
        let start = match clock.map(|clock| (clock.start, clock.end)) {
            Some((_, Some(End { time, done: true }))) => again.max(time),
            // It was resolved while it had no target.
            Some((_, Some(End { time, done: false }))) if resolved.is_some_and(|it| it >= time) => {
                again.max(resolved.unwrap_or(time))
            }
            Some((start, _)) => start,
            // It was resolved before anybody measured it.
            None if resolved.is_some() => again,
            None => it.create_time,
        };
        match it.status {
            Status::Open => Self::Runs(start),
            Status::Snoozed => Self::Still(start),
            Status::Resolved => Self::Over(End { time: resolved.unwrap_or(now), done: true }),
        }
    }

    /// When it began, and whether it stands still.
    pub(super) fn start(self) -> Option<(Timestamp, bool)> {
        match self {
            Self::Runs(start) => Some((start, false)),
            Self::Still(start) => Some((start, true)),
            Self::Over(_) => None,
        }
    }
}

impl Clock {
    /// A clock that begins, to run or to stand still. No time before its policy was made is counted, and none of which it is not known
    /// that it ran.
    pub(super) fn begun(metric: Metric, start: Timestamp, still: bool, policy: &SlaPolicy) -> Self {
        Self {
            metric,
            start,
            target: Duration::ZERO,
            under: policy.under(),
            spent: Duration::ZERO,
            runs_from: (!still).then(|| start.max(policy.create_time)),
            warn: None,
            due: None,
            missed: None,
            end: None,
            told: ToldOf::default(),
        }
    }

    /// How it ends, if it does, by what its metric waits for.
    pub(super) fn ends(&self, wait: &Wait, targeted: bool, now: Timestamp) -> Option<End> {
        match wait {
            Wait::Over(end) => Some(*end),
            _ if !targeted => Some(End { time: now, done: false }),
            // It waits for something new: what it waited for before came in between.
            Wait::Runs(start) | Wait::Still(start) if *start != self.start => {
                Some(End { time: *start, done: true })
            }
            Wait::Runs(_) | Wait::Still(_) => None,
        }
    }

    /// It ends.
    pub(super) fn finish(&mut self, end: End) {
        let time = end.time.max(self.start);
        self.notice(time);
        self.end = Some(End { time, ..end });
    }

    /// It has not ended after all.
    pub(super) fn resume(&mut self) {
        self.end = None;
        self.told.end = false;
    }

    /// It runs on or stands still, from now on towards this target.
    pub(super) fn go_on(
        &mut self,
        policy: &SlaPolicy,
        target: Duration,
        hours: Option<&Hours>,
        still: bool,
        now: Timestamp,
    ) {
        // What was missed by now stays so, whatever becomes of the target.
        self.notice(now);
        if self.missed.is_none() {
            (self.target, self.under) = (target, policy.under());
        }
        if still {
            if let Some(from) = self.runs_from.take() {
                self.spent += hours.map_or(now.since(from), |hours| hours.between(from, now));
            }
            (self.warn, self.due) = (None, None);
            return;
        }
        let from = *self.runs_from.get_or_insert(now);
        let spent = self.spent;
        let over = |span: Duration| {
            let left = span.saturating_sub(spent);
            hours.map_or(Some(from.plus(left)), |hours| hours.add(from, left))
        };
        self.warn = policy.warning(target).and_then(over);
        self.due = over(target);
        self.notice(now);
    }

    /// It was missed, if it was due by then.
    fn notice(&mut self, time: Timestamp) {
        if self.missed.is_none() && self.end.is_none() {
            self.missed = self.due.filter(|due| *due <= time);
        }
    }
}
