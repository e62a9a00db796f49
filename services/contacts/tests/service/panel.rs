//! C7: what is known around a contact, in one answer, and what of it is not there.

use std::time::Duration;

use kernel::Role;
use proto::contacts::v1::panel_service_client::PanelServiceClient;
use proto::contacts::v1::*;
use testkit::{Client, Suite, on_both_databases};
use tonic::{Code, Request};

use crate::desk::{
    agent, attributes, broken_fields, client, create, define, lists, named, refusal, set, suite_among, texts,
    value,
};
use crate::elsewhere::{Elsewhere, Mood};

type Panels = PanelServiceClient<Client>;

fn panels(suite: &Suite) -> Panels {
    PanelServiceClient::new(suite.client("acme", "ana", Role::Agent))
}

fn of(contact: &Contact) -> GetContactPanelRequest {
    GetContactPanelRequest { contact_id: contact.contact_id.clone(), section_size: 0 }
}

async fn panel(panels: &mut Panels, contact: &Contact) -> GetContactPanelResponse {
    panels.get_contact_panel(of(contact)).await.unwrap().into_inner()
}

/// Sections that are not there, with the reason.
fn missing(panel: &GetContactPanelResponse) -> Vec<(PanelSection, SectionUnavailableReason)> {
    panel.unavailable_sections.iter().map(|one| (one.section(), one.reason())).collect()
}

fn kinds(panel: &GetContactPanelResponse) -> Vec<ActivityKind> {
    panel.activities.iter().map(Activity::kind).collect()
}

