use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use kernel::{OrgId, Role, Subject};
use proptest::prelude::*;
use proto::{Idempotency, Method};
use tokio::sync::broadcast;
use tokio::time::{Instant, advance};

use super::*;
use crate::Caller;

#[derive(Clone, Debug, PartialEq)]
enum Frame {
    Opened,
    Entry(u64),
    Heartbeat(u64),
    Closing(u64, ClosingReason),
    Resync,
}

/// Numbers in a map; even ones are hidden when `odd_only`.
#[derive(Clone)]
struct Store {
    entries: Arc<Mutex<BTreeMap<u64, ()>>>,
    wake: broadcast::Sender<()>,
    odd_only: bool,
    down: Arc<Mutex<bool>>,
    reads: Arc<Mutex<usize>>,
}

impl Store {
    fn new() -> Self {
        let wake = broadcast::channel(1024).0;
        let (down, reads) = (Arc::default(), Arc::default());
        Self { entries: Arc::default(), wake, odd_only: false, down, reads }
    }

    fn add(&self, number: u64) {
        self.entries.lock().unwrap().insert(number, ());
        let _ = self.wake.send(());
    }

    fn reader(&self) -> Toy {
        Toy { store: self.clone(), woken: self.wake.subscribe() }
    }
}

struct Toy {
    store: Store,
    woken: broadcast::Receiver<()>,
}

impl Feed for Toy {
    type Frame = Frame;
    type Cursor = u64;

    async fn start(&self, from: Start) -> Result<u64, Halt> {
        let entries = self.store.entries.lock().unwrap();
        let oldest = entries.keys().next().copied().unwrap_or(1);
        match from {
            Start::Now => Ok(entries.keys().last().copied().unwrap_or(0)),
            Start::Earliest => Ok(oldest - 1),
            Start::Resume(token) => {
                let cursor: u64 = token.parse().map_err(|_| Fault::invalid("resume_token", "is not ours"))?;
                if cursor + 1 < oldest {
                    return Err(Halt::Resync { oldest: Timestamp::from_micros(0) });
                }
                Ok(cursor)
            }
        }
    }

    async fn next(&self, after: &u64, limit: usize) -> Result<Entries<Self>, Halt> {
        *self.store.reads.lock().unwrap() += 1;
        if *self.store.down.lock().unwrap() {
            return Err(Fault::unavailable("database").into());
        }
        let entries = self.store.entries.lock().unwrap();
        if entries.keys().next().is_some_and(|oldest| after + 1 < *oldest) {
            return Err(Halt::Resync { oldest: Timestamp::from_micros(0) });
        }
        let behind = entries.range(after + 1..).take(limit).map(|(number, ())| *number);
        let seen = |number: u64| !self.store.odd_only || number % 2 == 1;
        Ok(behind.map(|number| (number, seen(number).then_some(Frame::Entry(number)))).collect())
    }

    async fn woken(&mut self) {
        let _ = self.woken.recv().await;
    }

    fn opened(&self, _: &u64) -> Frame {
        Frame::Opened
    }
    fn heartbeat(&self, at: &u64) -> Frame {
        Frame::Heartbeat(*at)
    }
    fn closing(&self, at: &u64, reason: ClosingReason) -> Frame {
        Frame::Closing(*at, reason)
    }
    fn resync_required(&self, _: Timestamp) -> Frame {
        Frame::Resync
    }
}

static METHOD: Method = Method {
    path: "/toy.Toy/Watch",
    service: "toy.Toy",
    name: "Watch",
    roles: &[],
    public: false,
    client_streaming: false,
    server_streaming: true,
    idempotency: Idempotency::NoSideEffects,
};

fn call_for(token_lives: Duration) -> Call {
    let caller = Caller {
        org: OrgId::parse("acme").unwrap(),
        subject: Subject::parse("ana").unwrap(),
        role: Role::Agent,
        expires: Timestamp::from_micros(0),
        name: None,
        username: None,
        token: "t".into(),
        person: "acme/ana".into(),
    };
    let now = Instant::now();
    let question = Duration::from_secs(5);
    Call { caller: Arc::new(caller), method: &METHOD, deadline: now, token_ends: now + token_lives, question }
}

const HOURS: Duration = Duration::from_secs(8 * 3_600);

async fn open(store: &Store, start: Start) -> Live<Frame> {
    live(&call_for(HOURS), start, store.reader(), CancellationToken::new()).await.unwrap()
}

