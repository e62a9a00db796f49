//! Notes and internal messages are kept as long as the organization says (P12).

use std::time::Duration;

use db::Db;
use kernel::{Clock, OrgId, Role, Timestamp};
use proto::notes::v1::internal_message_service_client::InternalMessageServiceClient;
use proto::notes::v1::*;
use testkit::Client;
use tonic::Code;

use crate::world::{World, edit, get, refusal};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn in_days(days: u32) -> Timestamp {
    Clock::system().now().plus(DAY * days)
}

async fn forget(db: &Db, now: Timestamp) -> usize {
    notes::app::retention::forget(db, now).await.unwrap()
}

async fn keep(world: &World, request: UpdateSettingsRequest) -> Settings {
    world.admin().update_settings(request).await.unwrap().into_inner().settings.unwrap()
}

fn internal(world: &World, name: &str, role: Role) -> InternalMessageServiceClient<Client> {
    InternalMessageServiceClient::new(world.suite.client("acme", &format!("sub-{name}"), role))
}

async fn rows(db: &Db, table: &'static str) -> i64 {
    let org = OrgId::parse("acme").unwrap();
    let count = db.read(&org, move |tx| {
        Box::pin(async move {
            let query = tx.query_dynamic(format!("SELECT COUNT(*) FROM {table} WHERE org_id = $1"));
            query.fetch_value::<i64>(tx).await
        })
    });
    count.await.unwrap()
}

testkit::on_both_databases! {
    // P11, P12
    async fn notes_stay_until_the_organization_says_how_long(engine) {
        let world = World::on(engine).await;
        let (db, _) = world.tables().await;
        let mut ana = world.agent("ana");
        let old = world.written(&mut ana, "old").await;
        ana.update_note(edit(&old, "old and edited")).await.unwrap();
        let reply = world.replied(&mut world.agent("ben"), &old, "old reply").await;
        let on_contact = world.on_contact("ana", "old and on the contact").await;
        assert_eq!(forget(&db, in_days(36_000)).await, 0, "the default: they stay");

        let settings = keep(&world, UpdateSettingsRequest { note_retention_days: Some(30), ..Default::default() }).await;
        assert_eq!((settings.note_retention_days, settings.internal_message_retention_days), (30, 0));
        assert_eq!(forget(&db, in_days(29)).await, 0, "not yet");
        assert_eq!(forget(&db, in_days(31)).await, 3);
        for note in [&old, &reply, &on_contact] {
            assert_eq!(refusal(ana.get_note(get(note)).await).0, Code::NotFound);
        }
        for table in ["notes", "note_revisions", "mentioned_people", "reply_recipients", "note_search"] {
            assert_eq!(rows(&db, table).await, 0, "{table}");
        }
        let forever = UpdateSettingsRequest { note_retention_days: Some(0), ..Default::default() };
        assert_eq!(keep(&world, forever).await.note_retention_days, 0);
        world.written(&mut ana, "new").await;
        assert_eq!(forget(&db, in_days(400)).await, 0);
        let wrong = UpdateSettingsRequest { note_retention_days: Some(-1), ..Default::default() };
        assert_eq!(refusal(world.admin().update_settings(wrong).await).0, Code::InvalidArgument);
        db.close().await;
        world.suite.stop().await;
    }

    // P11, P12, I4
    async fn internal_messages_go_with_their_time_and_unread_counts_stay_right(engine) {
        let world = World::on(engine).await;
        let (db, _) = world.tables().await;
        let ana = world.peers.person("ana", Role::Agent);
        world.peers.assign(&world.conversation, Some(&ana));
        let message = |body: &str| SendInternalMessageRequest {
            conversation_id: world.conversation.clone(),
            body: body.to_owned(),
            ..Default::default()
        };
        let mut eve = internal(&world, "eve", Role::Supervisor);
        for body in ["one", "two"] {
            eve.send_internal_message(message(body)).await.unwrap();
        }
        world.written(&mut world.agent("ana"), "a note is something else").await;
        let keep_month = UpdateSettingsRequest { internal_message_retention_days: Some(30), ..Default::default() };
        keep(&world, keep_month).await;
        assert_eq!(forget(&db, in_days(29)).await, 0);
        assert_eq!(forget(&db, in_days(31)).await, 2);
        let mut ana = internal(&world, "ana", Role::Agent);
        let unread = ana.get_internal_unread_counts(GetInternalUnreadCountsRequest::default()).await.unwrap();
        assert_eq!(unread.into_inner().total_unread_count, 0);
        for table in ["internal_messages", "internal_people", "internal_threads"] {
            assert_eq!(rows(&db, table).await, 0, "{table}");
        }
        assert_eq!(rows(&db, "notes").await, 1);
        // The conversation goes on.
        eve.send_internal_message(message("three")).await.unwrap();
        let unread = ana.get_internal_unread_counts(GetInternalUnreadCountsRequest::default()).await.unwrap();
        assert_eq!(unread.into_inner().total_unread_count, 1);
        db.close().await;
        world.suite.stop().await;
    }
}
