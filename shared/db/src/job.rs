//! Work handed over, its types forgotten: so many kinds fit one queue, and what runs them is compiled once, here, and
//! not again for every kind of work there is.

use crate::tx::{Hook, Scope};
use crate::work::{self, Durability, End, Work};
use crate::{DbError, Tx};
use futures::future::BoxFuture;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::{Instrument, Span};

/// One caller's work, accepted and not yet begun.
pub(crate) struct Job {
    pub(crate) scope: Scope,
    pub(crate) durability: Durability,
    task: Box<dyn Task>,
    answered: oneshot::Sender<()>,
    span: Span,
}

/// What is different about each kind of work: as little as can be, since it is compiled for each.
pub(crate) trait Task: Send {
    /// Does the work and keeps its result; true if it is to be committed.
    fn work<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    /// Puts the error in place of whatever the result is.
    fn fail(&mut self, error: DbError);
}

/// Where the caller finds the result of work.
pub(crate) struct Answer<T, E> {
    answered: oneshot::Receiver<()>,
    result: Slot<T, E>,
}

/// Work that was done and waits for the commit to be answered.
pub(crate) struct Done {
    pub(crate) end: End,
    task: Box<dyn Task>,
    answered: oneshot::Sender<()>,
    hooks: Vec<Hook>,
}

impl Job {
    /// Does the work, for `most` at the longest, without ending the transaction.
    pub(crate) async fn run(self, tx: &mut Tx, most: Duration) -> Done {
        let Self { mut task, answered, span, .. } = self;
        let end = work::run(tx, most, &mut *task).instrument(span).await;
        Done { end, task, answered, hooks: tx.take_hooks() }
    }

    /// Answers that the work could not be begun.
    pub(crate) fn refuse(mut self, error: DbError) {
        self.task.fail(error);
        tell(self.answered);
    }
}

impl Done {
    /// Tells the caller, with the commit's error in place of the work's own answer if there is one: work that failed
    /// saw its neighbours' rows, which then never came to be.
    pub(crate) fn answer(mut self, committed: Result<(), DbError>) {
        match committed {
            Ok(()) if self.end == End::Keep => self.hooks.into_iter().for_each(|hook| hook()),
            Ok(()) => {}
            Err(error) => self.task.fail(error),
        }
        tell(self.answered);
    }

    /// Tells the caller of a read: there is nothing to commit, and nothing to do after it.
    pub(crate) fn answer_read(self) {
        tell(self.answered);
    }
}

fn tell(answered: oneshot::Sender<()>) {
    // A caller who went away is not told.
    let _ = answered.send(());
}

/// Written by the work, read by the caller once it is told.
struct Slot<T, E>(Arc<Mutex<Option<Result<T, E>>>>);

impl<T, E> Slot<T, E> {
    fn put(&self, result: Result<T, E>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    }

    fn take(&self) -> Option<Result<T, E>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

struct Accepted<T, E, F> {
    work: Option<F>,
    result: Slot<T, E>,
}

/// Makes a job of the work, and the place where its answer arrives.
pub(crate) fn accept<T, E, F>(scope: Scope, durability: Durability, work: F) -> (Job, Answer<T, E>)
where
    F: Work<T, E>,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    let (tell, answered) = oneshot::channel();
    let result = Slot(Arc::default());
    let answer = Answer { answered, result: Slot(Arc::clone(&result.0)) };
    let task = Box::new(Accepted { work: Some(work), result });
    (Job { scope, durability, task, answered: tell, span: Span::current() }, answer)
}

impl<T, E: From<DbError>> Answer<T, E> {
    /// The result, once the work has ended and, if it wrote, is as durable as it is to be.
    pub(crate) async fn get(self) -> Result<T, E> {
        // Every accepted job is answered; only a runtime that is shutting down drops one.
        let told = self.answered.await.is_ok();
        self.result.take().filter(|_| told).unwrap_or_else(|| Err(DbError::Closed.into()))
    }
}

impl<T, E, F> Task for Accepted<T, E, F>
where
    F: Work<T, E>,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    fn work<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            let Some(work) = self.work.take() else { return false };
            let result = work(tx).await;
            let keep = result.is_ok();
            self.result.put(result);
            keep
        })
    }

    fn fail(&mut self, error: DbError) {
        self.result.put(Err(error.into()));
    }
}
