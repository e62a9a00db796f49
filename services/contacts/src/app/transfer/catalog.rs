//! One batch of lists and attribute definitions.

use std::collections::BTreeSet;

use audit::{Event, Origin};
use db::Tx;

use super::import::Imported;
use crate::Error;
use crate::domain::transfer::{Catalog, Manner, Row};
use crate::domain::{Definition, Key};
use crate::store::{definitions, lists};

/// Does what the rows say, of which none is of a contact.
pub(super) async fn import(
    tx: &mut Tx,
    rows: &[Row],
    manner: Manner,
    origin: &Origin,
) -> Result<Imported, Error> {
    let mut catalog = stored(tx, rows).await?;
    let (clock, now) = (tx.clock().clone(), tx.clock().now());
    let mut results = Vec::with_capacity(rows.len());
    for row in rows {
        match row {
            Row::List(row) => results.push(catalog.apply_list(row, now, || clock.new_id())),
            Row::Definition(row) => results.push(catalog.apply_definition(row, manner, now)),
            Row::Contact(_) => {}
        }
    }
    let mut events = Vec::new();
    for list in catalog.changed_lists() {
        let action = if list.is_new { "list.create" } else { "list.update" };
        events.push(Event::new(action, list.now.list_id));
        if list.is_new { lists::insert(tx, &list.now).await? } else { lists::update(tx, &list.now).await? }
    }
    for definition in catalog.changed_definitions() {
        let action = if definition.is_new { "attribute.create" } else { "attribute.update" };
        events.push(Event::new(action, definition.now.key.as_str()));
        if definition.is_new {
            definitions::insert(tx, &definition.now).await?;
        } else {
            definitions::update(tx, &definition.now).await?;
        }
    }
    audit::record(tx, origin, &events).await?;
    Ok(Imported { results, lists_created: 0 })
}

/// The lists which rows name and all definitions, as they stay until the transaction ends.
async fn stored(tx: &mut Tx, rows: &[Row]) -> Result<Catalog, Error> {
    let names: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| match row {
            Row::List(row) => Some(row.display_name.key()),
            Row::Contact(_) | Row::Definition(_) => None,
        })
        .collect();
    let names: Vec<String> = names.into_iter().collect();
    let found = lists::lock_named(tx, &names).await?;
    let all: Vec<Definition> = definitions::list(tx, true, "", i64::MAX).await?;
    let mut keys: BTreeSet<&Key> = all.iter().map(|definition| &definition.key).collect();
    keys.retain(|key| rows.iter().any(|row| matches!(row, Row::Definition(row) if row.key == **key)));
    let mut current: Vec<Definition> = Vec::new();
    for key in keys {
        current.extend(definitions::lock(tx, key).await?);
    }
    let others = all.iter().filter(|one| current.iter().all(|locked| locked.key != one.key));
    let definitions = others.cloned().chain(current.clone()).collect();
    let list_count = if names.is_empty() { 0 } else { lists::count_all(tx).await? };
    Ok(Catalog::new(found, list_count, definitions))
}
