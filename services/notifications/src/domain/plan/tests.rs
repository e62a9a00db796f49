use std::collections::{BTreeSet, HashMap};

use kernel::{Clock, ConversationId, NotificationId};
use proptest::prelude::*;
use zones::Zone;

use super::*;
use crate::domain::digest::Digest;
use crate::domain::notification::Handling;
use crate::domain::preferences::{Choices, Defaults, Preferences, Urgent};
use crate::domain::quiet::{QuietHours, Window};
use crate::domain::{Reason, Sequence};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

fn second(number: i64) -> Timestamp {
    Timestamp::from_micros(NEW_YEAR.as_micros() + number * 1_000_000)
}

fn conversation(number: u128) -> ConversationId {
    Uuid::from_u128(number).into()
}

fn event(kind: NotificationType, at: Timestamp, about: u128) -> Notification {
    Notification {
        notification_id: NotificationId::from_uuid(Clock::system().new_id()),
        sequence: Sequence::new(1),
        kind,
        reason: Reason::parse("because").unwrap(),
        conversation_id: Some(conversation(about)),
        note_id: None,
        actor: None,
        occur_time: at,
        create_time: at,
        handling: Handling::default(),
    }
}

/// Somebody with an address and two devices.
#[derive(Debug, Clone)]
struct Ana {
    subject: Subject,
    own: Preferences,
    defaults: Defaults,
    muted: HashSet<ConversationId>,
    no_email: Option<Cause>,
    no_push: Option<Cause>,
    devices: Vec<Device>,
    zone: Zone,
    recent: Recent,
}

impl Ana {
    fn new() -> Self {
        let device = |destination: &str| Device {
            destination: destination.to_owned(),
            channel: delivery::Channel::WebPush,
        };
        Self {
            subject: Subject::parse("ana").unwrap(),
            own: Preferences::default(),
            defaults: Defaults::default(),
            muted: HashSet::new(),
            no_email: None,
            no_push: None,
            devices: vec![device("laptop"), device("phone")],
            zone: Zone::parse("Europe/Berlin").unwrap(),
            recent: Recent::default(),
        }
    }

    fn hears(&mut self, event: &Notification) -> Planned {
        let clock = self.zone.clock();
        let ids = Clock::system();
        let reader = Reader {
            subject: &self.subject,
            effective: Effective { own: &self.own, defaults: &self.defaults },
            clock: &clock,
            muted: &self.muted,
            no_email: self.no_email,
            no_push: self.no_push,
            devices: &self.devices,
            undo: Undo::default(),
        };
        self.recent.close(event.create_time, |_| true);
        plan(event, &reader, &mut self.recent, event.create_time, &mut || ids.new_id())
    }
}

fn causes(decision: &Decision) -> &[Cause] {
    &decision.causes
}

// D4, D5
#[test]
fn an_entry_is_told_by_itself_after_a_moment_to_read_it() {
    let planned = Ana::new().hears(&event(NotificationType::Mentioned, NEW_YEAR, 1));
    let (email, push) = (&planned.plan.email, &planned.plan.push);
    assert_eq!(causes(email), [Cause::DefaultOn, Cause::Undo { until: second(15) }]);
    assert_eq!(causes(push), [Cause::DefaultOn, Cause::Undo { until: second(3) }]);
    let channels: Vec<&str> = planned.deliveries.iter().map(|it| it.destination.as_str()).collect();
    assert_eq!(channels, ["", "laptop", "phone"]);
    let bundle: Bundle = planned.deliveries[0].body.read().unwrap();
    assert_eq!((bundle.bundle_id, bundle.kind), (email.told.as_ref().unwrap().bundle_id, BundleKind::Single));
}

// D6
#[test]
fn what_a_person_muted_or_switched_off_is_not_told_unless_it_is_forced() {
    let mut ana = Ana::new();
    ana.muted.insert(conversation(1));
    let muted = ana.hears(&event(NotificationType::Mentioned, NEW_YEAR, 1));
    assert_eq!((causes(&muted.plan.email), muted.deliveries.len()), (&[Cause::Muted][..], 0));
    assert_eq!(ana.hears(&event(NotificationType::Mentioned, NEW_YEAR, 2)).deliveries.len(), 3);
    ana.defaults.forced.insert((NotificationType::Mentioned, Channel::Email));
    ana.own.off.insert(Channel::Email);
    let forced = ana.hears(&event(NotificationType::Mentioned, NEW_YEAR, 1));
    assert_eq!(causes(&forced.plan.email).first(), Some(&Cause::Forced));
    assert_eq!(causes(&forced.plan.push), [Cause::Muted]);
    assert_eq!(forced.deliveries.len(), 1);
}

