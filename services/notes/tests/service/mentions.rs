//! Whom notes tell.

use std::collections::HashSet;

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::*;
use proto::notifications::v1::NotificationType;
use proto::routing::v1::conversation_event::Event;
use rpc::TokenSpec;
use testkit::Suite;
use tonic::Code;

use crate::world::{Notes, World, edit, refusal, violated};

type Seen<'a> = (&'a str, MentionKind, MentionOutcome, MentionRefusal, Vec<&'a str>);

fn seen(note: &Note) -> Vec<Seen<'_>> {
    let one = |mention| -> Seen<'_> {
        let mention: &Mention = mention;
        let subjects = mention.subjects.iter().map(String::as_str).collect();
        (&mention.handle, mention.kind(), mention.outcome(), mention.refusal(), subjects)
    };
    note.mentions.iter().map(one).collect()
}

async fn edited(by: &mut Notes, note: &Note, body: &str) -> Note {
    by.update_note(edit(note, body)).await.unwrap().into_inner().note.unwrap()
}

/// Ana with a display name in her token.
fn ana(suite: &Suite) -> Notes {
    let (org, subject) = ("acme".parse().unwrap(), "sub-ana".parse().unwrap());
    let spec = TokenSpec { name: Some("Ana Lima".to_owned()), ..TokenSpec::new(org, subject, Role::Agent) };
    let bearer = testkit::Bearer::new(&suite.mint(&spec));
    note_service_client::NoteServiceClient::new(testkit::Client::new(suite.channel(), bearer))
}

