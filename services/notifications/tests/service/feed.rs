//! D2: a person's own feed: list, count, read, archive, snooze.

use std::time::Duration;

use crate::support::*;
use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notifications::v1 as pb;
use proto::notifications::v1::NotificationType::{Assigned, Mentioned, SlaBreach};
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use rpc::convert::proto_time;
use rpc::reason_of;
use tonic::Code;

const HOUR: Duration = Duration::from_secs(3_600);

testkit::on_both_databases! {
    // D2
    async fn a_mention_is_never_swallowed_by_what_comes_later(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        let mentioned = mention(&["ana"]);
        // Many things about the same conversation, before and after.
        let about = |kind| pb::NotificationEvent {
            conversation_id: mentioned.conversation_id.clone(),
            ..event(kind, &["ana"])
        };
        let events = vec![about(Assigned), mentioned.clone(), about(SlaBreach), about(Mentioned), about(Assigned)];
        notify(&mut ingest(&suite, "acme"), events).await;
        let kinds: Vec<_> = list(&mut ana).await.iter().map(|entry| entry.r#type()).collect();
        assert_eq!(kinds, [Assigned, Mentioned, SlaBreach, Mentioned, Assigned]);
    }

    // D2, P7
    async fn pages_hold_every_entry_once_newest_first(engine) {
        let suite = suite(engine).await;
        let (mut ana, mut ingest) = (person(&suite, "acme", "ana"), ingest(&suite, "acme"));
        notify(&mut ingest, (0..25).map(|_| mention(&["ana"])).collect()).await;
        let request = pb::ListNotificationsRequest { page_size: 10, ..Default::default() };
        let (entries, pages) = all_pages(&mut ana, request.clone()).await;
        assert_eq!((sequences(&entries), pages), ((1..=25).rev().collect(), 3));
        // Exactly full pages end without an empty one; what comes meanwhile does not move the pages.
        let first = ana.list_notifications(pb::ListNotificationsRequest { page_size: 5, ..request.clone() }).await;
        let token = first.unwrap().into_inner().next_page_token;
        notify(&mut ingest, vec![mention(&["ana"])]).await;
        let rest = pb::ListNotificationsRequest { page_size: 5, page_token: token, ..request };
        let (entries, pages) = all_pages(&mut ana, rest).await;
        assert_eq!((sequences(&entries), pages), ((1..=20).rev().collect(), 4));
    }

    // P7
    async fn a_page_token_opens_only_for_the_same_person_and_filter(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        for org in ["acme", "umbrella"] {
            let events = (0..3).map(|_| mention(&["ana", "ben"])).collect();
            notify(&mut ingest(&suite, org), events).await;
        }
        let request = pb::ListNotificationsRequest { page_size: 1, ..Default::default() };
        let page_token = ana.list_notifications(request.clone()).await.unwrap().into_inner().next_page_token;
        let next = pb::ListNotificationsRequest { page_token, ..request };
        assert_eq!(sequences(&list_of(&mut ana, next.clone()).await), [2]);
        let others = [
            (person(&suite, "acme", "ben"), next.clone()),
            (person(&suite, "umbrella", "ana"), next.clone()),
            (ana.clone(), pb::ListNotificationsRequest { unread_only: true, ..next.clone() }),
            (ana.clone(), pb::ListNotificationsRequest { r#type: Assigned.into(), ..next.clone() }),
            (ana.clone(), pb::ListNotificationsRequest { include_snoozed: true, ..next.clone() }),
            (ana.clone(), pb::ListNotificationsRequest { page_token: "garbage".into(), ..next }),
        ];
        for (mut person, request) in others {
            let refused = person.list_notifications(request).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason_of(&refused), Some(ErrorReason::InvalidPageToken));
        }
    }

    // D2
    async fn reading_counts_down_once(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        notify(&mut ingest(&suite, "acme"), (0..4).map(|_| mention(&["ana"])).collect()).await;
        let entries = list(&mut ana).await;
        let (newest, oldest) = (entries[0].notification_id.as_str(), entries[3].notification_id.as_str());
        assert_eq!(read(&mut ana, &[newest, oldest, newest]).await, 2);
        let read_time = list(&mut ana).await[0].read_time;
        assert!(read_time.is_some());
        assert_eq!(read(&mut ana, &[newest]).await, 2, "again");
        assert_eq!(list(&mut ana).await[0].read_time, read_time, "the first time counts");
        let unread = pb::ListNotificationsRequest { unread_only: true, ..Default::default() };
        assert_eq!(sequences(&list_of(&mut ana, unread).await), [3, 2]);
        assert_eq!(count(&mut ana).await, (2, 4));
        // Not one of these is in the feed: nothing changes, and nothing is revealed.
        assert_eq!(read(&mut ana, &["01890a5d-ac96-774b-bcce-b302099a8057"]).await, 2);
    }

    // D2
    async fn reading_all_leaves_what_came_after_the_persons_look(engine) {
        let suite = suite(engine).await;
        let (mut ana, mut ingest) = (person(&suite, "acme", "ana"), ingest(&suite, "acme"));
        assert_eq!(read_all(&mut ana, 0).await, 0, "an empty feed");
        notify(&mut ingest, (0..5).map(|_| mention(&["ana"])).collect()).await;
        assert_eq!(read_all(&mut ana, 3).await, 2);
        assert_eq!(read_all(&mut ana, 3).await, 2);
        assert_eq!(read_all(&mut ana, 0).await, 0);
        assert_eq!(count(&mut ana).await, (0, 5));
        notify(&mut ingest, vec![mention(&["ana"])]).await;
        assert_eq!(count(&mut ana).await, (1, 6));
        assert_eq!(read_all(&mut ana, 1_000).await, 0);
    }

    // D2
    async fn an_archived_entry_leaves_list_and_count_and_stays_readable(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        notify(&mut ingest(&suite, "acme"), (0..2).map(|_| mention(&["ana"])).collect()).await;
        let id = list(&mut ana).await[1].notification_id.clone();
        let archived = archive(&mut ana, &id).await.unwrap();
        assert!(archived.archive_time.is_some() && archived.read_time.is_none());
        assert_eq!(archive(&mut ana, &id).await.unwrap(), archived, "again");
        assert_eq!(sequences(&list(&mut ana).await), [2]);
        assert_eq!(count(&mut ana).await, (1, 2));
        let all = pb::ListNotificationsRequest { include_archived: true, ..Default::default() };
        assert_eq!(list_of(&mut ana, all).await[1], archived);
        assert_eq!(read(&mut ana, &[&id]).await, 1, "an archived one was not counted");
    }

    // D2
    async fn a_snoozed_entry_is_away_until_its_time_and_unread_then(engine) {
        let suite = suite_at_new_year(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        notify(&mut ingest(&suite, "acme"), (0..3).map(|_| mention(&["ana"])).collect()).await;
        let id = list(&mut ana).await[1].notification_id.clone();
        assert_eq!(read(&mut ana, &[&id]).await, 2);
        let until = NEW_YEAR.plus(HOUR / 2);
        let snoozed = snooze(&mut ana, &id, until).await.unwrap();
        assert_eq!((snoozed.snooze_until_time, snoozed.read_time), (Some(proto_time(until)), None));
        assert_eq!(snooze(&mut ana, &id, until).await.unwrap(), snoozed, "again");
        assert_eq!(sequences(&list(&mut ana).await), [3, 1]);
        assert_eq!(count(&mut ana).await, (2, 3));
        let all = pb::ListNotificationsRequest { include_snoozed: true, ..Default::default() };
        assert_eq!(sequences(&list_of(&mut ana, all).await), [3, 2, 1]);
        // Reading everything on the screen does not touch what was put off.
        assert_eq!(read_all(&mut ana, 0).await, 0);
        suite.hand().advance(HOUR / 2);
        assert_eq!(count(&mut ana).await, (1, 3));
        let unread = pb::ListNotificationsRequest { unread_only: true, ..Default::default() };
        assert_eq!(sequences(&list_of(&mut ana, unread).await), [2]);
        assert_eq!(read_all(&mut ana, 0).await, 0);
    }

    // D2
    async fn snoozing_brings_back_an_archived_entry_and_reading_or_archiving_ends_a_snooze(engine) {
        let suite = suite_at_new_year(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let id = list(&mut ana).await[0].notification_id.clone();
        archive(&mut ana, &id).await.unwrap();
        let until = NEW_YEAR.plus(HOUR / 2);
        assert_eq!(snooze(&mut ana, &id, until).await.unwrap().archive_time, None);
        assert_eq!(count(&mut ana).await.0, 0);
        assert_eq!(read(&mut ana, &[&id]).await, 0);
        assert_eq!(sequences(&list(&mut ana).await), [1], "read, so no longer hidden");
        snooze(&mut ana, &id, until).await.unwrap();
        assert_eq!(archive(&mut ana, &id).await.unwrap().snooze_until_time, None);
        suite.hand().advance(HOUR / 2);
        assert_eq!(count(&mut ana).await.0, 0);
    }

    // D2, P8
    async fn a_snooze_into_the_past_or_beyond_a_year_is_refused(engine) {
        let suite = suite_at_new_year(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let id = list(&mut ana).await[0].notification_id.clone();
        for until in [NEW_YEAR, NEW_YEAR.minus(HOUR), NEW_YEAR.plus(HOUR * 24 * 367)] {
            let refused = snooze(&mut ana, &id, until).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason_of(&refused), Some(ErrorReason::InvalidField));
        }
        assert_eq!(count(&mut ana).await.0, 1);
    }

    // P1
    async fn nobody_sees_or_touches_anothers_feed(engine) {
        let suite = suite(engine).await;
        let mut ana = person(&suite, "acme", "ana");
        notify(&mut ingest(&suite, "acme"), vec![mention(&["ana"])]).await;
        let id = list(&mut ana).await[0].notification_id.clone();
        let until = suite.clock().now().plus(HOUR);
        let absent = "01890a5d-ac96-774b-bcce-b302099a8057";
        let of_admin = NotificationServiceClient::new(suite.client("acme", "root", Role::Admin));
        let foreign = person(&suite, "umbrella", "ana");
        for mut other in [person(&suite, "acme", "ben"), of_admin, foreign] {
            assert!(list(&mut other).await.is_empty());
            assert_eq!(count(&mut other).await, (0, 0));
            assert_eq!(read(&mut other, &[&id]).await, 0);
            assert_eq!(read_all(&mut other, 0).await, 0);
            let answers = [
                (archive(&mut other, &id).await, archive(&mut other, absent).await),
                (snooze(&mut other, &id, until).await, snooze(&mut other, absent, until).await),
            ];
            for (theirs, absent) in answers {
                let (theirs, absent) = (theirs.unwrap_err(), absent.unwrap_err());
                assert_eq!(theirs.code(), Code::NotFound);
                assert_eq!((theirs.message(), theirs.details()), (absent.message(), absent.details()));
            }
        }
        let entry = &list(&mut ana).await[0];
        assert!(entry.read_time.is_none() && entry.archive_time.is_none() && entry.snooze_until_time.is_none());
    }

    // P2, N3
    async fn a_contact_has_no_feed(engine) {
        let suite = suite(engine).await;
        notify(&mut ingest(&suite, "acme"), vec![mention(&["carl"])]).await;
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let mut carl = NotificationServiceClient::new(suite.client("acme", "carl", role));
            let answers = [
                carl.list_notifications(pb::ListNotificationsRequest::default()).await.map(drop),
                carl.get_unread_count(pb::GetUnreadCountRequest {}).await.map(drop),
                carl.mark_all_notifications_read(pb::MarkAllNotificationsReadRequest::default()).await.map(drop),
                subscribe(&mut carl, earliest()).await.map(drop),
            ];
            for answer in answers {
                assert_eq!(answer.unwrap_err().code(), Code::PermissionDenied, "{role}");
            }
        }
    }

    // D2
    async fn counter_and_entries_agree_whatever_happens_at_once(engine) {
        let suite = suite(engine).await;
        let until = suite.clock().now().plus(HOUR);
        let workers: Vec<_> = (0..6)
            .map(|worker| {
                let (mut ingest, mut ana) = (ingest(&suite, "acme"), person(&suite, "acme", "ana"));
                tokio::spawn(async move {
                    for round in 0..12 {
                        match (worker + round) % 6 {
                            0 | 1 => drop(notify(&mut ingest, (0..3).map(|_| mention(&["ana"])).collect()).await),
                            step => {
                                let entries = list(&mut ana).await;
                                let ids: Vec<&str> =
                                    entries.iter().map(|entry| entry.notification_id.as_str()).collect();
                                let Some(id) = ids.get(round) else { continue };
                                // Busy is an answer too; then nothing happened.
                                match step {
                                    2 => drop(ana.mark_notifications_read(pb::MarkNotificationsReadRequest {
                                        notification_ids: ids.iter().rev().take(5).map(|id| (*id).to_owned()).collect(),
                                    }).await),
                                    3 => drop(archive(&mut ana, id).await),
                                    4 => drop(snooze(&mut ana, id, until).await),
                                    _ => drop(ana.mark_all_notifications_read(pb::MarkAllNotificationsReadRequest {
                                        up_to_sequence: entries[round].sequence,
                                    }).await),
                                }
                            }
                        }
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap();
        }
        let mut ana = person(&suite, "acme", "ana");
        let unread = pb::ListNotificationsRequest { unread_only: true, page_size: 200, ..Default::default() };
        assert_eq!(count(&mut ana).await.0, list_of(&mut ana, unread).await.len() as i64);
    }
}
