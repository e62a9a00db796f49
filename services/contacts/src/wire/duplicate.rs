//! Suggestions of duplicates.

use kernel::{ContactId, PageSize};
use proto::contacts::v1 as pb;
use rpc::Fault;
use rpc::convert::{id_of, optional_id_of};

use super::contact;
use crate::app::{DuplicatePage, Duplicates, ListDuplicates};

pub(crate) fn list(request: pb::ListDuplicatesRequest) -> Result<ListDuplicates, Fault> {
    let contact_id = optional_id_of("contact_id", &request.contact_id)?;
    let page_size = PageSize::of(request.page_size)?;
    Ok(ListDuplicates { contact_id, page_size, page_token: request.page_token })
}

pub(crate) fn pair(one: &str, other: &str) -> Result<(ContactId, ContactId), Fault> {
    Ok((id_of("contact_id", one)?, id_of("other_contact_id", other)?))
}

pub(crate) fn page(page: DuplicatePage) -> pb::ListDuplicatesResponse {
    let pairs = page.pairs.into_iter().map(one).collect();
    pb::ListDuplicatesResponse { pairs, next_page_token: page.next_page_token }
}

fn one(pair: Duplicates) -> pb::DuplicatePair {
    pb::DuplicatePair {
        contact: Some(contact::contact(pair.contact)),
        other_contact: Some(contact::contact(pair.other)),
        reasons: pair.reasons.into_iter().map(|reason| reason.code()).collect(),
    }
}
