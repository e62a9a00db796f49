//! A delivery by email: composed when it is due, written in its reader's language, handed to the SMTP server.

use std::sync::Arc;

use db::BoxFuture;
use kernel::{Subject, Timestamp};
use lettre::Address;
use runtime::StartError;

use super::App;
use super::compose::{Composed, Dropped, Message};
use super::deliver::Carrier;
use super::unsubscribe;
use crate::config::EmailConfig;
use crate::domain::delivery::{Job, Outcome, Why};
use crate::domain::email::{Item, Letter, Links, Locale, thread};
use crate::domain::preferences::Channel;
use crate::domain::{Bundle, Notification};
use crate::error::Error;
use crate::peers::smtp::{self, Mail, NotTaken, Smtp};

/// What emails are sent with.
#[derive(Debug)]
pub(crate) struct Mailing {
    smtp: Smtp,
    links: Links,
    unsubscribe_url: Option<String>,
}

impl Mailing {
    /// As configured.
    ///
    /// # Errors
    /// [`StartError`] naming the key that does not fit.
    pub(crate) fn of(config: &EmailConfig) -> Result<Self, StartError> {
        let urls = [
            ("conversation_url", &config.conversation_url),
            ("settings_url", &config.settings_url),
            ("unsubscribe_url", &config.unsubscribe_url),
        ];
        for (key, url) in urls {
            if url.as_ref().is_some_and(|url| !is_url(url)) {
                return Err(smtp::wrong(key, "must be an address that begins with https://"));
            }
        }
        if config.conversation_url.as_ref().is_some_and(|url| !url.contains("{conversation_id}")) {
            return Err(smtp::wrong("conversation_url", "must have {conversation_id} in it"));
        }
        let links =
            Links { conversation: config.conversation_url.clone(), settings: config.settings_url.clone() };
        Ok(Self { smtp: Smtp::new(config)?, links, unsubscribe_url: config.unsubscribe_url.clone() })
    }

    /// What carries them.
    pub(crate) fn carrier(self, app: Arc<App>) -> EmailCarrier {
        EmailCarrier { app, mailing: self }
    }
}

/// In a header it stands in angle brackets, as it is.
fn is_url(text: &str) -> bool {
    let scheme = text.starts_with("https://") || text.starts_with("http://");
    scheme && text.chars().all(|letter| letter.is_ascii_graphic() && !matches!(letter, '<' | '>' | '"'))
}

/// Carries emails.
#[derive(Debug)]
pub(crate) struct EmailCarrier {
    app: Arc<App>,
    mailing: Mailing,
}

impl Carrier for EmailCarrier {
    fn carry(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.tell(job).await.unwrap_or_else(|outcome| outcome) })
    }
}

impl EmailCarrier {
    async fn tell(&self, job: Job) -> Result<Outcome, Outcome> {
        let subject = job.subject.as_ref().ok_or_else(|| Outcome::Refused("it is for nobody".into()))?;
        let bundle: Bundle = job.body.read().map_err(|malformed| Outcome::unreadable(&malformed))?;
        let composed = self.app.compose(&job.org, subject, Channel::Email, bundle).await.map_err(again)?;
        let message = match composed {
            Composed::Message(message) => message,
            Composed::Nothing(dropped) => return Ok(Outcome::Skipped(dropped.as_str().into())),
            Composed::Later(time) => {
                return Ok(Outcome::Postponed { why: "QUIET".into(), until: time });
            }
        };
        let address = address(&message)?;
        let mail = self.written(&job, subject, *message, address).await.map_err(again)?;
        let taken = self.mailing.smtp.send(mail).await;
        taken.map_err(|not_taken| outcome(not_taken, self.app.clock.now()))?;
        Ok(Outcome::Sent)
    }

    async fn written(
        &self,
        job: &Job,
        subject: &Subject,
        message: Message,
        address: Address,
    ) -> Result<Mail, Error> {
        let ids = message.entries.iter().map(|entry| entry.notification_id).collect();
        let mut excerpts = self.app.excerpts_of(&job.org, subject, ids).await?;
        let with_excerpt = |entry: Notification| {
            let excerpt = excerpts.remove(&entry.notification_id);
            Item { entry, excerpt }
        };
        let items: Vec<Item> = message.entries.into_iter().map(with_excerpt).collect();
        let letter = Letter {
            name: &message.person.name,
            locale: Locale::of(message.person.languages.iter().map(String::as_str)),
            zone: message.person.zone,
            kind: message.kind,
            items: &items,
            total: message.total,
            conversations: message.conversations,
            one_type: message.one_type,
            links: &self.mailing.links,
        };
        let unsubscribe = self.mailing.unsubscribe_url.as_ref().map(|url| {
            let token = unsubscribe::token(&self.app.seal, &job.org, subject, letter.notification_type());
            format!("{url}{}token={token}", if url.contains('?') { '&' } else { '?' })
        });
        let domain = self.mailing.smtp.domain();
        Ok(Mail {
            rendered: letter.render(),
            id: thread::message_id(job.delivery_id, domain),
            answers: letter.conversation().map(|conversation| thread::root_id(conversation, domain)),
            unsubscribe,
            time: self.app.clock.now(),
            name: message.person.name.clone(),
            address,
        })
    }
}

/// Where it goes: what the profile says, if that is an address.
fn address(message: &Message) -> Result<Address, Outcome> {
    let nowhere = || Outcome::Skipped(Dropped::NoAddress.as_str().into());
    let address = message.person.email.as_deref().ok_or_else(nowhere)?;
    address.parse().map_err(|_| nowhere())
}

fn again(error: Error) -> Outcome {
    tracing::warn!(%error, "no email written; tried again");
    Outcome::Again { why: "it could not be written".into(), not_before: None }
}

fn outcome(not_taken: NotTaken, now: Timestamp) -> Outcome {
    let why = |text: &'static str, code: Option<u16>| {
        let why = Why::from(text);
        code.map_or(why.clone(), |code| why.with_code(code))
    };
    match not_taken {
        // As soon as may be.
        NotTaken::Busy => {
            Outcome::Postponed { why: "every connection to the SMTP server is in use".into(), until: now }
        }
        NotTaken::Unreachable(code) => Outcome::Unreachable {
            why: why("the SMTP server does not answer as it should", code),
            not_before: None,
        },
        NotTaken::Again(code) => {
            Outcome::Again { why: why("the SMTP server does not take it now", code), not_before: None }
        }
        NotTaken::Refused(code) => Outcome::Refused(why("the SMTP server refused it", code)),
    }
}
