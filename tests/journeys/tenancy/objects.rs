//! One of everything that an organization has.

use kernel::{Clock, Role};
use proto::contacts::v1 as customers;
use proto::notes::v1 as notes;
use proto::notifications::v1::register_device_request::Address;
use proto::notifications::v1::{
    CreateWebhookRequest, ListDeliveriesRequest, ListNotificationsRequest, PublishWebhookEventsRequest,
    RegisterDeviceRequest, WebPushSubscription, WebhookContactChange, WebhookEvent, WebhookEventType,
    webhook_event,
};
use proto::routing::v1 as pb;
use rpc::convert::proto_time;
use suite::client::Session;

use crate::cast::{eventually, message, set_availability};
use crate::contact_notes::note_on_contact;
use crate::internal_messages::tell;
use crate::privacy::note_on;
use crate::raw::Values;
use crate::world::World;

/// The fields that name them.
pub(super) const IDS: [&str; 28] = [
    "agent_id",
    "assignee_id",
    "recipient_agent_id",
    "supervisor_id",
    "team_id",
    "business_hours_team_id",
    "workflow_id",
    "sla_policy_id",
    "offer_id",
    "notification_id",
    "note_id",
    "reply_to",
    "note_template_id",
    "internal_thread_id",
    "up_to_internal_message_id",
    "merge_id",
    "from_contact_id",
    "into_contact_id",
    "other_contact_id",
    "list_id",
    "erasure_id",
    "contact_id",
    "conversation_id",
    "device_id",
    "webhook_id",
    "delivery_id",
    "destination_id",
    "id",
];

/// A URL of nobody: the name resolves nowhere.
const HOOK: &str = "https://hook.invalid/t-2";

/// Makes them; gives their ids by the fields that name them in requests, and what else it takes to reach them.
pub(super) async fn objects(world: &World, org: &str) -> Values {
    let of = |subject: &str, role| world.as_one_of(org, subject, role);
    let (admin, supervisor, ana) =
        (of("admin", Role::Admin), of("supervisor", Role::Supervisor), of("ana", Role::Agent));
    let agent = agent(&ana).await;
    let team = pb::CreateTeamRequest {
        handle: "ours".into(),
        display_name: "Ours".into(),
        agent_ids: vec![agent.clone()],
        ..Default::default()
    };
    let team = admin.teams().create_team(team).await.unwrap().into_inner().team.unwrap();
    let (conversation, message) =
        conversation(&of("chat-adapter", Role::Integration), &supervisor, &agent).await;
    let (id, contact) = (conversation.conversation_id.as_str(), conversation.contact_id.as_str());
    let note = note_on(&ana, id, "private").await;
    let on_contact = note_on_contact(&ana, contact, id, "private").await;
    let (internal, thread) = tell(&supervisor, id, "private too", Some(&agent)).await;
    let template =
        notes::CreateNoteTemplateRequest { name: "Ours".into(), body: "ours".into(), ..Default::default() };
    let template = supervisor.note_templates().create_note_template(template).await.unwrap().into_inner();
    let (merge, [from, into]) = merge(&admin).await;
    let webhook = webhook(&admin).await;
    Values::from([
        ("agent_id", agent.clone()),
        ("assignee_id", agent.clone()),
        ("recipient_agent_id", agent),
        ("supervisor_id", self::agent(&supervisor).await),
        ("team_id", team.team_id.clone()),
        ("business_hours_team_id", team.team_id.clone()),
        ("sla_policy_id", sla_policy(&admin).await),
        ("offer_id", offer(&admin, &of("chat-adapter", Role::Integration), &ana).await),
        ("workflow_id", workflow(&admin, &team.team_id).await),
        ("notification_id", told(&ana).await),
        ("note_id", note.note_id),
        ("reply_to", on_contact.note_id),
        ("note_template_id", template.note_template.unwrap().note_template_id),
        ("internal_thread_id", thread.internal_thread_id),
        ("up_to_internal_message_id", internal.internal_message_id),
        ("merge_id", merge),
        ("from_contact_id", from),
        ("into_contact_id", into.clone()),
        ("other_contact_id", into),
        ("take_fields", "company".into()),
        ("columns", "display_name".into()),
        ("condition", "true".into()),
        ("external_id", "t-2/0".into()),
        ("id", message.message_id),
        ("list_id", list(&admin, contact).await),
        ("erasure_id", erasure(&admin).await),
        ("etag", conversation.etag),
        ("contact_id", conversation.contact_id),
        ("device_id", device(&ana).await),
        ("delivery_id", delivery(&admin, &of("contacts", Role::Service), &webhook).await),
        ("destination_id", webhook.clone()),
        ("webhook_id", webhook),
        ("url", HOOK.into()),
        ("conversation_id", conversation.conversation_id),
    ])
}

