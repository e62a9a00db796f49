//! Another organization's ids are as if they did not exist.

mod objects;

use std::collections::BTreeSet;

use kernel::{Clock, Role};
use proto::Idempotency;
use tonic::Code;

use self::objects::objects;
use crate::raw::{Answer, Values, call, choices, ids, request_choosing, send};
use crate::world::{World, in_every_shape};

/// RPCs to which an id that is nobody's is no error: a filter that nothing passes, a notification that is nobody's to read, a batch
/// which then is not applied and says so of each item.
const INDIFFERENT: [&str; 16] = [
    "/backchannel.contacts.v1.ErasureService/ListErasures",
    "/backchannel.contacts.v1.MergeService/ListDuplicates",
    "/backchannel.contacts.v1.MergeService/ListMerges",
    "/backchannel.notes.v1.InternalMessageService/GetInternalUnreadCounts",
    "/backchannel.notes.v1.NoteSearchService/SearchNotes",
    "/backchannel.notifications.v1.DeliveryService/ListDeliveries",
    "/backchannel.notifications.v1.DeliveryService/RetryDeliveries",
    "/backchannel.notifications.v1.NotificationService/MarkNotificationsRead",
    "/backchannel.notifications.v1.PreferenceService/UnmuteConversation",
    "/backchannel.routing.v1.AgentService/ListAgents",
    "/backchannel.routing.v1.BulkService/BatchResolveConversations",
    "/backchannel.routing.v1.BulkService/BatchSnoozeConversations",
    "/backchannel.routing.v1.BulkService/BatchTagConversations",
    "/backchannel.routing.v1.ConversationService/ListConversations",
    "/backchannel.routing.v1.SlaService/BatchGetConversationSla",
    "/backchannel.routing.v1.SlaService/ListSlaBreaches",
];

/// Who tries: everybody who may call more than their own.
const ROLES: [Role; 4] = [Role::Admin, Role::Supervisor, Role::Agent, Role::Integration];

in_every_shape! {
    // P1
    async fn a_foreign_id_is_answered_exactly_as_one_that_never_existed(world: World) {
        let foreign = objects(&world, "acme").await;
        let own = objects(&world, "globex").await;
        let clock = Clock::system();
        let absent: Values = foreign
            .iter()
            .map(|(name, value)| (*name, if is_id(name) { clock.new_id().to_string() } else { value.clone() }))
            .collect();
        let before = seen_by(&world, "acme", &foreign).await;
        let mut indifferent = BTreeSet::new();
        for method in callable() {
            let mut not_found = None;
            for choice in 0..choices(method) {
                let named: Vec<&str> = objects::IDS
                    .into_iter()
                    .filter(|name| names(method, &foreign, name, choice))
                    .collect();
                if named.is_empty() {
                    continue;
                }
                let probe = Probe { method, choice, secret: &foreign };
                *not_found.get_or_insert(0) += probe.compare(&world, &foreign, &absent).await;
                // One foreign id among the caller's own reaches what a first id that is nobody's hides.
                for &name in named.iter().filter(|_| named.len() > 1) {
                    let with = |of: &Values| {
                        let mut values = own.clone();
                        values.insert(name, of[name].clone());
                        values
                    };
                    *not_found.get_or_insert(0) += probe.compare(&world, &with(&foreign), &with(&absent)).await;
                }
            }
            if not_found == Some(0) {
                indifferent.insert(method.path);
            }
        }
        assert_eq!(indifferent, BTreeSet::from(INDIFFERENT), "the probe reaches the objects of all others");
        assert_eq!(before, seen_by(&world, "acme", &foreign).await, "nothing changed");
        world.stop().await;
    }
}

// P1
#[test]
fn the_probe_has_a_value_for_every_id_that_a_request_can_name() {
    let known = BTreeSet::from(objects::IDS);
    for method in callable() {
        for id in ids(method).into_iter().filter(|id| id != "request_id") {
            let singular = id.strip_suffix('s').unwrap_or(&id);
            assert!(known.contains(singular), "{} names {id}, which nobody probes", method.path);
        }
    }
}

/// The RPCs that somebody with a person's token may call.
fn callable() -> impl Iterator<Item = &'static proto::Method> {
    proto::METHODS.iter().filter(|method| method.roles != [proto::common::v1::Role::Service])
}

fn is_id(name: &str) -> bool {
    objects::IDS.contains(&name)
}

/// Whether a request is another without this value.
fn names(method: &proto::Method, values: &Values, name: &str, choice: usize) -> bool {
    let without = values.iter().filter(|(other, _)| **other != name);
    let without = without.map(|(name, value)| (*name, value.clone())).collect();
    request_choosing(method, values, choice) != request_choosing(method, &without, choice)
}

/// An RPC that is called with ids of another organization.
struct Probe<'a> {
    method: &'static proto::Method,
    choice: usize,
    /// What no answer may tell.
    secret: &'a Values,
}

impl Probe<'_> {
    /// Makes sure that both requests are answered alike, to each role. Tells how often something was not found.
    async fn compare(&self, world: &World, theirs: &Values, nobodys: &Values) -> usize {
        let method = self.method;
        let mut not_found = 0;
        for role in ROLES {
            let token = world.token("globex", "mallory", role);
            let theirs = send(world, &token, method, request_choosing(method, theirs, self.choice)).await;
            let nobodys = send(world, &token, method, request_choosing(method, nobodys, self.choice)).await;
            for (name, id) in self.secret.iter().filter(|(name, _)| is_id(name)) {
                // An id may come back only where the caller's own words are repeated: in no answer of ours.
                assert!(!theirs.contains(id), "{} tells a foreign {name}: {theirs:?}", method.path);
            }
            assert_eq!(told(&theirs), told(&nobodys), "{} as {role:?}", method.path);
            if method.idempotency == Idempotency::NoSideEffects && !method.server_streaming {
                assert_eq!(theirs.messages, nobodys.messages, "{} as {role:?}", method.path);
            }
            not_found += usize::from(theirs.code() == Some(Code::NotFound));
        }
        not_found
    }
}

/// Code, text and details of a refusal.
fn told(answer: &Answer) -> Option<(Code, String, Vec<u8>)> {
    answer.status.as_ref().map(|status| {
        // As sets: the metadata of a refusal comes in no order.
        let mut details = status.details().to_owned();
        details.sort_unstable();
        (status.code(), status.message().to_owned(), details)
    })
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
        "/backchannel.routing.v1.WorkflowService/GetWorkflow",
        "/backchannel.contacts.v1.ContactService/GetContact",
        "/backchannel.contacts.v1.ListService/GetList",
        "/backchannel.contacts.v1.ListService/ListMembers",
        "/backchannel.contacts.v1.MergeService/GetMerge",
        "/backchannel.contacts.v1.MergeService/PreviewMerge",
        "/backchannel.notes.v1.NoteService/ListNotes",
        "/backchannel.notes.v1.NoteService/ListThread",
        "/backchannel.notes.v1.NoteService/ListNoteRevisions",
        "/backchannel.notes.v1.ContactNoteService/ListContactNotes",
        "/backchannel.notes.v1.NoteTemplateService/GetNoteTemplate",
        "/backchannel.notes.v1.InternalMessageService/ListInternalMessages",
        "/backchannel.notifications.v1.WebhookService/GetWebhook",
    ] {
        let answer = call(world, &token, proto::method(path).unwrap(), values).await;
        assert!(answer.status.is_none(), "{path}: {answer:?}");
        seen.push(answer.messages);
    }
    seen
}
