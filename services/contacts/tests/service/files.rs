//! Files in and out, over the wire.

use proto::contacts::v1::contact_export_service_client::ContactExportServiceClient;
use proto::contacts::v1::contact_import_service_client::ContactImportServiceClient;
use proto::contacts::v1::import_contacts_request::Frame as Piece;
use proto::contacts::v1::*;
use testkit::{Client, Suite};
use tonic::Status;

/// What came back of an import.
#[derive(Debug, Default, Clone)]
pub(crate) struct Told {
    pub(crate) import_id: String,
    pub(crate) columns: Vec<String>,
    pub(crate) rejected: Vec<RejectedRow>,
    pub(crate) counts: ContactImportCounts,
    pub(crate) finished: bool,
    /// Of the last frame.
    pub(crate) resume_token: String,
    pub(crate) resume_offset: usize,
}

impl Told {
    /// Lines that were left out, with the field and what is wrong there.
    pub(crate) fn lines(&self) -> Vec<(i64, &str)> {
        self.rejected.iter().map(|row| (row.line, row.violations[0].field.as_str())).collect()
    }

    /// Created, updated, unchanged, rejected.
    pub(crate) fn counted(&self) -> [i64; 4] {
        [self.counts.created, self.counts.updated, self.counts.unchanged, self.counts.rejected]
    }

    fn hear(&mut self, answer: ImportContactsResponse) {
        use proto::contacts::v1::import_contacts_response::Frame;
        match answer.frame.unwrap() {
            Frame::Opened(opened) => self.import_id = opened.import_id,
            Frame::Header(header) => self.columns = header.columns,
            Frame::Progress(progress) => {
                self.counts = progress.counts.unwrap();
                self.rejected.extend(progress.rejected);
            }
            Frame::Finished(finished) => (self.counts, self.finished) = (finished.counts.unwrap(), true),
            Frame::Heartbeat(_) => {}
            Frame::Closing(closing) => panic!("{closing:?}"),
        }
        self.resume_token = answer.resume_token;
        self.resume_offset = usize::try_from(answer.resume_offset).unwrap();
    }
}

pub(crate) fn csv() -> ContactImportStart {
    ContactImportStart { format: ContactFileFormat::Csv.into(), ..ContactImportStart::default() }
}

pub(crate) fn json_lines() -> ContactImportStart {
    ContactImportStart { format: ContactFileFormat::JsonLines.into(), ..ContactImportStart::default() }
}

fn request(frame: Piece) -> ImportContactsRequest {
    ImportContactsRequest { frame: Some(frame) }
}

/// Imports a file that comes in pieces of this size; with `frames`, hears only so many and goes away.
pub(crate) async fn import_in(
    client: Client,
    start: ContactImportStart,
    file: &[u8],
    piece: usize,
    frames: Option<usize>,
) -> Result<Told, Status> {
    let chunks: Vec<_> = file.chunks(piece).map(|bytes| request(Piece::Chunk(bytes.to_vec()))).collect();
    let pieces = futures::stream::iter(std::iter::once(request(Piece::Start(start))).chain(chunks));
    let mut answers = ContactImportServiceClient::new(client).import_contacts(pieces).await?.into_inner();
    let (mut told, mut heard) = (Told::default(), 0);
    while frames.is_none_or(|frames| heard < frames)
        && let Some(answer) = answers.message().await?
    {
        told.hear(answer);
        heard += 1;
    }
    Ok(told)
}

/// Imports a file whole.
pub(crate) async fn import(client: Client, start: ContactImportStart, file: &str) -> Result<Told, Status> {
    import_in(client, start, file.as_bytes(), 64 * 1024, None).await
}

pub(crate) fn admin(suite: &Suite, org: &str) -> Client {
    suite.client(org, "root", kernel::Role::Admin)
}

/// What came back of an export, with the token behind each piece.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) pieces: Vec<(Vec<u8>, String)>,
    pub(crate) contacts: Option<i64>,
    /// Of the first frame.
    pub(crate) opened: String,
}

impl Written {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.pieces.iter().flat_map(|(bytes, _)| bytes.clone()).collect()).unwrap()
    }
}

pub(crate) fn export_of(format: ContactFileFormat, columns: &[&str]) -> ExportContactsRequest {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    ExportContactsRequest { format: format.into(), columns, ..ExportContactsRequest::default() }
}

/// Everything but the times, which an import does not bring back.
pub(crate) const TIMELESS: [&str; 17] = [
    "contact_id",
    "external_id",
    "display_name",
    "given_name",
    "family_name",
    "emails",
    "phones",
    "language",
    "time_zone",
    "default_channel",
    "avatar_url",
    "company",
    "location",
    "tags",
    "lists",
    "identities",
    "attributes",
];

pub(crate) async fn export(client: Client, request: ExportContactsRequest) -> Result<Written, Status> {
    use proto::contacts::v1::export_contacts_response::Frame;
    let mut answers = ContactExportServiceClient::new(client).export_contacts(request).await?.into_inner();
    let mut written = Written::default();
    while let Some(answer) = answers.message().await? {
        match answer.frame.unwrap() {
            Frame::Opened(_) => written.opened = answer.resume_token,
            Frame::Chunk(bytes) => written.pieces.push((bytes, answer.resume_token)),
            Frame::Finished(finished) => written.contacts = Some(finished.contacts),
            Frame::Closing(closing) => panic!("{closing:?}"),
        }
    }
    Ok(written)
}
