//! Everything around a conversation in one order.

use kernel::Role;
use proto::common::v1::ErrorReason;
use proto::notes::v1::internal_message_service_client::InternalMessageServiceClient;
use proto::notes::v1::send_internal_message_request::To;
use proto::notes::v1::timeline_entry::Entry;
use proto::notes::v1::timeline_service_client::TimelineServiceClient;
use proto::notes::v1::*;
use proto::routing::v1::HistoryEventType;
use testkit::{Client, Engine};
use tonic::Code;

use crate::peers::Mood;
use crate::world::{World, delete, refusal, request_id};

type Timeline = TimelineServiceClient<Client>;

/// A conversation that the agent Ana has; Bob is another agent, Eve a supervisor.
struct Desk {
    world: World,
    ana: String,
}

impl Desk {
    async fn on(engine: Engine) -> Self {
        let world = World::on(engine).await;
        let ana = world.peers.person("ana", Role::Agent);
        world.peers.person("bob", Role::Agent);
        world.peers.person("eve", Role::Supervisor);
        world.peers.assign(&world.conversation, Some(&ana));
        Self { world, ana }
    }

    /// The timelines as seen by this person of `acme`.
    fn as_one(&self, name: &str, role: Role) -> Timeline {
        let client = self.world.suite.client("acme", &format!("sub-{name}"), role);
        TimelineServiceClient::new(client).max_decoding_message_size(4 << 20)
    }

    fn page(&self, order: TimelineOrder, page_size: i32, page_token: &str) -> ListTimelineRequest {
        let (conversation_id, page_token) = (self.world.conversation.clone(), page_token.to_owned());
        ListTimelineRequest { conversation_id, page_size, page_token, order: order.into() }
    }

    /// The whole timeline, read with pages of a size, and how many pages that were.
    async fn walk(&self, by: &mut Timeline, order: TimelineOrder, size: i32) -> (Vec<TimelineEntry>, usize) {
        let (mut entries, mut token, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let answer = by.list_timeline(self.page(order, size, &token)).await.unwrap().into_inner();
            assert!(answer.entries.len() <= usize::try_from(size).unwrap());
            pages += 1;
            entries.extend(answer.entries);
            token = answer.next_page_token;
            if token.is_empty() {
                return (entries, pages);
            }
        }
    }

    async fn whole(&self, name: &str, role: Role) -> Vec<String> {
        let mut by = self.as_one(name, role);
        lines(&self.walk(&mut by, TimelineOrder::OldestFirst, 200).await.0)
    }

    /// An internal message, to whoever is meant or to a person.
    async fn tell(&self, name: &str, role: Role, body: &str, to: Option<&str>) {
        let client = self.world.suite.client("acme", &format!("sub-{name}"), role);
        let request = SendInternalMessageRequest {
            conversation_id: self.world.conversation.clone(),
            body: body.to_owned(),
            to: to.map(|id| To::RecipientAgentId(id.to_owned())),
            request_id: String::new(),
        };
        InternalMessageServiceClient::new(client).send_internal_message(request).await.unwrap();
    }

    fn says(&self, text: &str) {
        self.world.peers.says(&self.world.conversation, text);
    }

    fn happens(&self, kind: HistoryEventType) {
        self.world.peers.happens(&self.world.conversation, kind);
    }

    /// One of each kind, twice over.
    async fn day(&self) {
        let mut ana = self.world.agent("ana");
        self.says("where is my bag");
        self.happens(HistoryEventType::Assigned);
        self.world.written(&mut ana, "she is angry").await;
        self.world.on_contact("ana", "frequent flyer").await;
        self.tell("eve", Role::Supervisor, "be kind", None).await;
        self.says("hello?");
        self.world.written(&mut ana, "found it").await;
        self.tell("ana", Role::Agent, "yes", None).await;
        self.happens(HistoryEventType::Resolved);
    }
}

