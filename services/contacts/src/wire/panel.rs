//! Panels.

use proto::contacts::v1 as pb;
use rpc::Fault;
use rpc::convert::id_of;

use super::{activity, contact, list};
use crate::app::{GetPanel, Panel};
use crate::domain::{Missing, Shown};

/// Entries of a section, unless the caller says.
const USUAL: i32 = 5;

pub(crate) fn get(request: &pb::GetContactPanelRequest) -> Result<GetPanel, Fault> {
    let contact_id = id_of("contact_id", &request.contact_id)?;
    let section_size = if request.section_size == 0 { USUAL } else { request.section_size };
    Ok(GetPanel { contact_id, section_size })
}

pub(crate) fn panel(panel: Panel) -> pb::GetContactPanelResponse {
    let Panel { own, notes, conversations } = panel;
    let mut unavailable_sections = Vec::new();
    let notes = there(notes, pb::PanelSection::Notes, &mut unavailable_sections);
    let conversations = there(conversations, pb::PanelSection::Conversations, &mut unavailable_sections);
    pb::GetContactPanelResponse {
        contact: Some(contact::contact(own.contact)),
        lists: own.lists.entries.into_iter().map(list::list).collect(),
        more_lists: own.lists.more,
        notes: notes.entries,
        more_notes: notes.more,
        conversations: conversations.entries,
        more_conversations: conversations.more,
        activities: own.activities.entries.into_iter().map(activity::activity).collect(),
        more_activities: own.activities.more,
        unavailable_sections,
    }
}

/// What of a section there is; why there is nothing, is said.
fn there<T>(
    answer: Result<Shown<T>, Missing>,
    section: pb::PanelSection,
    unavailable: &mut Vec<pb::UnavailableSection>,
) -> Shown<T> {
    use pb::SectionUnavailableReason as Reason;
    let missing = match answer {
        Ok(shown) => return shown,
        Err(missing) => missing,
    };
    let reason = match missing {
        Missing::Unreachable => Reason::Unreachable,
        Missing::TooSlow => Reason::TooSlow,
        Missing::Overloaded => Reason::Overloaded,
        Missing::NotPermitted => Reason::NotPermitted,
        Missing::Failed => Reason::Failed,
    };
    unavailable.push(pb::UnavailableSection { section: section.into(), reason: reason.into() });
    Shown { entries: Vec::new(), more: false }
}
