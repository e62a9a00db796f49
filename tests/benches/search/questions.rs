//! What is asked. Each question is one call; calls of a question differ where screens differ (in the conversation, in the contact).

use futures::FutureExt;
use futures::future::BoxFuture;
use proto::contacts::v1::{GetContactPanelRequest, ListContactsRequest, SearchContactsRequest};
use proto::notes::v1::{ListNotesRequest, ListTimelineRequest, SearchNotesRequest};
use rpc::convert::proto_time;

use crate::fill::{AUTHORS, ON_EACH, Office, START, TWO_YEARS};

/// Asks the organization once.
pub(crate) type Question = for<'a> fn(&'a Office, usize) -> BoxFuture<'a, ()>;

/// The questions and their names. The word n is about n times rarer than the word 1, which nearly every note has.
pub(crate) const QUESTIONS: &[(&str, Question)] = &[
    ("notes: a word of one note (number777)", |office, _| found(office, words("number777"), 1)),
    ("notes: a word of twenty notes (seldom)", |office, _| found(office, words("seldom"), 20)),
    ("notes: a word of 1 note in 700 (w2500)", |office, _| found(office, words("w2500"), 1)),
    ("notes: a word of 1 note in 85 (w300)", |office, _| found(office, words("w300"), 50)),
    ("notes: a word of 1 note in 6 (w20)", |office, _| found(office, words("w20"), 50)),
    ("notes: a word of most notes (w1)", |office, _| found(office, words("w1"), 50)),
    ("notes: two frequent words (w1 w2)", |office, _| found(office, words("w1 w2"), 50)),
    ("notes: a frequent and a rarer word (w1 w300)", |office, _| found(office, words("w1 w300"), 50)),
    ("notes: a phrase of frequent words (\"w1 w2\")", |office, _| found(office, words("\"w1 w2\""), 1)),
    ("notes: a beginning of few words (number77*)", |office, _| found(office, words("number77*"), 50)),
    ("notes: a beginning of many words (w1*)", |office, _| found(office, words("w1*"), 50)),
    ("notes: of one author", |office, call| {
        let author_subject = author(call);
        found(office, SearchNotesRequest { author_subject, ..words("") }, 50)
    }),
    ("notes: a frequent word of one author", |office, call| {
        let author_subject = author(call);
        found(office, SearchNotesRequest { author_subject, ..words("w1") }, 50)
    }),
    ("notes: a word on one conversation", |office, call| {
        let conversation_id = office.real(call).0.to_string();
        found(office, SearchNotesRequest { conversation_id, ..words("w1") }, 1)
    }),
    ("notes: about one contact", |office, call| {
        let contact_id = office.real(call).1.to_string();
        found(office, SearchNotesRequest { contact_id, ..words("") }, 50)
    }),
    ("notes: a frequent word, in the year before", |office, _| {
        let end_time = Some(proto_time(START.plus(TWO_YEARS / 2)));
        found(office, SearchNotesRequest { end_time, ..words("w20") }, 50)
    }),
    ("notes: the list of a conversation", |office, call| listed(office, call).boxed()),
    ("notes: the timeline of a conversation", |office, call| timeline(office, call).boxed()),
    ("contacts: a name (one contact)", |office, _| contact(office, looked_for("Person7x"), 1)),
    ("contacts: the beginning of names", |office, _| contact(office, looked_for("per"), 50)),
    ("contacts: a first name of many", |office, _| contact(office, looked_for("ana"), 50)),
    ("contacts: two names of many", |office, _| contact(office, looked_for("ana lima"), 50)),
    ("contacts: an email", |office, _| contact(office, looked_for("person7@example.com"), 1)),
    ("contacts: a name of many, and a tag", |office, _| {
        contact(office, SearchContactsRequest { tags: vec!["vip".to_owned()], ..looked_for("ana") }, 50)
    }),
    ("contacts: the list", |office, _| contacts(office, "").boxed()),
    ("contacts: the list of a tag", |office, _| contacts(office, "vip").boxed()),
    ("contacts: the panel", |office, call| panel(office, call).boxed()),
];

fn words(query: &str) -> SearchNotesRequest {
    SearchNotesRequest { query: query.to_owned(), ..SearchNotesRequest::default() }
}

fn author(call: usize) -> String {
    format!("author{}", call % AUTHORS)
}

fn looked_for(query: &str) -> SearchContactsRequest {
    SearchContactsRequest { query: query.to_owned(), ..SearchContactsRequest::default() }
}

/// A search that finds so many at least.
fn found(office: &Office, request: SearchNotesRequest, least: usize) -> BoxFuture<'_, ()> {
    let mut search = office.note_search();
    async move {
        let hits = search.search_notes(request).await.unwrap().into_inner().hits;
        assert!(hits.len() >= least, "{} hits", hits.len());
    }
    .boxed()
}

fn contact(office: &Office, request: SearchContactsRequest, least: usize) -> BoxFuture<'_, ()> {
    let mut search = office.contact_search();
    async move {
        let hits = search.search_contacts(request).await.unwrap().into_inner().hits;
        assert!(hits.len() >= least, "{} hits", hits.len());
    }
    .boxed()
}

async fn listed(office: &Office, call: usize) {
    let conversation_id = office.real(call).0.to_string();
    let request = ListNotesRequest { conversation_id, ..ListNotesRequest::default() };
    assert_eq!(office.notes().list_notes(request).await.unwrap().into_inner().notes.len(), ON_EACH);
}

async fn timeline(office: &Office, call: usize) {
    let conversation_id = office.real(call).0.to_string();
    let request = ListTimelineRequest { conversation_id, ..ListTimelineRequest::default() };
    let entries = office.timeline().list_timeline(request).await.unwrap().into_inner().entries;
    assert!(entries.len() >= 50, "{} entries", entries.len());
}

async fn contacts(office: &Office, tag: &str) {
    let request = ListContactsRequest { tag: tag.to_owned(), ..ListContactsRequest::default() };
    let contacts = office.contacts().list_contacts(request).await.unwrap().into_inner().contacts;
    assert_eq!(contacts.len(), 50);
}

async fn panel(office: &Office, call: usize) {
    let contact_id = office.real(call).1.to_string();
    let request = GetContactPanelRequest { contact_id, ..GetContactPanelRequest::default() };
    let panel = office.panel().get_contact_panel(request).await.unwrap().into_inner();
    assert!(panel.unavailable_sections.is_empty() && !panel.notes.is_empty(), "{panel:?}");
}
