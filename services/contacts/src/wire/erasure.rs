//! Erasures.

use erasure::Removed;
use kernel::PageSize;
use proto::common::v1::{Actor as ProtoActor, ErasedCount};
use proto::contacts::v1 as pb;
use rpc::convert::{expected_version, id_of, optional_id_of, proto_role, proto_time};
use rpc::{Call, Fault};

use crate::app::{EraseContact, ErasurePage, ListErasures};
use crate::domain::{Actor, ErasingService, Erasure, ErasurePart, ErasureState};

pub(crate) fn erase(call: &Call, request: &pb::EraseContactRequest) -> Result<EraseContact, Fault> {
    let version = expected_version(&request.etag);
    let caller = &call.caller;
    Ok(EraseContact {
        contact_id: id_of("contact_id", &request.contact_id)?,
        // The contract does not take a request without one.
        version: version.ok_or_else(|| Fault::invalid("etag", "is needed"))?,
        requester: Actor {
            subject: caller.subject.clone(),
            role: caller.role,
            display_name: rpc::convert::display_name(caller).to_owned(),
        },
        retry: runtime::retry(call, &request.request_id, request)?,
    })
}

pub(crate) fn list(request: pb::ListErasuresRequest) -> Result<ListErasures, Fault> {
    Ok(ListErasures {
        contact_id: optional_id_of("contact_id", &request.contact_id)?,
        page_size: PageSize::of(request.page_size)?,
        page_token: request.page_token,
    })
}

pub(crate) fn page(page: ErasurePage) -> pb::ListErasuresResponse {
    let ErasurePage { erasures, next_page_token } = page;
    pb::ListErasuresResponse { erasures: erasures.into_iter().map(erasure).collect(), next_page_token }
}

pub(crate) fn erasure(erasure: Erasure) -> pb::Erasure {
    let state = state(erasure.state()).into();
    let Erasure { erasure_id, contact_id, merged, parts, requester, create_time, end_time } = erasure;
    pb::Erasure {
        erasure_id: erasure_id.to_string(),
        contact_id: contact_id.to_string(),
        merged_contact_ids: merged.iter().map(ToString::to_string).collect(),
        state,
        parts: parts.into_iter().map(part).collect(),
        requester: Some(ProtoActor {
            subject: requester.subject.to_string(),
            role: proto_role(requester.role).into(),
            display_name: requester.display_name,
        }),
        create_time: Some(proto_time(create_time)),
        end_time: end_time.map(proto_time),
    }
}

fn part(part: ErasurePart) -> pb::ErasurePart {
    let service = match part.service {
        ErasingService::Contacts => pb::ErasingService::Contacts,
        ErasingService::Routing => pb::ErasingService::Routing,
        ErasingService::Notes => pb::ErasingService::Notes,
        ErasingService::Notifications => pb::ErasingService::Notifications,
    };
    let state = state(part.state()).into();
    let count = |Removed { kind, count }: Removed| ErasedCount { kind, count };
    pb::ErasurePart {
        service: service.into(),
        state,
        removed: part.removed.into_iter().map(count).collect(),
        start_time: part.start_time.map(proto_time),
        end_time: part.end_time.map(proto_time),
        waiting_since_time: part.waiting_since.map(proto_time),
    }
}

fn state(state: ErasureState) -> pb::ErasureState {
    match state {
        ErasureState::Pending => pb::ErasureState::Pending,
        ErasureState::Running => pb::ErasureState::Running,
        ErasureState::Done => pb::ErasureState::Done,
    }
}
