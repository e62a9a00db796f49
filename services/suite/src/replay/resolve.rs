//! Ends the conversations in which the customer said goodbye.

use futures::stream::{self, StreamExt};
use proto::routing::v1 as pb;

use super::ledger::Ledger;

use crate::client::{Session, patiently};
use crate::failure::Failure;
use crate::progress::{Progress, Whole};

/// Resolves each conversation of the file whose last message says goodbye, unless it is resolved already: so a run that
/// was interrupted is made good by the next. What is refused is said here, and counted when everything is read back.
pub(super) async fn closing_ones(
    channel: &Session,
    ledger: &Ledger,
    progress: &Progress,
    concurrency: usize,
) {
    let closing = ledger.open().to_be_resolved();
    progress.begin("resolved", Whole::of(closing.len()));
    stream::iter(closing)
        .for_each_concurrent(concurrency, |conversation_id| async move {
            let request = pb::ResolveConversationRequest { conversation_id, etag: String::new() };
            let answer = patiently(|| {
                let (mut conversations, request) = (channel.conversations(), request.clone());
                async move { conversations.resolve_conversation(request).await }
            })
            .await;
            match answer {
                Ok(_) => {
                    ledger.open().resolved += 1;
                    progress.one_more();
                }
                Err(status) => {
                    let what = format_args!("conversation {} is not resolved", request.conversation_id);
                    progress.say(Failure::call(what, &status));
                }
            }
        })
        .await;
}
