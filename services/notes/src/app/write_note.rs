//! What has to be known before a note is written: whether it may be written there, whom it mentions, what it replies to.

use audit::Origin;
use db::Retry;
use futures::future::try_join;
use kernel::{ContactId, ConversationId, NoteId, OrgId};
use rpc::Call;

use super::create_note::{Draft, NewNote, record};
use super::{App, read_notes};
use crate::domain::{
    Author, Body, Filling, Handle, NoReply, Note, Place, Receipt, Reply, Unfilled, handles_in,
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
    /// [`Error::AnotherContact`], [`Error::ConversationRequired`]; [`Error::NoSuchNote`], [`Error::NoteDeleted`],
    /// [`Error::ReplyElsewhere`] of the note it replies to; [`Error::NoSuchTemplate`], [`Error::TemplateFieldsMissing`],
    /// [`Error::Misfit`], [`Error::Malformed`] of the template and its values; [`Error::Reused`], [`Error::Database`].
    /// Nothing is written then.
    pub async fn create_note(&self, call: &Call, retry: Retry, writing: Writing) -> Result<Note, Error> {
        let org = &call.caller.org;
        let body = match &writing.text {
            Text::Written(body, _) => Some(body.clone()),
            Text::Filled(_) => None,
        };
        let origin = runtime::origin(call).of_request(retry.request_id);
        let draft = match self.prepare(call, origin, writing).await {
            Ok(draft) => draft,
            Err(refusal) => return self.answered_before(org, retry, refusal, body).await,
        };
        let mine = draft.note_id();
        let note = record(&self.db, &self.outbox, org, retry, draft).await?;
        self.wake_watchers(call, &note.place);
        if note.note_id == mine || body.is_some() {
            return Ok(note);
        }
        // A retry, and the template may have changed: the answer is the text that came of it the first time.
        let body = self.first_text(org, note.note_id).await?;
        Ok(Note { body, ..note })
    }

    async fn prepare(&self, call: &Call, origin: Origin, writing: Writing) -> Result<Draft, Error> {
        let org = &call.caller.org;
        let Writing { on, author, text, reply_to } = writing;
        let (body, handles) = match text {
            Text::Written(body, handles) => (body, handles),
            Text::Filled(filling) => self.filled(org, filling).await?,
        };
        // The caller's own token for both: the peers decide as for that person. No transaction is open.
        let (place, directory) = try_join(self.place(call, on), self.peers.resolve(call, &handles)).await?;
        let reply = match reply_to {
            Some(note_id) => Some(self.reply(org, note_id, &place).await?),
            None => None,
        };
        Ok(Draft::new(&self.clock, NewNote { place, reply, author, body, handles, origin }, &directory))
    }

    async fn place(&self, call: &Call, on: On) -> Result<Place, Error> {
        match on {
            On::Conversation(conversation_id) => {
                let contact_id = self.peers.contact_of(call, conversation_id).await?;
                Ok(Place::Conversation { conversation_id, contact_id })
            }
            On::Contact { contact_id, within: Some(conversation) } => {
                if self.peers.contact_of(call, conversation).await? != contact_id {
                    return Err(Error::AnotherContact);
                }
                Ok(Place::Contact { contact_id, origin: Some(conversation) })
            }
            On::Contact { contact_id, within: None } => {
                let settings =
                    self.db.read(&call.caller.org, |tx| Box::pin(store::settings::find_settings(tx))).await?;
                if settings.contact_note_requires_conversation {
                    return Err(Error::ConversationRequired);
                }
                self.peers.require_contact(call, contact_id).await?;
                Ok(Place::Contact { contact_id, origin: None })
            }
        }
    }

    async fn reply(&self, org: &OrgId, note_id: NoteId, place: &Place) -> Result<Reply, Error> {
        let note = read_notes::find(&self.db, org, note_id).await?;
        Reply::to(&note, place).map_err(|why| match why {
            NoReply::Deleted => Error::NoteDeleted { note_id },
            NoReply::Elsewhere => Error::ReplyElsewhere,
        })
    }

    async fn filled(&self, org: &OrgId, filling: Filling) -> Result<(Body, Vec<Handle>), Error> {
        let id = filling.template_id;
        let found = self.db.read(org, move |tx| Box::pin(store::templates::find_template(tx, id))).await?;
        let template = found.ok_or(Error::NoSuchTemplate)?;
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
        body: Option<Body>,
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
        let body = match body {
            Some(body) => body,
            None => self.first_text(org, receipt.note_id()).await?,
        };
        Ok(receipt.with_body(body))
    }

    /// The first text of a note; nothing, if it is gone.
    async fn first_text(&self, org: &OrgId, note_id: NoteId) -> Result<Body, Error> {
        let read = self.db.read(org, move |tx| Box::pin(store::revisions::list_revisions(tx, note_id, 0, 1)));
        Ok(read.await?.into_iter().next().map(|first| first.body).unwrap_or_default())
    }
}
