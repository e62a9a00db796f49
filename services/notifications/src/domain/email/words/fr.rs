//! French.

use super::{Noun, Phrase, Words};
use crate::domain::NotificationType as Type;

pub(super) static WORDS: Words = Words {
    notification: Noun("notification", "notifications"),
    mention: Noun("mention", "mentions"),
    conversation: Noun("conversation", "conversations"),
    within: "{what} dans {where}",
    digest: "Votre résumé : {what}",
    hello: "Bonjour {name},",
    hello_nobody: "Bonjour,",
    open: "Ouvrir la conversation",
    more: "et {number} de plus",
    why: "Vous recevez cet e-mail parce que les notifications de ce type vous sont envoyées par e-mail.",
    settings: "Modifier ce que vous recevez par e-mail",
    moment: "{day} {month} {year}, {time} ({zone})",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    phrase,
};

const fn phrase(of: Type) -> Phrase {
    let (by, plain) = match of {
        Type::Assigned => {
            ("{actor} vous a attribué une conversation", "Une conversation vous a été attribuée")
        }
        Type::Mentioned => {
            ("{actor} vous a mentionné dans une note", "Vous avez été mentionné dans une note")
        }
        Type::Handoff => ("Du nouveau de {actor} sur un transfert", "Il y a du nouveau sur un transfert"),
        Type::InternalMessage => {
            ("{actor} vous a écrit un message interne", "Vous avez un nouveau message interne")
        }
        Type::NoteReply => (
            "{actor} a répondu dans un fil que vous suivez",
            "Il y a une réponse dans un fil que vous suivez",
        ),
        Type::Reopened => {
            ("{actor} a rouvert l’une de vos conversations", "L’une de vos conversations a été rouverte")
        }
        Type::Escalated => {
            ("{actor} vous a escaladé une conversation", "Une conversation vous a été escaladée")
        }
        Type::SlaWarning => same("Un objectif est sur le point d’être manqué"),
        Type::SlaBreach => same("Un objectif a été manqué"),
        Type::NoReply => same("Un client attend depuis trop longtemps"),
        Type::Workflow => same("Un workflow a quelque chose à vous dire"),
        Type::Offered => same("Une conversation vous est proposée"),
        Type::WebhookDisabled => same("Un webhook a été désactivé"),
    };
    Phrase { by, plain }
}

const fn same(text: &'static str) -> (&'static str, &'static str) {
    (text, text)
}
