//! The threads a person is in.

use kernel::PageSize;
use rpc::Call;

use super::{require_enabled, whole_threads};
use crate::app::App;
use crate::domain::internal_message::{InternalThread, InternalThreadId};
use crate::error::Error;
use crate::store::internal_messages::{people, threads};

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.internal_threads";

impl App {
    /// Lists the threads whose people include the caller, the latest opened first: the page, and the token of the next.
    ///
    /// # Errors
    /// [`Error::DisabledBySetting`], [`Error::Malformed`] for a token of another list, [`Error::Database`].
    pub async fn list_internal_threads(
        &self,
        call: &Call,
        unread_only: bool,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<InternalThread>, String), Error> {
        let (org, subject) = (&call.caller.org, call.caller.subject.clone());
        let binding = format!("{org}/{subject}/{unread_only}");
        let behind: InternalThreadId = match token {
            "" => threads::START,
            token => self
                .seal
                .open(LIST, binding.as_bytes(), token)
                .map_err(|malformed| malformed.at("page_token"))?,
        };
        let read = self.db.read(org, move |tx| {
            Box::pin(async move {
                require_enabled(tx).await?;
                let mut ids =
                    people::list_threads_of(tx, &subject, unread_only, behind, size.and_one()).await?;
                let more = ids.len() > size.get();
                ids.truncate(size.get());
                Ok::<_, Error>((whole_threads(tx, &ids).await?, ids.last().copied().filter(|_| more)))
            })
        });
        let (threads, last) = read.await?;
        let next = last.map(|last| self.seal.seal(LIST, binding.as_bytes(), &last)).unwrap_or_default();
        Ok((threads, next))
    }
}
