//! Conditions of workflows: [CEL](https://github.com/google/cel-spec) over the facts of a conversation.
//!
//! What can be known at save is refused at save, with its position: syntax, names that do not exist, nesting that could
//! cost too much. What is left can only fail on a type, and then the workflow is skipped and the decision says so.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, Program, Value};

use super::priority::Priority;

/// What a condition may ask about.
const FACTS: &[(&str, &[&str])] = &[
    ("conversation", &["source", "channel", "subject", "tags", "priority"]),
    ("contact", &["tags", "language"]),
    ("message", &["text"]),
];

/// How deep `exists`, `all`, `map` and `filter` may be nested. Lists have at most 50 entries, so a condition takes at
/// most 50 x 50 steps for each of its at most 4,000 characters.
const MOST_NESTED_LOOPS: usize = 2;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// What is known of a conversation when its workflows run.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The line of business or inbox it came from.
    pub source: String,
    /// The channel.
    pub channel: String,
    /// What it is about.
    pub subject: String,
    /// Its tags, those which earlier workflows added included.
    pub tags: BTreeSet<String>,
    /// Its priority, as earlier workflows set it.
    pub priority: Priority,
    /// The tags of its contact.
    pub contact_tags: BTreeSet<String>,
    /// The language of its contact, a BCP 47 tag.
    pub contact_language: String,
    /// The text of the message that began it.
    pub text: String,
}

/// A condition which is not valid, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {expected}")]
pub struct BadExpression {
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// What is wrong, and what would be right.
    pub expected: String,
}

/// A compiled condition. An empty one always holds.
#[derive(Debug)]
pub struct Condition(Option<Program>);

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// [`BadExpression`] where the text is not CEL, names something that is not a fact, or nests too deep.
    pub fn parse(text: &str) -> Result<Self, BadExpression> {
        if text.trim().is_empty() {
            return Ok(Self(None));
        }
        let program = ENVIRONMENT.compile(text).map_err(|errors| syntax_error(text, &errors))?;
        let mut names = Names { text, program: &program, loops: 0, variables: Vec::new() };
        names.check(program.expression())?;
        Ok(Self(Some(program)))
    }

    /// Whether the condition holds for these facts.
    ///
    /// # Errors
    /// A sentence on what could not be evaluated, such as a number compared with a text. It quotes no fact.
    pub fn holds(&self, facts: &Facts) -> Result<bool, String> {
        let Some(program) = &self.0 else { return Ok(true) };
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        context.add_variable_from_value("conversation", conversation(facts));
        context.add_variable_from_value("contact", contact(facts));
        context
            .add_variable_from_value("message", HashMap::from([("text", Value::from(facts.text.as_str()))]));
        match program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err("the condition is not true or false, but another value".to_owned()),
            Err(error) => Err(explained(&error)),
        }
    }
}

fn conversation(facts: &Facts) -> Value {
    Value::from(HashMap::from([
        ("source", Value::from(facts.source.as_str())),
        ("channel", Value::from(facts.channel.as_str())),
        ("subject", Value::from(facts.subject.as_str())),
        ("tags", list(&facts.tags)),
        ("priority", Value::from(facts.priority.as_str())),
    ]))
}

fn contact(facts: &Facts) -> Value {
    Value::from(HashMap::from([
        ("tags", list(&facts.contact_tags)),
        ("language", Value::from(facts.contact_language.as_str())),
    ]))
}

fn list(texts: &BTreeSet<String>) -> Value {
    Value::from(texts.iter().map(|text| Value::from(text.as_str())).collect::<Vec<_>>())
}

/// The kind of a failure, without the values in it: a decision is read by people who need not see messages.
fn explained(error: &cel::ExecutionError) -> String {
    use cel::ExecutionError as E;
    match error {
        E::NoSuchKey(_) => "the condition asks for a key that is not there",
        E::UndeclaredReference(_) => "the condition calls a function that does not exist",
        E::InvalidArgumentCount { .. } => "the condition calls a function with a wrong number of arguments",
        _ => "the condition combines values of types that do not go together",
    }
    .to_owned()
}

fn syntax_error(text: &str, errors: &cel::ParseErrors) -> BadExpression {
    let Some(first) = errors.errors.first() else {
        return BadExpression { line: 1, column: 1, expected: "a CEL expression".to_owned() };
    };
    let line = u32::try_from(first.pos.0).unwrap_or(1).max(1);
    let column = u32::try_from(first.pos.1).unwrap_or(1).max(1);
    let lines = u32::try_from(text.lines().count()).unwrap_or(u32::MAX).max(1);
    let expected = first.msg.lines().next().unwrap_or("a CEL expression").to_owned();
    BadExpression { line: line.min(lines), column, expected }
}

/// Walks an expression and refuses names that are not facts.
struct Names<'a> {
    text: &'a str,
    program: &'a Program,
    loops: usize,
    variables: Vec<String>,
}

