//! Searches.

use std::collections::BTreeSet;

use kernel::PageSize;
use proto::contacts::v1 as pb;
use rpc::Fault;

use super::{Broken, attribute, contact};
use crate::app::{SearchContacts, SearchPage};
use crate::domain::{Search, SearchField, Tag};

pub(crate) fn search(request: pb::SearchContactsRequest) -> Result<SearchContacts, Fault> {
    let mut broken = Broken::default();
    let tags: BTreeSet<Tag> = broken.read_all("tags", &request.tags, Tag::parse).into_iter().collect();
    let attributes = attribute::all(&mut broken, "attributes", &request.attributes);
    let mut fields = BTreeSet::new();
    for (index, code) in request.fields.iter().enumerate() {
        fields.extend(broken.keep(&format!("fields[{index}]"), SearchField::try_from(*code)));
    }
    broken.refuse()?;
    let search = Search::read(&request.query, fields, tags, &attributes)?;
    Ok(SearchContacts { search, page_size: PageSize::of(request.page_size)?, page_token: request.page_token })
}

pub(crate) fn page(page: SearchPage) -> pb::SearchContactsResponse {
    let hit = |(found, field): (crate::domain::Contact, SearchField)| pb::SearchHit {
        contact: Some(contact::contact(found)),
        found_in: field.code(),
    };
    pb::SearchContactsResponse {
        hits: page.hits.into_iter().map(hit).collect(),
        next_page_token: page.next_page_token,
    }
}
