//! Notes follow merges of contacts (C6).

use std::time::{Duration, Instant};

use db::{Db, DbError};
use futures::future::join;
use kernel::{ContactId, OrgId, Role};
use proto::common::v1::EventDisposition;
use proto::common::v1::contact_event::Event;
use proto::common::v1::{ContactEvent, ContactMerged, ContactUnmerged};
use proto::notes::v1::contact_event_service_client::ContactEventServiceClient;
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::watch_notes_request::Target;
use proto::notes::v1::*;
use testkit::Engine;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Code;

use crate::watch::{change, from_now, opened};
use crate::world::{World, edit, request_id, violated};

/// The world's contact, which is merged into another.
struct Pair<'a> {
    world: &'a World,
    merge_id: String,
    from: String,
    into: String,
    /// A conversation with the other.
    conversation: String,
}

impl<'a> Pair<'a> {
    fn of(world: &'a World) -> Self {
        let conversation = world.peers.conversation("acme");
        let into = world.peers.contact_of(&conversation);
        Self { world, merge_id: request_id(), from: world.contact(), into, conversation }
    }

    async fn merge(&self) {
        let (merge_id, from_contact_id) = (self.merge_id.clone(), self.from.clone());
        let into_contact_id = self.into.clone();
        let merged = ContactMerged { merge_id, from_contact_id, into_contact_id };
        self.tell(Event::ContactMerged(merged)).await;
    }

    async fn unmerge(&self) {
        let (merge_id, from_contact_id) = (self.merge_id.clone(), self.from.clone());
        let into_contact_id = self.into.clone();
        let unmerged = ContactUnmerged { merge_id, from_contact_id, into_contact_id };
        self.tell(Event::ContactUnmerged(unmerged)).await;
    }

    async fn tell(&self, event: Event) {
        let event = ContactEvent {
            event_id: request_id(),
            occur_time: Some(prost_types::Timestamp::default()),
            event: Some(event),
        };
        let client = self.world.suite.client("acme", "contacts", Role::Service);
        let request = ApplyContactEventsRequest { events: vec![event.clone(), event] };
        let answer = ContactEventServiceClient::new(client).apply_contact_events(request).await.unwrap();
        let outcomes = answer.into_inner().outcomes;
        assert_eq!(outcomes[0].disposition(), EventDisposition::Applied);
        assert_eq!(outcomes[1].disposition(), EventDisposition::Duplicate, "each once");
    }

    /// The texts of the notes on a contact.
    async fn on(&self, contact_id: &str) -> Vec<String> {
        let request = ListContactNotesRequest { contact_id: contact_id.to_owned(), ..Default::default() };
        let mut notes = self.world.contact_notes("reader", Role::Agent);
        let notes = notes.list_contact_notes(request).await.unwrap().into_inner().notes;
        notes.into_iter().map(|note| note.body).collect()
    }

    /// How many notes a search finds about a contact, on them and on conversations with them.
    async fn about(&self, contact_id: &str) -> usize {
        let client = self.world.suite.client("acme", "reader", Role::Agent);
        let request = SearchNotesRequest { contact_id: contact_id.to_owned(), ..Default::default() };
        let answer = NoteSearchServiceClient::new(client).search_notes(request).await.unwrap();
        answer.into_inner().hits.len()
    }

    /// Waits until a search finds so many notes about these two.
    async fn until(&self, from: usize, into: usize) {
        for _ in 0..400 {
            if (self.about(&self.from).await, self.about(&self.into).await) == (from, into) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("found: {} and {}", self.about(&self.from).await, self.about(&self.into).await);
    }
}

/// Somebody who lets no note about a contact be written, seen from beside the service.
struct Lock {
    db: Db,
    org: OrgId,
    held: JoinHandle<Result<(), DbError>>,
    let_go: oneshot::Sender<()>,
}

impl Lock {
    /// Nobody, on SQLite: there is one writer.
    async fn on(world: &World, contact_id: &str) -> Option<Self> {
        world.suite.database_url()?;
        let contact_id = ContactId::parse(contact_id).unwrap();
        let ((beside, acme), (db, org)) = (world.tables().await, world.tables().await);
        let ((has_it, it_has), (let_go, wait)) = (oneshot::channel(), oneshot::channel());
        let held = tokio::spawn(async move {
            let hold = beside.write(&acme, move |tx| {
                Box::pin(async move {
                    // What the trigger takes that refuses notes about whoever is erased.
                    let sql = "SELECT pg_advisory_xact_lock(erasure_lock($1, 'contact', $2))";
                    tx.query(sql).bind(contact_id).execute(tx).await?;
                    has_it.send(()).unwrap();
                    wait.await.unwrap();
                    Ok::<_, DbError>(())
                })
            });
            hold.await
        });
        it_has.await.unwrap();
        Some(Self { db, org, held, let_go })
    }

