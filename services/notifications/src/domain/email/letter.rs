//! What is told to whom, and the lines that say it.

use kernel::{ConversationId, Timestamp};
use zones::{WallClock, Zone};

use super::words::{self, Words};
use super::{Locale, html, text};
use crate::domain::{BundleKind, Excerpt, Notification, NotificationType};

/// The longest subject, in characters: mail programs show about half of it.
const SUBJECT: usize = 150;

/// Where the links of an email lead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// A conversation in the console of the organization, with `{conversation_id}`.
    pub conversation: Option<String>,
    /// Where people change what they get.
    pub settings: Option<String>,
}

/// One entry that an email tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The entry.
    pub entry: Notification,
    /// The beginning of what was written, where the organization wants it in emails.
    pub excerpt: Option<Excerpt>,
}

/// An email before it is written.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter<'a> {
    /// What to call its reader; may be empty.
    pub name: &'a str,
    /// The language.
    pub locale: Locale,
    /// What the reader's clocks show.
    pub zone: Zone,
    /// How its entries came together.
    pub kind: BundleKind,
    /// The entries that are listed, oldest first; never empty.
    pub items: &'a [Item],
    /// How many there are, listed or not.
    pub total: u64,
    /// In how many conversations.
    pub conversations: u64,
    /// Whether all of them, listed or not, are of one type.
    pub one_type: bool,
    /// Where its links lead.
    pub links: &'a Links,
}

/// An email's texts.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// The plain body.
    pub text: String,
    /// The body as HTML.
    pub html: String,
}

/// What both bodies say, each in its way. Every string is one line.
pub(super) struct Lines<'a> {
    pub(super) words: &'static Words,
    pub(super) tag: &'static str,
    pub(super) subject: String,
    pub(super) hello: String,
    pub(super) blocks: Vec<Block>,
    pub(super) more: Option<String>,
    pub(super) settings: Option<&'a str>,
}

/// What is said of one entry.
pub(super) struct Block {
    pub(super) headline: String,
    /// The sentence that came with it, where the headline is not that.
    pub(super) reason: Option<String>,
    pub(super) time: String,
    pub(super) excerpt: Option<String>,
    pub(super) link: Option<String>,
}

impl Letter<'_> {
    /// Writes it.
    pub fn render(&self) -> Rendered {
        let lines = self.lines();
        Rendered { text: text::body(&lines), html: html::body(&lines), subject: lines.subject }
    }

    /// What happened, in a line.
    pub fn title(&self) -> String {
        self.subject(words::of(self.locale))
    }

    /// The conversation, if all of it is about one.
    pub fn conversation(&self) -> Option<ConversationId> {
        let of = |item: &Item| item.entry.conversation_id;
        let first = self.items.first().and_then(of)?;
        let one = self.conversations == 1 && self.items.iter().all(|item| of(item) == Some(first));
        one.then_some(first)
    }

    /// The type, if all of it is of one.
    pub fn notification_type(&self) -> Option<NotificationType> {
        let first = self.items.first()?.entry.kind;
        let one = self.one_type && self.items.iter().all(|item| item.entry.kind == first);
        one.then_some(first)
    }

    fn lines(&self) -> Lines<'_> {
        let (words, clock) = (words::of(self.locale), self.zone.clock());
        let name = one_line(self.name);
        let unlisted = self.total.saturating_sub(self.items.len() as u64);
        Lines {
            words,
            tag: self.locale.tag(),
            subject: self.subject(words),
            hello: match name.as_str() {
                "" => words.hello_nobody.to_owned(),
                name => words.hello.replace("{name}", name),
            },
            blocks: self.items.iter().map(|item| self.block(item, words, &clock)).collect(),
            more: (unlisted > 0).then(|| words.more.replace("{number}", &unlisted.to_string())),
            settings: self.links.settings.as_deref(),
        }
    }

    /// One entry says what it is; several are counted: `5 mentions in 3 conversations`.
    fn subject(&self, words: &Words) -> String {
        let counted = match self.notification_type() {
            Some(NotificationType::Mentioned) => words.mention.counted(self.total),
            _ => words.notification.counted(self.total),
        };
        let what = match self.conversations {
            0 => counted,
            some => {
                let conversations = words.conversation.counted(some);
                words.within.replace("{where}", &conversations).replace("{what}", &counted)
            }
        };
        let subject = match (self.kind, self.items) {
            (BundleKind::Digest, _) => words.digest.replace("{what}", &what),
            (BundleKind::Single | BundleKind::Gathered, [only]) if self.total <= 1 => {
                headline(self.locale, words, &only.entry)
            }
            (BundleKind::Single | BundleKind::Gathered, _) => what,
        };
        shortened(subject)
    }

    fn block(&self, Item { entry, excerpt }: &Item, words: &Words, clock: &WallClock) -> Block {
        let headline = headline(self.locale, words, entry);
        let reason = sentence(entry);
        Block {
            reason: (reason != headline).then_some(reason),
            headline,
            time: moment(words, clock, self.zone, entry.occur_time),
            excerpt: excerpt.as_ref().map(|it| one_line(it.as_str())),
            link: self.link(entry.conversation_id),
        }
    }

    fn link(&self, conversation: Option<ConversationId>) -> Option<String> {
        let (to, id) = (self.links.conversation.as_ref()?, conversation?);
        Some(to.replace("{conversation_id}", &id.to_string()))
    }
}

/// What happened. The sentence that came with the entry is English, unless a workflow of the organization wrote it.
fn headline(locale: Locale, words: &Words, entry: &Notification) -> String {
    if locale == Locale::English || entry.kind == NotificationType::Workflow {
        return sentence(entry);
    }
    let phrase = (words.phrase)(entry.kind);
    let actor = entry.actor.as_ref().map(|actor| one_line(&actor.name)).filter(|name| !name.is_empty());
    actor.map_or_else(|| phrase.plain.to_owned(), |name| phrase.by.replace("{actor}", &name))
}

fn sentence(entry: &Notification) -> String {
    let line = one_line(entry.reason.as_str());
    line.strip_suffix('.').map(str::to_owned).unwrap_or(line)
}

fn moment(words: &Words, clock: &WallClock, zone: Zone, time: Timestamp) -> String {
    let shown = clock.shows(time);
    let day = shown.day.to_string();
    let mut parts = day.rsplit('-');
    let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok()).unwrap_or_default();
    let (day, month, year) = (number(), number(), number());
    let month = words.months.get(month.saturating_sub(1)).copied().unwrap_or_default();
    words
        .moment
        .replace("{day}", &day.to_string())
        .replace("{month}", month)
        .replace("{year}", &year.to_string())
        .replace("{time}", &format!("{:02}:{:02}", shown.minute / 60, shown.minute % 60))
        .replace("{zone}", zone.as_str())
}

/// A text that others chose, as one line: nobody's name begins a new one.
pub(crate) fn one_line(text: &str) -> String {
    let breaks = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ").trim().to_owned()
}

fn shortened(subject: String) -> String {
    if subject.chars().count() <= SUBJECT {
        return subject;
    }
    let mut short: String = subject.chars().take(SUBJECT - 1).collect();
    short.push('…');
    short
}
