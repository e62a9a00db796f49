//! D3 and P14: a feed, live.

use std::time::{Duration, Instant};

use crate::support::*;
use kernel::{OrgId, Role, Subject};
use proto::common::v1::{ClosingReason, ErrorReason};
use proto::notifications::v1 as pb;
use proto::notifications::v1::subscribe_response::Frame;
use rpc::{TokenSpec, reason_of};
use testkit::{Engine, Suite};
use tonic::Code;

const DAY: Duration = Duration::from_secs(86_400);

testkit::on_both_databases! {
    // D3, P14
    async fn a_phone_and_a_laptop_both_get_everything_at_once(engine) {
        let suite = suite(engine).await;
        let mut ingest = ingest(&suite, "acme");
        let (mut phone, mut laptop) = (person(&suite, "acme", "ana"), person(&suite, "acme", "ana"));
        notify(&mut ingest, vec![mention(&["ana"])]).await;
        let mut phone = opened(&mut phone, from_now()).await;
        let mut laptop = opened(&mut laptop, earliest()).await;
        notify(&mut ingest, (0..3).map(|_| mention(&["ana", "ben"])).collect()).await;
        assert_eq!(take(&mut phone, 3).await, [2, 3, 4]);
        assert_eq!(take(&mut laptop, 4).await, [1, 2, 3, 4]);
    }

    // D3
    async fn a_wake_up_brings_an_entry_in_much_less_than_a_poll(engine) {
        let suite = builder(engine).configured(|config| poll_ms(config, 60_000)).start().await;
        let mut ingest = ingest(&suite, "acme");
        let mut stream = opened(&mut person(&suite, "acme", "ana"), from_now()).await;
        for number in 1..=20 {
            let begin = Instant::now();
            notify(&mut ingest, vec![mention(&["ana"])]).await;
            assert_eq!(entry(&mut stream).await.0.sequence, number);
            assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        }
    }

    // D3, P14
    async fn a_stream_resumes_behind_every_frame_without_loss_or_repeat(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        let mut ingest = ingest(&suite, "acme");
        let mut first = subscribe(&mut ana, from_now()).await.unwrap();
        let mut tokens = vec![(0, frame(&mut first).await.unwrap().resume_token)];
        notify(&mut ingest, (0..5).map(|_| mention(&["ana"])).collect()).await;
        for _ in 0..5 {
            let (entry, token) = entry(&mut first).await;
            tokens.push((entry.sequence, token));
        }
        drop(first);
        notify(&mut ingest, vec![mention(&["ana"])]).await;
        for (seen, token) in tokens {
            let mut stream = opened(&mut ana, resume(&token)).await;
            let expected: Vec<i64> = (seen + 1..=6).collect();
            assert_eq!(take(&mut stream, expected.len()).await, expected);
        }
    }

    // D3, P1
    async fn a_stream_carries_its_own_persons_entries_only(engine) {
        let suite = suite(engine).await;
        let mut ana = opened(&mut person(&suite, "acme", "ana"), from_now()).await;
        let mut namesake = opened(&mut person(&suite, "umbrella", "ana"), from_now()).await;
        let events = vec![mention(&["ben"]), mention(&["ana"]), mention(&["ben"]), mention(&["ana"])];
        let mine = [events[1].conversation_id.clone(), events[3].conversation_id.clone()];
        notify(&mut ingest(&suite, "acme"), events).await;
        for conversation in mine {
            assert_eq!(entry(&mut ana).await.0.conversation_id, conversation);
        }
        let other = mention(&["ana"]);
        notify(&mut ingest(&suite, "umbrella"), vec![other.clone()]).await;
        assert_eq!(entry(&mut namesake).await.0.conversation_id, other.conversation_id);
    }

    // P14, P1
    async fn a_resume_token_of_another_person_or_none_at_all_is_refused(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana", "ben"])]).await;
        let (_, token) = entry(&mut opened(&mut ana, earliest()).await).await;
        let mut altered = token.clone();
        altered.replace_range(3..4, if &token[3..4] == "A" { "B" } else { "A" });
        let page = pb::ListNotificationsRequest { page_size: 1, ..Default::default() };
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let page_token = ana.list_notifications(page).await.unwrap().into_inner().next_page_token;
        let others = [
            (person(&suite, "acme", "ben"), token.as_str()),
            (person(&suite, "umbrella", "ana"), token.as_str()),
            (ana.clone(), "garbage"),
            (ana.clone(), altered.as_str()),
            (ana.clone(), page_token.as_str()),
        ];
        for (mut person, token) in others {
            let refused = subscribe(&mut person, resume(token)).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument, "{token}");
            assert_eq!(reason_of(&refused), Some(ErrorReason::InvalidPageToken));
        }
        opened(&mut ana, resume(&token)).await;
    }

    // Fault 24, P14
    async fn the_end_of_the_token_closes_the_stream_in_band_and_a_new_token_resumes_it(engine) {
        let suite = suite(engine).await;
        let org = OrgId::parse("acme").unwrap();
        let mut spec = TokenSpec::new(org, Subject::parse("ana").unwrap(), Role::Agent);
        spec.ttl = Duration::from_secs(3);
        let mut short = with_token(&suite, &suite.mint(&spec));
        let mut stream = opened(&mut short, from_now()).await;
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        assert_eq!(entry(&mut stream).await.0.sequence, 1);
        let last = frame(&mut stream).await.unwrap();
        let Some(Frame::Closing(closing)) = last.frame else { panic!("{last:?}") };
        assert_eq!(closing.reason(), ClosingReason::TokenExpired);
        assert!(frame(&mut stream).await.is_none());
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let mut resumed = opened(&mut person(&suite, "acme", "ana"), resume(&last.resume_token)).await;
        assert_eq!(entry(&mut resumed).await.0.sequence, 2);
    }

    // P14
    async fn a_restart_closes_streams_in_band_and_they_resume_on_the_new_process(engine) {
        let mut suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        let mut stream = opened(&mut ana, from_now()).await;
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        assert_eq!(entry(&mut stream).await.0.sequence, 1);
        let reader = tokio::spawn(async move {
            let last = frame(&mut stream).await.unwrap();
            (last, frame(&mut stream).await)
        });
        suite.restart().await;
        let (last, end) = reader.await.unwrap();
        let Some(Frame::Closing(closing)) = last.frame else { panic!("{last:?}") };
        assert_eq!((closing.reason(), end), (ClosingReason::Shutdown, None));
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let mut resumed = opened(&mut person(&suite, "acme", "ana"), resume(&last.resume_token)).await;
        assert_eq!(entry(&mut resumed).await.0.sequence, 2);
    }

    // Fault 13, P14
    async fn a_reader_that_stalls_holds_nobody_up_and_misses_nothing(engine) {
        let suite = suite(engine).await;
        let mut ingest = ingest(&suite, "acme");
        let (mut stalled, mut brisk) = (person(&suite, "acme", "ana"), person(&suite, "acme", "ana"));
        let mut stalled = opened(&mut stalled, from_now()).await;
        let mut brisk = opened(&mut brisk, from_now()).await;
        for batch in 0..20_i64 {
            notify(&mut ingest, (0..100).map(|_| mention(&["ana"])).collect()).await;
            let expected: Vec<i64> = (batch * 100 + 1..=batch * 100 + 100).collect();
            assert_eq!(take(&mut brisk, 100).await, expected);
        }
        assert_eq!(take(&mut stalled, 2_000).await, (1..=2_000).collect::<Vec<i64>>());
    }
}

