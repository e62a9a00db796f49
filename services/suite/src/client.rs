//! How the commands call the API: where it is, as whom, and with which patience.

use std::collections::BTreeMap;
use std::time::Duration;

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
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
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
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::failure::Failure;

mod lists;
mod patience;

pub(crate) use lists::teams;
pub(crate) use patience::{Pace, is_passing, patiently};

const SERVICES: [&str; 4] = ["contacts", "routing", "notes", "notifications"];

/// Where `backchannel up` serves.
const ADDR: &str = "127.0.0.1:50051";

/// Where the API is.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct AddressFlags {
    /// Where the API is: `backchannel up`, or the edge
    #[arg(long, value_name = "ADDR", env = "BACKCHANNEL_ADDR", default_value = ADDR)]
    addr: String,
    /// Where one service is, if not at --addr: contacts, routing, notes or notifications
    #[arg(long = "at", value_name = "SERVICE=ADDR", value_parser = service_address)]
    at: Vec<(String, String)>,
}

fn service_address(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((service, address)) if SERVICES.contains(&service) => {
            Ok((service.to_owned(), address.to_owned()))
        }
        _ => Err(format!("{text:?} is not SERVICE=ADDR with one of {}", SERVICES.join(", "))),
    }
}

impl AddressFlags {
    /// The flags that lead to the same place again, where they are not the defaults.
    pub(crate) fn repeated(&self) -> String {
        let addr = if self.addr == ADDR { String::new() } else { format!(" --addr {}", self.addr) };
        let at = self.at.iter().map(|(service, address)| format!(" --at {service}={address}"));
        std::iter::once(addr).chain(at).collect()
    }

    /// Connects, and fails at once where nobody listens.
    pub(crate) async fn connect(&self) -> Result<Wire, Failure> {
        let own =
            |service: &str| self.at.iter().find(|(name, _)| name == service).map(|(_, address)| address);
        Wire::connect(|service| own(service).unwrap_or(&self.addr).clone()).await
    }
}

/// Connections to the API: one to each service, wherever it is.
#[derive(Debug, Clone)]
pub struct Wire {
    channels: BTreeMap<&'static str, Channel>,
}

impl Wire {
    /// Connects to each service at the address which `address_of` gives for it, as `host:port` or a URI.
    ///
    /// # Errors
    /// [`Failure`] where an address is not one, or nobody answers there.
    pub async fn connect(address_of: impl Fn(&str) -> String) -> Result<Self, Failure> {
        let mut channels = BTreeMap::new();
        for service in SERVICES {
            let address = address_of(service);
            let uri = if address.contains("://") { address.clone() } else { format!("http://{address}") };
            let endpoint = Endpoint::from_shared(uri).map_err(|error| Failure::because(&address, error))?;
            let channel = endpoint.tcp_nodelay(true).connect_timeout(Duration::from_secs(5)).connect().await;
            let nobody = |_| {
                let elsewhere = "where it is with --addr ADDR, or a single service with --at SERVICE=ADDR";
                Failure(format!(
                    "nobody answers at {address}: start `backchannel up` there, or say {elsewhere}"
                ))
            };
            channels.insert(service, channel.map_err(nobody)?);
        }
        Ok(Self { channels })
    }

    /// The connection to the service that serves an RPC path such as `/backchannel.notes.v1.NoteService/GetNote`.
    #[must_use]
    pub fn channel_for(&self, path: &str) -> Option<Channel> {
        let package = path.trim_start_matches("/backchannel.").split('.').next()?;
        self.channels.get(package).cloned()
    }

    /// The API as the bearer of a token sees it.
    ///
    /// # Errors
    /// [`Failure`] where the token cannot be a header's value.
    pub fn bearing(&self, token: &str) -> Result<Session, Failure> {
        let value =
            format!("Bearer {token}").parse().map_err(|error| Failure::because("the token", error))?;
        Ok(Session { wire: self.clone(), bearer: Bearer(value) })
    }
}

/// Adds the token to each call.
#[derive(Debug, Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A connection that carries a token.
pub type Authorized = InterceptedService<Channel, Bearer>;

/// The API as one person.
#[derive(Debug, Clone)]
pub struct Session {
    wire: Wire,
    bearer: Bearer,
}

impl Session {
    fn to(&self, service: &str) -> Authorized {
        InterceptedService::new(self.wire.channels[service].clone(), self.bearer.clone())
    }

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

    /// The person's own feed.
    #[must_use]
    pub fn notifications(&self) -> NotificationServiceClient<Authorized> {
        NotificationServiceClient::new(self.to("notifications"))
    }
}
