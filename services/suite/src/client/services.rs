//! A stub for each service of the contracts.

use proto::contacts::v1::activity_service_client::ActivityServiceClient;
use proto::contacts::v1::admin_service_client::AdminServiceClient as ContactsAdminServiceClient;
use proto::contacts::v1::attribute_service_client::AttributeServiceClient;
use proto::contacts::v1::block_service_client::BlockServiceClient;
use proto::contacts::v1::contact_export_service_client::ContactExportServiceClient;
use proto::contacts::v1::contact_import_service_client::ContactImportServiceClient;
use proto::contacts::v1::contact_service_client::ContactServiceClient;
use proto::contacts::v1::erasure_service_client::ErasureServiceClient;
use proto::contacts::v1::list_service_client::ListServiceClient;
use proto::contacts::v1::merge_service_client::MergeServiceClient;
use proto::contacts::v1::panel_service_client::PanelServiceClient;
use proto::contacts::v1::search_service_client::SearchServiceClient;
use proto::notes::v1::acknowledgement_service_client::AcknowledgementServiceClient;
use proto::notes::v1::admin_service_client::AdminServiceClient as NotesAdminServiceClient;
use proto::notes::v1::contact_note_service_client::ContactNoteServiceClient;
use proto::notes::v1::conversation_export_service_client::ConversationExportServiceClient;
use proto::notes::v1::internal_message_service_client::InternalMessageServiceClient;
use proto::notes::v1::note_search_service_client::NoteSearchServiceClient;
use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::notes::v1::note_template_service_client::NoteTemplateServiceClient;
use proto::notes::v1::note_transfer_service_client::NoteTransferServiceClient;
use proto::notes::v1::note_watch_service_client::NoteWatchServiceClient;
use proto::notes::v1::timeline_service_client::TimelineServiceClient;
use proto::notifications::v1::delivery_service_client::DeliveryServiceClient;
use proto::notifications::v1::device_service_client::DeviceServiceClient;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::notifications::v1::preference_service_client::PreferenceServiceClient;
use proto::notifications::v1::webhook_event_service_client::WebhookEventServiceClient;
use proto::notifications::v1::webhook_service_client::WebhookServiceClient;
use proto::routing::v1::agent_service_client::AgentServiceClient;
use proto::routing::v1::assignment_service_client::AssignmentServiceClient;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use proto::routing::v1::directory_service_client::DirectoryServiceClient;
use proto::routing::v1::offer_service_client::OfferServiceClient;
use proto::routing::v1::report_service_client::ReportServiceClient;
use proto::routing::v1::settings_service_client::SettingsServiceClient;
use proto::routing::v1::sla_service_client::SlaServiceClient;
use proto::routing::v1::team_service_client::TeamServiceClient;
use proto::routing::v1::workflow_service_client::WorkflowServiceClient;

use super::{Authorized, Session};

impl Session {
    /// People outside.
    #[must_use]
    pub fn contacts(&self) -> ContactServiceClient<Authorized> {
        ContactServiceClient::new(self.to("contacts"))
    }

    /// Contacts by what is known of them.
    #[must_use]
    pub fn contact_searches(&self) -> SearchServiceClient<Authorized> {
        SearchServiceClient::new(self.to("contacts"))
    }

    /// What an organization wants to know of its contacts, and what it knows.
    #[must_use]
    pub fn attributes(&self) -> AttributeServiceClient<Authorized> {
        AttributeServiceClient::new(self.to("contacts"))
    }

    /// What an organization decides about its contacts.
    #[must_use]
    pub fn contacts_admin(&self) -> ContactsAdminServiceClient<Authorized> {
        ContactsAdminServiceClient::new(self.to("contacts"))
    }

    /// People outside who are one.
    #[must_use]
    pub fn merges(&self) -> MergeServiceClient<Authorized> {
        MergeServiceClient::new(self.to("contacts"))
    }

    /// People outside who are to be forgotten.
    #[must_use]
    pub fn erasures(&self) -> ErasureServiceClient<Authorized> {
        ErasureServiceClient::new(self.to("contacts"))
    }

    /// What happened around people outside.
    #[must_use]
    pub fn activities(&self) -> ActivityServiceClient<Authorized> {
        ActivityServiceClient::new(self.to("contacts"))
    }

    /// People outside who call nobody.
    #[must_use]
    pub fn blocks(&self) -> BlockServiceClient<Authorized> {
        BlockServiceClient::new(self.to("contacts"))
    }

    /// What is known around people outside.
    #[must_use]
    pub fn panels(&self) -> PanelServiceClient<Authorized> {
        PanelServiceClient::new(self.to("contacts"))
    }

    /// Contacts from files.
    #[must_use]
    pub fn contact_imports(&self) -> ContactImportServiceClient<Authorized> {
        ContactImportServiceClient::new(self.to("contacts"))
    }

    /// Contacts to files.
    #[must_use]
    pub fn contact_exports(&self) -> ContactExportServiceClient<Authorized> {
        ContactExportServiceClient::new(self.to("contacts"))
    }

    /// Lists of contacts.
    #[must_use]
    pub fn contact_lists(&self) -> ListServiceClient<Authorized> {
        ListServiceClient::new(self.to("contacts"))
    }

    /// People inside.
    #[must_use]
    pub fn agents(&self) -> AgentServiceClient<Authorized> {
        AgentServiceClient::new(self.to("routing"))
    }