/// An agent who is at work.
async fn agent(api: &Session) -> String {
    let me = api.agents().get_my_agent(pb::GetMyAgentRequest {}).await.unwrap().into_inner().agent.unwrap();
    set_availability(api, &me.agent_id, pb::Availability::Online).await;
    me.agent_id
}

/// A conversation that the agent has.
async fn conversation(
    channel: &Session,
    supervisor: &Session,
    agent_id: &str,
) -> (pb::Conversation, pb::Message) {
    let recorded = channel.conversations().record_message(message("airline", "t-1", 0, "hello")).await;
    let recorded = recorded.unwrap().into_inner();
    let conversation = recorded.conversation.unwrap();
    let assign = pb::AssignConversationRequest {
        conversation_id: conversation.conversation_id,
        etag: conversation.etag,
        target: Some(pb::assign_conversation_request::Target::AgentId(agent_id.to_owned())),
        ..Default::default()
    };
    let assigned = supervisor.assignments().assign_conversation(assign).await.unwrap().into_inner();
    (assigned.conversation.unwrap(), recorded.message.unwrap())
}

/// A workflow that nothing starts.
async fn workflow(admin: &Session, team_id: &str) -> String {
    let strategy = pb::Strategy::RoundRobin.into();
    let assign = pb::AssignTeam { team_id: team_id.to_owned(), strategy, ..Default::default() };
    let spec = pb::WorkflowSpec {
        name: "ours".into(),
        position: 10,
        trigger: pb::Trigger::ConversationCreated.into(),
        condition: "conversation.source == 'nowhere'".into(),
        actions: vec![pb::Action { action: Some(pb::action::Action::AssignTeam(assign)) }],
        ..Default::default()
    };
    let request = pb::CreateWorkflowRequest { spec: Some(spec), ..Default::default() };
    admin.workflows().create_workflow(request).await.unwrap().into_inner().workflow.unwrap().workflow_id
}

/// A policy that nothing comes under.
async fn sla_policy(admin: &Session) -> String {
    let spec = pb::SlaPolicySpec {
        name: "ours".into(),
        condition: "conversation.source == 'nowhere'".into(),
        resolution: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..Default::default()
    };
    let request = pb::CreateSlaPolicyRequest { spec: Some(spec), ..Default::default() };
    let created = admin.slas().create_sla_policy(request).await.unwrap().into_inner();
    created.sla_policy.unwrap().sla_policy_id
}

/// A conversation that is offered to the agent, of a team that asks.
async fn offer(admin: &Session, channel: &Session, agent: &Session) -> String {
    let me = agent.agents().get_my_agent(pb::GetMyAgentRequest {}).await.unwrap().into_inner().agent.unwrap();
    let team = pb::CreateTeamRequest {
        handle: "asking".into(),
        agent_ids: vec![me.agent_id],
        assignment_mode: pb::AssignmentMode::Offer.into(),
        offer_timeout: Some(prost_types::Duration { seconds: 3_600, nanos: 0 }),
        ..Default::default()
    };
    let team = admin.teams().create_team(team).await.unwrap().into_inner().team.unwrap();
    let recorded = channel.conversations().record_message(message("airline", "t-offer", 0, "hello")).await;
    let conversation = recorded.unwrap().into_inner().conversation.unwrap();
    let assign = pb::AssignConversationRequest {
        conversation_id: conversation.conversation_id,
        etag: conversation.etag,
        target: Some(pb::assign_conversation_request::Target::TeamId(team.team_id)),
        ..Default::default()
    };
    admin.assignments().assign_conversation(assign).await.unwrap();
    eventually("it is offered", || async {
        let offers = agent.offers().list_offers(pb::ListOffersRequest::default()).await.unwrap().into_inner();
        offers.offers.into_iter().next().map(|offer| offer.offer_id)
    })
    .await
}

