//! What becomes of the mentions of a note.

use std::collections::{HashMap, HashSet};

use kernel::Subject;
use serde::{Deserialize, Serialize};

use super::Handle;

/// What a mention names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One agent.
    Agent,
    /// A team: its members are told.
    Team,
}

/// Why nobody is told because of a mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// No agent and no team has this name.
    Unknown,
    /// Nobody is told of their own note.
    Author,
    /// The team has no member but the author.
    EmptyTeam,
    /// Everybody it names was told of this note before.
    AlreadyNotified,
}

/// What became of a mention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// These are told: at least one, never the author.
    Notified(Vec<Subject>),
    /// Nobody is.
    Refused(Refusal),
}

/// A name in a note, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The name.
    pub handle: Handle,
    /// What it names; `None` if nothing.
    pub kind: Option<Kind>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What the directory says a handle names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// An agent or a team.
    pub kind: Kind,
    /// The agent, or the members of the team.
    pub people: Vec<Subject>,
}

/// What the directory says of a note's handles. A handle that is missing names nothing.
pub type Directory = HashMap<Handle, Resolved>;

/// What becomes of a note's mentions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// One for each handle, in the same order.
    pub mentions: Vec<Mention>,
    /// Everybody who is told now, once each, in the order of the text.
    pub recipients: Vec<Subject>,
}

/// Decides whom the handles of a note tell.
///
/// The `writers`, the note's author and whoever edits it now, are never told. `told` are those whom an earlier text of
/// the note told: they are not told again. A person whom two mentions name is in the outcome of both, and once among the
/// recipients.
pub fn decide(
    handles: Vec<Handle>,
    directory: &Directory,
    writers: &[&Subject],
    told: &HashSet<Subject>,
) -> Decision {
    let mentions: Vec<Mention> = handles
        .into_iter()
        .map(|handle| {
            let resolved = directory.get(&handle);
            let outcome = match resolved {
                None => Outcome::Refused(Refusal::Unknown),
                Some(resolved) => outcome(resolved, writers, told),
            };
            Mention { handle, kind: resolved.map(|resolved| resolved.kind), outcome }
        })
        .collect();
    let recipients = once_each(mentions.iter().flat_map(|mention| match &mention.outcome {
        Outcome::Notified(subjects) => subjects.as_slice(),
        Outcome::Refused(_) => &[],
    }));
    Decision { mentions, recipients }
}

fn outcome(resolved: &Resolved, writers: &[&Subject], told: &HashSet<Subject>) -> Outcome {
    let others = once_each(resolved.people.iter().filter(|person| !writers.contains(person)));
    if others.is_empty() {
        return Outcome::Refused(match resolved.kind {
            Kind::Agent if resolved.people.is_empty() => Refusal::Unknown,
            Kind::Agent => Refusal::Author,
            Kind::Team => Refusal::EmptyTeam,
        });
    }
    let new: Vec<Subject> = others.into_iter().filter(|person| !told.contains(person)).collect();
    if new.is_empty() { Outcome::Refused(Refusal::AlreadyNotified) } else { Outcome::Notified(new) }
}

