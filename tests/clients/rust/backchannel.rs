//! What a program in Rust needs beyond the generated stubs. An example to copy from.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::notes::v1::note_service_client::NoteServiceClient;
use proto::notifications::v1::notification_service_client::NotificationServiceClient;
use proto::routing::v1::agent_service_client::AgentServiceClient;
use proto::routing::v1::conversation_service_client::ConversationServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Response, Status};
use tonic_types::StatusExt;

use crate::Outcome;
use crate::repeat::Repeat;

/// A connection that bears a token and repeats what is safe to repeat.
pub(crate) type Transport = InterceptedService<Repeat, Bearer>;

/// The API as the bearer of a token sees it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Backchannel {
    transport: Transport,
}

impl Backchannel {
    /// Connects when it is first called, and again whenever that is needed. `https://` elsewhere; `http://` on this machine only.
    ///
    /// # Errors
    /// Where the address is no URI, or the token cannot be a header.
    pub(crate) fn connect(address: &str, token: &str) -> Outcome<Self> {
        let endpoint = Endpoint::from_shared(address.to_owned())?
            .connect_timeout(Duration::from_secs(5))
            // A connection that died without a word is noticed after 30 seconds.
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let bearer = Bearer(format!("Bearer {token}").parse()?);
        let transport = InterceptedService::new(Repeat::over(endpoint.connect_lazy()), bearer);
        Ok(Self { transport })
    }

    /// Agents.
    pub(crate) fn agents(&self) -> AgentServiceClient<Transport> {
        AgentServiceClient::new(self.transport.clone())
    }

    /// Conversations and their messages.
    pub(crate) fn conversations(&self) -> ConversationServiceClient<Transport> {
        ConversationServiceClient::new(self.transport.clone())
    }

    /// Notes.
    pub(crate) fn notes(&self) -> NoteServiceClient<Transport> {
        NoteServiceClient::new(self.transport.clone())
    }

    /// Notifications.
    pub(crate) fn notifications(&self) -> NotificationServiceClient<Transport> {
        NotificationServiceClient::new(self.transport.clone())
    }
}

/// Adds the token to each call. A program that runs for long gets a fresh one here in time.
#[derive(Clone)]
pub(crate) struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// Why a call was refused, as a program can act on it.
pub(crate) struct Refusal {
    /// The code of gRPC.
    pub(crate) code: Code,
    /// An `ErrorReason` of `common/v1/error.proto`, without its prefix. Empty: the refusal is not the server's own.
    pub(crate) reason: String,
    /// The fields which break their rules, and how.
    pub(crate) fields: BTreeMap<String, String>,
    /// When to come again, where the server says so.
    pub(crate) retry_after: Option<Duration>,
}

impl Refusal {
    /// Reads the `google.rpc.Status` that comes with an error.
    pub(crate) fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let violations =
            details.bad_request().map(|found| found.field_violations.clone()).unwrap_or_default();
        Self {
            code: status.code(),
            reason: details.error_info().map(|info| info.reason.clone()).unwrap_or_default(),
            fields: violations.into_iter().map(|each| (each.field, each.description)).collect(),
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

/// Calls, and comes again when the server says so. Safe for every call: one that was `RESOURCE_EXHAUSTED` had no effect.
///
/// # Errors
/// The refusal, if it is another one or comes for the twentieth time.
pub(crate) async fn patiently<T>(call: impl AsyncFn() -> Result<Response<T>, Status>) -> Result<T, Status> {
    let mut tries = 20;
    loop {
        let refused = match call().await {
            Ok(answer) => return Ok(answer.into_inner()),
            Err(refused) => refused,
        };
        let refusal = Refusal::of(&refused);
        tries -= 1;
        match refusal.retry_after {
            Some(delay) if refusal.code == Code::ResourceExhausted && tries > 0 => {
                tokio::time::sleep(delay).await
            }
            _ => return Err(refused),
        }
    }
}
