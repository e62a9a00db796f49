//! The SMTP server that takes emails. The library builds every header and encodes what is in it: no text that others chose reaches the
//! wire as it is. What it gets of such texts is one line each, as it panics at a name with a line end.

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use kernel::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, InReplyTo, References};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use runtime::{ConfigError, StartError};
use tokio::runtime::Handle;

use crate::config::email::{EmailConfig, Encryption};
use crate::domain::email::{Rendered, one_line};

/// How long the server may keep one command waiting; together less than a delivery's lease.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(60);

/// What the server answers when it is the connection, or the login, and not the email that it does not like.
const NOT_OF_THE_EMAIL: [u16; 6] = [421, 454, 530, 534, 535, 538];

/// An email, ready to be sent.
pub(crate) struct Mail {
    /// Its reader's name; may be empty.
    pub(crate) name: String,
    /// Its reader's address.
    pub(crate) address: Address,
    /// What it says.
    pub(crate) rendered: Rendered,
    /// `Message-ID`.
    pub(crate) id: String,
    /// The id of the email that it answers.
    pub(crate) answers: Option<String>,
    /// Where one click turns email off.
    pub(crate) unsubscribe: Option<String>,
    /// `Date`.
    pub(crate) time: Timestamp,
}

/// Why an email was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// The server does not answer, or not to us.
    Unreachable(Option<u16>),
    /// Not now.
    Again(Option<u16>),
    /// Never.
    Refused(Option<u16>),
}

/// Connections to the server. Its Debug form says nothing of logins.
pub(crate) struct Smtp {
    /// There until it is dropped.
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
    runtime: Handle,
}

impl Drop for Smtp {
    /// The library says good-bye to the server in a task, and panics where it cannot begin one.
    fn drop(&mut self) {
        let _inside = self.runtime.enter();
        drop(self.transport.take());
    }
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

impl Smtp {
    /// Prepares connections; none is opened yet. To be called inside of a runtime.
    ///
    /// # Errors
    /// [`StartError`] naming the key that does not fit.
    pub(crate) fn new(config: &EmailConfig) -> Result<Self, StartError> {
        let from: Mailbox = config
            .from
            .parse()
            .map_err(|_| wrong("from", "must be an address, such as Backchannel <alerts@example.org>"))?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(config.port.unwrap_or(config.tls.port()))
            .timeout(Some(PATIENCE))
            .pool_config(PoolConfig::new().max_size(config.connections.max(1)).idle_timeout(IDLE));
        builder = match config.tls {
            Encryption::Starttls => builder.tls(Tls::Required(parameters(config)?)),
            Encryption::Implicit => builder.tls(Tls::Wrapper(parameters(config)?)),
            Encryption::None => builder.tls(Tls::None),
        };
        if let Some(credentials) = credentials(config)? {
            builder = builder.credentials(credentials);
        }
        Ok(Self { transport: Some(builder.build()), from, runtime: Handle::current() })
    }

    /// The domain of the sender.
    pub(crate) fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// Hands an email in.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub(crate) async fn send(&self, mail: Mail) -> Result<(), NotTaken> {
        let message = message(self.from.clone(), mail).map_err(|_| NotTaken::Refused(None))?;
        let transport = self.transport.as_ref().ok_or(NotTaken::Unreachable(None))?;
        transport.send(message).await.map(drop).map_err(|error| not_taken(&error))
    }
}

/// The email as it goes over the wire.
pub(crate) fn message(from: Mailbox, mail: Mail) -> Result<Message, lettre::error::Error> {
    let Mail { name, address, rendered, id, answers, unsubscribe, time } = mail;
    let name = Some(one_line(&name)).filter(|name| !name.is_empty());
    let since = Duration::from_micros(u64::try_from(time.as_micros()).unwrap_or_default());
    // The library would take its recipients from the header, which it reads again for that, and not every address as it was.
    let envelope = Envelope::new(Some(from.email.clone()), vec![address.clone()])?;
    let mut builder = Message::builder()
        .envelope(envelope)
        .from(from)
        .to(Mailbox::new(name, address))
        .subject(one_line(&rendered.subject))
        .message_id(Some(id))
        .date(UNIX_EPOCH + since)
        // Nobody's absence is answered to a machine (RFC 3834).
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()));
    if let Some(answers) = answers {
        builder = builder.header(InReplyTo::from(answers.clone())).header(References::from(answers));
    }
    if let Some(url) = unsubscribe {
        builder = builder
            .raw_header(header("List-Unsubscribe", format!("<{url}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    }
    let html = SinglePart::builder().header(ContentType::TEXT_HTML).body(rendered.html);
    builder.multipart(MultiPart::alternative().singlepart(SinglePart::plain(rendered.text)).singlepart(html))
}

fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

fn not_taken(error: &lettre::transport::smtp::Error) -> NotTaken {
    let code = error.status().map(u16::from);
    // What the library itself does not send, such as to an address that the server could not take.
    if error.is_client() {
        return NotTaken::Again(None);
    }
    if code.is_none_or(|code| NOT_OF_THE_EMAIL.contains(&code)) {
        return NotTaken::Unreachable(code);
    }
    if error.is_permanent() { NotTaken::Refused(code) } else { NotTaken::Again(code) }
}

fn parameters(config: &EmailConfig) -> Result<TlsParameters, StartError> {
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(file) = &config.ca_file {
        let certificates = Certificate::from_pem(&read("ca_file", file)?)
            .map_err(|_| wrong("ca_file", "must hold certificates as PEM"))?;
        parameters = parameters.add_root_certificate(certificates);
    }
    parameters.build_rustls().map_err(|_| wrong("host", "must be the name of a server"))
}

fn credentials(config: &EmailConfig) -> Result<Option<Credentials>, StartError> {
    let Some(user) = &config.user else { return Ok(None) };
    if config.tls == Encryption::None {
        return Err(wrong("user", "nobody logs in over a connection in clear: set tls, or leave user out"));
    }
    let password = match (&config.password, &config.password_file) {
        (Some(password), None) => password.reveal().to_owned(),
        (None, Some(file)) => {
            let text = String::from_utf8(read("password_file", file)?);
            let text = text.map_err(|_| wrong("password_file", "must hold text"))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        }
        _ => return Err(wrong("password", "with user, set either password or password_file")),
    };
    Ok(Some(Credentials::new(user.clone(), password)))
}

fn read(key: &str, file: &Path) -> Result<Vec<u8>, StartError> {
    std::fs::read(file).map_err(|error| wrong(key, error))
}

/// What is wrong with a key; never its value.
pub(crate) fn wrong(key: &str, reason: impl std::fmt::Display) -> StartError {
    ConfigError::bad_value(&format!("notifications.email.{key}"), reason).into()
}

#[cfg(test)]
mod tests;
