//! Merges: who goes and who stays, what that would do, what was done.

use std::collections::BTreeSet;

use kernel::PageSize;
use proto::contacts::v1 as pb;
use rpc::convert::{etag, expected_version, id_of, optional_id_of, proto_time};
use rpc::{Call, Fault};

use super::{Broken, activity, contact};
use crate::app::{ListMerges, MergeContacts, MergePage, Pairing, Parted, Preview, UnmergeContacts};
use crate::domain::{Conflict, Contact, Merge, Side, Single, Snapshot};

pub(crate) fn pairing(from: &str, into: &str, take: &[String]) -> Result<Pairing, Fault> {
    let (from, into) = (id_of("from_contact_id", from)?, id_of("into_contact_id", into)?);
    let mut broken = Broken::default();
    let take: BTreeSet<Single> = broken.read_all("take_fields", take, Single::parse).into_iter().collect();
    broken.refuse()?;
    Ok(Pairing { from, into, take })
}

pub(crate) fn merge(call: &Call, request: &pb::MergeContactsRequest) -> Result<MergeContacts, Fault> {
    Ok(MergeContacts {
        pairing: pairing(&request.from_contact_id, &request.into_contact_id, &request.take_fields)?,
        from_version: expected_version(&request.from_etag),
        into_version: expected_version(&request.into_etag),
        by: activity::by(&call.caller),
        retry: runtime::retry(call, &request.request_id, request)?,
    })
}

pub(crate) fn unmerge(call: &Call, request: &pb::UnmergeContactsRequest) -> Result<UnmergeContacts, Fault> {
    Ok(UnmergeContacts {
        merge_id: id_of("merge_id", &request.merge_id)?,
        into_version: expected_version(&request.into_etag),
        by: activity::by(&call.caller),
        retry: runtime::retry(call, &request.request_id, request)?,
    })
}

pub(crate) fn list(request: pb::ListMergesRequest) -> Result<ListMerges, Fault> {
    let contact_id = optional_id_of("contact_id", &request.contact_id)?;
    let page_size = PageSize::of(request.page_size)?;
    Ok(ListMerges { contact_id, page_size, page_token: request.page_token })
}

pub(crate) fn preview(preview: Preview) -> pb::PreviewMergeResponse {
    let Preview { from, into, merged, conflicts } = preview;
    let (from_etag, into_etag) = (etag(from.contact.version), etag(into.contact.version));
    pb::PreviewMergeResponse {
        conflicts: conflicts.into_iter().map(conflict).collect(),
        moves: Some(moves(&from, &into, &merged)),
        merged: Some(contact::contact(merged.contact)),
        from_etag,
        into_etag,
    }
}

fn conflict(conflict: Conflict) -> pb::MergeConflict {
    pb::MergeConflict { field: conflict.of.path(), from_value: conflict.from, into_value: conflict.into }
}

/// What the contact that stays would have more.
fn moves(from: &Side, into: &Side, merged: &Side) -> pb::MergeCounts {
    let more =
        |count: &dyn Fn(&Side) -> usize| i32::try_from(count(merged) - count(into)).unwrap_or(i32::MAX);
    pb::MergeCounts {
        emails: more(&|side| side.contact.profile.emails.len()),
        phones: more(&|side| side.contact.profile.phones.len()),
        identities: i32::try_from(from.contact.identities.len()).unwrap_or(i32::MAX),
        tags: more(&|side| side.contact.tags.len()),
        lists: more(&|side| side.lists.len()),
        attributes: more(&|side| side.contact.attributes.len()),
    }
}

pub(crate) fn merged((merge, contact): (Merge, Contact)) -> pb::MergeContactsResponse {
    pb::MergeContactsResponse { merge: Some(said(merge)), contact: Some(contact::contact(contact)) }
}

pub(crate) fn parted(parted: Parted) -> pb::UnmergeContactsResponse {
    let Parted { merge, from, into, left_out } = parted;
    pb::UnmergeContactsResponse {
        merge: Some(said(merge)),
        from: Some(contact::contact(from)),
        into: Some(contact::contact(into)),
        left_out,
    }
}

pub(crate) fn found((merge, snapshot): (Merge, Snapshot)) -> pb::GetMergeResponse {
    pb::GetMergeResponse {
        merge: Some(said(merge)),
        from: Some(contact::contact(snapshot.from.contact)),
        into: Some(contact::contact(snapshot.into.contact)),
    }
}

pub(crate) fn page(page: MergePage) -> pb::ListMergesResponse {
    let merges = page.merges.into_iter().map(said).collect();
    pb::ListMergesResponse { merges, next_page_token: page.next_page_token }
}

fn said(merge: Merge) -> pb::ContactMerge {
    let Merge { merge_id, from, into, done, undone } = merge;
    pb::ContactMerge {
        merge_id: merge_id.to_string(),
        from_contact_id: from.to_string(),
        into_contact_id: into.to_string(),
        merge_time: Some(proto_time(done.time)),
        merged_by: Some(activity::actor(done.actor)),
        unmerge_time: undone.as_ref().map(|undone| proto_time(undone.time)),
        unmerged_by: undone.map(|undone| activity::actor(undone.actor)),
    }
}
