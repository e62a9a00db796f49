//! A message went in or out (R5). The hot path: four statements for a message of a known conversation, and one more where its customer
//! begins to wait for an agent.
//!
//! What a blocked contact writes calls nobody (C9). Contacts knows who is blocked, and is asked only where it matters: for a new
//! conversation, whose contact has to be resolved in any case, and before a message would open a conversation again. So a block holds
//! from the moment it is made, and a message of an open conversation costs what it did.

use std::collections::BTreeSet;

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{ContactId, ConversationId, DecisionId, EventId, MessageId, Timestamp};
use rpc::Call;

use super::App;
use super::history::author;
use super::prepared::Prepared;
use super::reopen::Reopened;
use super::waits::Change;
use super::workflow_runs::Occasion;
use crate::domain::conversation::{Conversation, Status, Turn};
use crate::domain::message::{Author, Direction, Message};
use crate::domain::ruleset::Ruleset;
use crate::error::Error;
use crate::peers::{self, KnownContact};
use crate::store;
use crate::store::conversations::{Key, Recipient};

/// Attempts at one message. Each but the last lost to another delivery of the same, or of the same conversation's first.
const TRIES: usize = 5;

/// A message to be recorded.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// The channel.
    pub channel: String,
    /// The channel's own id of it.
    pub external_id: String,
    /// Which way it went.
    pub direction: Direction,
    /// Its conversation.
    pub conversation: Key,
    /// The channel's own id of a new conversation.
    pub conversation_external_id: String,
    /// The customer's address.
    pub contact_address: String,
    /// What to call a new contact.
    pub contact_display_name: String,
    /// Where a new conversation comes from.
    pub source: String,
    /// What a new conversation is about.
    pub subject: String,
    /// Tags of a new conversation.
    pub tags: BTreeSet<String>,
    /// What was written.
    pub text: String,
    /// When, as the channel says.
    pub sent_time: Option<Timestamp>,
}

/// What became of it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The message as it is recorded.
    pub message: Message,
    /// Its conversation.
    pub conversation: Conversation,
    /// It was known before.
    pub duplicate: bool,
    /// It began the conversation.
    pub created: bool,
}

/// What contacts said of the contact of a message, as far as it was asked.
#[derive(Debug, Clone, Default)]
struct Asked {
    /// Who begins a conversation.
    beginner: Option<KnownContact>,
    /// Whether the contact of a conversation is blocked.
    block: Option<(ContactId, bool)>,
    /// What workflows turned out to need.
    prepared: Prepared,
}

impl Asked {
    /// Whether this contact is blocked, if that is known.
    fn blocked(&self, contact: ContactId) -> Option<bool> {
        let beginner = self.beginner.as_ref().map(|known| (known.id, known.blocked));
        self.block
            .into_iter()
            .chain(beginner)
            .find(|(known, _)| *known == contact)
            .map(|(_, blocked)| blocked)
    }
}

/// How far an attempt came.
enum Attempt {
    /// To the end.
    Done(Box<Recorded>),
    /// The message would open a conversation of this contact, of whom it is not known whether they are blocked. Nothing was written.
    WouldOpen(ContactId),
}

/// A message with the ids and times it is recorded under.
#[derive(Clone)]
pub(super) struct Stamped {
    pub(super) new: NewMessage,
    pub(super) message: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) decision: DecisionId,
    pub(super) event: EventId,
    pub(super) now: Timestamp,
    pub(super) author: Option<Author>,
    pub(super) origin: Origin,
}

