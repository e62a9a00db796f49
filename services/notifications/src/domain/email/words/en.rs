//! English.

use super::{Noun, Phrase, Words};
use crate::domain::NotificationType as Type;

pub(super) static WORDS: Words = Words {
    notification: Noun("notification", "notifications"),
    mention: Noun("mention", "mentions"),
    conversation: Noun("conversation", "conversations"),
    within: "{what} in {where}",
    digest: "Your summary: {what}",
    hello: "Hello {name},",
    hello_nobody: "Hello,",
    open: "Open the conversation",
    more: "and {number} more",
    why: "You get this email because notifications of this kind are sent to you by email.",
    settings: "Change what you get by email",
    moment: "{day} {month} {year}, {time} ({zone})",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    phrase,
};

const fn phrase(of: Type) -> Phrase {
    let (by, plain) = match of {
        Type::Assigned => ("{actor} assigned a conversation to you", "A conversation was assigned to you"),
        Type::Mentioned => ("{actor} mentioned you in a note", "You were mentioned in a note"),
        Type::Handoff => ("News from {actor} about a handoff", "There is news about a handoff"),
        Type::InternalMessage => ("{actor} wrote you an internal message", "You have a new internal message"),
        Type::NoteReply => {
            ("{actor} replied in a thread you follow", "There is a reply in a thread you follow")
        }
        Type::Reopened => {
            ("{actor} reopened a conversation of yours", "A conversation of yours was reopened")
        }
        Type::Escalated => ("{actor} escalated a conversation to you", "A conversation was escalated to you"),
        Type::SlaWarning => same("A target is about to be missed"),
        Type::SlaBreach => same("A target was missed"),
        Type::NoReply => same("A customer has waited too long"),
        Type::Workflow => same("A workflow has something to tell you"),
        Type::Offered => same("A conversation is offered to you"),
        Type::WebhookDisabled => same("A webhook was switched off"),
    };
    Phrase { by, plain }
}

const fn same(text: &'static str) -> (&'static str, &'static str) {
    (text, text)
}
