//! Connections to the SMTP server: so many at most, and kept for a while for the next email.
//!
//! One is kept only where nothing is outstanding on it: else the answer to one email would be taken for the answer to the next. Whatever
//! is cut off closes its connection.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};

use super::NotTaken;

/// What the server answers when it is the connection, or the login, and not the email that it does not like.
const NOT_OF_THE_EMAIL: [u16; 6] = [421, 454, 530, 534, 535, 538];

/// How long everything may take. The library waits for an answer without end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Until a connection is free.
    pub(super) wait: Duration,
    /// To connect, to encrypt, to log in and to hand an email in, together.
    pub(super) send: Duration,
    /// To answer what is asked of an idle connection.
    pub(super) check: Duration,
    /// For which a connection is kept that nobody uses.
    pub(super) idle: Duration,
}

impl Limits {
    /// The usual ones: less than the time to carry a delivery, so that its outcome is what is decided here.
    pub(super) const USUAL: Self = Self {
        wait: Duration::from_secs(3),
        send: Duration::from_secs(28),
        check: Duration::from_secs(2),
        idle: Duration::from_secs(60),
    };
}

/// How a connection is encrypted.
pub(super) enum Encrypted {
    /// By STARTTLS, before anything else.
    Starttls(TlsParameters),
    /// From the first byte on.
    Implicit(TlsParameters),
    /// Not at all.
    Not,
}

/// How the server is reached.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encrypted: Encrypted,
    pub(super) credentials: Option<Credentials>,
}

/// The connections to a server.
pub(super) struct Connections {
    server: Server,
    limits: Limits,
    /// As many as there may be connections.
    places: Semaphore,
    parked: Arc<Mutex<Parked>>,
}

/// Connections that nobody uses, the one that waits for longest first.
#[derive(Default)]
struct Parked {
    idle: Vec<(AsyncSmtpConnection, Instant)>,
    /// Whether somebody will close them when their time is over.
    watched: bool,
}

/// Why an email was not handed in.
enum Failed {
    /// The server could not take such an address or such a text, and nothing was sent.
    Unsuited,
    /// It said no.
    Refused(u16),
    /// It said nothing that answers what was asked.
    Broken,
}

impl Failed {
    /// Whether another email can go over the connection, once the server forgot about this one.
    fn leaves_the_connection(&self) -> bool {
        match self {
            Self::Unsuited => true,
            Self::Refused(code) => !NOT_OF_THE_EMAIL.contains(code),
            Self::Broken => false,
        }
    }
}

impl From<Failed> for NotTaken {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unsuited => Self::Again(None),
            Failed::Broken => Self::Unreachable(None),
            Failed::Refused(code) if NOT_OF_THE_EMAIL.contains(&code) => Self::Unreachable(Some(code)),
            Failed::Refused(code) if code >= 500 => Self::Refused(Some(code)),
            Failed::Refused(code) => Self::Again(Some(code)),
        }
    }
}

impl Connections {
    /// At most `most` connections; none is opened yet.
    pub(super) fn new(server: Server, most: u32, limits: Limits) -> Self {
        let places = usize::try_from(most.max(1)).unwrap_or(Semaphore::MAX_PERMITS);
        let places = Semaphore::new(places.min(Semaphore::MAX_PERMITS));
        Self { server, limits, places, parked: Arc::default() }
    }

