//! What a person has not read.

use db::Db;
use kernel::OrgId;
use proto::notes::v1::*;

use super::{Office, people, to_person, to_thread};

/// People whose count is not the number of messages that others wrote behind their cursor.
async fn miscounted(db: &Db, org: &OrgId) -> i64 {
    let read = db.read(org, |tx| {
        Box::pin(async move {
            tx.query(
                "SELECT COUNT(*) FROM internal_people p WHERE p.org_id = $1 AND p.unread_count <> ( \
                 SELECT COUNT(*) FROM internal_messages m WHERE m.org_id = p.org_id \
                 AND m.internal_thread_id = p.internal_thread_id AND m.create_time > p.read_time \
                 AND m.author_subject <> p.subject)",
            )
            .fetch_value::<i64>(tx)
            .await
        })
    });
    read.await.unwrap()
}

testkit::on_both_databases! {
    // I4
    async fn messages_of_others_are_unread_until_the_cursor_has_passed_them(engine) {
        let office = Office::on(engine).await;
        let (mut ana, mut eve) = (office.agent("ana"), office.supervisor("eve"));
        let (first, _) = office.sent(&mut eve, "1", None).await;
        let (second, _) = office.sent(&mut eve, "2", None).await;
        assert_eq!((office.unread(&mut ana).await, office.unread(&mut eve).await), ((2, 2), (0, 0)));
        office.seen(&mut ana).await;
        assert_eq!(office.unread(&mut ana).await, (2, 2), "a list alone moves no cursor");
        let read = ana.mark_internal_messages_read(office.up_to(Some(&first))).await.unwrap().into_inner();
        assert_eq!((read.unread_count, read.total_unread_count), (1, 1));
        // What is answered meanwhile is not read by answering.
        let (_, thread) = office.sent(&mut ana, "3", None).await;
        assert_eq!(thread.unread_count, 1);
        assert_eq!((office.unread(&mut ana).await, office.unread(&mut eve).await), ((1, 1), (1, 1)));
        for _ in 0..2 {
            let read = ana.mark_internal_messages_read(office.up_to(Some(&second))).await.unwrap().into_inner();
            assert_eq!((read.unread_count, read.total_unread_count), (0, 0));
        }
        let back = ana.mark_internal_messages_read(office.up_to(Some(&first))).await.unwrap().into_inner();
        assert_eq!(back.unread_count, 0, "the cursor never moves back");
        assert_eq!(office.unread(&mut eve).await, (1, 1), "one's reading is not another's");
    }

    // I4
    async fn unread_is_counted_for_each_conversation_and_in_total(engine) {
        let mut office = Office::on(engine).await;
        let (mut ana, mut eve) = (office.agent("ana"), office.supervisor("eve"));
        let first = office.world.conversation.clone();
        office.sent(&mut eve, "1", None).await;
        let second = office.world.peers.conversation("acme");
        office.world.conversation = second.clone();
        for body in ["2", "3"] {
            office.sent(&mut eve, body, to_person(&office.ana)).await;
        }
        let third = office.world.peers.conversation("acme");
        let conversation_ids = vec![second.clone(), third.clone(), first.clone(), second.clone()];
        let answer = ana.get_internal_unread_counts(GetInternalUnreadCountsRequest { conversation_ids }).await;
        let answer = answer.unwrap().into_inner();
        let counts: Vec<_> =
            answer.conversations.iter().map(|it| (it.conversation_id.clone(), it.unread_count)).collect();
        assert_eq!(counts, [(second, 2), (first, 1)], "each once, in the order asked, and none of which all is read");
        assert_eq!(answer.total_unread_count, 3);
        let read = ana.mark_internal_messages_read(office.up_to(None)).await.unwrap().into_inner();
        assert_eq!((read.unread_count, read.total_unread_count), (0, 1));
    }

    // I4, P7
    async fn a_persons_threads_are_listed_page_by_page_and_the_unread_ones_alone_if_asked(engine) {
        let mut office = Office::on(engine).await;
        let (mut ana, mut eve) = (office.agent("ana"), office.supervisor("eve"));
        let mut opened = Vec::new();
        for n in 0..5 {
            office.world.conversation = office.world.peers.conversation("acme");
            let (_, thread) = office.sent(&mut eve, "hello", to_person(&office.ana)).await;
            if n % 2 == 0 {
                ana.mark_internal_messages_read(office.up_to(None)).await.unwrap();
            }
            opened.insert(0, thread.internal_thread_id);
        }
        for (unread_only, expected) in [(false, vec![0, 1, 2, 3, 4]), (true, vec![1, 3])] {
            let (mut listed, mut page_token) = (Vec::new(), String::new());
            loop {
                let request = ListInternalThreadsRequest { unread_only, page_size: 2, page_token };
                let page = ana.list_internal_threads(request).await.unwrap().into_inner();
                assert!(page.threads.len() <= 2);
                for thread in &page.threads {
                    assert_eq!(people(thread), ["sub-ana", "sub-eve"]);
                    assert!(!unread_only || thread.unread_count == 1);
                }
                listed.extend(page.threads.into_iter().map(|thread| thread.internal_thread_id));
                page_token = page.next_page_token;
                if page_token.is_empty() {
                    break;
                }
            }
            let expected: Vec<_> = expected.into_iter().map(|n: usize| opened[n].clone()).collect();
            assert_eq!(listed, expected, "the latest opened first");
        }
    }

    // I4
    async fn what_was_written_before_somebody_joined_is_not_unread(engine) {
        let office = Office::on(engine).await;
        let (_, thread) = office.sent(&mut office.supervisor("eve"), "1", None).await;
        office.sent(&mut office.agent("ana"), "2", None).await;
        let mut sam = office.supervisor("sam");
        office.sent(&mut sam, "3", to_thread(&thread)).await;
        assert_eq!(office.unread(&mut sam).await, (0, 0));
        office.sent(&mut office.agent("ana"), "4", None).await;
        assert_eq!(office.unread(&mut sam).await, (1, 1));
    }

    // I4
    async fn many_who_write_and_read_at_once_lose_no_message_and_no_count(engine) {
        let office = Office::on(engine).await;
        let (_, thread) = office.sent(&mut office.supervisor("eve"), "0", None).await;
        let writing = (0..40).map(|n| {
            // Each of the two marks while each of the two writes.
            let mut by = if n % 2 == 0 { office.supervisor("eve") } else { office.agent("ana") };
            let mut reader = if n / 2 % 2 == 0 { office.supervisor("eve") } else { office.agent("ana") };
            let (request, mark) = (office.saying(&n.to_string(), to_thread(&thread)), office.up_to(None));
            async move {
                let write = by.send_internal_message(request);
                let read = reader.mark_internal_messages_read(mark);
                let (written, read) = futures::future::join(write, read).await;
                (written.unwrap(), read.unwrap())
            }
        });
        let (db, org) = office.world.tables().await;
        let storm = tokio::spawn(futures::future::join_all(writing));
        while !storm.is_finished() {
            assert_eq!(miscounted(&db, &org).await, 0, "what is unread is what others wrote behind the cursor");
        }
        storm.await.unwrap();
        let (mut ana, mut eve) = (office.agent("ana"), office.supervisor("eve"));
        for by in [&mut ana, &mut eve] {
            by.mark_internal_messages_read(office.up_to(None)).await.unwrap();
            assert_eq!(office.unread(by).await, (0, 0));
        }
        let listed = ana.list_internal_messages(office.page(200, "")).await.unwrap().into_inner().messages;
        let mut times: Vec<_> = listed.iter().map(|it| it.create_time.map(|at| (at.seconds, at.nanos))).collect();
        times.dedup();
        assert_eq!(times.len(), 41, "all are there, and no two at the same time");
    }
}
