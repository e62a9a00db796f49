//! An entry as a row.

use kernel::{ConversationId, NoteId, NotificationId, Role, Subject, Timestamp};

use crate::domain::notification::Handling;
use crate::domain::{Actor, Notification, NotificationType, Reason, Sequence};

/// The columns of a [`Row`].
macro_rules! columns {
    () => {
        "notification_id, sequence, type, reason, conversation_id, note_id, actor_subject, actor_role, actor_name, \
         occur_time, create_time, read_time, archive_time, snooze_until_time"
    };
}
pub(super) use columns;

#[derive(db::FromRow)]
pub(super) struct Row {
    notification_id: NotificationId,
    sequence: Sequence,
    #[sqlx(rename = "type")]
    kind: NotificationType,
    reason: String,
    conversation_id: Option<ConversationId>,
    note_id: Option<NoteId>,
    actor_subject: Option<Subject>,
    actor_role: Option<String>,
    actor_name: Option<String>,
    occur_time: Timestamp,
    create_time: Timestamp,
    #[sqlx(flatten)]
    handling: Handling,
}

impl From<Row> for Notification {
    fn from(row: Row) -> Self {
        // Written together or not at all.
        let role = row.actor_role.and_then(|role| Role::parse(&role).ok());
        let actor = row.actor_subject.zip(role).map(|(subject, role)| {
            let name = row.actor_name.unwrap_or_default();
            Actor { subject, role, name }
        });
        Self {
            notification_id: row.notification_id,
            sequence: row.sequence,
            kind: row.kind,
            reason: Reason::stored(row.reason),
            conversation_id: row.conversation_id,
            note_id: row.note_id,
            actor,
            occur_time: row.occur_time,
            create_time: row.create_time,
            handling: row.handling,
        }
    }
}
