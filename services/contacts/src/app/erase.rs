//! A contact is erased (P12): gone for everybody in the transaction of the request; what the other services keep follows
//! (`run_erasure`). Here is also how an erasure is read.

use std::collections::HashMap;
use std::time::Duration;

use audit::{Event, Origin};
use db::{KEPT, Retry, Tx};
use erasure::{ErasureId, Kind};
use kernel::{ContactId, OrgId, PageSize, Timestamp};
use proto::notifications::v1::WebhookEventType;
use uuid::Uuid;

use super::deeds::Deeds;
use super::run_erasure::ERASE_CONTACT;
use super::traces::{self, Traces};
use super::{App, survivor};
use crate::Error;
use crate::domain::{Actor, ErasingService, Erasure, ErasurePart, Held};
use crate::store::erasures::ErasureRow;
use crate::store::{self, erased, erasures};

const LIST: &str = "erasures.list";

/// How far the times of two calls may be off: the clocks of two replicas differ, and a call may have waited for a lock.
const SLACK: Duration = Duration::from_secs(10 * 60);

/// Who shall be erased.
#[derive(Debug, Clone)]
pub struct EraseContact {
    /// Who.
    pub contact_id: ContactId,
    /// The version that was read.
    pub version: i64,
    /// Who asks for it.
    pub requester: Actor,
    /// The request, for its retries.
    pub retry: Retry,
}

/// Which erasures are asked for.
#[derive(Debug, Clone)]
pub struct ListErasures {
    /// Only of this contact.
    pub contact_id: Option<ContactId>,
    /// How many.
    pub page_size: PageSize,
    /// The token of the page before; empty for the first page.
    pub page_token: String,
}

/// Erasures, newest first.
#[derive(Debug, Clone)]
pub struct ErasurePage {
    /// The page.
    pub erasures: Vec<Erasure>,
    /// Of the next page; empty at the end.
    pub next_page_token: String,
}

impl App {
    /// Erases a contact, and whoever was merged into it. When this answers, nobody finds the contact any more and the address is free;
    /// a worker lets the other services remove what they keep.
    ///
    /// # Errors
    /// [`Error::NoSuchContact`], [`Error::StaleVersion`], [`Error::RequestIdReused`].
    pub async fn erase_contact(
        &self,
        org: &OrgId,
        origin: Origin,
        erase: EraseContact,
    ) -> Result<Erasure, Error> {
        let (id, now) = (ErasureId::from(self.clock.new_id()), self.clock.now());
        let retry = erase.retry.clone();
        let request_id = retry.request_id;
        let deeds = self.deeds(origin.of_request(request_id));
        let begun = self.db.write_once(org, retry, move |tx| Box::pin(begin(tx, id, erase, now, deeds)));
        begun.await.map_err(|error: Error| error.of_request(request_id))
    }

    /// Reads an erasure.
    ///
    /// # Errors
    /// [`Error::NoSuchErasure`].
    pub async fn get_erasure(&self, org: &OrgId, id: ErasureId) -> Result<Erasure, Error> {
        self.db.read(org, move |tx| Box::pin(get(tx, id))).await
    }

    /// Lists erasures, newest first.
    ///
    /// # Errors
    /// [`Error::Malformed`] when the page token is not of this list.
    pub async fn list_erasures(&self, org: &OrgId, list: ListErasures) -> Result<ErasurePage, Error> {
        let ListErasures { contact_id, page_size, page_token } = list;
        let binding = format!("{org}\n{contact_id:?}");
        let before: ErasureId = match page_token.as_str() {
            // No id is greater.
            "" => ErasureId::from_uuid(Uuid::max()),
            token => {
                self.seal.open(LIST, binding.as_bytes(), token).map_err(|error| error.at("page_token"))?
            }
        };
        let page = self.db.read(org, move |tx| {
            Box::pin(async move {
                let mut rows = erasures::list(tx, contact_id, before, page_size.and_one()).await?;
                let more = rows.len() > page_size.get();
                rows.truncate(page_size.get());
                Ok::<_, Error>((whole(tx, rows).await?, more))
            })
        });
        let (erasures, more) = page.await?;
        let last = erasures.last().filter(|_| more);
        let token = last.map(|last| self.seal.seal(LIST, binding.as_bytes(), &last.erasure_id));
        Ok(ErasurePage { erasures, next_page_token: token.unwrap_or_default() })
    }
}

/// The erasure of this id, whole.
pub(super) async fn get(tx: &mut Tx, id: ErasureId) -> Result<Erasure, Error> {
    let rows = erasures::find(tx, id).await?.into_iter().collect();
    whole(tx, rows).await?.pop().ok_or(Error::NoSuchErasure)
}