/// What an entry shows, with a letter for who sees it.
fn lines(entries: &[TimelineEntry]) -> Vec<String> {
    let line = |it: &TimelineEntry| {
        let sees = match it.visibility() {
            TimelineVisibility::CustomerFacing => "C",
            TimelineVisibility::Internal => "I",
            TimelineVisibility::Unspecified => panic!("not said who sees it"),
        };
        let text = match it.entry.clone().unwrap() {
            Entry::Message(message) => format!("message {}", message.text),
            Entry::Event(event) => format!("event {}", event.r#type().as_str_name()),
            Entry::Note(note) => format!("{} {}", note.kind().as_str_name(), note.body),
            Entry::InternalMessage(message) => format!("internal {}", message.body),
        };
        format!("{sees} {text}")
    };
    entries.iter().map(line).collect()
}

const DAY: [&str; 9] = [
    "C message where is my bag",
    "I event HISTORY_EVENT_TYPE_ASSIGNED",
    "I NOTE_KIND_CONVERSATION she is angry",
    "I NOTE_KIND_CONTACT frequent flyer",
    "I internal be kind",
    "C message hello?",
    "I NOTE_KIND_CONVERSATION found it",
    "I internal yes",
    "I event HISTORY_EVENT_TYPE_RESOLVED",
];

testkit::on_both_databases! {
    // N10
    async fn everything_around_a_conversation_stands_in_one_order_marked_with_who_sees_it(engine) {
        let desk = Desk::on(engine).await;
        desk.day().await;
        let mut eve = desk.as_one("eve", Role::Supervisor);
        let (whole, pages) = desk.walk(&mut eve, TimelineOrder::OldestFirst, 200).await;
        assert_eq!((lines(&whole).as_slice(), pages), (DAY.map(str::to_owned).as_slice(), 1));
        let (mut back, _) = desk.walk(&mut eve, TimelineOrder::NewestFirst, 200).await;
        back.reverse();
        assert_eq!(back, whole, "from now back it is the same");
        for size in [1, 2, 4] {
            for order in [TimelineOrder::OldestFirst, TimelineOrder::NewestFirst] {
                let (mut read, pages) = desk.walk(&mut eve, order, size).await;
                if order == TimelineOrder::NewestFirst { read.reverse(); }
                assert_eq!(read, whole, "pages of {size}");
                assert_eq!(pages, 9_usize.div_ceil(usize::try_from(size).unwrap()));
            }
        }
        let times: Vec<_> = whole.iter().map(|entry| entry.entry_time.unwrap()).collect();
        assert!(times.is_sorted_by_key(|time| (time.seconds, time.nanos)));
        let asked = desk.world.peers.asked();
        let asked: Vec<_> = asked.iter().filter(|asked| asked.rpc == "GetHistory").collect();
        assert!(asked.iter().all(|asked| asked.subject == "sub-eve" && asked.role == Role::Supervisor), "as the caller");
    }

    // N10, I5
    async fn an_agent_sees_no_internal_message_of_anothers_thread_in_it(engine) {
        let desk = Desk::on(engine).await;
        let without = |day: &[&str]| -> Vec<String> {
            day.iter().filter(|line| !line.starts_with("I internal")).map(ToString::to_string).collect()
        };
        desk.day().await;
        assert_eq!(desk.whole("ana", Role::Agent).await, DAY);
        assert_eq!(desk.whole("bob", Role::Agent).await, without(&DAY));
        let mut bob = desk.as_one("bob", Role::Agent);
        let (one_by_one, pages) = desk.walk(&mut bob, TimelineOrder::OldestFirst, 1).await;
        assert_eq!((lines(&one_by_one), pages), (without(&DAY), 7), "nor is there a page where it would be");
        assert_eq!(desk.whole("root", Role::Admin).await, DAY);

        // In a thread of his own Bob sees that one only.
        let bob = desk.world.peers.person("bob", Role::Agent);
        desk.tell("eve", Role::Supervisor, "help her", Some(&bob)).await;
        desk.tell("eve", Role::Supervisor, "Bob helps you", Some(&desk.ana)).await;
        assert_eq!(desk.whole("bob", Role::Agent).await.last().unwrap(), "I internal help her");
        assert_eq!(desk.whole("ana", Role::Agent).await.last().unwrap(), "I internal Bob helps you");
        assert_eq!(desk.whole("eve", Role::Supervisor).await.len(), 11);

        let off = UpdateSettingsRequest { internal_messages_enabled: Some(false), ..Default::default() };
        desk.world.admin().update_settings(off).await.unwrap();
        assert_eq!(desk.whole("eve", Role::Supervisor).await, without(&DAY), "switched off, they are not shown");
    }

    // N10, P8
    async fn without_routing_there_is_no_half_timeline(engine) {
        let desk = Desk::on(engine).await;
        desk.day().await;
        desk.world.peers.make_routing(Mood::Down);
        let mut ana = desk.as_one("ana", Role::Agent);
        let (code, reason, _) = refusal(ana.list_timeline(desk.page(TimelineOrder::Unspecified, 0, "")).await);
        assert_eq!((code, reason), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
        desk.world.peers.make_routing(Mood::Well);
        assert_eq!(desk.whole("ana", Role::Agent).await, DAY);
    }

    // N10, P1
    async fn a_foreign_conversation_has_no_timeline_as_one_that_never_existed(engine) {
        let desk = Desk::on(engine).await;
        desk.day().await;
        let client = desk.world.suite.client("globex", "sub-ana", Role::Admin);
        let mut globex = TimelineServiceClient::new(client);
        let mut answers = Vec::new();
        for conversation_id in [desk.world.conversation.clone(), request_id()] {
            let request = ListTimelineRequest { conversation_id, ..Default::default() };
            let (code, _, status) = refusal(globex.list_timeline(request).await);
            assert_eq!(code, Code::NotFound);
            answers.push((status.message().to_owned(), status.details().to_vec()));
        }
        assert_eq!(answers[0], answers[1]);
    }

    // N10, P7
    async fn what_is_written_while_somebody_reads_on_moves_nothing_and_comes_last(engine) {
        let desk = Desk::on(engine).await;
        desk.day().await;
        let mut eve = desk.as_one("eve", Role::Supervisor);
        for order in [TimelineOrder::OldestFirst, TimelineOrder::NewestFirst] {
            let before = lines(&desk.walk(&mut eve, order, 200).await.0);
            let first = eve.list_timeline(desk.page(order, 4, "")).await.unwrap().into_inner();
            desk.says("one more thing");
            desk.world.written(&mut desk.world.agent("ana"), "what now").await;
            let rest = eve.list_timeline(desk.page(order, 200, &first.next_page_token)).await.unwrap().into_inner();
            let read = lines(&[first.entries, rest.entries].concat());
            let later = ["C message one more thing", "I NOTE_KIND_CONVERSATION what now"].map(str::to_owned);
            match order {
                TimelineOrder::NewestFirst => assert_eq!(read, before, "what is new stands before what was read"),
                _ => assert_eq!(read, [before, later.to_vec()].concat()),
            }
        }
    }

    // N10, P7
    async fn a_token_is_good_for_its_own_timeline_direction_and_reader_only(engine) {
        let desk = Desk::on(engine).await;
        desk.day().await;
        let (mut ana, mut eve) = (desk.as_one("ana", Role::Agent), desk.as_one("eve", Role::Supervisor));
        let forward = TimelineOrder::OldestFirst;
        let token = ana.list_timeline(desk.page(forward, 1, "")).await.unwrap().into_inner().next_page_token;
        let other = desk.world.peers.conversation("acme");
        let elsewhere = ListTimelineRequest { conversation_id: other, ..desk.page(forward, 1, &token) };
        let answers = [
            ana.list_timeline(desk.page(TimelineOrder::NewestFirst, 1, &token)).await,
            ana.list_timeline(elsewhere).await,
            eve.list_timeline(desk.page(forward, 1, &token)).await,
            ana.list_timeline(desk.page(forward, 1, "x")).await,
        ];
        for answer in answers {
            let (code, reason, _) = refusal(answer);
            assert_eq!((code, reason), (Code::InvalidArgument, Some(ErrorReason::InvalidPageToken)));
        }
        ana.list_timeline(desk.page(TimelineOrder::Unspecified, 1, &token)).await.unwrap();
    }

    // N10, P7
    async fn a_page_ends_where_an_answer_would_become_too_large(engine) {
        let desk = Desk::on(engine).await;
        let (mut ana, long) = (desk.world.agent("ana"), "x".repeat(64 * 1024));
        for _ in 0..20 {
            desk.says(&long);
            desk.world.written(&mut ana, &long).await;
        }
        let mut eve = desk.as_one("eve", Role::Supervisor);
        let (whole, pages) = desk.walk(&mut eve, TimelineOrder::OldestFirst, 200).await;
        assert_eq!((whole.len(), pages), (40, 2), "32 texts of 64 KiB are 2 MiB");
        let (back, pages) = desk.walk(&mut eve, TimelineOrder::NewestFirst, 200).await;
        assert_eq!((back.len(), pages), (40, 2));
    }

    // N10, N6
    async fn a_deleted_note_keeps_its_place_and_says_nothing_to_agents(engine) {
        let desk = Desk::on(engine).await;
        desk.world.allow_tombstones().await;
        let mut ana = desk.world.agent("ana");
        let note = desk.world.written(&mut ana, "wrong").await;
        let gone = desk.world.on_contact("ana", "wrong person").await;
        for note in [&note, &gone] { ana.delete_note(delete(note)).await.unwrap(); }
        assert_eq!(desk.whole("bob", Role::Agent).await, ["I NOTE_KIND_CONVERSATION "]);
        assert_eq!(desk.whole("root", Role::Admin).await, ["I NOTE_KIND_CONVERSATION wrong"]);
    }
}
