//! Notes and searches as sets of tokens: what the databases' indexes hold and intersect.
//!
//! Each token begins with a prefix of its organization, so that the entries of one are apart from all others' in an index that
//! all share: another organization's notes cost a search nothing. Which rows are whose is decided by `org_id`, not by the prefix.
//! Authors, conversations and other filters are tokens beside the words, so that a search with filters is one intersection.

use std::collections::BTreeSet;
use std::fmt::Write;

use kernel::{ContactId, ConversationId, OrgId, Subject, Timestamp};
use sha2::{Digest, Sha256};

use super::{Query, words_in};
use crate::domain::{Handle, Note, NoteKind};

/// People told of one note that can be searched for; teams are seldom larger.
const MOST_PEOPLE: usize = 5_000;

/// One entry of the index: ASCII lowercase letters, digits and everything beyond ASCII, so that no tokenizer cuts or folds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The entry.
    pub text: String,
    /// It is the beginning of the entry only.
    pub open: bool,
}

/// What is indexed of a note. Made before the transaction, as cutting a text into words takes its time.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry(BTreeSet<String>);

impl std::fmt::Debug for Entry {
    /// Without the words, which are private.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Entry({} tokens)", self.0.len())
    }
}

impl Entry {
    /// The entry of a note of which these people were told because a text of it mentioned them, now or earlier.
    pub fn of<'a>(note: &Note, told: impl IntoIterator<Item = &'a Subject>) -> Self {
        let mut tokens: BTreeSet<String> = words_in(note.body.as_str()).map(|it| word(&it.folded)).collect();
        tokens.insert(kind(note.kind()));
        tokens.extend(note.place.conversation_id().map(conversation));
        tokens.insert(contact(note.place.contact_id()));
        tokens.insert(author(&note.author.subject));
        tokens.extend(note.mentions.iter().map(|mention| handle(&mention.handle)));
        tokens.extend(told.into_iter().take(MOST_PEOPLE).map(person));
        Self(tokens)
    }

    /// The tokens, each once, with a space between.
    pub fn text(&self, org: &OrgId) -> String {
        let prefix = prefix(org);
        let tokens: Vec<String> = self.0.iter().map(|token| format!("{prefix}{token}")).collect();
        tokens.join(" ")
    }
}

/// Which notes are wanted, beside what they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Written by.
    pub author: Option<Subject>,
    /// On this conversation.
    pub conversation_id: Option<ConversationId>,
    /// About this contact.
    pub contact_id: Option<ContactId>,
    /// Of this kind.
    pub kind: Option<NoteKind>,
    /// With this name after an `@`.
    pub handle: Option<Handle>,
    /// This person was told.
    pub told: Option<Subject>,
    /// Written then or later.
    pub since: Option<Timestamp>,
    /// Written before.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Every token that a note must have to be meant.
    pub fn tokens(&self, org: &OrgId, query: &Query) -> Vec<Token> {
        let prefix = prefix(org);
        let words: BTreeSet<(&str, bool)> = query.words().collect();
        let words = words.into_iter().map(|(text, open)| (word(text), open));
        let filters = [
            self.author.as_ref().map(author),
            self.conversation_id.map(conversation),
            self.contact_id.map(contact),
            self.kind.map(kind),
            self.handle.as_ref().map(handle),
            self.told.as_ref().map(person),
        ];
        let filters = filters.into_iter().flatten().map(|text| (text, false));
        words.chain(filters).map(|(text, open)| Token { text: format!("{prefix}{text}"), open }).collect()
    }

    /// True if a note of this time is meant.
    pub fn admits(&self, create_time: Timestamp) -> bool {
        self.since.is_none_or(|since| create_time >= since)
            && self.until.is_none_or(|until| create_time < until)
    }
}

/// What every token of an organization begins with.
fn prefix(org: &OrgId) -> String {
    digest(org.as_str(), 3)
}

