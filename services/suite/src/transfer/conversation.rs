//! `backchannel export conversation ID`: the history of a conversation as PDF or JSON.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use proto::notes::v1 as pb;
use proto::notes::v1::export_conversation_response::Frame;
use sha2::{Digest, Sha256};
use tonic::Streaming;

use super::ApiFlags;
use crate::client::{Session, patiently};
use crate::failure::Failure;

#[derive(clap::Args)]
pub(super) struct ExportConversation {
    /// The conversation
    conversation_id: String,
    /// What kind of file
    #[arg(long, value_enum, default_value_t = Format::Pdf)]
    format: Format,
    /// What is in it
    #[arg(long, value_enum, default_value_t = Profile::CustomerSafe)]
    profile: Profile,
    /// Where to write; otherwise into this folder, under the name that the server gives the file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    api: ApiFlags,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// To read and to print
    Pdf,
    /// For programs
    Json,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Profile {
    /// What the customer wrote or could see
    CustomerSafe,
    /// And internal notes
    WithNotes,
    /// And internal messages and events
    Full,
}

/// A file that came whole.
struct Written {
    path: PathBuf,
    bytes: i64,
    entries: i64,
    unshown: i64,
}

impl ExportConversation {
    /// Writes the file, and says what is in it.
    #[expect(clippy::print_stderr, reason = "said to the person at the terminal")]
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let written = self.api.run(|session| self.fetch(session), || "nothing is written".to_owned())?;
        let Written { path, bytes, entries, unshown } = written;
        let what = if entries == 1 { "entry" } else { "entries" };
        eprintln!("{}: {entries} {what}, {bytes} bytes", path.display());
        if unshown > 0 {
            eprintln!("{unshown} characters could not be shown; --format json has them");
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn fetch(&self, session: Session) -> Result<Written, Failure> {
        let request = pb::ExportConversationRequest {
            conversation_id: self.conversation_id.clone(),
            format: match self.format {
                Format::Pdf => pb::ExportFormat::Pdf,
                Format::Json => pb::ExportFormat::Json,
            }
            .into(),
            profile: match self.profile {
                Profile::CustomerSafe => pb::ExportProfile::CustomerSafe,
                Profile::WithNotes => pb::ExportProfile::WithNotes,
                Profile::Full => pb::ExportProfile::Full,
            }
            .into(),
        };
        let stream = patiently(|| {
            let (mut exports, request) = (session.conversation_exports(), request.clone());
            async move { exports.export_conversation(request).await }
        });
        let stream = stream.await.map_err(|status| Failure::call(&self.conversation_id, &status))?;
        self.write(stream).await
    }

    /// Writes beside the file that is wanted, and puts it there when it is whole.
    async fn write(&self, mut frames: Streaming<pb::ExportConversationResponse>) -> Result<Written, Failure> {
        let cut = || Failure("the file was cut: nothing is written; run this again".to_owned());
        let refused = |status| Failure::call(&self.conversation_id, &status);
        let Some(Frame::Opened(opened)) = frames.message().await.map_err(refused)?.and_then(|it| it.frame)
        else {
            return Err(cut());
        };
        let path = self.out.clone().unwrap_or_else(|| plain_name(&opened.file_name));
        let part = Part::beside(&path)?;
        let (mut file, mut digest) = (part.create()?, Sha256::new());
        while let Some(frame) = frames.message().await.map_err(refused)?.and_then(|it| it.frame) {
            match frame {
                Frame::Opened(_) => return Err(cut()),
                Frame::Chunk(bytes) => {
                    digest.update(&bytes);
                    file.write_all(&bytes).map_err(|error| Failure::because(path.display(), error))?;
                }
                Frame::Finished(finished) => {
                    let sha256: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                    if sha256 != finished.sha256 {
                        return Err(cut());
                    }
                    file.sync_all().map_err(|error| Failure::because(path.display(), error))?;
                    part.become_whole(&path)?;
                    let (entries, unshown) = (finished.entry_count, finished.unshown_character_count);
                    return Ok(Written { path, bytes: finished.size_bytes, entries, unshown });
                }
            }
        }
        Err(cut())
    }
}

/// The last part of a name: a server never says in which folder to write.
fn plain_name(name: &str) -> PathBuf {
    Path::new(name).file_name().map_or_else(|| PathBuf::from("conversation"), PathBuf::from)
}

/// A file that is not whole yet. Gone when dropped.
struct Part(PathBuf);

impl Part {
    fn beside(path: &Path) -> Result<Self, Failure> {
        let name = path.file_name().ok_or_else(|| Failure(format!("{} is no file", path.display())))?;
        let mut part = OsString::from(name);
        part.push(".part");
        Ok(Self(path.with_file_name(part)))
    }

    fn create(&self) -> Result<std::fs::File, Failure> {
        std::fs::File::create(&self.0).map_err(|error| Failure::because(self.0.display(), error))
    }

    fn become_whole(&self, path: &Path) -> Result<(), Failure> {
        std::fs::rename(&self.0, path).map_err(|error| Failure::because(path.display(), error))
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After the rename there is nothing here any more.
        drop(std::fs::remove_file(&self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, plain_name};
    use std::path::{Path, PathBuf};

    #[test]
    fn a_name_from_a_server_leads_into_no_other_folder() {
        for name in ["../../x.pdf", "/etc/x.pdf", "a/b/x.pdf", "x.pdf"] {
            assert_eq!(plain_name(name), PathBuf::from("x.pdf"), "{name}");
        }
        assert_eq!(plain_name(".."), PathBuf::from("conversation"));
    }

    #[test]
    fn a_file_that_is_not_whole_is_gone() {
        let folder = std::env::temp_dir().join(format!("backchannel-part-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("x.pdf");
        let part = Part::beside(&path).unwrap();
        drop(part.create().unwrap());
        drop(part);
        let whole = Part::beside(&path).unwrap();
        drop(whole.create().unwrap());
        whole.become_whole(&path).unwrap();
        drop(whole);
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|it| it.unwrap().file_name()).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(left, ["x.pdf"]);
        assert!(Part::beside(Path::new("/")).is_err());
    }
}
