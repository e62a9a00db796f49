//! What is said in each language. A language is one value: what one has, all have.

mod de;
mod en;
mod es;
mod fr;

use super::Locale;
use crate::domain::NotificationType;

/// What a notification of a type says, where the sentence that came with it is of another language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrase {
    /// With `{actor}`: who did it.
    pub(super) by: &'static str,
    /// Where nobody did, or nobody knows who.
    pub(super) plain: &'static str,
}

/// A word for one and for several.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noun(pub(super) &'static str, pub(super) &'static str);

impl Noun {
    /// `1 mention`, `5 mentions`.
    pub(super) fn counted(self, number: u64) -> String {
        format!("{number} {}", if number == 1 { self.0 } else { self.1 })
    }
}

/// A language.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    pub(super) notification: Noun,
    pub(super) mention: Noun,
    pub(super) conversation: Noun,
    /// `{what} in {where}`.
    pub(super) within: &'static str,
    /// With `{what}`: the subject of a digest.
    pub(super) digest: &'static str,
    /// With `{name}`.
    pub(super) hello: &'static str,
    pub(super) hello_nobody: &'static str,
    pub(super) open: &'static str,
    /// With `{number}`: how many more there are.
    pub(super) more: &'static str,
    /// Why somebody gets the email.
    pub(super) why: &'static str,
    pub(super) settings: &'static str,
    /// With `{day}`, `{month}`, `{year}`, `{time}` and `{zone}`.
    pub(super) moment: &'static str,
    pub(super) months: [&'static str; 12],
    pub(super) phrase: fn(NotificationType) -> Phrase,
}

/// The words of a language.
pub(super) fn of(locale: Locale) -> &'static Words {
    match locale {
        Locale::English => &en::WORDS,
        Locale::German => &de::WORDS,
        Locale::French => &fr::WORDS,
        Locale::Spanish => &es::WORDS,
    }
}
