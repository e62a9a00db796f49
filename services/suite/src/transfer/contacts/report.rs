//! What an import came to: for people a table, for programs one JSON object.

use std::path::Path;
use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use proto::contacts::v1::ContactImportCounts;
use serde::Serialize;

use crate::counted::counted;
use crate::failure::Failure;

/// What became of the rows.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Report {
    pub(super) rows: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) unchanged: i64,
    pub(super) rejected: i64,
    pub(super) lists_created: i64,
    pub(super) dry_run: bool,
    pub(super) elapsed_s: f64,
    pub(super) rows_per_second: f64,
    /// Rejected rows that were said on the way.
    #[serde(skip)]
    pub(super) rejects_said: u64,
}

impl Report {
    /// What the server counted so far.
    pub(super) fn counted(&mut self, counts: ContactImportCounts) {
        let ContactImportCounts { created, updated, unchanged, rejected, lists_created } = counts;
        (self.created, self.updated, self.unchanged) = (created, updated, unchanged);
        (self.rejected, self.lists_created) = (rejected, lists_created);
        self.rows = created + updated + unchanged + rejected;
    }

    pub(super) fn timed(self, took: Duration) -> Self {
        let round = |value: f64| (value * 1e3).round() / 1e3;
        let seconds = took.as_secs_f64();
        let rows_per_second = round(self.rows as f64 / seconds.max(1e-9));
        Self { elapsed_s: round(seconds), rows_per_second, ..self }
    }

    /// Whether every row is in.
    pub(super) fn is_clean(&self) -> bool {
        self.rejected == 0
    }

    pub(super) fn so_far(&self) -> String {
        let rows = counted(self.rows, "row was", "rows were");
        let looked_at = format!("{rows} looked at, {} of them left out", self.rejected);
        if self.dry_run {
            return format!("{looked_at}; a dry run: nothing was changed");
        }
        format!("{looked_at}; run it again: rows that are in are found and stay unchanged")
    }

    pub(super) fn json(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::because("the report", error))
    }

    /// The table for people; `rejects` is the file with the rows that were left out.
    pub(super) fn table(&self, rejects: Option<&Path>) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_HORIZONTAL_ONLY);
        table.set_header(match self.dry_run {
            true => ["rows", "to create", "to update", "to leave as is", "to leave out"],
            false => ["rows", "created", "updated", "unchanged", "left out"],
        });
        let counts = [self.rows, self.created, self.updated, self.unchanged, self.rejected];
        table.add_row(counts.map(|count| count.to_string()));
        for column in table.column_iter_mut() {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut lines = vec![format!("{} rows/s, {} s in all", self.rows_per_second, self.elapsed_s)];
        match self.lists_created {
            0 => {}
            made if self.dry_run => {
                lines.push(format!("{} to be made for them", counted(made, "list", "lists")))
            }
            made => lines.push(format!("{} made for them", counted(made, "list was", "lists were"))),
        }
        lines.extend(self.left_out(rejects));
        if self.dry_run {
            lines.push("a dry run: nothing was changed".to_owned());
        }
        format!("{table}\n\n{}", lines.join("\n"))
    }

    fn left_out(&self, rejects: Option<&Path>) -> Option<String> {
        match rejects {
            _ if self.rejected == 0 => None,
            Some(file) => Some(format!(
                "rows that were left out are in {0}: mend them there, then run: backchannel import contacts {0}",
                file.display()
            )),
            None if u64::try_from(self.rejected).is_ok_and(|all| all > self.rejects_said) => Some(format!(
                "{} of the rows that were left out are above; all of them: --rejects FILE",
                self.rejects_said
            )),
            None => {
                Some("the rows that were left out are above; --rejects FILE writes them to a file".to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // C10
    #[test]
    fn a_report_says_what_became_of_the_rows_and_where_the_others_are() {
        let mut report = Report { rejects_said: 20, ..Report::default() };
        report.counted(ContactImportCounts {
            created: 3,
            updated: 2,
            unchanged: 1,
            rejected: 30,
            lists_created: 1,
        });
        assert_eq!((report.rows, report.is_clean()), (36, false));
        let report = report.timed(Duration::from_secs(2));
        assert!(report.table(None).contains("20 of the rows"), "{}", report.table(None));
        let table = report.table(Some(Path::new("bad.csv")));
        assert!(table.contains("import contacts bad.csv") && table.contains("18 rows/s"), "{table}");
        assert!(report.json().unwrap().contains(r#""rejected":30"#));
        let trial = Report { dry_run: true, ..Report::default() };
        assert!(trial.is_clean() && trial.table(None).contains("nothing was changed"));
    }

    // C10 G8
    #[test]
    fn a_dry_run_says_of_nothing_that_it_was_done() {
        let all = ContactImportCounts { created: 3, updated: 2, unchanged: 1, rejected: 0, lists_created: 1 };
        let mut trial = Report { dry_run: true, ..Report::default() };
        trial.counted(all);
        let (table, so_far) = (trial.table(None), trial.so_far());
        for done in ["created", "updated", "was made", "were made", "are in"] {
            assert!(!table.contains(done) && !so_far.contains(done), "{table}\n{so_far}");
        }
        assert!(table.contains("1 list to be made") && so_far.contains("nothing was changed"), "{table}");
        let mut run = Report::default();
        run.counted(ContactImportCounts { lists_created: 1, created: 1, ..all });
        assert!(run.table(None).contains("1 list was made"), "{}", run.table(None));
    }
}