fn word(folded: &str) -> String {
    format!("w{folded}")
}

fn kind(kind: NoteKind) -> String {
    format!("k{}", kind.as_str())
}

fn conversation(id: ConversationId) -> String {
    format!("c{}", id.as_uuid().simple())
}

fn contact(id: ContactId) -> String {
    format!("p{}", id.as_uuid().simple())
}

// Subjects and handles may have signs at which a tokenizer cuts: of these the index holds a digest.

fn author(subject: &Subject) -> String {
    format!("a{}", digest(subject.as_str(), 10))
}

fn handle(handle: &Handle) -> String {
    format!("h{}", digest(handle.as_str(), 10))
}

fn person(subject: &Subject) -> String {
    format!("s{}", digest(subject.as_str(), 10))
}

/// The beginning of a SHA-256, in hexadecimal digits.
fn digest(text: &str, length: usize) -> String {
    Sha256::digest(text).iter().take(length).fold(String::with_capacity(2 * length), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Entry, Filter};
    use crate::domain::search::Query;
    use crate::domain::{Author, Body, Note, NoteKind, Place};
    use kernel::{Clock, ContactId, OrgId, Role, Subject};
    use std::collections::BTreeSet;

    fn note(body: &str, author: &Subject, contact_id: ContactId) -> Note {
        let clock = Clock::system();
        Note {
            note_id: clock.new_id().into(),
            place: Place::Contact { contact_id, origin: None },
            reply: None,
            author: Author { subject: author.clone(), role: Role::Agent, display_name: String::new() },
            body: Body::parse(body.to_owned()).unwrap(),
            mentions: vec![],
            revision: 1,
            version: 1,
            create_time: clock.now(),
            update_time: clock.now(),
            pin: None,
            deletion: None,
            handoff: None,
        }
    }

    // N8
    #[test]
    fn a_note_has_every_token_that_its_own_words_and_facts_demand() {
        let (org, clock) = (OrgId::parse("acme").unwrap(), Clock::system());
        let (ana, bob) = (Subject::parse("idp|ana").unwrap(), Subject::parse("bob").unwrap());
        let contact_id = clock.new_id().into();
        let text = Entry::of(&note("Refund, refund: 返金 👍", &ana, contact_id), [&bob]).text(&org);
        let held: BTreeSet<&str> = text.split(' ').collect();
        assert_eq!(held.len(), text.split(' ').count(), "each once");
        let filter = Filter {
            author: Some(ana.clone()),
            contact_id: Some(contact_id),
            kind: Some(NoteKind::Contact),
            told: Some(bob.clone()),
            ..Filter::default()
        };
        let wanted = filter.tokens(&org, &Query::parse("refund \"返金\" 👍 refu*").unwrap());
        assert_eq!(wanted.len(), 5 + 4);
        for token in wanted {
            let found = held.iter().any(|entry| match token.open {
                true => entry.starts_with(&token.text),
                false => *entry == token.text,
            });
            assert!(found, "{token:?}");
        }
        for other in [
            Filter { author: Some(bob), ..Filter::default() },
            Filter { told: Some(ana), ..Filter::default() },
            Filter { kind: Some(NoteKind::Conversation), ..Filter::default() },
            Filter { conversation_id: Some(clock.new_id().into()), ..Filter::default() },
        ] {
            let wanted = other.tokens(&org, &Query::default());
            assert!(!wanted.is_empty() && wanted.iter().all(|token| !held.contains(token.text.as_str())));
        }
        let elsewhere = OrgId::parse("globex").unwrap();
        let theirs = Filter::default().tokens(&elsewhere, &Query::parse("refund").unwrap());
        assert!(!held.contains(theirs[0].text.as_str()), "an index shared with others keeps them apart");
        let whole =
            |letter: char| !letter.is_ascii() || letter.is_ascii_lowercase() || letter.is_ascii_digit();
        assert!(held.iter().all(|entry| entry.chars().all(whole)));
    }
}
