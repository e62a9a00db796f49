//! A service account of Google: it signs a claim, and gets an access token for it (RFC 7523).

use std::fmt;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use egress::{Answer, Egress, Failure};
use http::{Request, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// What the token is for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// How long a claim is good for: the longest that is allowed.
const CLAIM: Duration = Duration::from_secs(60 * 60);
/// A token is not used for the last part of its time, so that it is still good when it arrives.
const MARGIN: Duration = Duration::from_secs(5 * 60);
/// A token that does not say for how long it is good.
const SHORTEST: u64 = 60;

/// The file of an account, as far as it matters here.
#[derive(Deserialize)]
struct File {
    project_id: String,
    client_email: String,
    private_key_id: Option<String>,
    private_key: String,
    #[serde(default = "google")]
    token_uri: String,
}

fn google() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

/// Why an account cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadAccount {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It holds something else. What it holds is a secret, and is not repeated.
    #[error(
        "is no service account: take the JSON file that the console of Firebase gives, with `project_id`, `client_email` and `private_key`"
    )]
    NotAnAccount,
}

/// Why there is no access token.
#[derive(Debug)]
pub enum NoToken {
    /// Nobody answered.
    NoAnswer(Failure),
    /// The answer was a no.
    Answered(Box<Answer>),
    /// The key does not sign, or the answer was none of OAuth.
    Unreadable,
}

/// An account, and the token that it has at the moment.
pub struct Account {
    project: String,
    email: String,
    key_id: Option<String>,
    key: EncodingKey,
    token_uri: String,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    used_until: Timestamp,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("project", &self.project).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: u64,
}

impl Account {
    /// Reads the file of an account.
    ///
    /// # Errors
    /// [`BadAccount`].
    pub fn load(file: &Path) -> Result<Self, BadAccount> {
        let text = std::fs::read_to_string(file)?;
        let it: File = serde_json::from_str(&text).map_err(|_| BadAccount::NotAnAccount)?;
        let key =
            EncodingKey::from_rsa_pem(it.private_key.as_bytes()).map_err(|_| BadAccount::NotAnAccount)?;
        let in_a_path = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte);
        if it.project_id.is_empty() || !it.project_id.bytes().all(in_a_path) {
            return Err(BadAccount::NotAnAccount);
        }
        Ok(Self {
            project: it.project_id,
            email: it.client_email,
            key_id: it.private_key_id,
            key,
            token_uri: it.token_uri,
            token: Mutex::new(None),
        })
    }

    /// The project that it may send for.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// An access token: the one it has, or a new one. Who asks meanwhile waits for that one.
    ///
    /// # Errors
    /// [`NoToken`].
    pub async fn token(&self, egress: &Egress, now: Timestamp) -> Result<String, NoToken> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| now < token.used_until) {
            return Ok(token.text.clone());
        }
        let granted = self.ask(egress, now).await?;
        let good_for = Duration::from_secs(granted.expires_in.max(SHORTEST));
        let used_until = now.plus(good_for.saturating_sub(MARGIN));
        let text = granted.access_token.clone();
        *token = Some(Token { text: granted.access_token, used_until });
        Ok(text)
    }

    /// The token it has is good no longer.
    pub async fn forget(&self) {
        *self.token.lock().await = None;
    }

    async fn ask(&self, egress: &Egress, now: Timestamp) -> Result<Granted, NoToken> {
        let assertion = self.assertion(now).ok_or(NoToken::Unreadable)?;
        // Neither needs escaping: a form's letters, dots and dashes.
        let form =
            format!("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}");
        let request = Request::post(&self.token_uri)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .map_err(|_| NoToken::Unreadable)?;
        let answer = egress.send(request).await.map_err(NoToken::NoAnswer)?;
        if !answer.status.is_success() {
            return Err(NoToken::Answered(Box::new(answer)));
        }
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| NoToken::Unreadable)?;
        // It goes into a header.
        let plain = granted.access_token.bytes().all(|byte| byte.is_ascii_graphic());
        Some(granted).filter(|it| plain && !it.access_token.is_empty()).ok_or(NoToken::Unreadable)
    }

    fn assertion(&self, now: Timestamp) -> Option<String> {
        let seconds = |time: Timestamp| time.as_micros().div_euclid(1_000_000);
        let claims = Claims {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.token_uri,
            iat: seconds(now),
            exp: seconds(now.plus(CLAIM)),
        };
        let header = Header { kid: self.key_id.clone(), ..Header::new(Algorithm::RS256) };
        jsonwebtoken::encode(&header, &claims, &self.key).ok()
    }
}
