//! The table `search_entries`.

use db::{DbError, Query, Tx, org_rows, rows};
use kernel::ContactId;

use crate::domain::{Entry, Key, Search, SearchField, Term, Tier};

/// Entries that one statement stores or removes.
const AT_ONCE: usize = 500;

#[derive(db::FromRow)]
struct EntryRow {
    word: String,
    field: SearchField,
    attribute_key: String,
    tier: Tier,
}

/// Where a contact is in the order of an answer.
#[derive(Debug, Clone, PartialEq, Eq, db::FromRow)]
pub struct Place {
    /// The entry that was found.
    pub word: String,
    /// The contact.
    pub contact_id: ContactId,
    /// Where the entry is.
    pub field: SearchField,
}

/// What the contact is found by.
///
/// # Errors
/// As for every statement.
pub async fn list_of(tx: &mut Tx, contact: ContactId) -> Result<Vec<Entry>, DbError> {
    const SQL: &str =
        "SELECT word, field, attribute_key, tier FROM search_entries WHERE org_id = $1 AND contact_id = $2";
    let rows: Vec<EntryRow> = tx.query(SQL).bind(contact).fetch_all(tx).await?;
    let entry =
        |EntryRow { word, field, attribute_key, tier }: EntryRow| Entry { word, field, attribute_key, tier };
    Ok(rows.into_iter().map(entry).collect())
}

/// Adds entries that the contact does not have; several statements if they are many.
///
/// # Errors
/// As for every statement.
pub async fn insert(tx: &mut Tx, contact: ContactId, entries: &[Entry]) -> Result<(), DbError> {
    for entries in entries.chunks(AT_ONCE) {
        let sql = format!(
            "INSERT INTO search_entries (org_id, contact_id, word, field, attribute_key, tier) VALUES {}",
            org_rows(entries.len(), 5)
        );
        let mut query = tx.query_dynamic(sql);
        for entry in entries {
            query = bind_entry(query.bind(contact), entry);
        }
        query.execute(tx).await?;
    }
    Ok(())
}

/// Removes entries of the contact; several statements if they are many.
///
/// # Errors
/// As for every statement.
pub async fn remove(tx: &mut Tx, contact: ContactId, entries: &[Entry]) -> Result<(), DbError> {
    for entries in entries.chunks(AT_ONCE) {
        let sql = format!(
            "DELETE FROM search_entries WHERE org_id = $1 AND contact_id = $2 \
             AND (word, field, attribute_key, tier) IN (VALUES {})",
            rows(3, entries.len(), 4)
        );
        let query = tx.query_dynamic(sql).bind(contact);
        entries.iter().fold(query, bind_entry).execute(tx).await?;
    }
    Ok(())
}

fn bind_entry(query: Query, entry: &Entry) -> Query {
    query.bind(&entry.word).bind(entry.field.code()).bind(&entry.attribute_key).bind(entry.tier.code())
}

/// Removes the entries which these contacts have by an attribute.
///
/// # Errors
/// As for every statement.
pub async fn remove_attribute(tx: &mut Tx, key: &Key, contacts: &[ContactId]) -> Result<(), DbError> {
    if contacts.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM search_entries WHERE org_id = $1 AND attribute_key = $2 AND contact_id IN (VALUES {})",
        rows(3, contacts.len(), 1)
    );
    tx.query_dynamic(sql).bind(key).bind_all(contacts.iter().copied()).execute(tx).await?;
    Ok(())
}

