use kernel::Clock;

use super::*;

const MINUTE: i64 = 60_000_000;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_micros(minute * MINUTE)
}

fn event(minute: i64, kind: EventKind, agent: Option<AgentId>, team: Option<TeamId>) -> Entry {
    Entry { time: at(minute), what: What::Event { kind: Some(kind), by_itself: false, agent, team } }
}

fn began(minute: i64) -> Entry {
    Entry { time: at(minute), what: What::Began { sent: at(minute) } }
}

fn answered(minute: i64) -> Entry {
    Entry { time: at(minute), what: What::Answered { sent: at(minute) } }
}

fn counted(entries: &[Entry]) -> (Standing, Tally) {
    let (mut standing, mut tally) = (Standing::before(&entries[0]), Tally::default());
    for entry in entries {
        standing.count(entry, &mut tally);
    }
    (standing, tally)
}

fn people() -> (AgentId, AgentId, TeamId) {
    let clock = Clock::system();
    (clock.new_id().into(), clock.new_id().into(), clock.new_id().into())
}

/// All slots of a subject together.
fn sum(tally: &Tally, subject: Uuid) -> (i64, i64, i64) {
    let of_it = tally.counts.iter().filter(|((it, _), _)| *it == subject).map(|(_, counts)| counts);
    of_it.fold((0, 0, 0), |sum, it| (sum.0 + it.assigned, sum.1 + it.resolved, sum.2 + it.opened))
}

fn waits(tally: &Tally, subject: Uuid) -> Waits {
    let mut all = Waits::default();
    for (_, waits) in tally.waits.iter().filter(|((it, _), _)| *it == subject) {
        all.first_responses.extend(&waits.first_responses);
        all.resolutions.extend(&waits.resolutions);
    }
    all
}

// R19
#[test]
fn what_is_handed_on_counts_for_who_has_it_then() {
    let (ana, ben, team) = people();
    let (_, tally) = counted(&[
        began(0),
        event(1, EventKind::Queued, None, Some(team)),
        event(2, EventKind::Assigned, Some(ana), Some(team)),
        // By hand: no team is named, and it stays with the one it has.
        event(20, EventKind::Assigned, Some(ben), None),
        answered(30),
        event(40, EventKind::Resolved, None, None),
    ]);
    assert_eq!(sum(&tally, ana.as_uuid()), (1, 0, 0));
    assert_eq!(sum(&tally, ben.as_uuid()), (1, 1, 0));
    assert_eq!(sum(&tally, team.as_uuid()), (2, 1, 0));
    assert_eq!(waits(&tally, ana.as_uuid()), Waits::default());
    let waited = Waits { first_responses: vec![30 * 60_000], resolutions: vec![40 * 60_000] };
    assert_eq!((waits(&tally, ben.as_uuid()), waits(&tally, team.as_uuid())), (waited.clone(), waited));
    let slot = |minute| Slot::of(at(minute));
    let shares: Vec<_> = tally.shares.into_iter().collect();
    let given = |agent, minute| ((team, 0, agent), vec![slot(minute)]);
    assert_eq!(shares, [given(ana, 2), given(ben, 20)]);
    assert_eq!(tally.counts[&(ana.as_uuid(), slot(2))].opened, 1);
    assert_eq!(tally.counts[&(ana.as_uuid(), slot(20))].opened, -1);
}

// R19
#[test]
fn what_is_put_aside_is_not_open_and_its_time_counts_until_it_is_resolved() {
    let (ana, _, _) = people();
    let open = |entries: &[Entry]| sum(&counted(entries).1, ana.as_uuid()).2;
    let entries = [
        began(0),
        event(1, EventKind::Assigned, Some(ana), None),
        event(2, EventKind::Snoozed, None, None),
        event(100, EventKind::Reopened, None, None),
        event(110, EventKind::Resolved, None, None),
        event(500, EventKind::Reopened, None, None),
        event(505, EventKind::Resolved, None, None),
    ];
    assert_eq!((1..=7).map(|count| open(&entries[..count])).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1, 0]);
    let resolutions = waits(&counted(&entries).1, ana.as_uuid()).resolutions;
    assert_eq!(resolutions, [110 * 60_000, 5 * 60_000]);
}

// R19
#[test]
fn only_the_first_answer_counts_and_none_to_who_was_not_heard() {
    let (ana, _, _) = people();
    let given = |minute| event(minute, EventKind::Assigned, Some(ana), None);
    let (_, tally) = counted(&[began(0), given(1), answered(2), answered(3)]);
    assert_eq!(waits(&tally, ana.as_uuid()).first_responses, [2 * 60_000]);
    let born_resolved = Entry {
        time: Timestamp::from_micros(1),
        what: What::Event { kind: Some(EventKind::Resolved), by_itself: true, agent: None, team: None },
    };
    let (_, tally) = counted(&[began(0), born_resolved, given(5), answered(6)]);
    assert_eq!(waits(&tally, ana.as_uuid()), Waits::default());
    let (_, tally) =
        counted(&[began(0), born_resolved, given(5), event(7, EventKind::Reopened, None, None), answered(9)]);
    assert_eq!(waits(&tally, ana.as_uuid()).first_responses, [2 * 60_000], "from when somebody opened it");
}

// R19
#[test]
fn what_is_gone_is_open_no_more_and_what_nobody_knows_changes_nothing() {
    let (ana, _, team) = people();
    let new =
        Entry { time: at(3), what: What::Event { kind: None, by_itself: false, agent: None, team: None } };
    let (standing, mut tally) =
        counted(&[began(0), event(1, EventKind::Assigned, Some(ana), Some(team)), new]);
    assert_eq!((standing.agent, standing.counted_to), (Some(ana), at(3)));
    // The clock of whoever removes it is behind.
    standing.close(at(1), &mut tally);
    assert_eq!((sum(&tally, ana.as_uuid()), sum(&tally, team.as_uuid())), ((1, 0, 0), (1, 0, 0)));
}

// R19
#[test]
fn counting_in_pieces_comes_to_the_same() {
    let (ana, ben, team) = people();
    let entries = [
        began(0),
        event(1, EventKind::Queued, None, Some(team)),
        event(16, EventKind::Assigned, Some(ana), Some(team)),
        answered(17),
        event(40, EventKind::Unassigned, None, None),
        event(41, EventKind::Assigned, Some(ben), None),
        event(80, EventKind::Resolved, None, None),
    ];
    let (standing, whole) = counted(&entries);
    let (mut again, mut pieces) = (Standing::before(&entries[0]), Vec::new());
    for entry in &entries {
        let mut piece = Tally::default();
        again.count(entry, &mut piece);
        pieces.push(piece);
    }
    assert_eq!(again, standing);
    for subject in [ana.as_uuid(), ben.as_uuid(), team.as_uuid()] {
        let sums = pieces.iter().map(|piece| sum(piece, subject));
        let added = sums.fold((0, 0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1, sum.2 + it.2));
        assert_eq!(added, sum(&whole, subject));
    }
}