async fn frame(stream: &mut Live<Frame>) -> Frame {
    stream.next().await.expect("the stream goes on").expect("no error")
}

#[tokio::test(start_paused = true)]
async fn the_first_message_comes_at_once_and_entries_as_they_happen() {
    let store = Store::new();
    store.add(1);
    let begin = Instant::now();
    let mut stream = open(&store, Start::Now).await;
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    store.add(2);
    assert_eq!(frame(&mut stream).await, Frame::Entry(2));
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(frame(&mut open(&store, Start::Earliest).await).await, Frame::Opened);
}

#[tokio::test(start_paused = true)]
async fn twenty_seconds_of_silence_bring_a_heartbeat() {
    let store = Store::new();
    let mut stream = open(&store, Start::Now).await;
    let begin = Instant::now();
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    assert_eq!(frame(&mut stream).await, Frame::Heartbeat(0));
    assert_eq!(begin.elapsed().as_secs(), 20);
    store.add(1);
    assert_eq!(frame(&mut stream).await, Frame::Entry(1));
    assert_eq!(frame(&mut stream).await, Frame::Heartbeat(1));
    assert_eq!(begin.elapsed().as_secs(), 40);
}

// P14
#[tokio::test(start_paused = true)]
async fn heartbeats_read_nothing_where_something_else_looks_for_the_stream() {
    let store = Store::new();
    let rhythm = Rhythm { poll: HOURS, ..Rhythm::default() };
    let shutdown = CancellationToken::new();
    let mut stream = live_at(rhythm, &call_for(HOURS), Start::Now, store.reader(), shutdown).await.unwrap();
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    for _ in 0..10 {
        assert_eq!(frame(&mut stream).await, Frame::Heartbeat(0));
    }
    assert_eq!(*store.reads.lock().unwrap(), 1);
    store.add(1);
    assert_eq!(frame(&mut stream).await, Frame::Entry(1));
}

