//! `ErasureService`.

use proto::common::v1::ErasedCount;
use proto::routing::v1 as pb;

use crate::app::erase::Progress;

impl From<Progress> for pb::EraseContactResponse {
    fn from(progress: Progress) -> Self {
        let count = |it: erasure::Removed| ErasedCount { kind: it.kind, count: it.count };
        Self { done: progress.done, removed: progress.removed.into_iter().map(count).collect() }
    }
}
