//! An agent's notification stream, open the whole time: what came, how often, in which order.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::common::v1::{StreamStart, stream_start::Start};
use proto::notifications::v1 as pb;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::ledger::Ledger;
use crate::client::{Session, is_passing};
use crate::failure::Failure;

/// How long an agent waits before listening again after a cut.
const AFTER_A_CUT: Duration = Duration::from_millis(200);

/// How long a stream may take to open.
const TO_OPEN: Duration = Duration::from_secs(60);

/// What one notification was about: to whom, of what type, on which conversation or note.
pub(super) type About = (String, pb::NotificationType, String);

/// What all agents heard.
#[derive(Debug, Default)]
pub(super) struct Heard(Mutex<Account>);

#[derive(Debug, Default)]
pub(super) struct Account {
    /// How often each thing was told.
    pub(super) about: HashMap<About, u64>,
    /// Notifications which a stream brought twice, or out of order.
    pub(super) repeated: u64,
    /// Places in a feed which a stream left out.
    pub(super) gaps: u64,
}

impl Heard {
    pub(super) fn open(&self) -> MutexGuard<'_, Account> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that is kept open until this is dropped.
#[derive(Debug)]
pub(super) struct Listener(JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listener {
    /// Opens the stream of an agent and returns when the server says that it is open.
    pub(super) async fn open(
        api: Session,
        subject: &str,
        ledger: &Arc<Ledger>,
        heard: &Arc<Heard>,
        offered: &Arc<Notify>,
    ) -> Result<Self, Failure> {
        let (opened, is_open) = oneshot::channel();
        let ear = Ear {
            api,
            subject: subject.to_owned(),
            ledger: Arc::clone(ledger),
            heard: Arc::clone(heard),
            offered: Arc::clone(offered),
            seen: HashSet::new(),
            last: None,
            start: Start::FromNow(()),
            opened: Some(opened),
        };
        let listener = Self(tokio::spawn(ear.listen()));
        let what = format!("the notification stream of {subject} does not open");
        match tokio::time::timeout(TO_OPEN, is_open).await {
            Ok(Ok(Ok(()))) => Ok(listener),
            Ok(Ok(Err(status))) => Err(Failure::call(what, &status)),
            _ => Err(Failure(what)),
        }
    }
}

struct Ear {
    api: Session,
    subject: String,
    ledger: Arc<Ledger>,
    heard: Arc<Heard>,
    /// Rung when something is offered.
    offered: Arc<Notify>,
    seen: HashSet<String>,
    last: Option<i64>,
    start: Start,
    /// Whoever waits for the stream to open, or for why it does not.
    opened: Option<oneshot::Sender<Result<(), tonic::Status>>>,
}

impl Ear {
    /// Listens, and again after each cut, behind what was heard last.
    async fn listen(mut self) {
        loop {
            // Whatever ended the stream, the resume token says where to go on; but one that never opened may never.
            if let Err(status) = self.until_cut().await
                && !is_passing(&status)
                && let Some(opened) = self.opened.take()
            {
                let _ = opened.send(Err(status));
            }
            tokio::time::sleep(AFTER_A_CUT).await;
        }
    }

    async fn until_cut(&mut self) -> Result<(), tonic::Status> {
        let start = StreamStart { start: Some(self.start.clone()) };
        let request = pb::SubscribeRequest { start: Some(start) };
        let mut stream = self.api.notifications().subscribe(request).await?.into_inner();
        while let Some(answer) = stream.message().await? {
            if !answer.resume_token.is_empty() {
                self.start = Start::ResumeToken(answer.resume_token);
            }
            match answer.frame {
                Some(pb::subscribe_response::Frame::Opened(_)) => {
                    if let Some(opened) = self.opened.take() {
                        let _ = opened.send(Ok(()));
                    }
                }
                Some(pb::subscribe_response::Frame::Notification(notification)) => self.hear(notification),
                _ => {}
            }
        }
        Ok(())
    }

    fn hear(&mut self, notification: pb::Notification) {
        let kind = notification.r#type();
        let mut heard = self.heard.open();
        let expected = self.last.map_or(notification.sequence, |last| last + 1);
        if !self.seen.insert(notification.notification_id) || notification.sequence < expected {
            heard.repeated += 1;
        } else if notification.sequence > expected {
            heard.gaps += u64::try_from(notification.sequence - expected).unwrap_or(1);
        }
        self.last = self.last.max(Some(notification.sequence));
        let object = match kind {
            pb::NotificationType::Mentioned => notification.note_id,
            _ => notification.conversation_id.clone(),
        };
        *heard.about.entry((self.subject.clone(), kind, object)).or_default() += 1;
        drop(heard);
        if kind == pb::NotificationType::Offered {
            self.offered.notify_one();
        }
        if kind == pb::NotificationType::Assigned {
            let mut ledger = self.ledger.open();
            ledger.assignees.insert(notification.conversation_id, self.subject.clone());
        }
    }
}
