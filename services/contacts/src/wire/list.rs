//! Lists and their members.

use kernel::{ContactId, PageSize};
use proto::contacts::v1 as pb;
use rpc::convert::{etag, expected_version, id_of, ids_of, proto_time};
use rpc::{Call, Fault, update_mask};

use super::Broken;
use crate::app::{CreateList, ListMembers, ListPage, UpdateList};
use crate::domain::{ContactList, Line, ListChange, ListId, ListName};

pub(crate) fn create(call: &Call, request: &pb::CreateListRequest) -> Result<CreateList, Fault> {
    let retry = runtime::retry(call, &request.request_id, request)?;
    let mut broken = Broken::default();
    let name = broken.read("display_name", &request.display_name, ListName::parse);
    let description = broken.read("description", &request.description, Line::parse).unwrap_or_default();
    broken.refuse()?;
    let display_name = name.ok_or_else(|| Fault::internal("a name is missing and nothing is broken"))?;
    Ok(CreateList { display_name, description, retry })
}

pub(crate) fn update(call: &Call, request: &pb::UpdateListRequest) -> Result<UpdateList, Fault> {
    let retry = runtime::retry(call, &request.request_id, request)?;
    let known = [
        ("display_name", !request.display_name.is_empty()),
        ("description", !request.description.is_empty()),
    ];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    let mut broken = Broken::default();
    let mut change = ListChange::default();
    if paths.has("display_name") {
        change.display_name = broken.read("display_name", &request.display_name, ListName::parse);
    }
    if paths.has("description") {
        change.description = broken.read("description", &request.description, Line::parse);
    }
    broken.refuse()?;
    let list_id = id_of("list_id", &request.list_id)?;
    Ok(UpdateList { list_id, change, version: expected_version(&request.etag), retry })
}

pub(crate) fn members(list_id: &str, contact_ids: &[String]) -> Result<(ListId, Vec<ContactId>), Fault> {
    Ok((id_of("list_id", list_id)?, ids_of("contact_ids", contact_ids)?))
}

pub(crate) fn list_members(request: pb::ListMembersRequest) -> Result<ListMembers, Fault> {
    let list_id = id_of("list_id", &request.list_id)?;
    Ok(ListMembers { list_id, page_size: PageSize::of(request.page_size)?, page_token: request.page_token })
}

pub(crate) fn list(list: ContactList) -> pb::ContactList {
    pb::ContactList {
        list_id: list.list_id.to_string(),
        etag: etag(list.version),
        display_name: list.display_name.as_str().to_owned(),
        description: list.description.as_str().to_owned(),
        member_count: list.member_count,
        create_time: Some(proto_time(list.create_time)),
        update_time: Some(proto_time(list.update_time)),
    }
}

/// The lists of a page, and the token of the next.
pub(crate) fn list_page(page: ListPage) -> (Vec<pb::ContactList>, String) {
    (page.lists.into_iter().map(list).collect(), page.next_page_token)
}