testkit::on_both_databases! {
    // N7
    async fn every_mention_comes_back_with_what_became_of_it(engine) {
        let world = World::on(engine).await;
        for name in ["ana", "bob", "cleo"] { world.peers.agent(name); }
        world.peers.team("night", &["ana", "bob", "cleo"]);
        world.peers.team("solo", &["ana"]);
        let body = "@Bob and @night, @ghost! @ana @solo; not `@cleo`, not cleo@example.com";
        let note = world.written(&mut world.agent("ana"), body).await;
        use {MentionKind as K, MentionOutcome as O, MentionRefusal as R};
        assert_eq!(seen(&note), [
            ("bob", K::Agent, O::Notified, R::Unspecified, vec!["sub-bob"]),
            ("night", K::Team, O::Notified, R::Unspecified, vec!["sub-bob", "sub-cleo"]),
            ("ghost", K::Unspecified, O::Refused, R::Unknown, vec![]),
            ("ana", K::Agent, O::Refused, R::Author, vec![]),
            ("solo", K::Team, O::Refused, R::EmptyTeam, vec![]),
        ]);
        let (notified, applied) = world.peers.told(3).await;
        assert_eq!(notified.len(), 1, "one event, however many mentions name a person");
        assert_eq!(notified[0].recipient_subjects, ["sub-bob", "sub-cleo"]);
        assert_eq!(applied.len(), 2);
        let mentioned: Vec<_> = applied.iter().filter_map(|event| match event.event.as_ref().unwrap() {
            Event::PeopleMentioned(people) => Some(people.subjects.clone()),
            Event::NoteAdded(added) => { assert_eq!(added.author_subject, "sub-ana"); None }
        }).collect();
        assert_eq!(mentioned, [["sub-bob", "sub-cleo"]]);
        assert_eq!(world.all().await, [note], "the outcome stays with the note");
    }

    // N7, N3
    async fn the_notification_says_who_and_where_but_not_what(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        let note = world.written(&mut ana(&world.suite), "@bob the canary sings").await;
        let (notified, applied) = world.peers.told(3).await;
        let event = &notified[0];
        assert_eq!(event.r#type(), NotificationType::Mentioned);
        assert_eq!(event.reason, "Ana Lima mentioned you in a note");
        assert_eq!((&event.note_id, &event.conversation_id), (&note.note_id, &world.conversation));
        assert_eq!(event.actor.as_ref().unwrap().subject, "sub-ana");
        assert_eq!(event.occur_time, note.create_time);
        assert!(!format!("{notified:?}{applied:?}").contains("canary"));
        let ids: HashSet<_> = notified.iter().map(|e| &e.event_id).chain(applied.iter().map(|e| &e.event_id)).collect();
        assert_eq!(ids.len(), 3);
    }

    // N7, P2
    async fn questions_carry_the_callers_token_and_events_the_services(engine) {
        let world = World::on(engine).await;
        world.peers.agent("bob");
        world.written(&mut world.agent("ana"), "@bob look").await;
        world.peers.told(3).await;
        for asked in world.peers.asked() {
            assert_eq!(asked.org, "acme");
            let expected = match asked.rpc {
                "GetConversation" | "ResolveHandles" => ("sub-ana", Role::Agent),
                _ => ("notes", Role::Service),
            };
            assert_eq!((asked.subject.as_str(), asked.role), expected, "{}", asked.rpc);
        }
    }

    // N7
    async fn without_mentions_the_directory_is_not_asked_and_nobody_notified(engine) {
        let world = World::on(engine).await;
        let note = world.written(&mut world.agent("ana"), "mail bob@example.com, run `@bob`").await;
        assert!(note.mentions.is_empty());
        let (notified, applied) = world.peers.told(1).await;
        assert_eq!((notified.len(), applied.len()), (0, 1));
        assert!(world.peers.asked().iter().all(|asked| asked.rpc != "ResolveHandles"));
    }

    // N7, P4
    async fn more_than_fifty_names_are_refused(engine) {
        let world = World::on(engine).await;
        let names = |count: usize| (0..count).map(|n| format!("@p{n} ")).collect::<String>();
        let note = world.written(&mut world.agent("ana"), &names(50)).await;
        assert_eq!(note.mentions.len(), 50);
        let (code, reason, status) = refusal(world.agent("ana").create_note(world.note(&names(51))).await);
        assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidField)));
        assert_eq!(violated(&status), ["body"]);
    }

    // N7
    async fn a_team_of_thousands_is_told_in_events_of_a_thousand(engine) {
        let world = World::on(engine).await;
        let members: Vec<String> = (0..2_500).map(|n| format!("m{n}")).collect();
        world.peers.team("everyone", &members.iter().map(String::as_str).collect::<Vec<_>>());
        world.written(&mut world.agent("m7"), "@everyone listen").await;
        let (notified, applied) = world.peers.told(7).await;
        let mut sizes: Vec<_> = notified.iter().map(|event| event.recipient_subjects.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [499, 1_000, 1_000]);
        let told: HashSet<_> = notified.iter().flat_map(|event| &event.recipient_subjects).collect();
        assert_eq!(told.len(), 2_499);
        assert!(!told.contains(&"sub-m7".to_owned()));
        assert_eq!(applied.len(), 4);
    }

    // N7
    async fn an_edit_tells_only_who_was_not_told_of_the_note_before(engine) {
        let world = World::on(engine).await;
        for name in ["ana", "bob", "cleo", "dan"] { world.peers.agent(name); }
        world.peers.team("night", &["ana", "bob", "cleo"]);
        let mut ana = world.agent("ana");
        let note = world.written(&mut ana, "@bob look").await;
        let note = edited(&mut ana, &note, "@bob @night look").await;
        use {MentionKind as K, MentionOutcome as O, MentionRefusal as R};
        assert_eq!(seen(&note), [
            ("bob", K::Agent, O::Refused, R::AlreadyNotified, vec![]),
            ("night", K::Team, O::Notified, R::Unspecified, vec!["sub-cleo"]),
        ]);
        let note = edited(&mut ana, &note, "nobody any more").await;
        let note = edited(&mut ana, &note, "@bob @cleo again, @dan").await;
        assert_eq!(note.mentions[0].refusal(), R::AlreadyNotified, "also after a text without the mention");
        let (notified, applied) = world.peers.told(7).await;
        let recipients: Vec<_> = notified.iter().flat_map(|event| &event.recipient_subjects).collect();
        assert_eq!(recipients, ["sub-bob", "sub-cleo", "sub-dan"]);
        let added = applied.iter().filter(|event| matches!(event.event, Some(Event::NoteAdded(_)))).count();
        assert_eq!((added, applied.len()), (1, 4), "an edit adds no note");
    }

    // N7
    async fn an_admin_who_edits_tells_neither_the_author_nor_themselves(engine) {
        let world = World::on(engine).await;
        for name in ["ana", "root", "bob"] { world.peers.agent(name); }
        let note = world.written(&mut world.agent("ana"), "a note").await;
        let note = edited(&mut world.person("sub-root", Role::Admin), &note, "@ana @root @bob").await;
        let refusals: Vec<_> = note.mentions.iter().map(Mention::refusal).collect();
        assert_eq!(refusals, [MentionRefusal::Author, MentionRefusal::Author, MentionRefusal::Unspecified]);
        let (notified, _) = world.peers.told(2).await;
        assert_eq!(notified[0].recipient_subjects, ["sub-bob"]);
        assert_eq!(notified[0].actor.as_ref().unwrap().subject, "sub-root");
    }
}
