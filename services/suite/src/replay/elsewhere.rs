//! Conversations that went to people whose streams the replay does not listen to: the organization's own.

use std::sync::Arc;
use std::time::Duration;

use proto::routing::v1 as pb;

use super::ledger::Ledger;
use super::office::SharedOffice;
use crate::client::{Session, patiently};

/// How long a conversation may be without an assignee that was heard of before somebody looks.
const UNHEARD: Duration = Duration::from_secs(2);

/// How often, and at how many at most, is looked.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_AT: usize = 50;

/// Looks for them until it is stopped, and notes them in the ledger. What cannot be asked now is asked again.
pub(super) async fn look(channel: Session, ledger: Arc<Ledger>, office: SharedOffice) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let unheard = ledger.open().unheard(UNHEARD, LOOK_AT);
        for conversation_id in unheard {
            let request = pb::GetConversationRequest { conversation_id };
            let answer = patiently(|| {
                let (mut conversations, request) = (channel.conversations(), request.clone());
                async move { conversations.get_conversation(request).await }
            })
            .await;
            let conversation = answer.ok().and_then(|answer| answer.conversation);
            let assignee = conversation.and_then(|conversation| conversation.assignee);
            if assignee.is_some_and(|assignee| office.now().agent(&assignee.subject).is_none()) {
                ledger.open().elsewhere.insert(request.conversation_id);
            }
        }
    }
}
