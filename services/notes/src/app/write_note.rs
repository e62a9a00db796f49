//! What has to be known before a note is written: whether it may be written there, whom it mentions, what it replies to.

use audit::Origin;
use db::Retry;
use futures::future::join3;
use kernel::{ContactId, ConversationId, NoteId, OrgId, Subject, Timestamp};
use rpc::Call;

use super::create_note::{Draft, NewNote, record};
use super::{App, read_notes};
use crate::domain::internal_message::Person;
use crate::domain::{
    Author, Body, Filling, Handle, Handoff, HandoffTexts, NoReply, Note, Place, Receipt, Reply, Unfilled,
    Urgency, handles_in,
};
use crate::error::Error;
use crate::store;

/// A note somebody wants to write.
#[derive(Debug)]
pub struct Writing {
    /// On what.
    pub on: On,
    /// Who writes it.
    pub author: Author,
    /// What it says.
    pub text: Text,
    /// The note it replies to.
    pub reply_to: Option<NoteId>,
    /// To whom it hands the conversation over, if it does.
    pub handoff: Option<NewHandoff>,
}

/// What shall make a note a handoff.
#[derive(Debug, Clone)]
pub struct NewHandoff {
    /// The username of who takes over.
    pub receiver: Handle,
    /// How soon.
    pub urgency: Urgency,
    /// By when it should be done.
    pub due_time: Option<Timestamp>,
    /// What it says beside the note's text.
    pub texts: HandoffTexts,
}

/// What a note shall be on.
#[derive(Debug, Clone, Copy)]
pub enum On {
    /// A conversation.
    Conversation(ConversationId),
    /// A contact.
    Contact {
        /// The contact.
        contact_id: ContactId,
        /// The conversation from within which it is written.
        within: Option<ConversationId>,
    },
}

/// What a note shall say.
#[derive(Debug)]
pub enum Text {
    /// As it is written here.
    Written(Body, Vec<Handle>),
    /// What comes of a template.
    Filled(Filling),
}

impl App {
    /// Writes a note on a conversation or a contact and tells whom it mentions, and whoever follows the thread it replies in. A
    /// retry has the first answer.
    ///
    /// # Errors
    /// [`Error::Routing`], [`Error::Contacts`] if what it is about is not there or the peer does not answer;
    /// [`Error::AnotherContact`], [`Error::ConversationRequired`]; [`Error::NoteDeleted`], [`Error::ReplyElsewhere`] of the note it
    /// replies to; [`Error::TemplateFieldsMissing`], [`Error::Misfit`], [`Error::Malformed`] of the template and its values;
    /// [`Error::Named`] where that note or the template is not there; [`Error::NoReceiver`] of a handoff;
    /// [`Error::Reused`], [`Error::Database`]. Nothing is written then.
    pub async fn create_note(&self, call: &Call, retry: Retry, writing: Writing) -> Result<Note, Error> {
        let org = &call.caller.org;
        let body = match &writing.text {
            Text::Written(body, _) => Some(body.clone()),
            Text::Filled(_) => None,
        };
        let said = Said { body, handoff: writing.handoff.as_ref().map(|handoff| handoff.texts.clone()) };
        let origin = runtime::origin(call).of_request(retry.request_id);
        let draft = match self.prepare(call, origin, writing).await {
            Ok(draft) => draft,
            Err(refusal) => return self.answered_before(org, retry, refusal, said).await,
        };
        let mine = draft.note_id();
        let note = record(&self.db, &self.outbox, org, retry, draft).await?;
        self.wake_watchers(call, &note.place);
        if note.note_id == mine || said.body.is_some() {
            return Ok(note);
        }
        // A retry, and the template may have changed: the answer is the text that came of it the first time.
        let body = self.first_text(org, note.note_id).await?;
        Ok(Note { body, ..note })
    }

    async fn prepare(&self, call: &Call, origin: Origin, writing: Writing) -> Result<Draft, Error> {
        let org = &call.caller.org;
        let Writing { on, author, text, reply_to, handoff } = writing;
        let (body, handles) = match text {
            Text::Written(body, handles) => (body, handles),
            Text::Filled(filling) => self.filled(org, filling).await?,
        };
        // The caller's own token for both: the peers decide as for that person. No transaction is open.
        let receiver = self.handoff(call, &author.subject, handoff);
        let asked = join3(self.place(call, on), self.peers.resolve(call, &handles), receiver).await;
        // In this order, whoever answers first: what is not there is told before anything else that is wrong.
        let (place, directory, handoff) = (asked.0?, asked.1?, asked.2?);
        let reply = match reply_to {
            Some(note_id) => {
                let reply = self.reply(org, note_id, &place).await;
                Some(reply.map_err(|error| error.named_by("reply_to"))?)
            }
            None => None,
        };
        Ok(Draft::new(
            &self.clock,
            NewNote { place, reply, author, body, handles, handoff, origin },
            &directory,
        )
        .announced(&self.clock, &self.announcer, org))
    }

