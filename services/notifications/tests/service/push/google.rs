//! Google, as far as FCM goes: a service account, the endpoint where it gets tokens, and the one that takes messages.

use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use serde_json::{Value, json};

use super::outside::{self, Outside, Seen};

pub(crate) const EMAIL: &str = "pusher@example.iam.gserviceaccount.com";

static KEY: LazyLock<rsa::RsaPrivateKey> =
    LazyLock::new(|| rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap());

/// What FCM answers to a message.
type Answers = Arc<Mutex<Box<dyn FnMut(&Seen) -> http::Response<String> + Send>>>;

/// Google on a port of its own.
pub(crate) struct Google {
    pub(crate) server: Outside,
    messages: Answers,
}

impl Google {
    /// One that gives a token (`token-1`, `token-2` and so on, each for an hour) and takes every message.
    pub(crate) async fn open() -> Self {
        let server = Outside::open().await;
        let messages: Answers = Arc::new(Mutex::new(Box::new(|_: &Seen| {
            outside::json(200, &json!({"name": "projects/p-1/messages/1"}))
        })));
        let (answers, token_uri) = (Arc::clone(&messages), format!("{}/token", server.url));
        let mut given = 0;
        server.answers(move |seen| match seen.path.as_str() {
            "/token" => {
                check(seen, &token_uri);
                given += 1;
                outside::json(200, &json!({"access_token": format!("token-{given}"), "expires_in": 3599}))
            }
            _ => {
                let mut answers = answers.lock().unwrap();
                (*answers)(seen)
            }
        });
        Self { server, messages }
    }

    /// From now on FCM answers so.
    pub(crate) fn answers(&self, answers: impl FnMut(&Seen) -> http::Response<String> + Send + 'static) {
        *self.messages.lock().unwrap() = Box::new(answers);
    }

    /// From now on FCM refuses, with this code of its own.
    pub(crate) fn refuses(&self, status: u16, code: &str) {
        let detail =
            json!({"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code});
        let body = json!({"error": {"code": status, "status": "WHATEVER", "message": "canary", "details": [detail]}});
        self.answers(move |_| outside::json(status, &body));
    }

    /// Writes the file of a service account that gets its tokens here.
    pub(crate) fn account(&self, file: &Path) {
        let account = json!({
            "type": "service_account",
            "project_id": "p-1",
            "private_key_id": "k-1",
            "private_key": KEY.to_pkcs8_pem(LineEnding::LF).unwrap().as_str(),
            "client_email": EMAIL,
            "token_uri": format!("{}/token", self.server.url),
        });
        std::fs::write(file, account.to_string()).unwrap();
    }

    /// How often a token was asked for.
    pub(crate) fn tokens(&self) -> usize {
        self.server.seen().iter().filter(|seen| seen.path == "/token").count()
    }

    /// The messages that came, with the token of each.
    pub(crate) fn messages(&self) -> Vec<(String, Value)> {
        let seen =
            self.server.seen().into_iter().filter(|seen| seen.path == "/v1/projects/p-1/messages:send");
        let read = |seen: Seen| {
            let token = seen.header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
            let mut body: Value = serde_json::from_slice(&seen.body).unwrap();
            (token, body["message"].take())
        };
        seen.map(read).collect()
    }
}

/// Makes sure that the account itself asks, and for this.
fn check(seen: &Seen, token_uri: &str) {
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded");
    let form = std::str::from_utf8(&seen.body).unwrap();
    let assertion = form
        .strip_prefix("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        .unwrap();
    let public = KEY.to_public_key().to_public_key_pem(LineEnding::LF).unwrap();
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_audience(&[token_uri]);
    // The clock of these tests stands still.
    rules.validate_exp = false;
    let key = DecodingKey::from_rsa_pem(public.as_bytes()).unwrap();
    let read = jsonwebtoken::decode::<Value>(assertion, &key, &rules).unwrap();
    assert_eq!(read.header.kid.as_deref(), Some("k-1"));
    assert_eq!(
        (&read.claims["iss"], &read.claims["scope"]),
        (&EMAIL.into(), &"https://www.googleapis.com/auth/firebase.messaging".into(),)
    );
    let seconds = |claim: &str| read.claims[claim].as_i64().unwrap();
    assert_eq!(seconds("exp") - seconds("iat"), 3_600);
}
