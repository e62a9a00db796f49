//! A record of a CSV to what it says.

use super::cell::{fuse, split};
use super::columns::{Column, Columns};
use super::draft::Draft;
use crate::domain::transfer::{Rejection, RejectionReason, Row, Said};

/// What the cells of a record say; nothing if all of them are empty.
pub(crate) fn cells(columns: &Columns, cells: &[Vec<u8>], replace: bool) -> Option<Result<Row, Rejection>> {
    if cells.iter().all(Vec::is_empty) {
        return None;
    }
    Some(draft(columns, cells).map(|draft| draft.read(replace, Vec::new())))
}

fn draft(columns: &Columns, cells: &[Vec<u8>]) -> Result<Draft, Rejection> {
    let columns = columns.as_slice();
    let unreadable =
        |field: &str, description: String| Rejection::of(RejectionReason::Unreadable, field, description);
    if cells.len() != columns.len() {
        let description = format!("has {} cells, the header has {}", cells.len(), columns.len());
        return Err(unreadable("", description));
    }
    let mut draft = Draft::default();
    for (column, cell) in columns.iter().zip(cells) {
        let cell =
            std::str::from_utf8(cell).map_err(|_| unreadable(&column.name(), "is not UTF-8".to_owned()))?;
        let cell = fuse(cell);
        match column {
            Column::ContactId => draft.contact_id = Some(cell.to_owned()),
            Column::Field(field) => draft.field(*field, cell, split),
            Column::Tags => draft.tags = Some(split(cell)),
            Column::Lists => draft.lists = Some(split(cell)),
            Column::Identities => draft.identities = split(cell).iter().map(|one| identity(one)).collect(),
            Column::Attribute(key) => {
                let said = if cell.is_empty() { Said::Nothing } else { Said::Cell(cell.to_owned()) };
                draft.attributes.push((key.as_str().to_owned(), said));
            }
            Column::Blocked | Column::CreateTime | Column::UpdateTime | Column::Reject => {}
        }
    }
    Ok(draft)
}

/// `chat:visitor-1` is `visitor-1` on `chat`.
fn identity(text: &str) -> (String, String) {
    let (channel, address) = text.split_once(':').unwrap_or((text, ""));
    (channel.to_owned(), address.to_owned())
}