    async fn place(&self, call: &Call, on: On) -> Result<Place, Error> {
        match on {
            On::Conversation(conversation_id) => {
                let contact_id = self.peers.contact_of(call, conversation_id).await;
                let contact_id = contact_id.map_err(|error| error.named_by("conversation_id"))?;
                Ok(Place::Conversation { conversation_id, contact_id })
            }
            On::Contact { contact_id, within: Some(conversation) } => {
                let theirs = self.peers.contact_of(call, conversation).await;
                let theirs = theirs.map_err(|error| error.named_by("conversation_id"))?;
                if !self.are_one(&call.caller.org, theirs, contact_id).await? {
                    return Err(Error::AnotherContact);
                }
                Ok(Place::Contact { contact_id: theirs, origin: Some(conversation) })
            }
            On::Contact { contact_id, within: None } => {
                let settings =
                    self.db.read(&call.caller.org, |tx| Box::pin(store::settings::find_settings(tx))).await?;
                if settings.contact_note_requires_conversation {
                    return Err(Error::ConversationRequired);
                }
                let there = self.peers.require_contact(call, contact_id).await;
                there.map_err(|error| error.named_by("contact_id"))?;
                Ok(Place::Contact { contact_id, origin: None })
            }
        }
    }

    /// What makes the note a handoff, with the person who has the name. Whoever hands over does not take over.
    async fn handoff(
        &self,
        call: &Call,
        author: &Subject,
        new: Option<NewHandoff>,
    ) -> Result<Option<Handoff>, Error> {
        let Some(NewHandoff { receiver, urgency, due_time, texts }) = new else { return Ok(None) };
        let receiver: Person = self.peers.find_agent(call, &receiver).await?.ok_or(Error::NoReceiver)?;
        if receiver.subject == *author {
            return Err(Error::NoReceiver);
        }
        Ok(Some(Handoff { receiver, team: None, urgency, due_time, texts, acknowledgement: None }))
    }

    async fn reply(&self, org: &OrgId, note_id: NoteId, place: &Place) -> Result<Reply, Error> {
        let note = read_notes::find(&self.db, org, note_id).await?;
        let (here, there) = (place.contact_id(), note.place.contact_id());
        let place = if self.are_one(org, here, there).await? { place.about(there) } else { *place };
        Reply::to(&note, &place).map_err(|why| match why {
            NoReply::Deleted => Error::NoteDeleted { note_id },
            NoReply::Elsewhere => Error::ReplyElsewhere,
        })
    }

    async fn filled(&self, org: &OrgId, filling: Filling) -> Result<(Body, Vec<Handle>), Error> {
        let id = filling.template_id;
        let found = self.db.read(org, move |tx| Box::pin(store::templates::find_template(tx, id))).await?;
        let absent = || Error::NoSuchTemplate.named_by("template.note_template_id");
        let template = found.ok_or_else(absent)?;
        let body = template.text.fill(&filling.values).map_err(|why| match why {
            Unfilled::Missing(keys) => Error::TemplateFieldsMissing { keys },
            Unfilled::Misfit(misfit) => Error::Misfit(misfit),
            Unfilled::Malformed(malformed) => Error::Malformed(malformed),
        })?;
        let handles = handles_in(body.as_str())?;
        Ok((body, handles))
    }

    /// The first answer, if this very request was done before; else its refusal. What it needs may have been changed or deleted
    /// since: a template, a setting, the note it replies to.
    async fn answered_before(
        &self,
        org: &OrgId,
        retry: Retry,
        refusal: Error,
        said: Said,
    ) -> Result<Note, Error> {
        let request_id = retry.request_id;
        if request_id.is_none() || matches!(refusal, Error::Routing(_) | Error::Contacts(_)) {
            return Err(refusal);
        }
        let asked = self.db.write(org, move |tx| {
            Box::pin(async move {
                db::once(tx, &retry, move |_| Box::pin(async move { Err::<Receipt, Error>(refusal) })).await
            })
        });
        let receipt = asked.await.map_err(|error: Error| error.of_request(request_id))?;
        let body = match said.body {
            Some(body) => body,
            None => self.first_text(org, receipt.note_id()).await?,
        };
        Ok(receipt.with_texts(body, said.handoff))
    }

    /// The first text of a note; nothing, if it is gone.
    async fn first_text(&self, org: &OrgId, note_id: NoteId) -> Result<Body, Error> {
        let read = self.db.read(org, move |tx| Box::pin(store::revisions::list_revisions(tx, note_id, 0, 1)));
        Ok(read.await?.into_iter().next().map(|first| first.body).unwrap_or_default())
    }
}

/// What a request says, which a retry says again: no body where a template is filled in.
struct Said {
    body: Option<Body>,
    handoff: Option<HandoffTexts>,
}
