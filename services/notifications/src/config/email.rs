//! Email: section `[notifications.email]`, or `BACKCHANNEL_NOTIFICATIONS__EMAIL__<KEY>`. Without it nobody gets any.

use std::path::PathBuf;

use runtime::Secret;
use serde::Deserialize;

/// Where emails are handed in, and what they say of where they come from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailConfig {
    /// The SMTP server's name. Its certificate must be for this name.
    pub host: String,
    /// Its port. Absent: 587, for `implicit` 465, for `none` 25.
    pub port: Option<u16>,
    /// How the connection is encrypted.
    #[serde(default)]
    pub tls: Encryption,
    /// A file of certificates (PEM) to trust besides those of the system.
    pub ca_file: Option<PathBuf>,
    /// The name to log in with. Absent: nobody logs in.
    pub user: Option<String>,
    /// The password; best by the environment.
    pub password: Option<Secret>,
    /// A file that holds the password.
    pub password_file: Option<PathBuf>,
    /// The sender: `Backchannel <alerts@example.org>`.
    pub from: String,
    /// Connections open at once, at most, and so emails under way at once; of this process.
    #[serde(default = "connections")]
    pub connections: u32,
    /// Where a conversation is found in the organization's console, with `{conversation_id}`. Absent: emails have no link.
    pub conversation_url: Option<String>,
    /// Where people change what they get by email.
    pub settings_url: Option<String>,
    /// Where the edge takes `POST /v1/email:unsubscribe`, as mail programs reach it. Absent: emails have no such header, and large
    /// providers may take them for spam.
    pub unsubscribe_url: Option<String>,
}

/// How a connection to the SMTP server is encrypted. Nothing is ever sent in clear because a server offers no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// It begins in clear and must be encrypted before anything else (STARTTLS).
    #[default]
    Starttls,
    /// From the first byte on.
    Implicit,
    /// Not at all: for a relay on the same machine. Nobody logs in then.
    None,
}

impl Encryption {
    /// The usual port.
    pub const fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

const fn connections() -> u32 {
    16
}
