//! One batch of lines: one transaction, a few statements for each kind, however many lines there are.

use std::collections::{BTreeSet, HashMap, HashSet};

use audit::{Event, Origin};
use db::{DbError, Tx};
use kernel::{ContactId, NoteId, Subject};
use uuid::Uuid;

use crate::domain::search::Entry;
use crate::domain::transfer::{Field, KINDS, Kind, Line, Parent, Reason, Rejection, Span, Value, kind_named};
use crate::error::Error;
use crate::store;

/// A line of the batch, read, and where it is in the file.
pub(super) type Placed = (Span, Result<Line, Rejection>);

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Lines that went in.
    pub(super) created: i64,
    /// Lines that were there already.
    pub(super) unchanged: i64,
    /// Lines that were left out, in the order of the file.
    pub(super) rejected: Vec<(Span, Rejection)>,
}

/// Puts lines in, those that others belong to first, and lets what follows from them follow: the index of the search, what is
/// unread, the times of conversations. Nothing is told to anybody.
///
/// # Errors
/// [`Error::Database`]; nothing is in then.
pub(super) async fn take(tx: &mut Tx, lines: Vec<Placed>, origin: &Origin) -> Result<Outcome, Error> {
    let mut outcome = Outcome::default();
    let mut by_kind: HashMap<&'static str, Vec<(Span, Line)>> = HashMap::new();
    for (span, read) in lines {
        match read {
            Ok(line) => by_kind.entry(line.kind.name).or_default().push((span, line)),
            Err(rejection) => outcome.rejected.push((span, rejection)),
        }
    }
    let mut came = Vec::new();
    for kind in KINDS {
        let lines = by_kind.remove(kind.name).unwrap_or_default();
        came.extend(put(tx, kind, lines, &mut outcome).await?);
    }
    index(tx, &came).await?;
    count(tx, &came).await?;
    record(tx, &came, origin).await?;
    outcome.rejected.sort_by_key(|(span, _)| span.line);
    Ok(outcome)
}

/// Puts lines of one kind in; gives those that were not there.
async fn put(
    tx: &mut Tx,
    kind: &'static Kind,
    lines: Vec<(Span, Line)>,
    outcome: &mut Outcome,
) -> Result<Vec<Line>, Error> {
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let mut there: HashMap<String, Line> = HashMap::new();
    let keys = lines.iter().map(|(_, line)| line.key().to_vec()).collect();
    for line in rows_with(tx, kind, kind.key_fields().iter().collect(), keys).await? {
        there.insert(told_apart(line.key()), line);
    }
    let mut new = Vec::new();
    for (span, line) in lines {
        match there.get(&told_apart(line.key())) {
            Some(known) if *known == line => outcome.unchanged += 1,
            Some(_) => {
                let text = "is there already, and says something else";
                outcome.rejected.push((span, Rejection::whole(Reason::Conflict, text)));
            }
            None => {
                there.insert(told_apart(line.key()), line.clone());
                new.push((span, line));
            }
        }
    }
    let new = of_living(tx, kind, new, outcome).await?;
    let new = at_home(tx, kind, new).await?;
    let new = with_parents(tx, kind, new, outcome).await?;
    let new = alone(tx, kind, new, outcome).await?;
    let rows: Vec<&Line> = new.iter().map(|(_, line)| line).collect();
    store::transfer::insert(tx, kind, &rows).await?;
    outcome.created += new.len() as i64;
    Ok(new.into_iter().map(|(_, line)| line).collect())
}

