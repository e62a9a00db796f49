//! Work handed over, its types forgotten: so many kinds fit one queue, and what runs them is compiled once, here, and
//! not again in every crate that has work.

use crate::tx::{Hook, Scope};
use crate::work::{self, Ending, Work};
use crate::{DbError, Tx};
use futures::future::BoxFuture;
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

/// One caller's work, accepted and not yet begun.
pub(crate) trait Job: Send {
    fn scope(&self) -> Scope;
    /// Does the work, for `most` at the longest, without ending the transaction.
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx, most: Duration) -> BoxFuture<'t, Done>;
    /// Answers that the work could not be begun.
    fn refuse(self: Box<Self>, error: DbError);
}

/// How the transaction has to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By a commit.
    Keep,
    /// By a rollback; the connection is between statements.
    Undo,
    /// Stopped in the middle, perhaps of a statement.
    Broken,
}

/// Work that was done and waits for the commit to be answered.
pub(crate) struct Done {
    pub(crate) end: End,
    answer: Box<dyn FnOnce(Result<(), DbError>) + Send>,
    hooks: Vec<Hook>,
}

impl Done {
    /// Tells the caller, with the commit's error in place of the work's own answer if there is one: work that failed
    /// saw its neighbours' rows, which then never came to be.
    pub(crate) fn answer(self, committed: Result<(), DbError>) {
        if self.end == End::Keep && committed.is_ok() {
            self.hooks.into_iter().for_each(|hook| hook());
        }
        (self.answer)(committed);
    }

    /// Tells the caller of a read: there is nothing to commit, and nothing to do after it.
    pub(crate) fn answer_read(self) {
        (self.answer)(Ok(()));
    }
}

struct Accepted<T, E, F> {
    scope: Scope,
    work: F,
    answer: oneshot::Sender<Result<T, E>>,
    span: Span,
}

/// Makes a job of the work, and the place where its answer arrives.
pub(crate) fn accept<T, E, F>(scope: Scope, work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
where
    F: Work<T, E>,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    (Box::new(Accepted { scope, work, answer, span: Span::current() }), answered)
}

impl<T, E, F> Job for Accepted<T, E, F>
where
    F: Work<T, E>,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    fn scope(&self) -> Scope {
        self.scope.clone()
    }

    fn run<'t>(self: Box<Self>, tx: &'t mut Tx, most: Duration) -> BoxFuture<'t, Done> {
        let Self { work, answer, span, .. } = *self;
        Box::pin(
            async move {
                let (end, result) = match work::run(tx, most, work).await {
                    Ending::Kept(value) => (End::Keep, Ok(value)),
                    Ending::Refused(error) => (End::Undo, Err(error)),
                    Ending::Broken(error) => (End::Broken, Err(error.into())),
                };
                let answer = Box::new(move |committed: Result<(), DbError>| {
                    // A caller who went away is not told.
                    let _ = answer.send(committed.map_err(E::from).and(result));
                });
                Done { end, answer, hooks: tx.take_hooks() }
            }
            .instrument(span),
        )
    }

    fn refuse(self: Box<Self>, error: DbError) {
        let _ = self.answer.send(Err(error.into()));
    }
}
