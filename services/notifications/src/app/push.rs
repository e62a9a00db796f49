//! A push is due: what there is to tell goes to the device, if it is still there.

use std::sync::Arc;

use audit::{Event, Origin};
use db::BoxFuture;
use kernel::{OrgId, Subject};

use super::App;
use super::compose::{Composed, Message};
use super::deliver::Carrier;
use crate::NAME;
use crate::domain::Bundle;
use crate::domain::delivery::{Job, Outcome};
use crate::domain::device::{Device, DeviceId};
use crate::domain::email::Locale;
use crate::domain::preferences::Channel;
use crate::domain::push::{Push, Told};
use crate::error::Error;
use crate::store::devices;

/// Carries pushes, to browsers and to apps.
pub struct Pusher(pub Arc<App>);

impl Carrier for Pusher {
    fn carry(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.0.push(job).await.unwrap_or_else(|error| not_now(&error)) })
    }
}

/// Our own database or routing does not answer.
fn not_now(error: &Error) -> Outcome {
    tracing::warn!(%error, "a push is put off");
    Outcome::Again { why: "could not be put together".into(), not_before: None }
}

impl App {
    /// Carries one push.
    async fn push(&self, job: Job) -> Result<Outcome, Error> {
        let bundle: Bundle = match job.body.read() {
            Ok(bundle) => bundle,
            Err(malformed) => return Ok(Outcome::unreadable(&malformed)),
        };
        let Some(subject) = job.subject else { return Ok(Outcome::Refused("it is for nobody".into())) };
        let Some(device) = self.device(&job.org, &subject, &job.destination).await? else {
            return Ok(Outcome::Skipped("DEVICE_REMOVED".into()));
        };
        let message = match self.compose(&job.org, &subject, Channel::Push, bundle).await? {
            Composed::Message(message) => message,
            Composed::Nothing(dropped) => return Ok(Outcome::Skipped(dropped.as_str().into())),
            Composed::Later(time) => {
                return Ok(Outcome::Postponed { why: "QUIET".into(), until: time });
            }
        };
        let outcome = self.push_services.send(&device.address, &said(bundle, &message)).await;
        if let Outcome::Gone(_) = outcome {
            self.remove_dead(&job.org, device).await?;
        }
        Ok(outcome)
    }

    async fn device(
        &self,
        org: &OrgId,
        subject: &Subject,
        destination: &str,
    ) -> Result<Option<Device>, Error> {
        let Ok(id) = DeviceId::parse(destination) else { return Ok(None) };
        let subject = subject.clone();
        let read =
            self.db.read(org, move |tx| Box::pin(async move { devices::find(tx, &subject, id).await }));
        read.await.map_err(Error::Db)
    }

    /// Its push service says that it is no more.
    async fn remove_dead(&self, org: &OrgId, device: Device) -> Result<(), Error> {
        let write = self.db.write(org, move |tx| {
            Box::pin(async move {
                if devices::remove_dead(tx, &device).await? {
                    let origin = Origin::system(NAME, "push");
                    audit::record(tx, &origin, &[Event::new("device.remove", device.device_id)]).await?;
                }
                Ok::<_, Error>(())
            })
        });
        write.await
    }
}

fn said(bundle: Bundle, message: &Message) -> Push {
    let Message { person, entries, total, conversations, .. } = message;
    Push::of(Told {
        locale: Locale::of(person.languages.iter().map(String::as_str)),
        zone: person.zone,
        bundle,
        entries,
        total: *total,
        conversations: *conversations,
    })
}