testkit::on_both_databases! {
    // P14
    async fn who_resumes_behind_retention_lists_again_and_then_misses_nothing(engine) {
        let suite = suite(engine).await;
        let (mut ana, mut ingest) = (person(&suite, "acme", "ana"), ingest(&suite, "acme"));
        let mut stream = opened(&mut ana, from_now()).await;
        notify(&mut ingest, (0..6).map(|_| mention(&["ana"])).collect()).await;
        let (_, second) = (entry(&mut stream).await, entry(&mut stream).await.1);
        let fourth = (entry(&mut stream).await, entry(&mut stream).await.1).1;
        read_all(&mut ana, 4).await;
        forget_all_read(&suite).await;

        // Retention took 1 to 4: behind 4 nothing is missing, behind 2 something is.
        let mut whole = opened(&mut ana, resume(&fourth)).await;
        assert_eq!(take(&mut whole, 2).await, [5, 6]);
        let mut behind = opened(&mut ana, resume(&second)).await;
        let last = frame(&mut behind).await.unwrap();
        let Some(Frame::ResyncRequired(resync)) = last.frame else { panic!("{last:?}") };
        assert!(frame(&mut behind).await.is_none());
        let kept = list(&mut ana).await;
        assert_eq!((sequences(&kept), resync.oldest_time), (vec![6, 5], kept[1].create_time));

        // The token of that frame is the end of the feed: with the list before it nothing is missed.
        notify(&mut ingest, vec![mention(&["ana"])]).await;
        assert_eq!(take(&mut opened(&mut ana, resume(&last.resume_token)).await, 1).await, [7]);
        assert_eq!(take(&mut opened(&mut ana, earliest()).await, 3).await, [5, 6, 7]);
    }
}

/// Retention as it runs now and then, from another process and with no patience.
async fn forget_all_read(suite: &Suite) {
    let now = suite.clock().now().plus(Duration::from_secs(1));
    let due = notifications::store::retention::Due { read_before: now, created_before: now.minus(DAY) };
    let db = tables(suite).await;
    notifications::app::forget::forget_undecided(&db, due).await.unwrap();
    db.close().await;
}

// D3, fault 7: two processes on one database, without NATS between them.
#[test]
fn an_entry_written_by_another_process_arrives_without_any_wake_up() {
    testkit::run(async {
        let here = suite(Engine::Postgres).await;
        let there = beside(&here, None).await;
        let mut stream = opened(&mut person(&here, "acme", "ana"), from_now()).await;
        let mut ingest = ingest(&there, "acme");
        for number in 1..=10 {
            let begin = Instant::now();
            notify(&mut ingest, vec![mention(&["ana"])]).await;
            assert_eq!(entry(&mut stream).await.0.sequence, number);
            assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
        }
        // Resumed on the other replica: its token is as good there.
        notify(&mut ingest, vec![mention(&["ana"])]).await;
        let (_, token) = entry(&mut stream).await;
        notify(&mut ingest, vec![mention(&["ana"])]).await;
        let mut resumed = opened(&mut person(&there, "acme", "ana"), resume(&token)).await;
        assert_eq!(entry(&mut resumed).await.0.sequence, 12);
    });
}