/// Those that are about nobody who was erased.
async fn of_living(
    tx: &mut Tx,
    kind: &Kind,
    lines: Vec<(Span, Line)>,
    outcome: &mut Outcome,
) -> Result<Vec<(Span, Line)>, Error> {
    let mut left = lines;
    for (of, field) in kind.about {
        let ids: HashSet<Uuid> = left.iter().filter_map(|(_, line)| line.id(field)).collect();
        let ids: Vec<Uuid> = ids.into_iter().collect();
        let erased = erasure::list_buried(tx, *of, &ids).await?;
        left = sift(left, outcome, |line| {
            let gone = line.id(field).is_some_and(|id| erased.contains(&id));
            gone.then(|| Rejection::of_field(Reason::Erased, field, "was erased, with all that is about it"))
        });
    }
    Ok(left)
}

/// The same, with contacts that were merged into others here: what is about them is about those, until the merge is taken back.
async fn at_home(tx: &mut Tx, kind: &Kind, mut lines: Vec<(Span, Line)>) -> Result<Vec<(Span, Line)>, Error> {
    let Some(place) = kind.position("contact_id") else { return Ok(lines) };
    let contacts: BTreeSet<ContactId> =
        lines.iter().filter_map(|(_, line)| line.id("contact_id")).map(ContactId::from).collect();
    let contacts: Vec<ContactId> = contacts.into_iter().collect();
    for contact in store::transfer::list_merged(tx, &contacts).await? {
        let home = merges::hold_home(tx, contact).await?;
        let theirs = lines.iter_mut().filter(|(_, line)| line.id("contact_id") == Some(contact.as_uuid()));
        let mut rows = Vec::new();
        for (_, line) in theirs {
            rows.extend(line.id("note_id"));
            if let Some(cell) = line.cells.get_mut(place) {
                *cell = Some(Value::Id(home.contact_id.as_uuid()));
            }
        }
        merges::remember(tx, &home.merges, &rows).await?;
    }
    Ok(lines)
}

/// Those that belong to something.
async fn with_parents(
    tx: &mut Tx,
    kind: &Kind,
    lines: Vec<(Span, Line)>,
    outcome: &mut Outcome,
) -> Result<Vec<(Span, Line)>, Error> {
    let Some((Parent { field, fits, .. }, of)) = kind.parent.as_ref().zip(parent_kind(kind)) else {
        return Ok(lines);
    };
    let ids: BTreeSet<Uuid> = lines.iter().filter_map(|(_, line)| line.id(field)).collect();
    let keys = ids.into_iter().map(|id| vec![Some(Value::Id(id))]).collect();
    let parents = rows_with(tx, of, of.key_fields().iter().collect(), keys).await?;
    let parents: HashMap<String, Line> =
        parents.into_iter().map(|parent| (told_apart(parent.key()), parent)).collect();
    Ok(sift(lines, outcome, |line| {
        let key = [line.id(field).map(Value::Id)];
        let Some(parent) = parents.get(&told_apart(&key)) else {
            let text = format!("is of no {} that is there: it comes before this in the file", of.name);
            return Some(Rejection::of_field(Reason::NotFound, field, text));
        };
        fits(line, parent).err().map(|malformed| Rejection::malformed(Reason::Conflict, &[malformed]))
    }))
}

fn parent_kind(kind: &Kind) -> Option<&'static Kind> {
    kind_named(kind.parent.as_ref()?.kind)
}

/// Those with nothing in common, with one another or what is there, that no two may have in common.
async fn alone(
    tx: &mut Tx,
    kind: &'static Kind,
    lines: Vec<(Span, Line)>,
    outcome: &mut Outcome,
) -> Result<Vec<(Span, Line)>, Error> {
    let mut left = lines;
    for names in kind.unique {
        let cells = |line: &Line| -> Vec<Option<Value>> {
            names.iter().map(|name| line.get(name).cloned()).collect()
        };
        let fields = names.iter().filter_map(|name| kind.fields.get(kind.position(name)?)).collect();
        let values = left.iter().map(|(_, line)| cells(line)).collect();
        let mut taken: HashSet<String> =
            rows_with(tx, kind, fields, values).await?.iter().map(|line| told_apart(&cells(line))).collect();
        left = sift(left, outcome, |line| {
            let free = taken.insert(told_apart(&cells(line)));
            let (first, text) = (names.first().copied().unwrap_or_default(), names.join(" and "));
            let text = format!("another {} has this {text}", kind.name);
            (!free).then(|| Rejection::of_field(Reason::Conflict, first, text))
        });
    }
    Ok(left)
}

