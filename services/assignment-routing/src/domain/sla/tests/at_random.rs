//! Clocks against counting, second by second, what is waited for.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone, Copy)]
enum Step {
    Customer,
    Agent,
    Resolve,
    Reopen,
    Snooze,
    Look,
}

fn steps() -> impl Strategy<Value = Vec<(Step, i64)>> {
    let step = prop::sample::select(vec![
        Step::Customer,
        Step::Agent,
        Step::Resolve,
        Step::Reopen,
        Step::Snooze,
        Step::Look,
    ]);
    prop::collection::vec((step, 1i64..20), 1..40)
}

/// What one waits for, counted by itself.
#[derive(Debug, Clone)]
struct Counted {
    metric: Metric,
    start: i64,
    gone: i64,
    runs: bool,
    over: bool,
}

/// Everything that was ever waited for, second by second, without a clock.
#[derive(Debug, Default)]
struct Counting {
    all: Vec<Counted>,
    replied: bool,
}

impl Counting {
    fn open(&mut self, metric: Metric) -> Option<&mut Counted> {
        self.all.iter_mut().find(|it| it.metric == metric && !it.over)
    }

    fn begin(&mut self, metric: Metric, start: i64) {
        if self.open(metric).is_none() {
            self.all.push(Counted { metric, start, gone: 0, runs: true, over: false });
        }
    }

    fn end(&mut self, metric: Metric) {
        if let Some(it) = self.open(metric) {
            it.over = true;
        }
    }

    fn pass(&mut self, seconds: i64) {
        for it in self.all.iter_mut().filter(|it| it.runs && !it.over) {
            it.gone += seconds;
        }
    }

    fn step(&mut self, step: Step, status: Status, now: i64) {
        let responses = [Metric::FirstResponse, Metric::NextResponse];
        match step {
            Step::Customer => {
                let waits = responses.into_iter().any(|metric| self.open(metric).is_some());
                let metric = if self.replied { Metric::NextResponse } else { Metric::FirstResponse };
                if !waits {
                    self.begin(metric, now);
                }
            }
            Step::Agent => {
                self.replied = true;
                responses.into_iter().for_each(|metric| self.end(metric));
            }
            Step::Resolve => Metric::ALL.into_iter().for_each(|metric| self.end(metric)),
            Step::Reopen | Step::Snooze | Step::Look => {}
        }
        if status != Status::Resolved {
            self.begin(Metric::Resolution, now);
        }
        if let Some(it) = self.open(Metric::Resolution) {
            it.runs = status == Status::Open;
        }
    }
}

proptest! {
    // R17
    #[test]
    fn whatever_happens_exactly_what_took_too_long_is_told_once(
        steps in steps(), first in 1i64..40, next in 1i64..40, resolution in 1i64..80,
    ) {
        let ids = Ids::system();
        let targets = [first, next, resolution];
        let policies = all(vec![policy(&ids, "", targets.map(Some))]);
        let mut it = begun(&ids);
        let mut counting = Counting::default();
        counting.step(Step::Customer, Status::Open, 0);
        policies.follow(&mut it, at(0));
        let (mut now, mut heard) = (0, Vec::new());
        for (step, seconds) in steps {
            now += seconds;
            counting.pass(seconds);
            match step {
                Step::Customer => {
                    it.record(Inbound, at(now));
                }
                Step::Agent => {
                    it.record(Outbound, at(now));
                }
                Step::Resolve if it.status == Status::Resolved => {}
                Step::Resolve => {
                    it.resolve(at(now));
                }
                Step::Reopen => {
                    it.reopen();
                }
                Step::Snooze if it.status == Status::Resolved => {}
                Step::Snooze => {
                    it.snooze(at(now + 1_000));
                }
                Step::Look => {}
            }
            counting.step(step, it.status, now);
            policies.follow(&mut it, at(now));
            let once = it.clone();
            policies.follow(&mut it, at(now));
            prop_assert_eq!(&once.sla, &it.sla, "a look more changes nothing");
            if matches!(step, Step::Look) {
                heard.extend(told(&mut it, now));
            }
        }
        heard.extend(told(&mut it, now));
        prop_assert!(told(&mut it, now).is_empty());
        prop_assert!(it.sla_timer().is_none_or(|timer| timer.due > at(now)));
        let (mut breached, mut ended) = (Vec::new(), Vec::new());
        for news in heard {
            match news {
                News::Breached { metric, start, end, .. } => {
                    breached.push((metric, start));
                    ended.extend(end.map(|_| (metric, start)));
                }
                News::Ended { metric, start, .. } => ended.push((metric, start)),
                News::Warned { .. } => {}
            }
        }
        let target = |metric| targets[Metric::ALL.iter().position(|it| *it == metric).unwrap()];
        let late: Vec<&Counted> = counting.all.iter().filter(|it| it.gone >= target(it.metric)).collect();
        let mut expected: Vec<_> = late.iter().map(|it| (it.metric, at(it.start))).collect();
        let mut over: Vec<_> = late.iter().filter(|it| it.over).map(|it| (it.metric, at(it.start))).collect();
        for list in [&mut breached, &mut ended, &mut expected, &mut over] {
            list.sort();
        }
        prop_assert_eq!(breached, expected);
        prop_assert_eq!(ended, over);
    }
}