    /// Hands an email in.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(super) async fn send(&self, envelope: &Envelope, email: &[u8]) -> Result<(), NotTaken> {
        let Ok(Ok(_place)) = timeout(self.limits.wait, self.places.acquire()).await else {
            return Err(NotTaken::Busy);
        };
        let attempt = async {
            let mut connection = self.connection().await?;
            let answer = hand_in(&mut connection, envelope, email).await;
            Ok::<_, NotTaken>((connection, answer))
        };
        let attempted = timeout(self.limits.send, attempt).await;
        let (mut connection, answer) = attempted.map_err(|_| NotTaken::Unreachable(None))??;
        let keep = match &answer {
            Ok(()) => true,
            Err(failed) => failed.leaves_the_connection() && self.agrees(connection.command(Rset)).await,
        };
        if keep {
            self.park(connection);
        }
        answer.map_err(NotTaken::from)
    }

    /// One that was kept and still answers, or else a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, NotTaken> {
        while let Some(mut connection) = self.unpark() {
            if self.agrees(connection.command(Noop)).await {
                return Ok(connection);
            }
        }
        let unreachable = |error: Error| NotTaken::Unreachable(error.status().map(u16::from));
        self.connect().await.map_err(unreachable)
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Error> {
        let Server { host, port, encrypted, credentials } = &self.server;
        let (implicit, starttls) = match encrypted {
            Encrypted::Implicit(parameters) => (Some(parameters.clone()), None),
            Encrypted::Starttls(parameters) => (None, Some(parameters.clone())),
            Encrypted::Not => (None, None),
        };
        let (name, address) = (ClientId::default(), (host.as_str(), *port));
        // A third: there may be several addresses.
        let patience = Some(self.limits.send / 3);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, patience, &name, implicit, None).await?;
        if let Some(parameters) = starttls {
            connection.starttls(parameters, &name).await?;
        }
        if let Some(credentials) = credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// Whether the server says yes in time.
    async fn agrees(&self, asked: impl Future<Output = Result<Response, Error>>) -> bool {
        let answer = timeout(self.limits.check, asked).await;
        answer.is_ok_and(|answer| answered(answer, Severity::PositiveCompletion).is_ok())
    }

    fn unpark(&self) -> Option<AsyncSmtpConnection> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.idle.pop().map(|(connection, _)| connection)
    }

    fn park(&self, connection: AsyncSmtpConnection) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.idle.push((connection, Instant::now()));
        if !std::mem::replace(&mut parked.watched, true) {
            tokio::spawn(watch(Arc::downgrade(&self.parked), self.limits));
        }
    }
}

/// Closes connections that nobody used for long, until there is none left.
async fn watch(parked: Weak<Mutex<Parked>>, limits: Limits) {
    while let Some((over, next)) = parked.upgrade().map(|parked| take_over(&parked, limits.idle)) {
        for mut connection in over {
            // A courtesy: whatever comes of it, the connection is closed.
            let _answer = timeout(limits.check, connection.quit()).await;
        }
        let Some(next) = next else { return };
        sleep_until(next).await;
    }
}

/// Those whose time is over, and when it is over for the next one.
fn take_over(parked: &Mutex<Parked>, idle: Duration) -> (Vec<AsyncSmtpConnection>, Option<Instant>) {
    let mut parked = parked.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let over = parked.idle.iter().take_while(|(_, since)| *since + idle <= now).count();
    let over = parked.idle.drain(..over).map(|(connection, _)| connection).collect();
    let next = parked.idle.first().map(|(_, since)| *since + idle);
    parked.watched = next.is_some();
    (over, next)
}

/// One email over a connection on which nothing is outstanding.
async fn hand_in(
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    email: &[u8],
) -> Result<(), Failed> {
    let mut addresses = envelope.from().into_iter().chain(envelope.to());
    let mut parameters = Vec::new();
    if addresses.any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
        offered(connection, Extension::SmtpUtfEight)?;
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !email.is_ascii() {
        offered(connection, Extension::EightBitMime)?;
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let mail = connection.command(Mail::new(envelope.from().cloned(), parameters)).await;
    answered(mail, Severity::PositiveCompletion)?;
    for address in envelope.to() {
        let recipient = connection.command(Rcpt::new(address.clone(), Vec::new())).await;
        answered(recipient, Severity::PositiveCompletion)?;
    }
    answered(connection.command(Data).await, Severity::PositiveIntermediate)?;
    answered(connection.message(email).await, Severity::PositiveCompletion)
}

fn offered(connection: &AsyncSmtpConnection, extension: Extension) -> Result<(), Failed> {
    if connection.server_info().supports_feature(extension) { Ok(()) } else { Err(Failed::Unsuited) }
}

/// An answer to something else than what was asked is none.
fn answered(answer: Result<Response, Error>, expected: Severity) -> Result<(), Failed> {
    match answer {
        Ok(response) if response.code().severity == expected => Ok(()),
        Ok(_) => Err(Failed::Broken),
        Err(error) => Err(error.status().map_or(Failed::Broken, |code| Failed::Refused(code.into()))),
    }
}

#[cfg(test)]
mod tests;
