//! Threads: a note, and the replies to it and to each other.

use std::collections::HashSet;

use kernel::{NoteId, Subject};
use serde::{Deserialize, Serialize};

use super::{Note, Place};

/// What a reply replies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The note it answers.
    pub to: NoteId,
    /// The note that began the thread: that note itself, or the one whose thread it is in.
    pub thread: NoteId,
}

/// Why a note cannot reply to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// The other is deleted.
    Deleted,
    /// The other is on another conversation or contact.
    Elsewhere,
}

impl Reply {
    /// A reply to `note` by a note at `place`.
    ///
    /// # Errors
    /// [`NoReply`].
    pub fn to(note: &Note, place: &Place) -> Result<Self, NoReply> {
        if !note.place.is_with(place) {
            return Err(NoReply::Elsewhere);
        }
        if note.deletion.is_some() {
            return Err(NoReply::Deleted);
        }
        Ok(Self { to: note.note_id, thread: note.thread() })
    }
}

/// Who of a thread's followers is told of a reply as a reply: not its author, and nobody whom it mentions, as they are told
/// of that. In the order of their names, so that equal transactions write in the same order.
pub fn told_of_reply(followers: HashSet<Subject>, author: &Subject, mentioned: &[Subject]) -> Vec<Subject> {
    let mentioned: HashSet<&Subject> = mentioned.iter().collect();
    let others = followers.into_iter().filter(|follower| follower != author && !mentioned.contains(follower));
    let mut told: Vec<Subject> = others.collect();
    told.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    told
}

#[cfg(test)]
mod tests {
    use kernel::Subject;

    use super::told_of_reply;

    // N4
    #[test]
    fn a_mention_wins_over_a_reply_and_the_author_is_not_told() {
        let people =
            |names: &[&str]| names.iter().map(|name| Subject::parse(name).unwrap()).collect::<Vec<_>>();
        let followers = people(&["cleo", "ana", "bob", "dan"]).into_iter().collect();
        let told = told_of_reply(followers, &people(&["ana"])[0], &people(&["bob", "eve"]));
        assert_eq!(told, people(&["cleo", "dan"]));
    }
}