/// How many entries each term has, as far as `most`: enough to know which is the rarest.
///
/// # Errors
/// As for every statement.
pub async fn count_each(tx: &mut Tx, terms: &[Term], most: i64) -> Result<Vec<i64>, DbError> {
    let counts: Vec<String> = terms
        .iter()
        .enumerate()
        .map(|(index, term)| {
            let (low, high) = (2 * index + 3, 2 * index + 4);
            format!(
                "SELECT {index} AS term, COUNT(*) AS entries FROM (SELECT 1 AS one FROM search_entries \
                 WHERE org_id = $1 AND tier IN ({}) AND word >= ${low} AND word < ${high} LIMIT $2) AS seen",
                codes(term.tiers().iter().map(|tier| tier.code()))
            )
        })
        .collect();
    let mut query = tx.query_dynamic(counts.join(" UNION ALL ")).bind(most);
    for term in terms {
        query = query.bind(&term.low).bind(&term.high);
    }
    let mut counted: Vec<(i32, i64)> = query.fetch_all(tx).await?;
    counted.sort_unstable();
    Ok(counted.into_iter().map(|(_, count)| count).collect())
}

/// The part of an order from which places are read.
#[derive(Debug, Clone, Copy)]
pub enum Part<'a> {
    /// A whole tier.
    Whole,
    /// What is left of one word: contacts made before this one.
    OfWord(&'a str, ContactId),
    /// All words after this one.
    AfterWord(&'a str),
}

/// Contacts which have an entry of every term, in the order of their best entries of the leading one, at most `limit`: of one
/// tier the words in their order, of one word the newest contact first. A contact is where its best entry is, and only there.
///
/// # Errors
/// As for every statement.
pub async fn list(
    tx: &mut Tx,
    search: &Search,
    leader: usize,
    tier: Tier,
    part: Part<'_>,
    limit: i64,
) -> Result<Vec<Place>, DbError> {
    let Some(leading) = search.terms.get(leader) else { return Ok(Vec::new()) };
    // Without an OFFSET PostgreSQL makes a join of an EXISTS, and may read every entry of the other term for it.
    let mut sql = format!(
        "SELECT w.word, w.contact_id, w.field FROM search_entries w \
         WHERE w.org_id = $1 AND w.tier = $2 AND w.word >= $3 AND w.word < $4{} AND NOT EXISTS (\
            SELECT 1 FROM search_entries b WHERE b.org_id = $1 AND b.contact_id = w.contact_id \
            AND b.word >= $3 AND b.word < $4{} \
            AND (b.tier, b.word, b.field, b.attribute_key) < (w.tier, w.word, w.field, w.attribute_key) \
            LIMIT 1 OFFSET 0)",
        scope("w", search, leading),
        scope("b", search, leading)
    );
    let others: Vec<&Term> =
        search.terms.iter().enumerate().filter(|(index, _)| *index != leader).map(|(_, term)| term).collect();
    for (index, term) in others.iter().enumerate() {
        let (low, high) = (2 * index + 6, 2 * index + 7);
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM search_entries o WHERE o.org_id = $1 AND o.contact_id = w.contact_id \
             AND o.word >= ${low} AND o.word < ${high}{} LIMIT 1 OFFSET 0)",
            scope("o", search, term)
        ));
    }
    let next = 2 * others.len() + 6;
    match part {
        Part::Whole => {}
        Part::OfWord(..) => sql.push_str(&format!(" AND w.word = ${next} AND w.contact_id < ${}", next + 1)),
        Part::AfterWord(_) => sql.push_str(&format!(" AND w.word > ${next}")),
    }
    sql.push_str(" ORDER BY w.word, w.contact_id DESC LIMIT $5");
    let mut query =
        tx.query_dynamic(sql).bind(tier.code()).bind(&leading.low).bind(&leading.high).bind(limit);
    for term in others {
        query = query.bind(&term.low).bind(&term.high);
    }
    let query = match part {
        Part::Whole => query,
        Part::OfWord(word, before) => query.bind(word).bind(before),
        Part::AfterWord(word) => query.bind(word),
    };
    query.fetch_all(tx).await
}

/// The condition that keeps a word to the fields asked for; whole tags and values are asked for where they are.
fn scope(of: &str, search: &Search, term: &Term) -> String {
    if !term.is_word || search.fields.is_empty() {
        return String::new();
    }
    format!(" AND {of}.field IN ({})", codes(search.fields.iter().map(|field| field.code())))
}

/// Numbers of ours, which are safe in a text.
fn codes(numbers: impl Iterator<Item = i32>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(", ")
}
