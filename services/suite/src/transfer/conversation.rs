//! `backchannel export conversation ID`: the history of a conversation as PDF or JSON.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use proto::notes::v1 as pb;
use proto::notes::v1::export_conversation_response::Frame;
use sha2::{Digest, Sha256};
use tonic::Streaming;

use super::ApiFlags;
use super::target::{Target, is_standard_output};
use crate::client::{Session, patiently};
use crate::counted::counted;
use crate::failure::Failure;

#[derive(clap::Args)]
pub(super) struct ExportConversation {
    /// The conversation
    conversation_id: String,
    /// What kind of file; otherwise what the name in --out ends with, or pdf
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// What is in it
    #[arg(long, value_enum, default_value_t = Profile::CustomerSafe)]
    profile: Profile,
    /// Where to write, packed if the name ends with .gz; - for standard output; otherwise into this folder, under the name
    /// that the server gives the file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    api: ApiFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
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

impl Format {
    /// As it was said, or as the name of the file says. A name that says another is refused: whoever opens the file goes by it.
    fn of(said: Option<Self>, out: Option<&Path>) -> Result<Self, Failure> {
        let name = out.map(|out| out.to_string_lossy().to_lowercase()).unwrap_or_default();
        let named = match name.trim_end_matches(".gz").rsplit_once('.').map(|(_, ending)| ending) {
            Some("pdf") => Some(Self::Pdf),
            Some("json") => Some(Self::Json),
            _ => None,
        };
        match (said, named, out) {
            (Some(said), Some(named), Some(out)) if said != named => Err(Failure(format!(
                "--format {} and --out {} contradict each other: leave one out, or end the name with .{}",
                said.name(),
                out.display(),
                said.name()
            ))),
            (said, named, _) => Ok(said.or(named).unwrap_or(Self::Pdf)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Json => "json",
        }
    }

    /// A terminal shows text; what else is sent to it may change what it does.
    fn for_a_terminal(self) -> Result<(), Failure> {
        match self {
            Self::Json => Ok(()),
            Self::Pdf => Err(Failure(
                "a PDF is nothing for a terminal: name a file with --out, send it on with | or >, or say --format json"
                    .to_owned(),
            )),
        }
    }
}

/// A file that came whole.
struct Written {
    name: String,
    bytes: i64,
    entries: i64,
    unshown: i64,
}

impl ExportConversation {
    /// Writes the file, and says what is in it.
    pub(super) fn run(self) -> Result<ExitCode, Failure> {
        let format = Format::of(self.format, self.out.as_deref())?;
        let to_terminal =
            self.out.as_deref().is_some_and(is_standard_output) && std::io::stdout().is_terminal();
        if to_terminal {
            format.for_a_terminal()?;
        }
        let so_far = || "the file is not whole: run this again".to_owned();
        let written = self.api.run(|session| self.fetch(session, format), so_far)?;
        let Written { name, bytes, entries, unshown } = written;
        let (entries, bytes) = (counted(entries, "entry", "entries"), counted(bytes, "byte", "bytes"));
        runtime::say::aside(format_args!("{name}: {entries}, {bytes}"));
        if unshown > 0 {
            let unshown = counted(unshown, "character", "characters");
            runtime::say::aside(format_args!("{unshown} could not be shown; --format json has all"));
        }
        Ok(ExitCode::SUCCESS)
    }

    async fn fetch(&self, session: Session, format: Format) -> Result<Written, Failure> {
        let request = pb::ExportConversationRequest {
            conversation_id: self.conversation_id.clone(),
            format: match format {
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

    /// Writes the file, which has its name when it is whole.
    async fn write(&self, mut frames: Streaming<pb::ExportConversationResponse>) -> Result<Written, Failure> {
        let cut = || Failure("the file came in part only: run this again".to_owned());
        let refused = |status| Failure::call(&self.conversation_id, &status);
        let Some(Frame::Opened(opened)) = frames.message().await.map_err(refused)?.and_then(|it| it.frame)
        else {
            return Err(cut());
        };
        let path = self.out.clone().unwrap_or_else(|| plain_name(&opened.file_name));
        let (mut file, mut digest) = (Target::open(&path)?, Sha256::new());
        while let Some(frame) = frames.message().await.map_err(refused)?.and_then(|it| it.frame) {
            match frame {
                Frame::Opened(_) => return Err(cut()),
                Frame::Chunk(bytes) => {
                    digest.update(&bytes);
                    file.write(&bytes)?;
                }
                Frame::Finished(finished) => {
                    let sha256: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
                    if sha256 != finished.sha256 {
                        return Err(cut());
                    }
                    let name = file.name().to_owned();
                    file.close()?;
                    let (entries, unshown) = (finished.entry_count, finished.unshown_character_count);
                    return Ok(Written { name, bytes: finished.size_bytes, entries, unshown });
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

#[cfg(test)]
mod tests {
    use super::{Format, plain_name};
    use std::path::{Path, PathBuf};

    #[test]
    fn a_name_from_a_server_leads_into_no_other_folder() {
        for name in ["../../x.pdf", "/etc/x.pdf", "a/b/x.pdf", "x.pdf"] {
            assert_eq!(plain_name(name), PathBuf::from("x.pdf"), "{name}");
        }
        assert_eq!(plain_name(".."), PathBuf::from("conversation"));
    }

    // G8
    #[test]
    fn a_name_that_says_another_format_is_refused_and_one_that_says_it_is_enough() {
        let of =
            |said, out: &str| Format::of(said, Some(Path::new(out))).map_err(|refused| refused.to_string());
        for (said, out) in [(Format::Json, "x.pdf"), (Format::Pdf, "a/x.JSON"), (Format::Json, "x.pdf.gz")] {
            let refused = of(Some(said), out).unwrap_err();
            assert!(refused.contains(out) && refused.contains(&format!(".{}", said.name())), "{refused}");
        }
        assert_eq!(of(None, "x.json.gz"), Ok(Format::Json));
        assert_eq!(
            (of(None, "x.pdf"), of(None, "-"), of(None, "x")),
            (Ok(Format::Pdf), Ok(Format::Pdf), Ok(Format::Pdf))
        );
        assert_eq!(
            (of(Some(Format::Json), "-"), of(Some(Format::Json), "x.txt")),
            (Ok(Format::Json), Ok(Format::Json))
        );
        assert_eq!(Format::of(None, None).unwrap(), Format::Pdf);
    }

    // G8
    #[test]
    fn a_terminal_gets_no_pdf() {
        let refused = Format::Pdf.for_a_terminal().unwrap_err().to_string();
        assert!(refused.contains("--out") && refused.contains("--format json"), "{refused}");
        assert!(Format::Json.for_a_terminal().is_ok());
    }
}