// P14
#[tokio::test(start_paused = true)]
async fn heartbeats_do_not_put_off_the_look_that_is_due() {
    let store = Store::new();
    let rhythm = Rhythm { poll: Duration::from_secs(50), ..Rhythm::default() };
    let shutdown = CancellationToken::new();
    let mut stream = live_at(rhythm, &call_for(HOURS), Start::Now, store.reader(), shutdown).await.unwrap();
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    let begin = Instant::now();
    assert_eq!(frame(&mut stream).await, Frame::Heartbeat(0));
    store.entries.lock().unwrap().insert(1, ());
    assert_eq!(frame(&mut stream).await, Frame::Heartbeat(0));
    assert_eq!(frame(&mut stream).await, Frame::Entry(1));
    assert_eq!(begin.elapsed().as_secs(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_lost_wake_up_costs_a_second_and_no_entry() {
    let store = Store::new();
    let mut stream = open(&store, Start::Now).await;
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    store.entries.lock().unwrap().insert(1, ());
    let begin = Instant::now();
    assert_eq!(frame(&mut stream).await, Frame::Entry(1));
    assert!(begin.elapsed() <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn hidden_entries_move_the_cursor_without_a_frame() {
    let store = Store { odd_only: true, ..Store::new() };
    let mut stream = open(&store, Start::Now).await;
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    (1..=200).for_each(|number| store.add(number));
    for number in (1..=200).filter(|number| number % 2 == 1) {
        assert_eq!(frame(&mut stream).await, Frame::Entry(number));
    }
    assert_eq!(frame(&mut stream).await, Frame::Heartbeat(200));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_token_closes_the_stream_within_a_minute_and_the_resume_goes_on_behind_it() {
    let store = Store::new();
    let token = Duration::from_secs(100);
    let begin = Instant::now();
    let mut stream =
        live(&call_for(token), Start::Now, store.reader(), CancellationToken::new()).await.unwrap();
    store.add(1);
    let mut last = Frame::Opened;
    while let Some(next) = stream.next().await {
        last = next.unwrap();
    }
    assert_eq!(last, Frame::Closing(1, ClosingReason::TokenExpired));
    assert!(begin.elapsed() < token + Duration::from_secs(60), "{:?}", begin.elapsed());
    store.add(2);
    let mut resumed = open(&store, Start::Resume("1".to_owned())).await;
    assert_eq!(frame(&mut resumed).await, Frame::Opened);
    assert_eq!(frame(&mut resumed).await, Frame::Entry(2));
}

#[tokio::test(start_paused = true)]
async fn a_reader_who_stalled_past_its_token_gets_no_entry_any_more() {
    let store = Store::new();
    (1..=10).for_each(|number| store.add(number));
    let call = call_for(Duration::from_secs(100));
    let mut stream = live(&call, Start::Earliest, store.reader(), CancellationToken::new()).await.unwrap();
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    assert_eq!(frame(&mut stream).await, Frame::Entry(1));
    advance(Duration::from_secs(200)).await;
    assert_eq!(frame(&mut stream).await, Frame::Closing(1, ClosingReason::TokenExpired));
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_closes_at_once() {
    let store = Store::new();
    let shutdown = CancellationToken::new();
    let mut stream = live(&call_for(HOURS), Start::Now, store.reader(), shutdown.clone()).await.unwrap();
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    let (begin, waiting) = (Instant::now(), tokio::spawn(async move { frame(&mut stream).await }));
    tokio::task::yield_now().await;
    shutdown.cancel();
    assert_eq!(waiting.await.unwrap(), Frame::Closing(0, ClosingReason::Shutdown));
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn streams_rotate_at_about_thirty_minutes_and_not_together() {
    let store = Store::new();
    let mut lives = Vec::new();
    for _ in 0..10 {
        let begin = Instant::now();
        let mut stream = open(&store, Start::Now).await;
        let mut last = Frame::Opened;
        while let Some(next) = stream.next().await {
            last = next.unwrap();
        }
        assert_eq!(last, Frame::Closing(0, ClosingReason::Rotation));
        lives.push(begin.elapsed().as_secs());
    }
    assert!(lives.iter().all(|secs| (27 * 60..=33 * 60).contains(secs)), "{lives:?}");
    lives.sort_unstable();
    lives.dedup();
    assert!(lives.len() > 5, "{lives:?}");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_too_late_is_told_to_list_again() {
    let store = Store::new();
    store.add(50);
    let mut stream = open(&store, Start::Resume("3".to_owned())).await;
    assert_eq!(frame(&mut stream).await, Frame::Resync);
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_one_batch_and_is_told_when_it_fell_behind() {
    let store = Store::new();
    (1..=500).for_each(|number| store.add(number));
    let mut stream = open(&store, Start::Earliest).await;
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    assert_eq!(frame(&mut stream).await, Frame::Entry(1));
    advance(Duration::from_secs(600)).await;
    assert_eq!(*store.reads.lock().unwrap(), 1, "who does not read makes no work");
    store.entries.lock().unwrap().retain(|number, ()| *number > 300);
    for number in 2..=64 {
        assert_eq!(frame(&mut stream).await, Frame::Entry(number));
    }
    assert_eq!(frame(&mut stream).await, Frame::Resync);
    assert!(stream.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_database_that_fails_closes_in_band() {
    let store = Store::new();
    let mut stream = open(&store, Start::Now).await;
    assert_eq!(frame(&mut stream).await, Frame::Opened);
    *store.down.lock().unwrap() = true;
    assert_eq!(frame(&mut stream).await, Frame::Closing(0, ClosingReason::Unavailable));
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_foreign_resume_token_is_refused_before_the_stream_opens() {
    let start = Start::Resume("forged".to_owned());
    let refused = live(&call_for(HOURS), start, Store::new().reader(), CancellationToken::new()).await;
    assert_eq!(refused.err().map(|fault| fault.code()), Some(tonic::Code::InvalidArgument));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_cuts_each_entry_comes_once_and_in_order(
        cuts in proptest::collection::vec(1_usize..40, 1..20),
        bursts in proptest::collection::vec(0_u64..50, 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let seen = runtime.block_on(async {
            let store = Store::new();
            let (mut written, mut seen) = (0, Vec::new());
            let mut resume = "0".to_owned();
            let plan = cuts.iter().zip(bursts.iter().chain(std::iter::repeat(&0)));
            for (cut, burst) in plan.chain([(&usize::MAX, &1)]) {
                let mut stream = open(&store, Start::Resume(resume.clone())).await;
                for _ in 0..*burst {
                    written += 1;
                    store.add(written);
                }
                let mut frames = 0;
                while frames < *cut {
                    frames += 1;
                    match frame(&mut stream).await {
                        Frame::Entry(number) => {
                            seen.push(number);
                            resume = number.to_string();
                        }
                        Frame::Heartbeat(_) => break,
                        _ => {}
                    }
                }
            }
            (written, seen)
        });
        let all: Vec<u64> = (1..=seen.0).collect();
        prop_assert_eq!(seen.1, all);
    }
}
