//! Work handed to the writer, its types forgotten so that many kinds fit one queue.

use crate::tx::{Hook, Scope};
use crate::work::{self, Ending, SQLITE_MOST, Work};
use crate::{DbError, Tx};
use futures::future::BoxFuture;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

/// One caller's work, accepted and not yet begun.
pub(super) trait Job: Send {
    fn scope(&self) -> Scope;
    /// Does the work, without ending the transaction.
    fn run<'t>(self: Box<Self>, tx: &'t mut Tx) -> BoxFuture<'t, Done>;
    /// Answers that the work could not be begun.
    fn refuse(self: Box<Self>, error: DbError);
}

/// Work that was done and waits for the commit to be answered.
pub(super) struct Done {
    /// False if it must be rolled back.
    pub(super) keep: bool,
    answer: Box<dyn FnOnce(Result<(), DbError>) + Send>,
    hooks: Vec<Hook>,
}

impl Done {
    /// Tells the caller, with the commit's error in place of the work's own answer if there is one: work that failed
    /// saw its neighbours' rows, which then never came to be.
    pub(super) fn answer(self, committed: Result<(), DbError>) {
        if self.keep && committed.is_ok() {
            self.hooks.into_iter().for_each(|hook| hook());
        }
        (self.answer)(committed);
    }
}

struct Accepted<T, E, F> {
    scope: Scope,
    work: F,
    answer: oneshot::Sender<Result<T, E>>,
    span: Span,
}

/// Makes a job of the work, and the place where its answer arrives.
pub(super) fn accept<T, E, F>(scope: Scope, work: F) -> (Box<dyn Job>, oneshot::Receiver<Result<T, E>>)
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

    fn run<'t>(self: Box<Self>, tx: &'t mut Tx) -> BoxFuture<'t, Done> {
        let Self { work, answer, span, .. } = *self;
        Box::pin(
            async move {
                let result = match work::run(tx, SQLITE_MOST, work).await {
                    Ending::Kept(value) => Ok(value),
                    Ending::Refused(error) => Err(error),
                    Ending::Broken(error) => Err(error.into()),
                };
                let keep = result.is_ok();
                let answer = Box::new(move |committed: Result<(), DbError>| {
                    // A caller who went away is not told.
                    let _ = answer.send(committed.map_err(E::from).and(result));
                });
                Done { keep, answer, hooks: tx.take_hooks() }
            }
            .instrument(span),
        )
    }

    fn refuse(self: Box<Self>, error: DbError) {
        let _ = self.answer.send(Err(error.into()));
    }
}