/// A browser of the person's, which nobody reaches.
async fn device(api: &Session) -> String {
    let address = Address::WebPush(WebPushSubscription {
        endpoint: "https://push.invalid/t-2".into(),
        // Of the example of RFC 8291.
        p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
            .into(),
        auth: "BTBZMqHH6r4Tts7J_aSIgg".into(),
    });
    let request = RegisterDeviceRequest { address: Some(address), ..Default::default() };
    api.devices().register_device(request).await.unwrap().into_inner().device.unwrap().device_id
}

/// A webhook that nobody is reached by.
async fn webhook(admin: &Session) -> String {
    let request = CreateWebhookRequest {
        url: HOOK.into(),
        event_types: vec![WebhookEventType::ContactErased.into()],
        ..Default::default()
    };
    admin.webhooks().create_webhook(request).await.unwrap().into_inner().webhook.unwrap().webhook_id
}

/// A delivery to the webhook, once the first attempt has failed: what the webhook says of itself stays the same from then on.
async fn delivery(admin: &Session, contacts: &Session, webhook_id: &str) -> String {
    let clock = Clock::system();
    let contact = WebhookContactChange { contact_id: clock.new_id().to_string(), ..Default::default() };
    let event = WebhookEvent {
        event_id: clock.new_id().to_string(),
        r#type: WebhookEventType::ContactErased.into(),
        occur_time: Some(proto_time(clock.now())),
        change: Some(webhook_event::Change::Contact(contact)),
        ..Default::default()
    };
    let publish = PublishWebhookEventsRequest { events: vec![event] };
    contacts.webhook_events().publish_webhook_events(publish).await.unwrap();
    eventually("the webhook is called in vain", || async {
        let list = ListDeliveriesRequest { destination_id: webhook_id.to_owned(), ..Default::default() };
        let page = admin.deliveries().list_deliveries(list).await.unwrap().into_inner();
        page.deliveries.into_iter().find(|it| !it.last_error.is_empty()).map(|it| it.delivery_id)
    })
    .await
}

/// What the person was told.
async fn told(api: &Session) -> String {
    eventually("the agent is told", || async {
        let list = ListNotificationsRequest::default();
        let page = api.notifications().list_notifications(list).await.unwrap().into_inner();
        page.notifications.into_iter().next().map(|notification| notification.notification_id)
    })
    .await
}

async fn contact(admin: &Session, name: &str) -> customers::Contact {
    let profile = customers::ContactProfile { display_name: name.into(), ..Default::default() };
    let request = customers::CreateContactRequest { profile: Some(profile), ..Default::default() };
    admin.contacts().create_contact(request).await.unwrap().into_inner().contact.unwrap()
}

/// A merge, and two contacts who could be merged.
async fn merge(admin: &Session) -> (String, [String; 2]) {
    let mut contacts = Vec::new();
    for name in ["Gone", "Stayed", "One", "Other"] {
        contacts.push(contact(admin, name).await.contact_id);
    }
    let [gone, stayed, one, other]: [String; 4] = contacts.try_into().unwrap();
    let request = customers::MergeContactsRequest {
        from_contact_id: gone,
        into_contact_id: stayed,
        ..Default::default()
    };
    let merge = admin.merges().merge_contacts(request).await.unwrap().into_inner().merge.unwrap();
    (merge.merge_id, [one, other])
}

/// A list with a contact on it.
async fn list(admin: &Session, contact_id: &str) -> String {
    let request = customers::CreateListRequest { display_name: "Ours".into(), ..Default::default() };
    let list = admin.contact_lists().create_list(request).await.unwrap().into_inner().list.unwrap();
    let add = customers::AddListMembersRequest {
        list_id: list.list_id.clone(),
        contact_ids: vec![contact_id.to_owned()],
    };
    admin.contact_lists().add_list_members(add).await.unwrap();
    list.list_id
}

async fn erasure(admin: &Session) -> String {
    let erased = contact(admin, "Erased").await;
    let request = customers::EraseContactRequest {
        contact_id: erased.contact_id,
        etag: erased.etag,
        ..Default::default()
    };
    admin.erasures().erase_contact(request).await.unwrap().into_inner().erasure.unwrap().erasure_id
}
