//! A conversation of which a person wants to hear in their feed only.

use kernel::{ConversationId, Timestamp};

/// The most conversations that a person mutes at once.
pub const MUTES: i64 = 1_000;

/// A muted conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, db::FromRow)]
pub struct Mute {
    /// Which.
    pub conversation_id: ConversationId,
    /// Since when.
    pub create_time: Timestamp,
}