    /// Waits until so many others wait for a lock, but not long: whoever waits for a second is refused.
    async fn waited_for(&self, by: i64) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(300) {
            let waiting = self.db.read(&self.org, |tx| {
                Box::pin(async move {
                    const SQL: &str = "SELECT COUNT(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock' AND $1 <> ''";
                    tx.query(SQL).fetch_value::<i64>(tx).await
                })
            });
            if waiting.await.map_err(|error: DbError| error).unwrap() >= by {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn let_go(self) {
        self.let_go.send(()).unwrap();
        self.held.await.unwrap().unwrap();
    }
}

/// Whether a note came in time that was being written while a merge was taken back; then it has returned with it.
async fn returned_with_the_merge(engine: Engine) -> bool {
    let world = World::on(engine).await;
    let pair = Pair::of(&world);
    pair.merge().await;
    let Some(lock) = Lock::on(&world, &pair.into).await else { return true };
    let mut notes = world.contact_notes("sub-ana", Role::Agent);
    let note = world.contact_note("late");
    let written = tokio::spawn(async move { notes.create_contact_note(note).await });
    lock.waited_for(1).await;
    let let_go = async {
        lock.waited_for(2).await;
        lock.let_go().await;
    };
    join(pair.unmerge(), let_go).await;
    match written.await.unwrap() {
        Ok(_) => {}
        // On a machine that does much else.
        Err(status) if status.code() == Code::Unavailable => return false,
        Err(status) => panic!("{status:?}"),
    }
    pair.until(1, 0).await;
    assert_eq!((pair.on(&pair.from).await, pair.on(&pair.into).await), (vec!["late".to_owned()], vec![]));
    true
}

testkit::on_both_databases! {
    // C6 N2
    async fn a_note_that_is_being_written_while_a_merge_is_taken_back_returns_with_it(engine) {
        for _ in 0..5 {
            if returned_with_the_merge(engine).await {
                return;
            }
        }
        panic!("each write waited for longer than a transaction may");
    }

    // C6 N2 N8
    async fn the_notes_about_a_contact_follow_a_merge_and_return(engine) {
        let world = World::on(engine).await;
        let pair = Pair::of(&world);
        let mut ana = world.agent("ana");
        let first = world.on_contact("ana", "first").await;
        let on_conversation = world.written(&mut ana, "in the conversation").await;
        let mut contact_notes = world.contact_notes("sub-ana", Role::Agent);
        let other = CreateContactNoteRequest {
            contact_id: pair.into.clone(),
            conversation_id: pair.conversation.clone(),
            body: "other".to_owned(),
            ..Default::default()
        };
        contact_notes.create_contact_note(other).await.unwrap();
        pair.until(2, 1).await;

        pair.merge().await;
        pair.until(3, 3).await;
        for contact_id in [&pair.from, &pair.into] {
            assert_eq!(pair.on(contact_id).await, ["first", "other"], "by either id");
        }
        assert_eq!(world.all().await.len(), 1, "the conversation's own notes stay on it");
        // Routing answered before it heard of the merge.
        let late = world.contact_note("late");
        let late = contact_notes.create_contact_note(late).await.unwrap().into_inner().note.unwrap();
        assert_eq!(late.contact_id, pair.into);
        let reply = CreateContactNoteRequest {
            contact_id: pair.into.clone(),
            reply_to: first.note_id.clone(),
            ..world.contact_note("reply")
        };
        let reply = contact_notes.create_contact_note(reply).await.unwrap().into_inner().note.unwrap();
        assert_eq!(reply.contact_id, pair.into);
        let written = world.written(&mut ana, "since").await;
        assert_eq!(written.contact_id, pair.into);
        let moved = ana.get_note(GetNoteRequest { note_id: on_conversation.note_id.clone() }).await;
        let moved = moved.unwrap().into_inner().note.unwrap();
        assert_eq!((&moved.contact_id, moved.etag == on_conversation.etag), (&pair.into, false));
        ana.update_note(edit(&moved, "in the conversation, edited")).await.unwrap();

        pair.unmerge().await;
        pair.until(5, 1).await;
        assert_eq!(pair.on(&pair.from).await, ["first", "late", "reply"], "what was written in it since, too");
        assert_eq!(pair.on(&pair.into).await, ["other"]);
        let another = CreateContactNoteRequest { contact_id: pair.into.clone(), ..world.contact_note("x") };
        let refused = contact_notes.create_contact_note(another).await.unwrap_err();
        assert_eq!(violated(&refused), ["conversation_id"], "they are two again");
    }

    // C6 N12
    async fn who_follows_a_contacts_notes_sees_them_come_and_go(engine) {
        let world = World::on(engine).await;
        let pair = Pair::of(&world);
        let note = world.on_contact("ana", "first").await;
        let mut there = opened(&world, Target::ContactId(pair.from.clone()), from_now()).await;
        let mut here = opened(&world, Target::ContactId(pair.into.clone()), from_now()).await;
        pair.merge().await;
        let (gone, came) = (change(&mut there).await.0, change(&mut here).await.0);
        assert_eq!((gone.r#type(), &gone.note_id), (NoteChangeType::Deleted, &note.note_id));
        assert_eq!((came.r#type(), &came.note_id), (NoteChangeType::Created, &note.note_id));
        assert_eq!(came.note.unwrap().contact_id, pair.into);
        let mut by_old_id = opened(&world, Target::ContactId(pair.from.clone()), from_now()).await;
        world.on_contact("ana", "second").await;
        for stream in [&mut here, &mut by_old_id] {
            assert_eq!(change(stream).await.0.note.unwrap().body, "second");
        }
    }
}
