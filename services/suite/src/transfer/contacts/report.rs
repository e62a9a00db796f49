//! What an import came to: for people a table, for programs one JSON object.

use std::path::Path;
use std::time::Duration;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, Table};
use proto::contacts::v1::ContactImportCounts;
use serde::Serialize;

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
        let dealt = format!("{} rows are dealt with, {} of them left out", self.rows, self.rejected);
        format!("{dealt}; run it again: rows that are in are found and stay unchanged")
    }

    pub(super) fn json(&self) -> Result<String, Failure> {
        serde_json::to_string(self).map_err(|error| Failure::because("the report", error))
    }

    /// The table for people; `rejects` is the file with the rows that were left out.
    pub(super) fn table(&self, rejects: Option<&Path>) -> String {
        let mut table = Table::new();
        table.load_style(UTF8_HORIZONTAL_ONLY);
        table.set_header(["rows", "created", "updated", "unchanged", "left out"]);
        let counts = [self.rows, self.created, self.updated, self.unchanged, self.rejected];
        table.add_row(counts.map(|count| count.to_string()));
        for column in table.column_iter_mut() {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut lines = vec![format!("{} rows/s, {} s in all", self.rows_per_second, self.elapsed_s)];
        match self.lists_created {
            0 => {}
            1 => lines.push("1 list was made for them".to_owned()),
            many => lines.push(format!("{many} lists were made for them")),
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
}