fn once_each<'a>(people: impl Iterator<Item = &'a Subject>) -> Vec<Subject> {
    let mut seen = HashSet::new();
    people.filter(|person| seen.insert(*person)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use kernel::Subject;
    use proptest::prelude::*;

    use super::{Directory, Kind, Outcome, Refusal, Resolved, decide};
    use crate::domain::{Handle, handles_in};

    fn subjects(names: &[&str]) -> Vec<Subject> {
        names.iter().map(|name| Subject::parse(name).unwrap()).collect()
    }

    fn handles(text: &str) -> Vec<Handle> {
        handles_in(text).unwrap()
    }

    fn directory(entries: &[(&str, Kind, &[&str])]) -> Directory {
        entries
            .iter()
            .map(|(name, kind, people)| {
                (handles(&format!("@{name}")).remove(0), Resolved { kind: *kind, people: subjects(people) })
            })
            .collect()
    }

    fn ana() -> Subject {
        Subject::parse("ana").unwrap()
    }

    /// N7: each target comes back with what became of it.
    #[test]
    fn every_mention_has_its_outcome_in_the_order_of_the_text() {
        let directory = directory(&[
            ("ana", Kind::Agent, &["ana"]),
            ("bob", Kind::Agent, &["bob"]),
            ("night", Kind::Team, &["ana", "bob", "cleo"]),
            ("solo", Kind::Team, &["ana"]),
            ("nobody", Kind::Team, &[]),
        ]);
        let decided =
            decide(handles("@ghost @ana @bob @night @solo @nobody"), &directory, &[&ana()], &HashSet::new());
        let outcomes: Vec<_> = decided.mentions.iter().map(|mention| mention.outcome.clone()).collect();
        assert_eq!(
            outcomes,
            [
                Outcome::Refused(Refusal::Unknown),
                Outcome::Refused(Refusal::Author),
                Outcome::Notified(subjects(&["bob"])),
                Outcome::Notified(subjects(&["bob", "cleo"])),
                Outcome::Refused(Refusal::EmptyTeam),
                Outcome::Refused(Refusal::EmptyTeam),
            ]
        );
        assert_eq!(decided.recipients, subjects(&["bob", "cleo"]), "bob is told once");
        assert_eq!(decided.mentions[0].kind, None);
        assert_eq!(decided.mentions[3].kind, Some(Kind::Team));
    }

    /// N7: an edit notifies only the newly mentioned.
    #[test]
    fn who_was_told_of_the_note_is_not_told_again() {
        let directory =
            directory(&[("bob", Kind::Agent, &["bob"]), ("night", Kind::Team, &["ana", "bob", "cleo"])]);
        let told = subjects(&["bob"]).into_iter().collect();
        let decided = decide(handles("@bob @night"), &directory, &[&ana()], &told);
        assert_eq!(decided.mentions[0].outcome, Outcome::Refused(Refusal::AlreadyNotified));
        assert_eq!(decided.mentions[1].outcome, Outcome::Notified(subjects(&["cleo"])));
        assert_eq!(decided.recipients, subjects(&["cleo"]));
        let all = subjects(&["bob", "cleo"]).into_iter().collect();
        assert!(decide(handles("@bob @night"), &directory, &[&ana()], &all).recipients.is_empty());
    }

    /// N7: the author never, nor an admin who edits the author's note.
    #[test]
    fn neither_the_author_nor_the_editor_is_told_of_an_edit() {
        let directory =
            directory(&[("ana", Kind::Agent, &["ana"]), ("all", Kind::Team, &["ana", "root", "bob"])]);
        let root = Subject::parse("root").unwrap();
        let decided = decide(handles("@ana @all"), &directory, &[&ana(), &root], &HashSet::new());
        assert_eq!(decided.mentions[0].outcome, Outcome::Refused(Refusal::Author));
        assert_eq!(decided.recipients, subjects(&["bob"]));
    }

    fn people() -> impl Strategy<Value = Vec<Subject>> {
        prop::collection::vec("[a-f]", 0..6)
            .prop_map(|names| names.iter().map(|name| Subject::parse(name).unwrap()).collect())
    }

    proptest! {
        #[test]
        fn recipients_are_once_each_never_the_actor_never_told_before(
            teams in prop::collection::vec(people(), 0..5),
            told in people(),
            actor in "[a-f]",
        ) {
            let actor = Subject::parse(&actor).unwrap();
            let told: HashSet<Subject> = told.into_iter().collect();
            let text: String = (0..teams.len() + 1).map(|n| format!("@t{n} ")).collect();
            let handles = handles(&text);
            let directory: Directory = handles.iter().cloned().zip(
                teams.iter().map(|people| Resolved { kind: Kind::Team, people: people.clone() })
            ).collect();
            let decided = decide(handles.clone(), &directory, &[&actor], &told);

            let expected: HashSet<Subject> = teams.iter().flatten()
                .filter(|person| **person != actor && !told.contains(*person)).cloned().collect();
            let recipients: HashSet<Subject> = decided.recipients.iter().cloned().collect();
            prop_assert_eq!(&recipients, &expected, "all of them and nobody else");
            prop_assert_eq!(recipients.len(), decided.recipients.len(), "once each");
            let named: Vec<_> = decided.mentions.iter().map(|mention| mention.handle.clone()).collect();
            prop_assert_eq!(named, handles, "an outcome for every handle");
            for mention in &decided.mentions {
                prop_assert!(mention.outcome != Outcome::Notified(vec![]), "told means that somebody is");
            }
        }
    }
}
