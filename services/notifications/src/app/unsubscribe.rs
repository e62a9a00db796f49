//! One click in a mail program turns email off (RFC 8058). The token of the link says whose, and is all the right there is: it was sent to
//! them alone, nobody can make another, and it does nothing else.

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{OrgId, PageSeal, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use super::App;
use crate::NAME;
use crate::domain::NotificationType;
use crate::domain::preferences::Channel;
use crate::error::Error;
use crate::store::preferences;

/// What such tokens are sealed as.
const TOKEN: &str = "notifications.unsubscribe";

/// The method, for the audit trail: there is no call of a caller.
const METHOD: &str = "/backchannel.notifications.v1.EmailService/Unsubscribe";

/// What a token says. It has no end: people keep emails for long.
#[derive(Debug, Serialize, Deserialize)]
struct Unsubscription {
    #[serde(rename = "o")]
    org: String,
    #[serde(rename = "s")]
    subject: String,
    /// The type, as it is stored; absent: all email.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
}

/// The token that turns email off for a person: for a type, or all of it.
pub(crate) fn token(
    seal: &PageSeal,
    org: &OrgId,
    subject: &Subject,
    kind: Option<NotificationType>,
) -> String {
    let kind = kind.map(|kind| kind.as_str().to_owned());
    let said = Unsubscription { org: org.to_string(), subject: subject.to_string(), kind };
    seal.seal(TOKEN, b"", &said)
}

fn read(seal: &PageSeal, token: &str) -> Option<(OrgId, Subject, Option<NotificationType>)> {
    let said: Unsubscription = seal.open(TOKEN, b"", token).ok()?;
    let kind = said.kind.map(NotificationType::try_from).transpose().ok()?;
    Some((OrgId::parse(&said.org).ok()?, Subject::parse(&said.subject).ok()?, kind))
}

impl App {
    /// Turns email off, as the token says.
    ///
    /// # Errors
    /// [`Error::ForeignUnsubscribeToken`], [`Error::Db`].
    pub async fn unsubscribe(&self, token: &str) -> Result<(), Error> {
        let (org, subject, kind) = read(&self.seal, token).ok_or(Error::ForeignUnsubscribeToken)?;
        let now = self.clock.now();
        let write =
            self.db.write(&org, move |tx| Box::pin(async move { turn_off(tx, &subject, kind, now).await }));
        write.await
    }
}

async fn turn_off(
    tx: &mut Tx,
    subject: &Subject,
    kind: Option<NotificationType>,
    now: Timestamp,
) -> Result<(), Error> {
    let before = preferences::find(tx, subject).await?;
    let mut chosen = before.chosen.clone();
    match kind {
        Some(kind) => chosen.choices.set(kind, Channel::Email, Some(false)),
        None => {
            chosen.off.insert(Channel::Email);
        }
    }
    if chosen == before.chosen {
        return Ok(());
    }
    if !preferences::save(tx, subject, &chosen, before.version, now).await? {
        // Somebody else changed them at this moment: to be tried again.
        return Err(DbError::Busy.into());
    }
    // Who clicked is not known: the person, or a program of theirs.
    let origin = Origin::system(NAME, METHOD);
    audit::record(tx, &origin, &[Event::new("preferences.unsubscribe", subject)]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{read, token};
    use crate::domain::NotificationType;
    use kernel::{OrgId, PageSeal, Subject};
    use proptest::prelude::*;

    fn seal() -> PageSeal {
        PageSeal::new(&[7; 32])
    }

    // D4
    #[test]
    fn a_token_says_whose_email_it_is_and_fits_into_a_link() {
        let (org, ana) = (OrgId::parse("acme").unwrap(), Subject::parse("ana").unwrap());
        for kind in NotificationType::ALL.map(Some).into_iter().chain([None]) {
            let token = token(&seal(), &org, &ana, kind);
            assert_eq!(read(&seal(), &token), Some((org.clone(), ana.clone(), kind)));
            assert!(
                token.len() < 200 && token.chars().all(|it| it.is_ascii_alphanumeric() || "-_".contains(it))
            );
            assert_eq!(read(&PageSeal::new(&[8; 32]), &token), None, "sealed elsewhere");
        }
        let page = seal().seal("notifications.list", b"", &("acme", "ana"));
        assert_eq!(read(&seal(), &page), None, "a token of something else");
    }

    proptest! {
        // D4
        #[test]
        fn no_text_turns_anything_off(text in "[A-Za-z0-9_-]{0,120}") {
            prop_assert_eq!(read(&seal(), &text), None);
        }
    }
}
