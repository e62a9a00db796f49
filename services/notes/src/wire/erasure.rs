//! What an erasure removed.

use proto::common::v1::ErasedCount;
use proto::notes::v1 as pb;

use crate::app::erase::Progress;

impl From<Progress> for pb::EraseConversationsResponse {
    fn from(progress: Progress) -> Self {
        Self { done: progress.done, removed: counts(progress) }
    }
}

impl From<Progress> for pb::EraseContactResponse {
    fn from(progress: Progress) -> Self {
        Self { done: progress.done, removed: counts(progress) }
    }
}

fn counts(progress: Progress) -> Vec<ErasedCount> {
    let count = |it: erasure::Removed| ErasedCount { kind: it.kind, count: it.count };
    progress.removed.into_iter().map(count).collect()
}