// D6
#[test]
fn who_cannot_be_reached_gets_the_reason_and_no_delivery() {
    let mut ana = Ana::new();
    ana.no_email = Some(Cause::NoAddress);
    ana.no_push = Some(Cause::NoDevice);
    let planned = ana.hears(&event(NotificationType::Assigned, NEW_YEAR, 1));
    assert_eq!(causes(&planned.plan.email), [Cause::DefaultOn, Cause::NoAddress]);
    assert_eq!(causes(&planned.plan.push), [Cause::DefaultOn, Cause::NoDevice]);
    assert!(planned.deliveries.is_empty());
}

// D4
#[test]
fn what_was_read_before_it_is_planned_is_not_told() {
    let mut read = event(NotificationType::Assigned, NEW_YEAR, 1);
    read.handling.read_time = Some(NEW_YEAR);
    let planned = Ana::new().hears(&read);
    assert_eq!(causes(&planned.plan.email), [Cause::DefaultOn, Cause::Handled]);
    assert!(planned.deliveries.is_empty());
}

// D6
#[test]
fn quiet_hours_gather_until_they_end_and_let_pass_what_cannot_wait() {
    let mut ana = Ana::new();
    // In Berlin it is one at night.
    let window = Window { weekdays: Vec::new(), start_minute: 22 * 60, end_minute: 7 * 60 };
    ana.own.quiet = Some(QuietHours::of(vec![window]).unwrap());
    let morning = second(6 * 3600);
    let first = ana.hears(&event(NotificationType::Mentioned, NEW_YEAR, 1));
    assert_eq!(causes(&first.plan.email), [Cause::DefaultOn, Cause::Quiet { until: morning }]);
    assert_eq!(
        first.deliveries.iter().map(|it| it.due_time).collect::<BTreeSet<_>>(),
        BTreeSet::from([morning])
    );
    let second_one = ana.hears(&event(NotificationType::Assigned, second(60), 2));
    assert!(second_one.deliveries.is_empty());
    let bundle = |planned: &Planned| planned.plan.email.told.as_ref().unwrap().bundle_id;
    assert_eq!(bundle(&second_one), bundle(&first));
    let breach = ana.hears(&event(NotificationType::SlaBreach, second(61), 2));
    assert_eq!(
        causes(&breach.plan.email),
        [Cause::DefaultOn, Cause::Urgent, Cause::Undo { until: second(76) }]
    );
}

// D6
#[test]
fn a_digest_is_one_email_a_window_and_pushes_come_all_the_same() {
    let mut ana = Ana::new();
    ana.own.digest = Some(Digest::Hourly);
    let planned: Vec<Planned> =
        (0..5).map(|n| ana.hears(&event(NotificationType::Mentioned, second(n * 600), 1))).collect();
    let emails = |planned: &Planned| {
        planned.deliveries.iter().filter(|it| it.channel == delivery::Channel::Email).count()
    };
    assert_eq!(planned.iter().map(emails).collect::<Vec<_>>(), [1, 0, 0, 0, 0]);
    assert!(planned.iter().all(|it| causes(&it.plan.email).contains(&Cause::Digest { due: second(3600) })));
    assert!(planned.iter().all(|it| it.plan.push.told.as_ref().unwrap().kind == BundleKind::Single));
    // The next window.
    assert_eq!(emails(&ana.hears(&event(NotificationType::Mentioned, second(3600), 1))), 1);
    // What cannot wait does not.
    let breach = ana.hears(&event(NotificationType::SlaBreach, second(3601), 1));
    assert_eq!(breach.plan.email.told.unwrap().kind, BundleKind::Single);
}