impl Names<'_> {
    fn check(&mut self, node: &IdedExpr) -> Result<(), BadExpression> {
        match &node.expr {
            Expr::Ident(name) => self.known(node, name),
            Expr::Select(select) => {
                if let Expr::Ident(object) = &select.operand.expr
                    && !self.variables.contains(object)
                {
                    return self.fact(node, &select.operand, object, &select.field);
                }
                self.check(&select.operand)
            }
            Expr::Call(call) => {
                call.target.iter().try_for_each(|target| self.check(target))?;
                call.args.iter().try_for_each(|argument| self.check(argument))
            }
            Expr::List(list) => list.elements.iter().try_for_each(|element| self.check(element)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.check(&entry.key).and_then(|()| self.check(&entry.value)),
                EntryExpr::StructField(field) => self.check(&field.value),
            }),
            Expr::Comprehension(all) => {
                self.check(&all.iter_range)?;
                if self.loops == MOST_NESTED_LOOPS {
                    let expected = format!("at most {MOST_NESTED_LOOPS} nested exists, all, map or filter");
                    return Err(self.refused(node, expected));
                }
                let outer = self.variables.len();
                self.variables.extend([all.iter_var.clone(), all.accu_var.clone()]);
                self.variables.extend(all.iter_var2.clone());
                self.loops += 1;
                for part in [&all.accu_init, &all.loop_cond, &all.loop_step, &all.result] {
                    self.check(part)?;
                }
                self.loops -= 1;
                self.variables.truncate(outer);
                Ok(())
            }
            Expr::Struct(_) => Err(self.refused(node, "no messages are made in a condition")),
            Expr::Literal(_) | Expr::Unspecified => Ok(()),
        }
    }

    fn known(&self, node: &IdedExpr, name: &str) -> Result<(), BadExpression> {
        if self.variables.iter().any(|variable| variable == name) {
            return Ok(());
        }
        let objects: Vec<&str> = FACTS.iter().map(|(object, _)| *object).collect();
        if objects.contains(&name) {
            return Err(self.refused(node, format!("a field of {name}, such as {name}.{}", fields(name)[0])));
        }
        Err(self.refused(node, format!("one of {}, not {name}", objects.join(", "))))
    }

    fn fact(
        &self,
        node: &IdedExpr,
        operand: &IdedExpr,
        object: &str,
        field: &str,
    ) -> Result<(), BadExpression> {
        let known = fields(object);
        if known.is_empty() {
            return self.known(operand, object);
        }
        if known.contains(&field) {
            return Ok(());
        }
        Err(self.refused(node, format!("{object} has {}, not {field}", known.join(", "))))
    }

    fn refused(&self, node: &IdedExpr, expected: impl Into<String>) -> BadExpression {
        let offset = self.program.source_info().offset_for(node.id).map_or(0, |(start, _)| start as usize);
        let before: String = self.text.chars().take(offset.saturating_sub(1)).collect();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
        BadExpression {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            expected: expected.into(),
        }
    }
}

fn fields(object: &str) -> &'static [&'static str] {
    FACTS.iter().find(|(name, _)| *name == object).map_or(&[], |(_, fields)| fields)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn facts() -> Facts {
        Facts {
            source: "airline".into(),
            channel: "chat".into(),
            tags: BTreeSet::from(["vip".into()]),
            contact_tags: BTreeSet::from(["gold".into()]),
            contact_language: "de".into(),
            text: "I lost my boarding pass".into(),
            ..Facts::default()
        }
    }

    fn holds(text: &str) -> Result<bool, String> {
        Condition::parse(text).map_err(|bad| bad.to_string())?.holds(&facts())
    }

    // R9
    #[test]
    fn a_condition_asks_about_source_channel_tags_and_text() {
        for text in [
            "",
            "conversation.source == 'airline' && conversation.channel in ['chat', 'email']",
            "'vip' in conversation.tags",
            "contact.tags.exists(tag, tag == 'gold')",
            "contact.language == 'de' && conversation.priority == 'NORMAL'",
            "message.text.contains('boarding')",
            "message.text.matches('(?i)BOARDING +pass')",
        ] {
            assert_eq!(holds(text), Ok(true), "{text}");
        }
        assert_eq!(holds("conversation.source == 'bank'"), Ok(false));
    }

    // R9
    #[test]
    fn a_bad_condition_is_refused_with_position_and_what_was_expected() {
        let bad = |text: &str| Condition::parse(text).expect_err(text);
        let unknown = bad("true &&\n  conversation.sorce == 'airline'");
        assert_eq!(unknown.line, 2);
        assert!(unknown.expected.contains("source"), "{unknown}");
        assert!(bad("kontakt.tags == []").expected.contains("contact"));
        assert!(bad("conversation == 1").expected.contains("conversation.source"));
        let syntax = bad("conversation.source == ");
        assert_eq!(syntax.line, 1);
        assert!(syntax.column > 1, "{syntax}");
        let deep = "[1].all(a, [1].all(b, [1].all(c, true)))";
        assert!(bad(deep).expected.contains("nested"));
    }

    // R9
    #[test]
    fn a_condition_that_fails_at_run_time_says_why_without_quoting_the_facts() {
        let why = holds("conversation.source > 3").expect_err("a text is not a number");
        assert!(!why.contains("airline"), "{why}");
        assert!(holds("conversation.source").is_err(), "a text is neither true nor false");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_compiler_panic(text in "[ -~\\n]{0,80}") {
            let _ = Condition::parse(&text).map(|condition| condition.holds(&facts()));
        }
    }
}
