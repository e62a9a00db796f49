//! A person is erased from all services, though processes are killed meanwhile: the report says what went, and nothing is left
//! of them anywhere.

mod stores;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kernel::{Clock, Role};
use proto::contacts::v1 as contacts;
use proto::notifications::v1 as feed;
use proto::routing::v1 as pb;

use self::stores::Stores;
use crate::cast::{Team, assigned, customer_writes, eventually, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::internal_messages::tell;
use crate::privacy::note_on;
use crate::world::World;

/// In everything that anybody knows or writes about the person, and nowhere else.
const MARKER: &str = "markermia";

/// Conversations of the person, and messages in each.
const CONVERSATIONS: u32 = 30;
const MESSAGES: u32 = 3;

/// Whoever is killed while having an erasure keeps it for ten seconds.
const PATIENCE: Duration = Duration::from_secs(90);

async fn read(world: &World, erasure_id: &str) -> Result<contacts::Erasure, tonic::Status> {
    let request = contacts::GetErasureRequest { erasure_id: erasure_id.to_owned() };
    let erasures = world.as_one("admin", Role::Admin).erasures().get_erasure(request).await?;
    Ok(erasures.into_inner().erasure.unwrap())
}

fn part(erasure: &contacts::Erasure, service: contacts::ErasingService) -> &contacts::ErasurePart {
    erasure.parts.iter().find(|part| part.service() == service).unwrap()
}

/// The erasure, once it is as it should be.
async fn once(
    world: &World,
    erasure_id: &str,
    wanted: impl Fn(&contacts::Erasure) -> bool,
) -> contacts::Erasure {
    let begun = std::time::Instant::now();
    loop {
        // Contacts may just have been killed.
        let erasure = read(world, erasure_id).await;
        match erasure {
            Ok(erasure) if wanted(&erasure) => return erasure,
            found => assert!(begun.elapsed() < PATIENCE, "it stays like this: {found:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn removed(erasure: &contacts::Erasure, service: contacts::ErasingService) -> BTreeMap<String, i64> {
    part(erasure, service).removed.iter().map(|it| (it.kind.clone(), it.count)).collect()
}

/// A message of the person.
fn from_mia(conversation: u32, turn: u32) -> pb::RecordMessageRequest {
    pb::RecordMessageRequest {
        contact_address: format!("{MARKER}-on-chat"),
        contact_display_name: format!("{MARKER} Example"),
        subject: format!("{MARKER} asks"),
        tags: vec![format!("{MARKER}-tag")],
        ..message("airline", &format!("{MARKER}-{conversation}"), turn, &format!("I am {MARKER}"))
    }
}

/// Everything that there can be about a person; the contact, and the one who was merged into it.
async fn seed(world: &World, team: &Team) -> (contacts::Contact, String) {
    let mut ids = Vec::new();
    let mut contact_id = String::new();
    for conversation in 0..CONVERSATIONS {
        for turn in 0..MESSAGES {
            let recorded = customer_writes(world, from_mia(conversation, turn)).await.conversation.unwrap();
            contact_id.clone_from(&recorded.contact_id);
            if turn == 0 {
                ids.push(recorded.conversation_id);
            }
        }
    }
    for id in &ids {
        assigned(world, id).await;
    }
    let supervisor = world.as_one("supervisor", Role::Supervisor);
    let [ana, ben] = [&team.agents[0], &team.agents[1]];
    for id in ids.iter().take(10) {
        let body = format!("{MARKER} is ill @{}", ben.subject);
        let note = note_on(&ana.api, id, &body).await;
        let edit = proto::notes::v1::UpdateNoteRequest {
            note_id: note.note_id,
            body: format!("{MARKER} is well again @{}", ben.subject),
            etag: note.etag,
            ..Default::default()
        };
        ana.api.notes().update_note(edit).await.unwrap();
        tell(&supervisor, id, &format!("be kind to {MARKER}"), None).await;
    }
    note_on_contact(&ana.api, &contact_id, &ids[0], &format!("{MARKER} has two children")).await;
    let double = merged(world, &contact_id).await;
    let request = contacts::GetContactRequest { contact_id };
    let mia = world.as_one("admin", Role::Admin).contacts().get_contact(request).await.unwrap();
    (mia.into_inner().contact.unwrap(), double)
}

/// Makes the person's second contact, with everything that contacts can know, and merges it into the first.
async fn merged(world: &World, into_contact_id: &str) -> String {
    let api = world.as_one("admin", Role::Admin);
    let profile = contacts::ContactProfile {
        display_name: format!("{MARKER} Example"),
        company: format!("{MARKER} Inc"),
        emails: vec![format!("{MARKER}@example.com")],
        external_id: format!("crm-{MARKER}"),
        ..Default::default()
    };
    let request = contacts::CreateContactRequest {
        profile: Some(profile),
        tags: vec![format!("{MARKER}-tag")],
        request_id: Clock::system().new_id().to_string(),
        ..Default::default()
    };
    let double = api.contacts().create_contact(request).await.unwrap().into_inner().contact.unwrap();
    let request = contacts::MergeContactsRequest {
        from_contact_id: double.contact_id.clone(),
        into_contact_id: into_contact_id.to_owned(),
        request_id: Clock::system().new_id().to_string(),
        ..Default::default()
    };
    api.merges().merge_contacts(request).await.unwrap();
    double.contact_id
}

/// How many notes there are on a contact.
async fn notes_on(team: &Team, contact_id: &str) -> usize {
    let list =
        proto::notes::v1::ListContactNotesRequest { contact_id: contact_id.to_owned(), ..Default::default() };
    team.agents[0].api.contact_notes().list_contact_notes(list).await.unwrap().into_inner().notes.len()
}

/// How many notifications the team has.
async fn told(team: &Team) -> i64 {
    let mut told = 0;
    for agent in &team.agents {
        let request = feed::ListNotificationsRequest { page_size: 200, ..Default::default() };
        let page = agent.api.notifications().list_notifications(request).await.unwrap().into_inner();
        told += i64::try_from(page.notifications.len()).unwrap();
    }
    told
}

testkit::on_both_databases! {
    // P12, faults 1 and 32
    async fn nothing_is_left_of_an_erased_person_though_processes_are_killed_meanwhile(engine) {
        let mut world = World::four_processes(engine).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let (mia, double) = seed(&world, &team).await;
        let other = customer_writes(&world, message("airline", "other", 0, "hello")).await.conversation.unwrap();
        let other = assigned(&world, &other.conversation_id).await;
        // One for each assignment and internal message, and for each mention.
        let expected = i64::from(CONVERSATIONS) + 1 + 10 + 10;
        eventually("everybody was told", || async { (told(&team).await == expected).then_some(()) }).await;
        // An erasure waits until everybody knows of the merge, and would give itself back meanwhile.
        eventually("notes knows of the merge", || async { (notes_on(&team, &double).await == 1).then_some(()) }).await;
        let stores = Stores::of(&world);
        // Notifications holds no word of the person: what it has are the entries which were counted just now.
        assert_eq!(stores.holding().await, BTreeSet::from(["contacts", "notes", "routing"].map(str::to_owned)));

        world.process("notes").freeze().await;
        let request = contacts::EraseContactRequest {
            contact_id: mia.contact_id.clone(),
            etag: mia.etag.clone(),
            request_id: Clock::system().new_id().to_string(),
        };
        let admin = world.as_one("admin", Role::Admin);
        let erasure = admin.erasures().erase_contact(request).await.unwrap().into_inner().erasure.unwrap();
        assert_eq!(erasure.merged_contact_ids, [double]);
        let id = erasure.erasure_id;
        use proto::contacts::v1::ErasingService::{Contacts, Notes, Notifications, Routing};
        // What comes next is notes, which does not answer: the worker has the erasure for as long as it waits, and longer.
        once(&world, &id, |it| part(it, Routing).state() == contacts::ErasureState::Done).await;
        let held = stores.lease().await.expect("somebody has it");
        world.process("contacts").kill().await;
        assert_eq!(stores.lease().await.as_ref(), Some(&held), "killed while having it");
        world.process("notes").kill().await;
        world.process("routing").kill().await;
        world.process("routing").restart().await;
        world.process("contacts").restart().await;
        eventually("another worker takes it", || async {
            let lease = stores.lease().await;
            (lease.as_ref() != Some(&held)).then(|| {
                let now = Clock::system().now().as_micros();
                assert!(now >= held.until, "before its time: {held:?}, {lease:?} at {now}");
            })
        })
        .await;
        once(&world, &id, |it| part(it, Notes).waiting_since_time.is_some()).await;
        world.process("notes").restart().await;
        world.process("contacts").kill().await;
        world.process("contacts").restart().await;
        let done = once(&world, &id, |it| it.state() == contacts::ErasureState::Done).await;

        let routing = removed(&done, Routing);
        assert_eq!(routing["conversations"], i64::from(CONVERSATIONS));
        assert_eq!(routing["messages"], i64::from(CONVERSATIONS * MESSAGES));
        assert_eq!(routing["assignments"], i64::from(CONVERSATIONS));
        let notes = removed(&done, Notes);
        assert_eq!((notes["notes"], notes["note_revisions"], notes["internal_messages"]), (11, 10, 10));
        assert_eq!(removed(&done, Notifications)["notifications"], expected - 1, "all but the one about another");
        let ours = removed(&done, Contacts);
        assert_eq!((ours["contacts"], ours["merges"]), (1, 1));

        // The address is somebody new's; the other customer's work is untouched.
        let again = customer_writes(&world, message("airline", "other", 1, "me again")).await.conversation.unwrap();
        assert_eq!(again.conversation_id, other.conversation_id);
        assert_eq!(told(&team).await, 1);

        let logs = world.logs();
        assert!(!logs.contains(MARKER), "in a log");
        let _left = world.leave().await;
        stores.vacuum().await;
        assert_eq!(stores.holding().await, BTreeSet::new());
    }

    // P12
    async fn the_address_of_an_erased_person_is_somebody_new_from_the_first_message_on(engine) {
        let world = World::one_process(engine).await;
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let old = customer_writes(&world, from_mia(1, 0)).await.conversation.unwrap();
        assigned(&world, &old.conversation_id).await;
        let request = contacts::GetContactRequest { contact_id: old.contact_id.clone() };
        let mia = world.as_one("admin", Role::Admin).contacts().get_contact(request).await.unwrap();
        let mia = mia.into_inner().contact.unwrap();
        let request = contacts::EraseContactRequest {
            contact_id: mia.contact_id.clone(),
            etag: mia.etag,
            request_id: String::new(),
        };
        let erasure = world.as_one("admin", Role::Admin).erasures().erase_contact(request).await.unwrap();
        let id = erasure.into_inner().erasure.unwrap().erasure_id;
        once(&world, &id, |it| it.state() == contacts::ErasureState::Done).await;

        let new = customer_writes(&world, from_mia(1, 7)).await;
        assert!(new.conversation_created, "nothing is left to go on with");
        assert_ne!(new.conversation.unwrap().contact_id, old.contact_id);
        world.stop().await;
    }
}
