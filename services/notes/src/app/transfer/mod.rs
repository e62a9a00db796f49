//! Everything that an organization has here, as a file and back (P13).
//!
//! | file | story |
//! |---|---|
//! | [`export`] | rows as lines, kind by kind, in frames that say from where to go on |
//! | [`import`] | pieces of a file as batches of lines, and what became of them |
//! | `batch` | one batch: one transaction, a few statements for each kind of line |

mod batch;
pub mod export;
pub mod import;

use audit::{Event, Origin};
use kernel::OrgId;

use super::App;
use crate::error::Error;

impl App {
    /// Leaves a record of a file that leaves or comes, before anything of it does.
    async fn tell_trail(&self, org: &OrgId, origin: Origin, event: Event) -> Result<(), Error> {
        let write =
            self.db.write(org, move |tx| Box::pin(async move { audit::record(tx, &origin, &[event]).await }));
        Ok(write.await?)
    }
}
