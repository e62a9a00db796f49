//! A condition is tried out before it is saved, on a conversation of which everything is known: what fails there whatever the facts
//! are, would fail on every conversation.

use std::sync::LazyLock;

use cel::{ExecutionError, Program, Value};
use kernel::Timestamp;

use super::ENVIRONMENT;
use crate::domain::facts::{Calendar, ContactFacts, Facts, Sheet};

static FACTS: LazyLock<Facts> = LazyLock::new(|| Facts {
    source: "airline".to_owned(),
    channel: "chat".to_owned(),
    message_count: 1,
    contact: Some(ContactFacts::default()),
    text: "hello".to_owned(),
    ..Facts::default()
});

/// What is expected where a function is called that there is not.
pub(super) const A_FUNCTION: &str = "a function that exists, such as startsWith";

/// Whether there is a function of this name, or a method of texts and others: a call without what it takes fails in another way.
pub(super) fn exists(name: &str, method: bool) -> bool {
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return true; // an operator, or what a loop expands to
    }
    let call = if method { format!("''.{name}()") } else { format!("{name}()") };
    let Ok(program) = ENVIRONMENT.compile(&call) else { return true };
    let tried = program.execute(&Sheet::of(&FACTS, None).context);
    !matches!(tried, Err(ExecutionError::UndeclaredReference(_)))
}

/// What would have to be there in its place, if the condition cannot be true or false; `attributes`: it asks for those of contacts, whose
/// types are not known here.
pub(super) fn expected(program: &Program, attributes: bool) -> Option<&'static str> {
    let moment = Calendar::default().at(Timestamp::from_micros(0));
    match program.execute(&Sheet::of(&FACTS, Some(&moment)).context) {
        Ok(Value::Bool(_)) => None,
        Ok(_) => Some("what is true or false, such as conversation.source == 'airline', not another value"),
        Err(ExecutionError::UndeclaredReference(_)) => Some(A_FUNCTION),
        Err(ExecutionError::InvalidArgumentCount { .. } | ExecutionError::MissingArgumentOrTarget) => {
            Some("as many arguments as the function takes")
        }
        Err(error) if !attributes && is_of_types(&error) => {
            Some("values of types that go together, such as a text compared with a text in quotes")
        }
        // A key, a tag or a divisor that is not there now and may be then.
        Err(_) => None,
    }
}

/// Whether it is what values are, and not how large they are or whether they are there, that fails.
fn is_of_types(error: &ExecutionError) -> bool {
    matches!(
        error,
        ExecutionError::NoSuchOverload(_)
            | ExecutionError::UnexpectedType { .. }
            | ExecutionError::UnsupportedTargetType { .. }
            | ExecutionError::NotSupportedAsMethod { .. }
            | ExecutionError::ValuesNotComparable(..)
            | ExecutionError::UnsupportedBinaryOperator(..)
    )
}
