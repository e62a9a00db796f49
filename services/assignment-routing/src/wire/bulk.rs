//! Batches of conversations, and what became of each.

use std::collections::{BTreeSet, HashSet};

use proto::routing::v1 as pb;
use proto::routing::v1::assign_conversation_request::Target as One;
use proto::routing::v1::batch_assign_conversations_request::Target as Many;
use rpc::Fault;
use rpc::convert::{etag, expected_version, id_of};

use super::conversation::conversation;
use crate::app::bulk::{Batched, TagChange};
use crate::app::effects::Item;
use crate::app::handover::Handover;
use crate::error::Error;

/// The conversations of a batch, of which none may be named twice: `(conversation_id, etag)`.
///
/// # Errors
/// INVALID_FIELD naming the item.
pub fn items<'a>(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<Item>, Fault> {
    let mut seen = HashSet::new();
    let item = |(index, (id, etag)): (usize, (&str, &str))| {
        let field = format!("items[{index}].conversation_id");
        let item = Item { id: id_of(&field, id)?, expected: expected_version(etag) };
        match seen.insert(item.id) {
            true => Ok(item),
            false => Err(Fault::invalid(field, "names a conversation that another item names: name it once")),
        }
    };
    all.into_iter().enumerate().map(item).collect()
}

/// To whom conversations are given, and with what.
///
/// # Errors
/// INVALID_FIELD for an id that is none, or a time out of range.
pub fn handover(target: Option<&Many>, handoff: Option<pb::Handoff>) -> Result<Handover, Fault> {
    let target = target.map(|said| match said {
        Many::AgentId(id) => One::AgentId(id.clone()),
        Many::TeamId(id) => One::TeamId(id.clone()),
        Many::Nobody(()) => One::Nobody(()),
    });
    super::handoff::handover(target.as_ref(), handoff)
}

/// Tags to be added and taken off.
///
/// # Errors
/// INVALID_FIELD if there is none.
pub fn tags(add: &[String], remove: &[String]) -> Result<TagChange, Fault> {
    if add.is_empty() && remove.is_empty() {
        return Err(Fault::invalid("add_tags", "or remove_tags needs a tag"));
    }
    let set = |tags: &[String]| tags.iter().cloned().collect::<BTreeSet<String>>();
    Ok(TagChange { add: set(add), remove: set(remove) })
}

/// Whether a batch was applied, and what became of each of its items.
#[must_use]
pub fn batched(it: Batched) -> (bool, Vec<pb::BatchResult>) {
    match it {
        Batched::Applied(all) => {
            let result = |it| pb::BatchResult { conversation: Some(conversation(it, true)), error: None };
            (true, all.into_iter().map(result).collect())
        }
        Batched::Refused(errors) => {
            let result = |why: Option<Error>| pb::BatchResult { conversation: None, error: why.map(error) };
            (false, errors.into_iter().map(result).collect())
        }
    }
}

fn error(why: Error) -> pb::BatchError {
    let etag = match why {
        Error::Stale { version } => etag(version),
        _ => String::new(),
    };
    let fault = Fault::from(why);
    pb::BatchError { reason: fault.reason().into(), message: fault.message().to_owned(), etag }
}
