//! Ends the conversations in which the customer said goodbye.

use futures::stream::{self, TryStreamExt};
use proto::routing::v1 as pb;

use super::ledger::Ledger;
use crate::client::{Session, patiently};
use crate::failure::Failure;

/// Resolves each conversation that this run changed and whose last message says goodbye.
pub(super) async fn closing_ones(
    channel: &Session,
    ledger: &Ledger,
    concurrency: usize,
) -> Result<(), Failure> {
    let closing: Vec<String> = {
        let account = ledger.open();
        let closing = account.conversations.values().filter(|entry| entry.closes && entry.changed);
        closing.map(|entry| entry.conversation_id.clone()).collect()
    };
    stream::iter(closing.into_iter().map(Ok))
        .try_for_each_concurrent(concurrency, |conversation_id| async move {
            let request = pb::ResolveConversationRequest { conversation_id, etag: String::new() };
            patiently(|| {
                let (mut conversations, request) = (channel.conversations(), request.clone());
                async move { conversations.resolve_conversation(request).await }
            })
            .await
            .map(drop)
            .map_err(|status| Failure::call(format_args!("resolve {}", request.conversation_id), &status))
        })
        .await
}
