//! Who in this process listens to what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::OrgId;
use tokio::sync::{Notify, broadcast};

use super::Woken;

/// Hints a topic's subscriber may be behind before it misses some.
const BACKLOG: usize = 1_024;

type Bells = HashMap<OrgId, HashMap<String, Vec<Arc<Notify>>>>;

#[derive(Default)]
struct Topic {
    subscribers: Option<broadcast::Sender<Woken>>,
    bells: Bells,
}

/// The listeners of one process, by topic. A topic once listened to stays, as there are few.
#[derive(Default)]
pub(super) struct Exchange {
    topics: Mutex<HashMap<&'static str, Topic>>,
    more_topics: Arc<Notify>,
}

impl Exchange {
    pub(super) fn announce(&self, topic: &str, org: &OrgId, key: &str) {
        let topics = self.topics();
        let Some(topic) = topics.get(topic) else { return };
        if let Some(subscribers) = &topic.subscribers {
            // Fails if nobody subscribes at the moment, which is fine.
            let _nobody = subscribers.send(Woken { org: org.clone(), key: key.to_owned() });
        }
        let bells = topic.bells.get(org).and_then(|keys| keys.get(key));
        for bell in bells.into_iter().flatten() {
            bell.notify_one();
        }
    }

    /// Rings every bell: hints may have been lost.
    pub(super) fn announce_everything(&self) {
        let topics = self.topics();
        for bell in topics.values().flat_map(|topic| topic.bells.values()).flat_map(HashMap::values).flatten()
        {
            bell.notify_one();
        }
    }

    pub(super) fn subscribe(&self, topic: &'static str) -> broadcast::Receiver<Woken> {
        let mut topics = self.topics();
        let subscribers = &mut self.listen(&mut topics, topic).subscribers;
        subscribers.get_or_insert_with(|| broadcast::Sender::new(BACKLOG)).subscribe()
    }

    /// A new bell for a key.
    pub(super) fn hang(&self, topic: &'static str, org: &OrgId, key: &str) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        let mut topics = self.topics();
        let keys = self.listen(&mut topics, topic).bells.entry(org.clone()).or_default();
        keys.entry(key.to_owned()).or_default().push(Arc::clone(&bell));
        bell
    }

    /// The topic, which from now on is listened to.
    fn listen<'a>(&self, topics: &'a mut HashMap<&'static str, Topic>, topic: &'static str) -> &'a mut Topic {
        topics.entry(topic).or_insert_with(|| {
            self.more_topics.notify_one();
            Topic::default()
        })
    }

    /// Notified when [`Exchange::listened`] has grown.
    pub(super) fn more_topics(&self) -> Arc<Notify> {
        Arc::clone(&self.more_topics)
    }

    pub(super) fn take_down(&self, topic: &str, org: &OrgId, key: &str, bell: &Arc<Notify>) {
        let mut topics = self.topics();
        let Some(bells) = topics.get_mut(topic).map(|topic| &mut topic.bells) else { return };
        let Some(keys) = bells.get_mut(org) else { return };
        if let Some(of_key) = keys.get_mut(key) {
            of_key.retain(|other| !Arc::ptr_eq(other, bell));
            if of_key.is_empty() {
                keys.remove(key);
            }
        }
        if keys.is_empty() {
            bells.remove(org);
        }
    }

    /// What this process listens to.
    pub(super) fn listened(&self) -> Vec<&'static str> {
        self.topics().keys().copied().collect()
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<&'static str, Topic>> {
        // A panic under the lock leaves the map whole: each change to it is one call.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
