//! Which entries a list shows.

use super::NotificationType;

/// A list's filter. Its default shows what a person's screen shows: neither archived nor snoozed, read or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only unread ones.
    pub unread_only: bool,
    /// Only of this type.
    pub kind: Option<NotificationType>,
    /// Also archived ones.
    pub include_archived: bool,
    /// Also those which are snoozed for now.
    pub include_snoozed: bool,
}

impl Filter {
    /// The filter as text: two filters have the same text only if they are the same.
    pub fn fingerprint(&self) -> String {
        let Self { unread_only, kind, include_archived, include_snoozed } = self;
        let kind = kind.map_or("any", NotificationType::as_str);
        format!("{unread_only}/{kind}/{include_archived}/{include_snoozed}")
    }
}
