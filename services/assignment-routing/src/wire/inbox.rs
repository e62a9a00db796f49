//! Views of the inbox.

use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::optional_id_of;

use super::conversation::conversation;
use crate::domain::view::{Entry, Filter, Sort, View};

/// What is asked for. A contact (not `inside`) lists by activity only, and by nothing that would tell how their
/// conversations are worked on.
///
/// # Errors
/// INVALID_FIELD for what a contact may not ask, an id of a channel without its channel, an id that is none.
pub fn filter(it: &pb::ListConversationsRequest, inside: bool) -> Result<Filter, Fault> {
    if !inside {
        for_contacts(it)?;
    }
    if !it.external_id.is_empty() && it.channel.is_empty() {
        return Err(Fault::invalid("channel", "is needed with external_id"));
    }
    if it.view() == pb::InboxView::Any && it.contact_id.is_empty() && it.external_id.is_empty() {
        return Err(Fault::invalid("contact_id", "is needed with the view ANY, unless external_id is given"));
    }
    if !it.team_id.is_empty() && it.view() != pb::InboxView::Team {
        return Err(Fault::invalid("team_id", "goes with the view TEAM only"));
    }
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Filter {
        view: if it.external_id.is_empty() { view_of(it.view(), inside) } else { View::Every },
        sort: match it.sort() {
            pb::ConversationSort::Unspecified | pb::ConversationSort::LastActivity => Sort::LastActivity,
            pb::ConversationSort::LongestWaiting => Sort::LongestWaiting,
            pb::ConversationSort::Priority => Sort::Priority,
        },
        team: optional_id_of("team_id", &it.team_id)?,
        contact: optional_id_of("contact_id", &it.contact_id)?,
        assignee: optional_id_of("assignee_id", &it.assignee_id)?,
        external_id: said(&it.external_id),
        channel: said(&it.channel),
        source: said(&it.source),
    })
}

fn for_contacts(it: &pb::ListConversationsRequest) -> Result<(), Fault> {
    use pb::{ConversationSort as Sorted, InboxView as Asked};
    if !matches!(it.view(), Asked::Unspecified | Asked::All | Asked::Resolved) {
        return Err(Fault::invalid("view", "contacts list their conversations as ALL or RESOLVED"));
    }
    if !matches!(it.sort(), Sorted::Unspecified | Sorted::LastActivity) {
        return Err(Fault::invalid("sort", "contacts list their conversations by LAST_ACTIVITY"));
    }
    if !it.assignee_id.is_empty() {
        return Err(Fault::invalid("assignee_id", "is not for contacts"));
    }
    Ok(())
}

fn view_of(view: pb::InboxView, inside: bool) -> View {
    match view {
        // To a contact there is no inbox: without a view they list whatever is theirs.
        pb::InboxView::Unspecified if !inside => View::Every,
        pb::InboxView::All if !inside => View::Unresolved,
        pb::InboxView::Unspecified | pb::InboxView::All => View::All,
        pb::InboxView::Mine => View::Mine,
        pb::InboxView::Unassigned => View::Unassigned,
        pb::InboxView::Team => View::Team,
        pb::InboxView::Mentioned => View::Mentioned,
        pb::InboxView::Unread => View::Unread,
        pb::InboxView::Resolved => View::Resolved,
        pb::InboxView::Snoozed => View::Snoozed,
        pb::InboxView::Any => View::Every,
    }
}

/// A line of a view. To contacts nothing is unread, and nobody mentions them.
#[must_use]
pub fn entry(it: Entry, inside: bool) -> pb::InboxEntry {
    pb::InboxEntry {
        conversation: Some(conversation(it.conversation, inside)),
        unread: inside && it.unread,
        mentioned: inside && it.mentioned,
    }
}

/// The size of a view.
#[must_use]
pub fn count((which, count): (View, i64)) -> pb::InboxCount {
    pb::InboxCount { view: view(which).into(), count }
}

/// A view for the wire.
#[must_use]
pub fn view(view: View) -> pb::InboxView {
    match view {
        View::Mine => pb::InboxView::Mine,
        View::Unassigned => pb::InboxView::Unassigned,
        View::Team => pb::InboxView::Team,
        View::Mentioned => pb::InboxView::Mentioned,
        View::Unread => pb::InboxView::Unread,
        View::All | View::Unresolved => pb::InboxView::All,
        View::Resolved => pb::InboxView::Resolved,
        View::Snoozed => pb::InboxView::Snoozed,
        View::Every => pb::InboxView::Unspecified,
    }
}