// D6
#[test]
fn a_storm_of_5000_mentions_in_a_minute_ends_in_a_handful_of_emails_and_pushes() {
    let mut ana = Ana::new();
    let mut bundles: HashMap<(delivery::Channel, String), usize> = HashMap::new();
    for n in 0..5_000_i64 {
        let at = Timestamp::from_micros(NEW_YEAR.as_micros() + n * 12_000);
        let planned = ana.hears(&event(NotificationType::Mentioned, at, (n % 3) as u128));
        assert!(planned.plan.email.told.is_some() && planned.plan.push.told.is_some());
        for delivery in planned.deliveries {
            *bundles.entry((delivery.channel, delivery.destination)).or_default() += 1;
        }
    }
    let of = |channel, device: &str| bundles[&(channel, device.to_owned())];
    assert_eq!(of(delivery::Channel::Email, ""), 6);
    assert_eq!(of(delivery::Channel::WebPush, "phone"), 11);
}

// D6
#[test]
fn the_longer_a_storm_lasts_the_rarer_its_emails_and_after_it_they_come_singly_again() {
    let mut ana = Ana::new();
    let mut dues = Vec::new();
    let mut told = |ana: &mut Ana, n: i64| {
        let planned = ana.hears(&event(NotificationType::Mentioned, second(n), 1));
        let email = planned.deliveries.into_iter().find(|it| it.channel == delivery::Channel::Email);
        dues.extend(email.map(|it| it.due_time));
    };
    // One each ten seconds, for two hours and 31 minutes; then one more, an hour later.
    (0..=151 * 6).for_each(|n| told(&mut ana, n * 10));
    told(&mut ana, 4 * 3600);
    let singles = (0..5).map(|n| second(n * 10 + 15));
    let gathered = [50 + 5 * 60, 50 + 20 * 60, 50 + 80 * 60, 50 + 140 * 60, 50 + 200 * 60].map(second);
    assert_eq!(dues, singles.chain(gathered).chain([second(4 * 3600 + 15)]).collect::<Vec<_>>());
}

// D6
#[test]
fn a_bundle_that_is_under_way_takes_nothing_more() {
    let mut ana = Ana::new();
    ana.own.digest = Some(Digest::Hourly);
    let first = ana.hears(&event(NotificationType::Mentioned, NEW_YEAR, 1));
    let email = first.plan.email.told.unwrap();
    assert!(ana.recent.deliveries().any(|id| email.deliveries.contains(&id)));
    ana.recent.close(NEW_YEAR, |_| false);
    let next = ana.hears(&event(NotificationType::Mentioned, second(1), 1));
    assert_ne!(next.plan.email.told.unwrap().bundle_id, email.bundle_id);
}

fn any_kind() -> impl Strategy<Value = NotificationType> {
    (0..NotificationType::ALL.len()).prop_map(|at| NotificationType::ALL[at])
}

fn any_channel() -> impl Strategy<Value = Channel> {
    prop_oneof![Just(Channel::Email), Just(Channel::Push)]
}

fn any_choices() -> impl Strategy<Value = Choices> {
    let choice = (any_kind(), any_channel(), any::<bool>());
    proptest::collection::vec(choice, 0..8).prop_map(Choices::from_iter)
}

fn any_digest() -> impl Strategy<Value = Digest> {
    prop_oneof![
        Just(Digest::Off),
        Just(Digest::Hourly),
        (0..1440).prop_map(|minute| Digest::Daily { minute })
    ]
}

fn any_quiet() -> impl Strategy<Value = QuietHours> {
    let night = (0..1440, 1..1000).prop_map(|(start_minute, length)| {
        let window =
            Window { weekdays: Vec::new(), start_minute, end_minute: (start_minute + length) % 1440 };
        QuietHours::of(vec![window]).unwrap()
    });
    prop_oneof![Just(QuietHours::default()), night]
}

fn any_urgent() -> impl Strategy<Value = Urgent> {
    proptest::collection::btree_set(any_kind(), 0..4)
}