    /// Who is meant by a name.
    #[must_use]
    pub fn directory(&self) -> DirectoryServiceClient<Authorized> {
        DirectoryServiceClient::new(self.to("routing"))
    }

    /// Teams.
    #[must_use]
    pub fn teams(&self) -> TeamServiceClient<Authorized> {
        TeamServiceClient::new(self.to("routing"))
    }

    /// Workflows.
    #[must_use]
    pub fn workflows(&self) -> WorkflowServiceClient<Authorized> {
        WorkflowServiceClient::new(self.to("routing"))
    }

    /// What the organization decides about how its work is shared out.
    #[must_use]
    pub fn routing_settings(&self) -> SettingsServiceClient<Authorized> {
        SettingsServiceClient::new(self.to("routing"))
    }

    /// What is offered to the person.
    #[must_use]
    pub fn offers(&self) -> OfferServiceClient<Authorized> {
        OfferServiceClient::new(self.to("routing"))
    }

    /// How much people and teams did.
    #[must_use]
    pub fn reports(&self) -> ReportServiceClient<Authorized> {
        ReportServiceClient::new(self.to("routing"))
    }

    /// Targets for answers and resolutions.
    #[must_use]
    pub fn slas(&self) -> SlaServiceClient<Authorized> {
        SlaServiceClient::new(self.to("routing"))
    }

    /// Conversations and messages.
    #[must_use]
    pub fn conversations(&self) -> ConversationServiceClient<Authorized> {
        ConversationServiceClient::new(self.to("routing"))
    }

    /// Who has which conversation.
    #[must_use]
    pub fn assignments(&self) -> AssignmentServiceClient<Authorized> {
        AssignmentServiceClient::new(self.to("routing"))
    }

    /// Notes.
    #[must_use]
    pub fn notes(&self) -> NoteServiceClient<Authorized> {
        NoteServiceClient::new(self.to("notes"))
    }

    /// What an organization decides about its notes.
    #[must_use]
    pub fn notes_admin(&self) -> NotesAdminServiceClient<Authorized> {
        NotesAdminServiceClient::new(self.to("notes"))
    }

    /// Notes on contacts.
    #[must_use]
    pub fn contact_notes(&self) -> ContactNoteServiceClient<Authorized> {
        ContactNoteServiceClient::new(self.to("notes"))
    }

    /// Templates for notes.
    #[must_use]
    pub fn note_templates(&self) -> NoteTemplateServiceClient<Authorized> {
        NoteTemplateServiceClient::new(self.to("notes"))
    }

    /// Notes by what they say.
    #[must_use]
    pub fn note_search(&self) -> NoteSearchServiceClient<Authorized> {
        NoteSearchServiceClient::new(self.to("notes"))
    }

    /// All notes as a file, and back.
    #[must_use]
    pub fn note_transfers(&self) -> NoteTransferServiceClient<Authorized> {
        NoteTransferServiceClient::new(self.to("notes"))
    }

    /// Notes as they change.
    #[must_use]
    pub fn note_watch(&self) -> NoteWatchServiceClient<Authorized> {
        NoteWatchServiceClient::new(self.to("notes"))
    }

    /// Everything around a conversation in one order.
    #[must_use]
    pub fn timelines(&self) -> TimelineServiceClient<Authorized> {
        TimelineServiceClient::new(self.to("notes"))
    }

    /// Histories of conversations as files.
    #[must_use]
    pub fn conversation_exports(&self) -> ConversationExportServiceClient<Authorized> {
        ConversationExportServiceClient::new(self.to("notes"))
    }

    /// What agents and supervisors write each other about a conversation.
    #[must_use]
    pub fn internal_messages(&self) -> InternalMessageServiceClient<Authorized> {
        InternalMessageServiceClient::new(self.to("notes"))
    }

    /// Everything around a conversation in one order.
    #[must_use]
    pub fn timeline(&self) -> TimelineServiceClient<Authorized> {
        TimelineServiceClient::new(self.to("notes"))
    }

    /// Handoffs to the person.
    #[must_use]
    pub fn acknowledgements(&self) -> AcknowledgementServiceClient<Authorized> {
        AcknowledgementServiceClient::new(self.to("notes"))
    }

    /// What is carried outside, and what became of it.
    #[must_use]
    pub fn deliveries(&self) -> DeliveryServiceClient<Authorized> {
        DeliveryServiceClient::new(self.to("notifications"))
    }

    /// The person's own devices.
    #[must_use]
    pub fn devices(&self) -> DeviceServiceClient<Authorized> {
        DeviceServiceClient::new(self.to("notifications"))
    }

    /// What the person wants to hear, how and when.
    #[must_use]
    pub fn preferences(&self) -> PreferenceServiceClient<Authorized> {
        PreferenceServiceClient::new(self.to("notifications"))
    }

    /// Who is called when something happens.
    #[must_use]
    pub fn webhooks(&self) -> WebhookServiceClient<Authorized> {
        WebhookServiceClient::new(self.to("notifications"))
    }

    /// What happened, for webhooks. Of services alone.
    #[must_use]
    pub fn webhook_events(&self) -> WebhookEventServiceClient<Authorized> {
        WebhookEventServiceClient::new(self.to("notifications"))
    }

    /// The person's own feed.
    #[must_use]
    pub fn notifications(&self) -> NotificationServiceClient<Authorized> {
        NotificationServiceClient::new(self.to("notifications"))
    }
}
