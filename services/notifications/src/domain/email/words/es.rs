//! Spanish.

use super::{Noun, Phrase, Words};
use crate::domain::NotificationType as Type;

pub(super) static WORDS: Words = Words {
    notification: Noun("notificación", "notificaciones"),
    mention: Noun("mención", "menciones"),
    conversation: Noun("conversación", "conversaciones"),
    within: "{what} en {where}",
    digest: "Su resumen: {what}",
    hello: "Hola, {name}:",
    hello_nobody: "Hola:",
    open: "Abrir la conversación",
    more: "y {number} más",
    why: "Recibe este correo porque las notificaciones de este tipo se le envían por correo electrónico.",
    settings: "Cambiar lo que recibe por correo electrónico",
    moment: "{day} de {month} de {year}, {time} ({zone})",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    phrase,
};

const fn phrase(of: Type) -> Phrase {
    let (by, plain) = match of {
        Type::Assigned => ("{actor} le ha asignado una conversación", "Se le ha asignado una conversación"),
        Type::Mentioned => ("{actor} le ha mencionado en una nota", "Le han mencionado en una nota"),
        Type::Handoff => ("Novedades de {actor} sobre un traspaso", "Hay novedades sobre un traspaso"),
        Type::InternalMessage => {
            ("{actor} le ha escrito un mensaje interno", "Tiene un nuevo mensaje interno")
        }
        Type::NoteReply => (
            "{actor} ha respondido en un hilo que usted sigue",
            "Hay una respuesta en un hilo que usted sigue",
        ),
        Type::Reopened => {
            ("{actor} ha reabierto una de sus conversaciones", "Se ha reabierto una de sus conversaciones")
        }
        Type::Escalated => ("{actor} le ha escalado una conversación", "Se le ha escalado una conversación"),
        Type::SlaWarning => same("Un objetivo está a punto de incumplirse"),
        Type::SlaBreach => same("Se ha incumplido un objetivo"),
        Type::NoReply => same("Un cliente lleva demasiado tiempo esperando"),
        Type::Workflow => same("Un flujo de trabajo tiene algo que decirle"),
        Type::Offered => same("Se le ofrece una conversación"),
        Type::WebhookDisabled => same("Se ha desactivado un webhook"),
    };
    Phrase { by, plain }
}

const fn same(text: &'static str) -> (&'static str, &'static str) {
    (text, text)
}