on_both_databases! {
    // C7
    async fn a_panel_holds_what_is_known_here_and_what_the_caller_may_see_elsewhere(engine) {
        let elsewhere = Elsewhere::default();
        let suite = suite_among(engine, &elsewhere).await;
        let (mut contacts, mut attributes, mut lists) = (agent(&suite), attributes(&suite), lists(&suite));
        let zoe = create(&mut contacts, named("Zoë")).await.unwrap();
        elsewhere.knows(&zoe.contact_id, "the last order");
        let other = create(&mut contacts, named("Another")).await.unwrap();
        elsewhere.knows(&other.contact_id, "of another");
        define(&mut attributes, "plan", AttributeType::Text).await.unwrap();
        set(&mut attributes, &zoe, vec![value("plan", attribute_value::Value::Text("gold".to_owned()))]).await.unwrap();
        let tag = TagContactRequest { contact_id: zoe.contact_id.clone(), add: texts(&["vip"]), remove: vec![] };
        contacts.tag_contact(tag).await.unwrap();
        let list = lists
            .create_list(CreateListRequest { display_name: "fair".to_owned(), ..Default::default() })
            .await.unwrap().into_inner().list.unwrap();
        let members = AddListMembersRequest { list_id: list.list_id.clone(), contact_ids: vec![zoe.contact_id.clone()] };
        let list = lists.add_list_members(members).await.unwrap().into_inner().list.unwrap();

        let shown = panel(&mut panels(&suite), &zoe).await;
        let now = contacts.get_contact(GetContactRequest { contact_id: zoe.contact_id.clone() }).await.unwrap();
        assert_eq!(shown.contact, now.into_inner().contact);
        assert_eq!((shown.lists.as_slice(), shown.more_lists), ([list].as_slice(), false));
        assert_eq!(kinds(&shown), [ActivityKind::Tagged, ActivityKind::Created]);
        assert_eq!(shown.notes.iter().map(|note| note.body.as_str()).collect::<Vec<_>>(), ["the last order"]);
        assert_eq!(shown.conversations.iter().map(|one| one.subject.as_str()).collect::<Vec<_>>(), ["the last order"]);
        assert!(missing(&shown).is_empty());

        let asked = elsewhere.asked();
        assert_eq!(asked.iter().map(|one| one.rpc).collect::<Vec<_>>(), ["ListContactNotes", "ListConversations"]);
        for one in asked {
            assert_eq!((one.subject.as_str(), one.role), ("ana", Role::Agent), "as the caller");
            assert_eq!((one.contact_id, one.page_size), (zoe.contact_id.clone(), 5));
        }
        suite.stop().await;
    }

    // C7
    async fn each_section_has_as_many_entries_as_asked_for_and_says_whether_there_are_more(engine) {
        let elsewhere = Elsewhere::default();
        let suite = suite_among(engine, &elsewhere).await;
        let (mut contacts, mut lists) = (agent(&suite), lists(&suite));
        let zoe = create(&mut contacts, named("Zoë")).await.unwrap();
        for number in 0..3 {
            elsewhere.knows(&zoe.contact_id, "x");
            let tag = TagContactRequest { contact_id: zoe.contact_id.clone(), add: vec![format!("t{number}")], remove: vec![] };
            contacts.tag_contact(tag).await.unwrap();
            let list = CreateListRequest { display_name: format!("l{number}"), ..Default::default() };
            let list_id = lists.create_list(list).await.unwrap().into_inner().list.unwrap().list_id;
            let members = AddListMembersRequest { list_id, contact_ids: vec![zoe.contact_id.clone()] };
            lists.add_list_members(members).await.unwrap();
        }
        let mut panels = panels(&suite);
        let sizes = |shown: &GetContactPanelResponse| [
            (shown.lists.len(), shown.more_lists),
            (shown.notes.len(), shown.more_notes),
            (shown.conversations.len(), shown.more_conversations),
            (shown.activities.len(), shown.more_activities),
        ];
        for (size, expected) in [
            (2, [(2, true); 4]),
            (3, [(3, false), (3, false), (3, false), (3, true)]),
            (20, [(3, false), (3, false), (3, false), (4, false)]),
        ] {
            let request = GetContactPanelRequest { section_size: size, ..of(&zoe) };
            let shown = panels.get_contact_panel(request).await.unwrap().into_inner();
            assert_eq!(sizes(&shown), expected, "{size}");
        }
        let too_many = panels.get_contact_panel(GetContactPanelRequest { section_size: 21, ..of(&zoe) }).await.unwrap_err();
        assert_eq!(broken_fields(&too_many), ["section_size"]);
        suite.stop().await;
    }

    // C7
    async fn a_section_whose_service_does_not_answer_well_is_named_with_the_reason_and_the_rest_is_there(engine) {
        use SectionUnavailableReason as Reason;
        let elsewhere = Elsewhere::default();
        let suite = suite_among(engine, &elsewhere).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap();
        elsewhere.knows(&zoe.contact_id, "x");
        let mut panels = panels(&suite);
        for (code, reason) in [
            (Code::Unavailable, Reason::Unreachable),
            (Code::DeadlineExceeded, Reason::TooSlow),
            (Code::ResourceExhausted, Reason::Overloaded),
            (Code::PermissionDenied, Reason::NotPermitted),
            (Code::Internal, Reason::Failed),
            (Code::Unimplemented, Reason::Failed),
        ] {
            elsewhere.make(Mood::Refuses(code), Mood::Well);
            let shown = panel(&mut panels, &zoe).await;
            assert_eq!(missing(&shown), [(PanelSection::Conversations, reason)]);
            assert_eq!((shown.conversations.len(), shown.notes.len(), shown.activities.len()), (0, 1, 1));
            elsewhere.make(Mood::Well, Mood::Refuses(code));
            let shown = panel(&mut panels, &zoe).await;
            assert_eq!(missing(&shown), [(PanelSection::Notes, reason)]);
            assert_eq!((shown.conversations.len(), shown.notes.len(), shown.activities.len()), (1, 0, 1));
        }
        elsewhere.make(Mood::Refuses(Code::Unavailable), Mood::Refuses(Code::Unavailable));
        let shown = panel(&mut panels, &zoe).await;
        assert_eq!(missing(&shown).len(), 2);
        assert_eq!(shown.contact.unwrap().contact_id, zoe.contact_id);
        suite.stop().await;
    }

    // C7
    async fn a_silent_service_uses_up_a_part_of_the_calls_time_and_not_all_of_it(engine) {
        let elsewhere = Elsewhere::default();
        let suite = suite_among(engine, &elsewhere).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap();
        elsewhere.knows(&zoe.contact_id, "x");
        elsewhere.make(Mood::Silent, Mood::Silent);
        let mut request = Request::new(of(&zoe));
        request.set_timeout(Duration::from_secs(4));
        let shown = panels(&suite).get_contact_panel(request).await.unwrap().into_inner();
        let slow = SectionUnavailableReason::TooSlow;
        assert_eq!(missing(&shown), [(PanelSection::Notes, slow), (PanelSection::Conversations, slow)]);
        assert_eq!(shown.contact.unwrap().contact_id, zoe.contact_id);
        let asked = elsewhere.asked();
        assert!(asked.len() == 2 && asked.iter().all(|one| one.left_ms <= 3_000), "three quarters at most: {asked:?}");
        suite.stop().await;
    }

    // C7 P1 P2
    async fn nobody_is_asked_about_who_is_no_contact_here_and_contacts_have_no_panels(engine) {
        let elsewhere = Elsewhere::default();
        let suite = suite_among(engine, &elsewhere).await;
        let zoe = create(&mut agent(&suite), named("Zoë")).await.unwrap();
        let eve = create(&mut client(&suite, "globex", "eve", Role::Agent), named("Eve")).await.unwrap();
        let absent = Contact { contact_id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(), ..Contact::default() };
        let mut panels = panels(&suite);
        let answers = [panels.get_contact_panel(of(&eve)).await.unwrap_err(), panels.get_contact_panel(of(&absent)).await.unwrap_err()];
        assert_eq!(refusal(&answers[0]), refusal(&answers[1]));
        assert_eq!((answers[0].code(), answers[0].message()), (Code::NotFound, answers[1].message()));
        for role in [Role::Contact, Role::Integration, Role::Service] {
            let mut own = PanelServiceClient::new(suite.client("acme", &zoe.contact_id, role));
            assert_eq!(refusal(&own.get_contact_panel(of(&zoe)).await.unwrap_err()).1, "ROLE_NOT_ALLOWED");
        }
        assert!(elsewhere.asked().is_empty());
        suite.stop().await;
    }
}