/// Erasures with whom they cover and what each service did, in the order of the rows.
async fn whole(tx: &mut Tx, rows: Vec<ErasureRow>) -> Result<Vec<Erasure>, Error> {
    let ids: Vec<ErasureId> = rows.iter().map(|row| row.erasure_id).collect();
    let mut covered: HashMap<ErasureId, Vec<ContactId>> = HashMap::new();
    for (id, contact) in erasures::list_covered(tx, &ids).await? {
        covered.entry(id).or_default().push(contact);
    }
    let parts: HashMap<(ErasureId, ErasingService), ErasurePart> = erasures::list_parts(tx, &ids)
        .await?
        .into_iter()
        .map(|(id, part)| ((id, part.service), part))
        .collect();
    let erasure = |row: ErasureRow| {
        let part =
            |service| parts.get(&(row.erasure_id, service)).cloned().unwrap_or(ErasurePart::pending(service));
        let parts = ErasingService::ALL.map(part).to_vec();
        let covered = covered.remove(&row.erasure_id).unwrap_or_default();
        row.with(covered, parts).map_err(Error::from)
    };
    rows.into_iter().map(erasure).collect()
}

async fn begin(
    tx: &mut Tx,
    id: ErasureId,
    erase: EraseContact,
    now: Timestamp,
    deeds: Deeds,
) -> Result<Erasure, Error> {
    let EraseContact { contact_id, version, requester, retry: _ } = erase;
    // Whoever puts contacts on lists locks the lists first.
    erased::lock_lists(tx, contact_id).await?;
    let Some(current) = erased::lock_contact(tx, contact_id).await? else {
        // Who was merged away is erased with who stands for them; nobody shall erase that one unawares.
        let survivor = survivor::find(tx, contact_id).await?.ok_or(Error::NoSuchContact)?;
        return Err(Error::MergedAway { field: "contact_id", survivor });
    };
    if current != version {
        return Err(Error::StaleVersion { current });
    }
    let merged = merged_into(tx, contact_id).await?;
    let covered: Vec<ContactId> = std::iter::once(contact_id).chain(merged.iter().copied()).collect();
    let buried: Vec<Uuid> = covered.iter().map(ContactId::as_uuid).collect();
    erasure::bury(tx, id, Kind::Contact, &buried).await?;
    erased::count_off_lists(tx, contact_id).await?;
    erased::leave_backlog(tx, contact_id).await?;
    let mut removed = Vec::with_capacity(erased::BELONGINGS.len());
    for belonging in erased::BELONGINGS {
        removed.push((belonging.kind, erased::remove(tx, contact_id, belonging).await?));
    }
    let Traces { merges, held } = traces::of(tx, &covered).await?;
    removed.push(("merges", store::traces::remove(tx, &merges).await?));
    for held in held.iter().filter(|held| may_be_answered(held, now)) {
        removed.push(("kept_answers", erased::forget_answers_of(tx, held, ERASE_CONTACT, SLACK).await?));
    }
    for &contact in &covered {
        erased::remove_merged_activities(tx, contact).await?;
        erased::remove_dismissals(tx, contact).await?;
        removed.push(("merges", erased::remove_merges(tx, contact).await?));
    }
    for counted in removed {
        erasure::count(tx, id, &[counted]).await?;
    }
    let ours = ErasurePart::pending(ErasingService::Contacts);
    let ours = ours.advanced(erasure::removed(tx, id).await?, false, now);
    let parts = ErasingService::ALL.map(|service| match service {
        ErasingService::Contacts => ours.clone(),
        other => ErasurePart::pending(other),
    });
    let erasure = Erasure {
        erasure_id: id,
        contact_id,
        merged,
        parts: parts.to_vec(),
        requester,
        create_time: now,
        end_time: None,
    };
    erasures::insert(tx, &erasure).await?;
    erasures::save_part(tx, id, &ours).await?;
    audit::record(tx, &deeds.origin, &[Event::new("contact.erase", contact_id)]).await?;
    deeds.announce(tx, WebhookEventType::ContactErased, &covered, now).await?;
    Ok(erasure)
}

/// Whether an answer of that time may still be kept.
fn may_be_answered(held: &Held, now: Timestamp) -> bool {
    held.until.is_none_or(|until| until.plus(KEPT + SLACK) > now)
}

/// Everybody who was merged into a contact, and into them, and so on.
async fn merged_into(tx: &mut Tx, contact: ContactId) -> Result<Vec<ContactId>, Error> {
    let mut merged = Vec::new();
    let mut newest = vec![contact];
    while !newest.is_empty() {
        newest = erased::list_merged_into(tx, &newest).await?;
        merged.extend_from_slice(&newest);
    }
    Ok(merged)
}
