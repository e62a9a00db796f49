//! What an agent sees beside a conversation, from three services in one call; and what is left of it while one of them is away.

use kernel::Role;
use proto::contacts::v1 as contacts;
use proto::notes::v1 as notes;
use suite::client::Session;
use testkit::Engine;

use crate::cast::{assigned, customer_writes, eventually, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::privacy::{note_on, seen_by_contact};
use crate::world::{World, in_every_shape};

async fn panel(api: &Session, contact_id: &str) -> contacts::GetContactPanelResponse {
    let request = contacts::GetContactPanelRequest { contact_id: contact_id.to_owned(), section_size: 20 };
    api.panels().get_contact_panel(request).await.unwrap().into_inner()
}

/// The panel, once events have brought so many activities.
async fn settled(api: &Session, contact_id: &str, activities: usize) -> contacts::GetContactPanelResponse {
    eventually("the panel has what happened", || async {
        let panel = panel(api, contact_id).await;
        (panel.activities.len() >= activities).then_some(panel)
    })
    .await
}

/// Sections that are not there, with the reason.
fn missing(
    panel: &contacts::GetContactPanelResponse,
) -> Vec<(contacts::PanelSection, contacts::SectionUnavailableReason)> {
    panel.unavailable_sections.iter().map(|one| (one.section(), one.reason())).collect()
}

in_every_shape! {
    // C7 C8
    async fn a_panel_shows_what_three_services_know_of_a_customer(world: World) {
        let team = team(&world, "flights", &["ana", "ben"]).await;
        route(&world, "airline", &team.team_id, vec![]).await;
        let first = customer_writes(&world, message("airline", "p-1", 0, "hello")).await.conversation.unwrap();
        let first = assigned(&world, &first.conversation_id).await;
        let (id, ana) = (first.contact_id.clone(), team.agent("ana"));
        let before = seen_by_contact(&world, &first).await;
        note_on(&ana.api, &first.conversation_id, "on the conversation").await;
        let plain = note_on_contact(&ana.api, &id, &first.conversation_id, "on the contact").await;
        let pinned = note_on_contact(&ana.api, &id, &first.conversation_id, "and pinned").await;
        ana.api.notes().pin_note(notes::PinNoteRequest { note_id: pinned.note_id.clone() }).await.unwrap();
        let tag = contacts::TagContactRequest { contact_id: id.clone(), add: vec!["vip".into()], remove: vec![] };
        ana.api.contacts().tag_contact(tag).await.unwrap();

        let shown = settled(&team.agent("ben").api, &id, 6).await;
        assert!(missing(&shown).is_empty(), "{:?}", missing(&shown));
        let contact = shown.contact.unwrap();
        assert_eq!((contact.contact_id.as_str(), contact.tags), (id.as_str(), vec!["vip".to_owned()]));
        let notes: Vec<_> = shown.notes.iter().map(|note| note.note_id.as_str()).collect();
        assert_eq!(notes, [pinned.note_id.as_str(), plain.note_id.as_str()], "pinned first, and none of a conversation");
        assert_eq!(shown.conversations.len(), 1);
        assert_eq!(shown.conversations[0].conversation_id, first.conversation_id);
        use proto::contacts::v1::ActivityKind::{ConversationOpened, Created, NoteAdded, Tagged};
        let kinds: Vec<_> = shown.activities.iter().map(contacts::Activity::kind).collect();
        assert_eq!(kinds, [Tagged, NoteAdded, NoteAdded, NoteAdded, ConversationOpened, Created]);
        assert!(shown.activities[1..4].iter().all(|note| note.actor.as_ref().is_some_and(|actor| actor.subject == "ana")));

        let foreign = world.as_one_of("globex", "eve", Role::Admin);
        let request = contacts::GetContactPanelRequest { contact_id: id, section_size: 0 };
        let refused = foreign.panels().get_contact_panel(request).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::NotFound);
        assert_eq!(seen_by_contact(&world, &first).await, before, "nothing of it is for the contact");
        world.stop().await;
    }
}

/// Two services go, one after the other, and come back; the panel says so, and shows the rest meanwhile.
async fn degrades(engine: Engine) {
    use contacts::{PanelSection as Section, SectionUnavailableReason as Reason};
    let mut world = World::four_processes(engine).await;
    let team = team(&world, "flights", &["ana"]).await;
    route(&world, "airline", &team.team_id, vec![]).await;
    let first = customer_writes(&world, message("airline", "p-1", 0, "hello")).await.conversation.unwrap();
    let first = assigned(&world, &first.conversation_id).await;
    let (id, ana) = (first.contact_id.clone(), team.agents[0].api.clone());
    note_on_contact(&ana, &id, &first.conversation_id, "on the contact").await;
    let whole = settled(&ana, &id, 3).await;
    assert!(missing(&whole).is_empty());

    world.process("notes").kill().await;
    let without_notes = panel(&ana, &id).await;
    assert_eq!(missing(&without_notes), [(Section::Notes, Reason::Unreachable)]);
    assert_eq!((without_notes.notes.len(), without_notes.conversations), (0, whole.conversations.clone()));
    assert_eq!((&without_notes.contact, &without_notes.activities), (&whole.contact, &whole.activities));

    world.process("routing").kill().await;
    let alone = panel(&ana, &id).await;
    let unreachable = Reason::Unreachable;
    assert_eq!(missing(&alone), [(Section::Notes, unreachable), (Section::Conversations, unreachable)]);
    assert_eq!((&alone.contact, &alone.activities), (&whole.contact, &whole.activities));

    world.process("routing").restart().await;
    world.process("notes").restart().await;
    let again = eventually("the panel is whole again", || async {
        Some(panel(&ana, &id).await).filter(|again| missing(again).is_empty())
    });
    assert_eq!(again.await, whole);
    world.stop().await;
}

// C7
#[test]
fn a_panel_names_the_services_that_are_away_and_shows_the_rest_on_sqlite() {
    testkit::run(degrades(Engine::Sqlite));
}

// C7
#[test]
fn a_panel_names_the_services_that_are_away_and_shows_the_rest_on_postgres() {
    testkit::run(degrades(Engine::Postgres));
}