/// Leaves out what is refused.
fn sift(
    lines: Vec<(Span, Line)>,
    outcome: &mut Outcome,
    mut refuse: impl FnMut(&Line) -> Option<Rejection>,
) -> Vec<(Span, Line)> {
    let mut left = Vec::with_capacity(lines.len());
    for (span, line) in lines {
        match refuse(&line) {
            Some(rejection) => outcome.rejected.push((span, rejection)),
            None => left.push((span, line)),
        }
    }
    left
}

async fn rows_with(
    tx: &mut Tx,
    kind: &'static Kind,
    fields: Vec<&'static Field>,
    values: Vec<Vec<Option<Value>>>,
) -> Result<Vec<Line>, DbError> {
    store::transfer::find(tx, kind, &fields, &values).await
}

/// Values as something to look up: equal for equal ones only.
fn told_apart(values: &[Option<Value>]) -> String {
    let json = values.iter().map(|value| value.as_ref().map_or(serde_json::Value::Null, Value::to_json));
    serde_json::Value::Array(json.collect()).to_string()
}

/// Puts the notes that came, and those of which more people turn out to have been told, into the index. The words of a text take
/// their time; a batch has 1 MiB of text at most.
async fn index(tx: &mut Tx, came: &[Line]) -> Result<(), Error> {
    let of = |line: &Line| matches!(line.kind.name, "note" | "note_mention");
    let ids: BTreeSet<Uuid> =
        came.iter().filter(|line| of(line)).filter_map(|line| line.id("note_id")).collect();
    let ids: Vec<NoteId> = ids.into_iter().map(NoteId::from).collect();
    let mut told: HashMap<NoteId, Vec<Subject>> = HashMap::new();
    for (note, person) in store::transfer::list_told(tx, &ids).await? {
        told.entry(note).or_default().push(person);
    }
    let notes = store::watch::load_notes(tx, &ids).await?;
    let entries: Vec<_> = notes
        .iter()
        .filter(|note| note.deletion.is_none())
        .map(|note| {
            let told = told.get(&note.note_id).map(Vec::as_slice).unwrap_or_default();
            (note.note_id, note.create_time, Entry::of(note, told))
        })
        .collect();
    Ok(store::search::index_all(tx, &entries).await?)
}

/// Lets the times of conversations and what is unread follow the internal messages that came.
async fn count(tx: &mut Tx, came: &[Line]) -> Result<(), Error> {
    let messages: Vec<&Line> = came.iter().filter(|line| line.kind.name == "internal_message").collect();
    store::transfer::move_latest(tx, &messages).await?;
    let internal =
        came.iter().filter(|line| matches!(line.kind.name, "internal_message" | "internal_person"));
    let threads: HashSet<Uuid> = internal.filter_map(|line| line.id("internal_thread_id")).collect();
    Ok(store::transfer::count_unread(tx, &threads).await?)
}

/// Leaves a record of each object that came, once.
async fn record(tx: &mut Tx, came: &[Line], origin: &Origin) -> Result<(), Error> {
    let org = tx.org().map(ToString::to_string).unwrap_or_default();
    let mut objects: BTreeSet<(&'static str, String)> = BTreeSet::new();
    for line in came {
        let object = match line.key().first() {
            Some(Some(Value::Id(id))) => id.to_string(),
            _ => org.clone(),
        };
        objects.insert((line.kind.action, object));
    }
    let events: Vec<Event> = objects.into_iter().map(|(action, object)| Event::new(action, object)).collect();
    Ok(audit::record(tx, origin, &events).await?)
}