fn any_ana() -> impl Strategy<Value = Ana> {
    let own = (
        any_choices(),
        proptest::collection::btree_set(any_channel(), 0..2),
        proptest::option::of(any_quiet()),
        proptest::option::of(any_digest()),
        proptest::option::of(any_urgent()),
    );
    let own = own.prop_map(|(choices, off, quiet, digest, urgent)| Preferences {
        choices,
        off,
        quiet,
        digest,
        urgent,
    });
    let defaults = (
        any_choices(),
        proptest::collection::btree_set((any_kind(), any_channel()), 0..4),
        any_quiet(),
        any_digest(),
        any_urgent(),
    );
    let defaults = defaults.prop_map(|(choices, forced, quiet, digest, urgent)| Defaults {
        choices,
        forced,
        quiet,
        digest,
        urgent,
    });
    (own, defaults, proptest::collection::hash_set(0_u128..4, 0..3)).prop_map(|(own, defaults, muted)| Ana {
        own,
        defaults,
        muted: muted.into_iter().map(conversation).collect(),
        ..Ana::new()
    })
}

/// Entries: what, how many seconds after the one before, about which conversation.
fn any_story() -> impl Strategy<Value = Vec<(NotificationType, i64, u128)>> {
    let gap = prop_oneof![0_i64..3, 0_i64..600, 0_i64..40_000];
    proptest::collection::vec((any_kind(), gap, 0_u128..4), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    // D6
    #[test]
    fn whatever_comes_to_whomever_a_plan_keeps_its_promises(mut ana in any_ana(), story in any_story()) {
        let clock = ana.zone.clock();
        let (mut now, mut singles, mut digests) = (0, HashMap::<bool, Vec<i64>>::new(), BTreeSet::new());
        let mut kinds: HashMap<BundleId, BundleKind> = HashMap::new();
        for (kind, gap, about) in story {
            now += gap;
            let event = event(kind, second(now), about);
            let Planned { plan, deliveries } = ana.hears(&event);
            let effective = Effective { own: &ana.own, defaults: &ana.defaults };
            let muted = ana.muted.contains(&conversation(about));
            for (channel, decision) in [(Channel::Email, &plan.email), (Channel::Push, &plan.push)] {
                // Every entry gets a reason on each channel.
                prop_assert!(!decision.causes.is_empty());
                let verdict = effective.verdict(kind, channel);
                // Told if and only if it is wanted: forced whatever is preferred or muted, muted never otherwise.
                let wanted = verdict == Verdict::Forced || (verdict.wanted() && !muted);
                prop_assert_eq!(decision.told.is_some(), wanted, "{:?} {:?}", channel, decision);
                let Some(told) = &decision.told else { continue };
                prop_assert!(!told.deliveries.is_empty() && told.due >= second(now));
                // A bundle is of one kind: never both a digest and singles.
                prop_assert_eq!(*kinds.entry(told.bundle_id).or_insert(told.kind), told.kind);
                let urgent = effective.urgent(kind);
                // Nothing is due in quiet hours, except what cannot wait.
                prop_assert!(urgent || effective.quiet().end(told.due, &clock).is_none());
                if channel == Channel::Email {
                    let gathers = effective.digest() != Digest::Off && !urgent;
                    prop_assert_eq!(told.kind == BundleKind::Digest, gathers);
                    if told.kind == BundleKind::Digest {
                        digests.insert(told.due);
                    }
                    if told.kind == BundleKind::Single {
                        singles.entry(urgent).or_default().push(now);
                    }
                }
            }
            // One email at most for one entry.
            let emails = deliveries.iter().filter(|it| it.channel == delivery::Channel::Email).count();
            prop_assert!(emails <= 1);
        }
        // No more than five single emails in ten minutes.
        for times in singles.values() {
            prop_assert!(times.windows(6).all(|six| six[5] - six[0] >= 600), "{:?}", times);
        }
        // One digest for each window.
        let digests: Vec<Timestamp> = digests.into_iter().collect();
        let hourly = ana.own.digest.unwrap_or(ana.defaults.digest) == Digest::Hourly;
        if hourly && effective_quiet(&ana).windows().is_empty() {
            prop_assert!(digests.windows(2).all(|two| two[1].since(two[0]).as_secs() >= 3600));
        }
    }
}

fn effective_quiet(ana: &Ana) -> &QuietHours {
    ana.own.quiet.as_ref().unwrap_or(&ana.defaults.quiet)
}
