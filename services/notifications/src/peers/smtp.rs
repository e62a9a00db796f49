//! The SMTP server that takes emails. The library builds every header and encodes what is in it: no text that others chose reaches the
//! wire as it is. What it gets of such texts is one line each, as it panics at a name with a line end.

mod connections;

use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use kernel::Timestamp;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue, InReplyTo, References};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::{Address, Message};
use runtime::{ConfigError, StartError};

use self::connections::{Connections, Encrypted, Limits, Server};
use crate::config::email::{EmailConfig, Encryption};
use crate::domain::email::{Rendered, one_line};

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
    /// `Date`: when it is written, at each attempt anew. What it gathers may have begun a day before.
    pub(crate) time: Timestamp,
}

/// Why an email was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// It was not tried: every connection is in use.
    Busy,
    /// The server does not answer, or not to us.
    Unreachable(Option<u16>),
    /// Not now.
    Again(Option<u16>),
    /// Never.
    Refused(Option<u16>),
}

/// The server, and who emails are from. Its Debug form says nothing of logins.
pub(crate) struct Smtp {
    connections: Connections,
    from: Mailbox,
}

impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").finish_non_exhaustive()
    }
}

impl Smtp {
    /// Prepares connections; none is opened yet.
    ///
    /// # Errors
    /// [`StartError`] naming the key that does not fit.
    pub(crate) fn new(config: &EmailConfig) -> Result<Self, StartError> {
        Self::limited(config, Limits::USUAL)
    }

    fn limited(config: &EmailConfig, limits: Limits) -> Result<Self, StartError> {
        let from: Mailbox = config
            .from
            .parse()
            .map_err(|_| wrong("from", "must be an address, such as Backchannel <alerts@example.org>"))?;
        let encrypted = match config.tls {
            Encryption::Starttls => Encrypted::Starttls(parameters(config)?),
            Encryption::Implicit => Encrypted::Implicit(parameters(config)?),
            Encryption::None => Encrypted::Not,
        };
        let server = Server {
            host: config.host.clone(),
            port: config.port.unwrap_or(config.tls.port()),
            encrypted,
            credentials: credentials(config)?,
        };
        Ok(Self { connections: Connections::new(server, config.connections, limits), from })
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
        self.connections.send(message.envelope(), &message.formatted()).await
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
