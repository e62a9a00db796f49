//! For whom a row stands.

use kernel::ContactId;

use super::{ContactRow, Known, Rejection, RejectionReason};

/// A row names this contact, if it does; whatever else it names is nobody's or this contact's.
///
/// # Errors
/// A [`Rejection`] when what the row names belongs to several.
pub(super) fn target(known: &Known, row: &ContactRow) -> Result<Option<ContactId>, Rejection> {
    let conflict =
        |field: &str, description: &str| Err(Rejection::of(RejectionReason::Conflict, field, description));
    let by_id = row.contact_id.and_then(|id| known.contact(id)).map(|held| held.now.contact_id);
    let external_id = row.profile.external_id.as_str();
    let by_external_id = known.owner_of_external_id(external_id);
    let keys = row.keys();
    let owners: Vec<(&str, ContactId)> =
        keys.iter().filter_map(|(field, key)| Some((field.as_str(), known.owner(key)?))).collect();
    let by_address = owners.first().map(|(_, owner)| *owner);

    let Some(target) = by_id.or(by_external_id).or(by_address) else { return Ok(None) };
    if by_external_id.is_some_and(|owner| owner != target) {
        return conflict("external_id", "belongs to another contact than the contact_id");
    }
    if let Some((field, _)) = owners.iter().find(|(_, owner)| *owner != target) {
        return conflict(field, "belongs to another contact than the one this row stands for");
    }
    // Two people with one address, a family's or an office's: which of them is meant, an address does not tell.
    let has = known.contact(target).map_or("", |held| held.now.profile.external_id.as_str());
    if by_id.or(by_external_id).is_none() && !external_id.is_empty() && !has.is_empty() {
        return conflict("external_id", "the contact with this email, phone or identity has another one");
    }
    Ok(Some(target))
}