impl App {
    /// Records a message once, however often it is delivered.
    ///
    /// # Errors
    /// [`Error::UnknownConversation`] for one that is not inbound, or without an address, of a conversation nobody
    /// knows; [`Error::Invalid`], [`Error::Peer`], [`Error::Db`].
    pub async fn record_message(&self, call: &Call, new: NewMessage) -> Result<Recorded, Error> {
        let stamped = self.stamp(call, new);
        let mut asked = Asked::default();
        for _ in 0..TRIES {
            match self.try_record(call, stamped.clone(), asked.clone()).await {
                Ok(Attempt::Done(recorded)) => return Ok(*recorded),
                Ok(Attempt::WouldOpen(contact)) => {
                    let known = peers::find_contact(&self.contacts, call, contact).await?;
                    asked.block = Some((contact, known.as_ref().is_some_and(|known| known.blocked)));
                    asked.prepared.knows(contact, known.map(|known| known.facts).unwrap_or_default());
                }
                Err(Error::Unprepared(missing)) => {
                    self.provide(&call.caller.org, &mut asked.prepared, missing).await;
                }
                Err(Error::UnknownConversation) if asked.beginner.is_none() => {
                    asked.beginner = Some(self.contact_of(call, &stamped.new).await?);
                }
                Err(Error::Db(error)) if error.violates_unique("messages") => {}
                // Whoever it was when we asked was erased since: the address is somebody new's.
                Err(Error::Db(error)) if erasure::refused(&error) => asked = Asked::default(),
                // The team that a workflow named was deleted with it meanwhile.
                Err(Error::Db(DbError::ForeignKey)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::Raced)
    }

    fn stamp(&self, call: &Call, new: NewMessage) -> Stamped {
        let caller = &call.caller;
        let author = (new.direction == Direction::Outbound).then(|| author(caller));
        Stamped {
            new,
            message: self.clock.new_id().into(),
            conversation: self.clock.new_id().into(),
            decision: self.clock.new_id().into(),
            event: self.clock.new_id().into(),
            now: self.clock.now(),
            author,
            origin: runtime::origin(call),
        }
    }

    /// Who began a conversation that nobody knows yet.
    async fn contact_of(&self, call: &Call, new: &NewMessage) -> Result<KnownContact, Error> {
        let begins = new.direction == Direction::Inbound && matches!(new.conversation, Key::External(_));
        if !begins {
            return Err(Error::UnknownConversation);
        }
        if new.contact_address.is_empty() {
            let reason = "is needed for the first message of a conversation".to_owned();
            return Err(Error::Invalid { field: "contact_address", reason });
        }
        let (address, name) = (&new.contact_address, &new.contact_display_name);
        Ok(peers::resolve_contact(&self.contacts, call, &new.channel, address, name).await?)
    }

    async fn try_record(&self, call: &Call, it: Stamped, asked: Asked) -> Result<Attempt, Error> {
        let app = self.clone();
        self.db
            .write(&call.caller.org, move |tx| {
                Box::pin(async move {
                    let new = &it.new;
                    store::locks::lock_teams(tx, &asked.prepared.teams()).await?;
                    let mut found = recipient(tx, new).await?;
                    if found.is_none() {
                        // Before it begins anything: of two first messages under one id the second finds the first here.
                        if let Some(known) = known(tx, new).await? {
                            return Ok(Attempt::Done(Box::new(known)));
                        }
                        let contact = asked.beginner.clone().ok_or(Error::UnknownConversation)?;
                        if let Some(recorded) = app.begin(tx, &it, contact).await? {
                            return Ok(Attempt::Done(Box::new(recorded)));
                        }
                        // Another first message of the conversation came first, and is committed now.
                        found = recipient(tx, new).await?;
                    }
                    match found {
                        Some(found) if found.known => {
                            known(tx, new).await?.map(Box::new).map(Attempt::Done).ok_or(Error::Raced)
                        }
                        Some(found) => {
                            let ruleset = app.rulesets.of_revision(tx, found.workflows).await?;
                            app.go_on(tx, &it, found.conversation, &ruleset, &asked).await
                        }
                        None => Err(Error::Raced),
                    }
                })
            })
            .await
    }

    /// Records a message of a known conversation, which is locked.
    async fn go_on(
        &self,
        tx: &mut Tx,
        it: &Stamped,
        mut conversation: Conversation,
        ruleset: &Ruleset,
        asked: &Asked,
    ) -> Result<Attempt, Error> {
        if conversation.channel != it.new.channel {
            let reason = "is not the channel of this conversation".to_owned();
            return Err(Error::Invalid { field: "channel", reason });
        }
        let was = conversation.clone();
        let unheard = match asked.blocked(conversation.contact) {
            _ if !conversation.would_open(it.new.direction) => false,
            Some(blocked) => blocked,
            None => return Ok(Attempt::WouldOpen(conversation.contact)),
        };
        let turn = if unheard {
            conversation.record_unheard(it.at());
            Turn::Same
        } else {
            conversation.record(it.new.direction, it.at())
        };
        conversation.next_entry(it.now);
        let message = it.message(&conversation);
        store::messages::insert_message(tx, &message).await?;
        let mut done = vec![Event::new("message.create", message.id)];
        if turn == Turn::Opened {
            done.push(Event::new("conversation.reopen", conversation.id));
            let why = Reopened { event: it.event, reason: "The customer wrote again", by: None };
            self.opened(tx, &mut conversation, was.status == Status::Snoozed, why).await?;
        }
        audit::record(tx, &it.origin, &done).await?;
        ruleset.policies().follow(&mut conversation, it.now);
        if !store::conversations::save_conversation(tx, &mut conversation).await? {
            return Err(Error::Raced);
        }
        self.ring_inboxes(tx);
        if it.new.direction == Direction::Inbound && !unheard {
            let occasion = Occasion::message(it.new.text.clone(), turn == Turn::Opened, it.now);
            conversation = self.run_workflows(tx, conversation, ruleset, occasion, &asked.prepared).await?;
        }
        self.begin_waits(tx, ruleset, &[Change { was: Some(&was), is: &conversation }]).await?;
        let recorded = Recorded { message, conversation, duplicate: false, created: false };
        Ok(Attempt::Done(Box::new(recorded)))
    }
}

impl Stamped {
    /// When it happened: as the channel says, though never later than now.
    pub(super) fn at(&self) -> Timestamp {
        self.new.sent_time.map_or(self.now, |sent| sent.min(self.now))
    }

    /// The message, as the last one of its conversation.
    pub(super) fn message(&self, conversation: &Conversation) -> Message {
        Message {
            id: self.message,
            conversation: conversation.id,
            position: conversation.message_count,
            channel: self.new.channel.clone(),
            external_id: self.new.external_id.clone(),
            direction: self.new.direction,
            text: self.new.text.clone(),
            author: self.author.clone(),
            sent_time: self.new.sent_time.unwrap_or(self.now),
            create_time: conversation.last_entry_time,
        }
    }
}

/// The conversation that a message is for, and what else has to be known of it.
async fn recipient(tx: &mut Tx, new: &NewMessage) -> Result<Option<Recipient>, DbError> {
    store::conversations::lock_recipient(tx, &new.conversation, &new.channel, &new.external_id).await
}

/// The message that this is a repeat of, with its conversation, which need not be the one named now.
async fn known(tx: &mut Tx, new: &NewMessage) -> Result<Option<Recorded>, DbError> {
    let Some(message) = store::messages::find_message(tx, &new.channel, &new.external_id).await? else {
        return Ok(None);
    };
    // A message without its conversation is being erased, and gone in a moment.
    let conversation =
        store::conversations::find_conversation(tx, message.conversation).await?.ok_or(DbError::Busy)?;
    Ok(Some(Recorded { message, conversation, duplicate: true, created: false }))
}
