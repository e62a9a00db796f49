//! Rows of a file go in.

use std::ops::Range;
use std::sync::Arc;

use audit::{Event, Origin};
use db::DbError;
use kernel::OrgId;
use uuid::Uuid;

use super::{batch, catalog};
use crate::Error;
use crate::app::App;
use crate::domain::transfer::{Manner, Outcome, Rejection, RejectionReason, Row};
use crate::domain::{Actor, Definition, Key};
use crate::store::definitions;

/// How often a batch is tried that meets others who take the same addresses.
const ROUNDS: usize = 3;

/// Rows that go in together: of contacts only, or of lists and definitions only.
#[derive(Debug, Clone)]
pub struct ImportRows {
    /// The rows, in the order of the file.
    pub rows: Arc<[Row]>,
    /// How to take them.
    pub manner: Manner,
    /// Whether all of it is taken back.
    pub dry_run: bool,
    /// Who brings them.
    pub by: Actor,
}

/// What became of rows.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Of each, in their order.
    pub results: Vec<Result<Outcome, Rejection>>,
    /// Lists that were made because a contact's row names them.
    pub lists_created: i64,
}

/// Why a transaction rolls back.
pub(super) enum Undone {
    /// Because it was a trial, which came to this.
    DryRun(Imported),
    /// Because something failed.
    Failed(Error),
}

impl From<DbError> for Undone {
    fn from(error: DbError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl App {
    /// Leaves a record that an import begins, unless it is a trial.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn begin_import(
        &self,
        org: &OrgId,
        origin: &Origin,
        import: Uuid,
        dry_run: bool,
    ) -> Result<(), Error> {
        self.tell(org, origin, Event::new("contact_import.begin", import), dry_run).await
    }

    /// Leaves a record that all of the file is in, unless it was a trial.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn finish_import(
        &self,
        org: &OrgId,
        origin: &Origin,
        import: Uuid,
        dry_run: bool,
    ) -> Result<(), Error> {
        self.tell(org, origin, Event::new("contact_import.finish", import), dry_run).await
    }

    /// Which of these attributes are not defined.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn undefined(&self, org: &OrgId, keys: Vec<Key>) -> Result<Vec<Key>, Error> {
        let read = self.db.read(org, move |tx| {
            Box::pin(async move {
                let defined = definitions::list(tx, true, "", i64::MAX).await?;
                let is_defined = |key: &Key| defined.iter().any(|one: &Definition| one.key == *key);
                Ok::<_, DbError>(keys.into_iter().filter(|key| !is_defined(key)).collect())
            })
        });
        read.await.map_err(Error::Database)
    }

    /// Does what the rows say, each all or not at all.
    ///
    /// A batch is one transaction. What is wrong with a row is found before anything is written, so that it fails as a whole only where
    /// somebody else changes the same contacts at the same moment, or it takes too long: then it is halved, and a row that fails alone is
    /// left out.
    ///
    /// # Errors
    /// [`Error::Database`] when the database cannot do it. Some of the rows may be in.
    pub async fn import_rows(
        &self,
        org: &OrgId,
        origin: &Origin,
        import: &ImportRows,
    ) -> Result<Imported, Error> {
        let mut all = Imported::default();
        let mut open: Vec<Range<usize>> = std::iter::once(0..import.rows.len()).collect();
        while let Some(some) = open.pop() {
            match self.import_some(org, origin, import, some.clone()).await {
                Ok(done) => {
                    all.results.extend(done.results);
                    all.lists_created += done.lists_created;
                }
                Err(error) if some.len() > 1 && is_worth_halving(&error) => {
                    let middle = some.start + some.len() / 2;
                    open.push(middle..some.end);
                    open.push(some.start..middle);
                }
                Err(error) if is_race(&error) => {
                    let description =
                        "somebody else changed it or took what it names at the same moment, again and again";
                    all.results.push(Err(Rejection::of(RejectionReason::Conflict, "", description)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    async fn import_some(
        &self,
        org: &OrgId,
        origin: &Origin,
        import: &ImportRows,
        some: Range<usize>,
    ) -> Result<Imported, Error> {
        let mut tried = 0;
        loop {
            let (deeds, import, some) = (self.deeds(origin.clone()), import.clone(), some.clone());
            let done = self.db.write(org, move |tx| {
                Box::pin(async move {
                    let rows = import.rows.get(some).unwrap_or_default();
                    let imported = match rows.first() {
                        Some(Row::Contact(_)) => {
                            batch::import(tx, rows, import.manner, &import.by, &deeds).await?
                        }
                        Some(_) => catalog::import(tx, rows, import.manner, &deeds.origin).await?,
                        None => Imported::default(),
                    };
                    if import.dry_run { Err(Undone::DryRun(imported)) } else { Ok(imported) }
                })
            });
            tried += 1;
            match done.await {
                Ok(imported) | Err(Undone::DryRun(imported)) => return Ok(imported),
                Err(Undone::Failed(error)) if tried < ROUNDS && is_race(&error) => {}
                Err(Undone::Failed(error)) => return Err(error),
            }
        }
    }

    pub(super) async fn tell(
        &self,
        org: &OrgId,
        origin: &Origin,
        event: Event,
        dry_run: bool,
    ) -> Result<(), Error> {
        if dry_run {
            return Ok(());
        }
        let origin = origin.clone();
        let told = self.db.write(org, move |tx| {
            Box::pin(async move { audit::record(tx, &origin, &[event]).await.map_err(Error::from) })
        });
        told.await
    }
}

/// Somebody else was quicker.
fn is_race(error: &Error) -> bool {
    match error {
        Error::LostRace | Error::Taken(_) => true,
        Error::Database(error) => {
            matches!(error, DbError::Unique { .. } | DbError::ForeignKey) || erasure::refused(error)
        }
        _ => false,
    }
}

fn is_worth_halving(error: &Error) -> bool {
    is_race(error) || matches!(error, Error::Database(DbError::Busy | DbError::Timeout))
}
