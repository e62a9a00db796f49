//! An export, into a file.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use proto::contacts::v1 as pb;
use proto::contacts::v1::export_contacts_response::Frame;

use super::Format;
use crate::client::{Session, patiently};
use crate::counted::counted;
use crate::failure::Failure;
use crate::transfer::ApiFlags;
use crate::transfer::receiving::{Received, Receiving, What};
use crate::transfer::target::{cut_short, is_standard_output};

#[derive(Debug, clap::Args)]
pub(in crate::transfer) struct ExportContacts {
    /// Where to write; packed if the name ends with .gz; - for standard output
    #[arg(default_value = "-")]
    file: PathBuf,
    #[command(flatten)]
    api: ApiFlags,
    /// How to write it, if the name of the file does not say so
    #[arg(long)]
    format: Option<Format>,
    /// The only columns to write, such as external_id,emails,tags,attribute.plan; attributes stands for all of them
    #[arg(long, value_delimiter = ',')]
    columns: Vec<String>,
    /// Only contacts which carry this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only contacts on this list, by its name or id
    #[arg(long)]
    list: Option<String>,
    /// Write cells as they are which a spreadsheet would take for a formula
    #[arg(long)]
    raw_cells: bool,
}

impl ExportContacts {
    /// Exports contacts.
    pub(in crate::transfer) fn run(self) -> Result<ExitCode, Failure> {
        let format = match is_standard_output(&self.file) {
            true => self.format.unwrap_or(Format::Jsonl),
            false => Format::of(self.format, &self.file)?,
        };
        let written = AtomicI64::new(0);
        let contacts = |count: i64| counted(count, "contact", "contacts");
        let so_far = || cut_short(&self.file, &contacts(written.load(Ordering::Relaxed)));
        let begun = Instant::now();
        let exporting = |session| self.export(session, format, &written);
        let all = self.api.run(exporting, so_far)?;
        runtime::say::aside(format_args!("{} in {:.1} s", contacts(all), begun.elapsed().as_secs_f64()));
        Ok(ExitCode::SUCCESS)
    }

    async fn export(&self, session: Session, format: Format, written: &AtomicI64) -> Result<i64, Failure> {
        let request = pb::ExportContactsRequest {
            resume_token: String::new(),
            format: format.proto().into(),
            columns: self.columns.clone(),
            tag: self.tag.clone().unwrap_or_default(),
            list_id: match &self.list {
                Some(list) => list_id(&session, list).await?,
                None => String::new(),
            },
            raw_cells: self.raw_cells,
        };
        let open = |resume_token| {
            let request = pb::ExportContactsRequest { resume_token, ..request.clone() };
            let mut contacts = session.contact_exports();
            async move { contacts.export_contacts(request).await }
        };
        let received = |answer: pb::ExportContactsResponse| Received {
            resume_token: answer.resume_token,
            so_far: answer.contacts,
            what: match answer.frame {
                Some(Frame::Chunk(bytes)) => What::Bytes(bytes),
                Some(Frame::Finished(finished)) => What::Whole(finished.contacts),
                Some(Frame::Opened(_) | Frame::Closing(_)) | None => What::Nothing,
            },
        };
        Receiving::into(&self.file, "contacts", written)?.run(open, received).await
    }
}

/// The id of a list that is named.
async fn list_id(session: &Session, named: &str) -> Result<String, Failure> {
    let is_id = named.len() == 36 && named.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    if is_id {
        return Ok(named.to_owned());
    }
    let mut page_token = String::new();
    loop {
        let page = patiently(|| {
            let (mut lists, page_token) = (session.contact_lists(), page_token.clone());
            async move { lists.list_lists(pb::ListListsRequest { page_size: 200, page_token }).await }
        });
        let page = page.await.map_err(|status| Failure::call("the lists", &status))?;
        let same =
            |list: &&pb::ContactList| list.display_name.trim().to_lowercase() == named.trim().to_lowercase();
        if let Some(list) = page.lists.iter().find(same) {
            return Ok(list.list_id.clone());
        }
        if page.next_page_token.is_empty() {
            return Err(Failure(format!("there is no list named {named:?}")));
        }
        page_token = page.next_page_token;
    }
}
