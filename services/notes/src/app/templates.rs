//! Templates for notes.

use audit::{Event, Origin};
use db::{Retry, Tx};
use kernel::{PageSize, Timestamp};
use rpc::Call;

use super::App;
use crate::domain::{Field, Template, TemplateId, TemplateText};
use crate::error::Error;
use crate::store;

/// What page tokens of this list are sealed as.
const LIST: &str = "notes.templates";

/// What changes of a template; `None` stays as it is.
#[derive(Debug)]
pub struct TemplateChange {
    /// Its name.
    pub name: Option<String>,
    /// Its text.
    pub body: Option<String>,
    /// Its fields.
    pub fields: Option<Vec<Field>>,
}

impl App {
    /// Makes a template.
    ///
    /// # Errors
    /// [`Error::TemplateNameTaken`], [`Error::Reused`], [`Error::Database`].
    pub async fn create_template(
        &self,
        call: &Call,
        retry: Retry,
        name: String,
        text: TemplateText,
    ) -> Result<Template, Error> {
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let id = self.clock.new_id().into();
        let template = Template { id, version: 1, name, text, create_time: now, update_time: now };
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                store::templates::insert_template(tx, &template).await?;
                audit::record(tx, &origin, &[Event::new("note_template.create", id)]).await?;
                Ok(template)
            })
        });
        write.await.map_err(|error: Error| error.of_request(request_id).of_template())
    }

    /// Reads one template.
    ///
    /// # Errors
    /// [`Error::NoSuchTemplate`], [`Error::Database`].
    pub async fn get_template(&self, call: &Call, id: TemplateId) -> Result<Template, Error> {
        let read =
            self.db.read(&call.caller.org, move |tx| Box::pin(store::templates::find_template(tx, id)));
        read.await?.ok_or(Error::NoSuchTemplate)
    }

    /// Lists templates by name, and gives the token of the next page.
    ///
    /// # Errors
    /// [`Error::Malformed`] for a token of another list, [`Error::Database`].
    pub async fn list_templates(
        &self,
        call: &Call,
        size: PageSize,
        token: &str,
    ) -> Result<(Vec<Template>, String), Error> {
        let org = &call.caller.org;
        let after: String = match token {
            "" => String::new(),
            token => self.opened(LIST, org.as_str(), token)?,
        };
        let read = self.db.read(org, move |tx| {
            Box::pin(async move { store::templates::list_templates(tx, &after, size.and_one()).await })
        });
        let mut templates: Vec<Template> = read.await?;
        let more = templates.len() > size.get();
        templates.truncate(size.get());
        let last = templates.last().filter(|_| more);
        let next = last.map(|last| self.seal.seal(LIST, org.as_str().as_bytes(), &last.name));
        Ok((templates, next.unwrap_or_default()))
    }

    /// Changes a template. What changes nothing leaves it as it is.
    ///
    /// # Errors
    /// [`Error::NoSuchTemplate`], [`Error::StaleVersion`], [`Error::TemplateNameTaken`], [`Error::Misfit`] if text and fields do
    /// not fit each other any more, [`Error::Reused`], [`Error::Database`].
    pub async fn update_template(
        &self,
        call: &Call,
        retry: Retry,
        id: TemplateId,
        change: TemplateChange,
        expected: Option<i64>,
    ) -> Result<Template, Error> {
        let (now, request_id) = (self.clock.now(), retry.request_id);
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                let before = lock(tx, id, expected).await?;
                update(tx, before, change, now, &origin).await
            })
        });
        write.await.map_err(|error: Error| error.of_request(request_id).of_template())
    }

    /// Deletes a template.
    ///
    /// # Errors
    /// [`Error::NoSuchTemplate`], [`Error::StaleVersion`], [`Error::Reused`], [`Error::Database`].
    pub async fn delete_template(
        &self,
        call: &Call,
        retry: Retry,
        id: TemplateId,
        expected: Option<i64>,
    ) -> Result<(), Error> {
        let request_id = retry.request_id;
        let origin = runtime::origin(call).of_request(request_id);
        let write = self.db.write_once(&call.caller.org, retry, move |tx| {
            Box::pin(async move {
                lock(tx, id, expected).await?;
                store::templates::delete_template(tx, id).await?;
                Ok(audit::record(tx, &origin, &[Event::new("note_template.delete", id)]).await?)
            })
        });
        write.await.map_err(|error: Error| error.of_request(request_id))
    }
}

async fn lock(tx: &mut Tx, id: TemplateId, expected: Option<i64>) -> Result<Template, Error> {
    let template = store::templates::lock_template(tx, id).await?.ok_or(Error::NoSuchTemplate)?;
    match expected {
        Some(expected) if expected != template.version => {
            Err(Error::StaleVersion { current: template.version })
        }
        _ => Ok(template),
    }
}

async fn update(
    tx: &mut Tx,
    before: Template,
    change: TemplateChange,
    now: Timestamp,
    origin: &Origin,
) -> Result<Template, Error> {
    let TemplateChange { name, body, fields } = change;
    let body = body.unwrap_or_else(|| before.text.body().to_owned());
    let fields = fields.unwrap_or_else(|| before.text.fields().to_vec());
    let text = TemplateText::parse(body, fields).map_err(Error::Misfit)?;
    let name = name.unwrap_or_else(|| before.name.clone());
    if name == before.name && text == before.text {
        return Ok(before);
    }
    let template = Template { name, text, version: before.version + 1, update_time: now, ..before };
    store::templates::update_template(tx, &template).await?;
    audit::record(tx, origin, &[Event::new("note_template.update", template.id)]).await?;
    Ok(template)
}
