//! What notifications is told. What a note says goes along only for an organization that wants it in its emails, and is added at the last
//! moment: it is in no event that is recorded here, and what is deleted by then goes nowhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use db::{BoxFuture, Db};
use kernel::{Clock, NoteId, OrgId, Timestamp};
use outbox::{Deliver, Outcome, Outgoing, Undelivered};
use proto::notifications::v1::email_service_client::EmailServiceClient;
use proto::notifications::v1::ingest_service_client::IngestServiceClient;
use proto::notifications::v1::{EmailContent, GetEmailContentRequest, NotificationEvent, NotifyRequest};
use rpc::Peer;

use crate::domain::excerpt;
use crate::store;

/// How long an organization's wish is taken for granted.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Takes events to the notifications service.
pub fn deliver_to_notifications(peer: Peer, db: Db, clock: Clock) -> Arc<dyn Deliver> {
    Arc::new(TellPeople { peer, db, clock, wishes: Mutex::default() })
}

struct TellPeople {
    peer: Peer,
    db: Db,
    clock: Clock,
    /// Whether organizations want excerpts, and until when that is taken for granted.
    wishes: Mutex<HashMap<OrgId, (bool, Timestamp)>>,
}

impl Deliver for TellPeople {
    fn deliver<'a>(
        &'a self,
        org: &'a OrgId,
        batch: Vec<Outgoing>,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, Undelivered>> {
        Box::pin(async move {
            let mut events: Vec<NotificationEvent> = runtime::recorded(&batch)?;
            if events.iter().any(|event| note_of(event).is_some()) && self.wants_excerpts(org).await {
                self.add_excerpts(org, &mut events).await;
            }
            let peer = self.peer.as_service(org, runtime::DELIVERY);
            let answer = IngestServiceClient::new(peer).notify(NotifyRequest { events }).await;
            runtime::delivered(batch.len(), answer.map(|answer| answer.into_inner().outcomes))
        })
    }
}

impl TellPeople {
    /// Whether the organization wants excerpts. Without an answer: no, this time.
    async fn wants_excerpts(&self, org: &OrgId) -> bool {
        let now = self.clock.now();
        let said = self.wishes.lock().unwrap_or_else(PoisonError::into_inner).get(org).copied();
        if let Some((wants, _)) = said.filter(|(_, until)| now < *until) {
            return wants;
        }
        let peer = self.peer.as_service(org, runtime::DELIVERY);
        let asked = EmailServiceClient::new(peer).get_email_content(GetEmailContentRequest {}).await;
        let Ok(answer) = asked else { return false };
        let wants = answer.get_ref().email_content() == EmailContent::Excerpt;
        let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        wishes.insert(org.clone(), (wants, now.plus(ASK_EVERY)));
        wants
    }

    /// People are told in any case: without an excerpt, if notes cannot be read now.
    async fn add_excerpts(&self, org: &OrgId, events: &mut [NotificationEvent]) {
        let ids: Vec<NoteId> = events.iter().filter_map(note_of).collect();
        if ids.is_empty() {
            return;
        }
        let read = self.db.read(org, move |tx| {
            Box::pin(async move { store::notes::list_beginnings(tx, &ids, excerpt::ENOUGH).await })
        });
        match read.await {
            Ok(beginnings) => {
                let beginnings: HashMap<NoteId, String> = beginnings.into_iter().collect();
                for event in events {
                    let text = note_of(event).and_then(|note| beginnings.get(&note));
                    event.private_excerpt = text.map(|text| excerpt::of(text)).unwrap_or_default();
                }
            }
            Err(error) => tracing::warn!(%error, "people are told without an excerpt"),
        }
    }
}

/// The note that an event is about.
fn note_of(event: &NotificationEvent) -> Option<NoteId> {
    event.note_id.parse().ok()
}
