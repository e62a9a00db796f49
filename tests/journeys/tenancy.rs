//! Another organization's ids are as if they did not exist.

use kernel::{Clock, Role};
use proto::notes::v1::CreateNoteTemplateRequest;
use tonic::Code;

use crate::cast::{assigned, customer_writes, message, route, team};
use crate::contact_notes::note_on_contact;
use crate::internal_messages::tell;
use crate::privacy::note_on;
use crate::raw::{Values, call, request};
use crate::world::{World, in_every_shape};

in_every_shape! {
    // P1
    async fn a_foreign_id_is_answered_exactly_as_one_that_never_existed(world: World) {
        let ours = team(&world, "ours", &["ana"]).await;
        route(&world, "airline", &ours.team_id, vec![]).await;
        let recorded = customer_writes(&world, message("airline", "t-1", 0, "hello")).await;
        let conversation = assigned(&world, &recorded.conversation.unwrap().conversation_id).await;
        let note = note_on(&ours.agents[0].api, &conversation.conversation_id, "private").await;
        let on_contact =
            note_on_contact(&ours.agents[0].api, &conversation.contact_id, &conversation.conversation_id, "private").await;
        let supervisor = world.as_one("supervisor", Role::Supervisor);
        let ours_too = CreateNoteTemplateRequest { name: "Ours".into(), body: "ours".into(), ..Default::default() };
        let made = supervisor.note_templates().create_note_template(ours_too).await.unwrap().into_inner();
        let template = made.note_template.unwrap();
        let (internal, thread) = tell(&supervisor, &conversation.conversation_id, "private too", None).await;
        let foreign = Values::from([
            ("conversation_id", conversation.conversation_id.clone()),
            ("contact_id", conversation.contact_id.clone()),
            ("note_id", note.note_id.clone()),
            ("reply_to", on_contact.note_id.clone()),
            ("note_template_id", template.note_template_id.clone()),
            ("internal_thread_id", thread.internal_thread_id),
            ("up_to_internal_message_id", internal.internal_message_id),
            ("recipient_agent_id", ours.agents[0].agent_id.clone()),
            ("agent_id", ours.agents[0].agent_id.clone()),
            ("assignee_id", ours.agents[0].agent_id.clone()),
            ("team_id", ours.team_id.clone()),
            ("etag", conversation.etag.clone()),
        ]);
        let clock = Clock::system();
        let absent: Values = foreign
            .keys()
            .map(|name| (*name, if *name == "etag" { conversation.etag.clone() } else { clock.new_id().to_string() }))
            .collect();
        let before = seen_by(&world, "acme", &foreign).await;
        let mut compared = 0;
        for method in proto::METHODS {
            if request(method, &foreign) == request(method, &absent) {
                // It names no object.
                continue;
            }
            for role in [Role::Admin, Role::Supervisor, Role::Agent, Role::Integration] {
                let token = world.token("globex", "mallory", role);
                let theirs = call(&world, &token, method, &foreign).await;
                let nobodys = call(&world, &token, method, &absent).await;
                for (id, other) in foreign.iter().filter(|(name, _)| **name != "etag") {
                    // An id may come back only where the caller's own words are repeated: in no answer of ours.
                    assert!(!theirs.contains(other), "{} tells a foreign {id}: {theirs:?}", method.path);
                }
                assert_eq!(theirs.code(), nobodys.code(), "{} as {role:?}: {theirs:?} {nobodys:?}", method.path);
                let told = |answer: &crate::raw::Answer| {
                    let told = |status: &tonic::Status| {
                        // As sets: the metadata of a refusal comes in no order.
                        let mut details = status.details().to_owned();
                        details.sort_unstable();
                        (status.message().to_owned(), details)
                    };
                    answer.status.as_ref().map(told)
                };
                assert_eq!(told(&theirs), told(&nobodys), "{} as {role:?}", method.path);
                compared += u32::from(theirs.code() == Some(Code::NotFound));
            }
        }
        assert!(compared > 20, "the probe reaches the objects: {compared} times NOT_FOUND");
        assert_eq!(before, seen_by(&world, "acme", &foreign).await, "nothing changed");
        world.stop().await;
    }
}

/// What the organization itself sees of its objects.
async fn seen_by(world: &World, org: &str, values: &Values) -> Vec<Vec<bytes::Bytes>> {
    let token = world.token(org, "admin", Role::Admin);
    let mut seen = Vec::new();
    for path in [
        "/backchannel.routing.v1.ConversationService/GetConversation",
        "/backchannel.routing.v1.ConversationService/ListMessages",
        "/backchannel.routing.v1.TeamService/GetTeam",
        "/backchannel.routing.v1.AgentService/GetAgent",
        "/backchannel.contacts.v1.ContactService/GetContact",
        "/backchannel.notes.v1.NoteService/ListNotes",
        "/backchannel.notes.v1.NoteService/ListThread",
        "/backchannel.notes.v1.NoteService/ListNoteRevisions",
        "/backchannel.notes.v1.ContactNoteService/ListContactNotes",
        "/backchannel.notes.v1.NoteTemplateService/GetNoteTemplate",
        "/backchannel.notes.v1.InternalMessageService/ListInternalMessages",
    ] {
        let answer = call(world, &token, proto::method(path).unwrap(), values).await;
        assert!(answer.status.is_none(), "{path}: {answer:?}");
        seen.push(answer.messages);
    }
    seen
}
