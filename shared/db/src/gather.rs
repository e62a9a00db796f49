//! Many callers' questions in one statement.

use crate::{Db, DbError, Tx};
use futures::future::BoxFuture;
use kernel::OrgId;
use std::collections::{HashMap, hash_map};
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;
use tracing::Instrument;

/// Questions in one statement, at most. A power of two: see [`Gather::new`].
const AT_ONCE: usize = 64;
/// Reads of one organization that are under way at a time; while they are, questions gather.
const READS: usize = 2;

/// Reads the rows of some keys; keys without a row are left out.
pub type Load<K, V> = for<'t> fn(&'t mut Tx, Vec<K>) -> BoxFuture<'t, Result<Vec<(K, V)>, DbError>>;

/// Answers questions for single rows, those that come at the same time with one statement: a read transaction costs
/// PostgreSQL three round trips, whether it is for one row or for sixty.
///
/// A lone question is not made to wait for company. Every question is answered from a snapshot taken after it was asked,
/// so a caller finds what they wrote.
pub struct Gather<K, V>(Arc<Inner<K, V>>);

struct Inner<K, V> {
    db: Db,
    load: Load<K, V>,
    desks: Mutex<HashMap<OrgId, Desk<K, V>>>,
}

/// One organization's questions; gone when there are none.
struct Desk<K, V> {
    waiting: Vec<Question<K, V>>,
    reads: usize,
}

struct Question<K, V> {
    key: K,
    answer: oneshot::Sender<Result<Option<V>, DbError>>,
}

impl<K, V> Clone for Gather<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K, V> fmt::Debug for Gather<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").finish_non_exhaustive()
    }
}

impl<K, V> Gather<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + 'static,
{
    /// Questions about rows that `load` reads from `db`. It is given 1, 2, 4 .. 64 keys, some of them perhaps more than
    /// once, so that there are few statements to prepare.
    pub fn new(db: Db, load: Load<K, V>) -> Self {
        Self(Arc::new(Inner { db, load, desks: Mutex::default() }))
    }

    /// The row of this key, if the organization has it.
    ///
    /// # Errors
    /// [`DbError`] of the read.
    pub async fn ask(&self, org: &OrgId, key: K) -> Result<Option<V>, DbError> {
        let (answer, answered) = oneshot::channel();
        if self.0.queue(org, Question { key, answer }) {
            // A task of its own: others wait for it too, whoever goes away.
            tokio::spawn(Arc::clone(&self.0).serve(org.clone()).in_current_span());
        }
        answered.await.unwrap_or(Err(DbError::Closed))
    }
}

impl<K, V> Inner<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + 'static,
{
    /// Queues a question; true if another read may begin for it.
    fn queue(&self, org: &OrgId, question: Question<K, V>) -> bool {
        let mut desks = self.desks();
        let desk = desks.entry(org.clone()).or_insert_with(|| Desk { waiting: Vec::new(), reads: 0 });
        desk.waiting.push(question);
        let free = desk.reads < READS;
        desk.reads += usize::from(free);
        free
    }

    /// The next questions; none, and one read less, if nobody waits.
    fn next(&self, org: &OrgId) -> Vec<Question<K, V>> {
        let mut desks = self.desks();
        let hash_map::Entry::Occupied(mut desk) = desks.entry(org.clone()) else { return Vec::new() };
        let waiting = &mut desk.get_mut().waiting;
        let next: Vec<_> = waiting.drain(..waiting.len().min(AT_ONCE)).collect();
        if next.is_empty() {
            desk.get_mut().reads -= 1;
            if desk.get().reads == 0 {
                desk.remove();
            }
        }
        next
    }

    async fn serve(self: Arc<Self>, org: OrgId) {
        loop {
            let questions = self.next(&org);
            if questions.is_empty() {
                return;
            }
            let (keys, load) = (keys(&questions), self.load);
            let read: Result<Vec<(K, V)>, DbError> =
                self.db.read(&org, move |tx| Box::pin(async move { load(tx, keys).await })).await;
            let read: Result<HashMap<K, V>, DbError> = read.map(|rows| rows.into_iter().collect());
            for Question { key, answer } in questions {
                let row = read.as_ref().map(|rows| rows.get(&key).cloned()).map_err(DbError::clone);
                // Who went away needs no answer.
                let _ = answer.send(row);
            }
        }
    }

    fn desks(&self) -> std::sync::MutexGuard<'_, HashMap<OrgId, Desk<K, V>>> {
        // Nothing under the lock can panic half way through a change.
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys, the last one repeated up to the next power of two.
fn keys<K: Clone, V>(questions: &[Question<K, V>]) -> Vec<K> {
    let mut keys: Vec<K> = questions.iter().map(|question| question.key.clone()).collect();
    if let Some(last) = keys.last().cloned() {
        keys.resize(keys.len().next_power_of_two(), last);
    }
    keys
}
