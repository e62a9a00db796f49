//! German.

use super::{Noun, Phrase, Words};
use crate::domain::NotificationType as Type;

pub(super) static WORDS: Words = Words {
    notification: Noun("Benachrichtigung", "Benachrichtigungen"),
    mention: Noun("Erwähnung", "Erwähnungen"),
    conversation: Noun("Gespräch", "Gesprächen"),
    within: "{what} in {where}",
    digest: "Ihre Zusammenfassung: {what}",
    hello: "Guten Tag {name},",
    hello_nobody: "Guten Tag,",
    open: "Gespräch öffnen",
    more: "und {number} weitere",
    why: "Sie erhalten diese E-Mail, weil Ihnen Benachrichtigungen dieser Art per E-Mail geschickt werden.",
    settings: "Ändern, was Sie per E-Mail erhalten",
    moment: "{day}. {month} {year}, {time} ({zone})",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    phrase,
};

const fn phrase(of: Type) -> Phrase {
    let (by, plain) = match of {
        Type::Assigned => {
            ("{actor} hat Ihnen ein Gespräch zugewiesen", "Ihnen wurde ein Gespräch zugewiesen")
        }
        Type::Mentioned => ("{actor} hat Sie in einer Notiz erwähnt", "Sie wurden in einer Notiz erwähnt"),
        Type::Handoff => ("Neues von {actor} zu einer Übergabe", "Es gibt Neues zu einer Übergabe"),
        Type::InternalMessage => {
            ("{actor} hat Ihnen eine interne Nachricht geschrieben", "Sie haben eine neue interne Nachricht")
        }
        Type::NoteReply => (
            "{actor} hat in einem Thread geantwortet, dem Sie folgen",
            "Es gibt eine Antwort in einem Thread, dem Sie folgen",
        ),
        Type::Reopened => (
            "{actor} hat eines Ihrer Gespräche wieder geöffnet",
            "Eines Ihrer Gespräche wurde wieder geöffnet",
        ),
        Type::Escalated => {
            ("{actor} hat ein Gespräch an Sie eskaliert", "Ein Gespräch wurde an Sie eskaliert")
        }
        Type::SlaWarning => same("Ein Ziel wird bald verfehlt"),
        Type::SlaBreach => same("Ein Ziel wurde verfehlt"),
        Type::NoReply => same("Ein Kunde wartet schon zu lange"),
        Type::Workflow => same("Ein Workflow hat Ihnen etwas mitzuteilen"),
        Type::Offered => same("Ihnen wird ein Gespräch angeboten"),
        Type::WebhookDisabled => same("Ein Webhook wurde abgeschaltet"),
    };
    Phrase { by, plain }
}

const fn same(text: &'static str) -> (&'static str, &'static str) {
    (text, text)
}
