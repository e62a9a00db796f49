//! Conditions of workflows: [CEL](https://github.com/google/cel-spec) over the facts of a conversation.
//!
//! What can be known at save is refused at save, with its position: syntax, names that do not exist, nesting that could
//! cost too much; and what is neither true nor false on a trial. What is left can only fail on what a conversation has not or
//! has otherwise, and then the workflow is skipped and the decision says so.

mod patterns;
mod trial;

use std::sync::{Arc, LazyLock};

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{Env, Program, Value};

pub use super::facts::Sheet;
use super::facts::{CONTACT, FACTS, TIME};

/// The most punctuation, and mentions of `in`, in a condition, texts included. Reading and evaluating an expression
/// recurse once for each operator, selection or call, and the stack is finite: a chain of 2,000 additions would end the
/// process. What cannot be read deeper than this cannot be nested deeper either.
const MOST_OPERATORS: usize = 256;

/// `exists`, `all`, `map` and `filter` may not be nested, so a condition takes at most as many steps as it has
/// characters, or its conversation tags.
const MOST_NESTED_LOOPS: usize = 1;

/// The most patterns of a condition.
const MOST_PATTERNS: usize = 5;

pub(super) static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // The library is built without patterns of its own: nothing else declares them, and a test asks for one.
    let _ = env.add_extension(patterns::extension);
    Arc::new(env)
});

/// What a condition asks about that is not at hand, and has to be asked for or worked out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asks {
    /// The contact.
    pub contact: bool,
    /// Clocks, calendars and business hours.
    pub time: bool,
}

impl std::ops::BitOr for Asks {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self { contact: self.contact || other.contact, time: self.time || other.time }
    }
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

/// What conditions may ask about: objects, and the fields of each.
pub type Vocabulary = &'static [(&'static str, &'static [&'static str])];

/// A compiled condition. An empty one always holds.
#[derive(Debug)]
pub struct Condition {
    program: Option<Program>,
    asks: Asks,
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// [`BadExpression`] where the text is not CEL, names something that is not a fact, nests too deep, or can be neither true
    /// nor false.
    pub fn parse(text: &str) -> Result<Self, BadExpression> {
        Self::over(text, FACTS)
    }

    /// Compiles a condition that may ask about some of the facts only.
    ///
    /// # Errors
    /// As [`Condition::parse`].
    pub fn over(text: &str, facts: Vocabulary) -> Result<Self, BadExpression> {
        if text.trim().is_empty() {
            return Ok(Self { program: None, asks: Asks::default() });
        }
        bounded(text)?;
        let program = ENVIRONMENT.compile(text).map_err(|errors| syntax_error(text, &errors))?;
        let asks = Asks::default();
        let mut names =
            Names { text, facts, program: &program, loops: 0, patterns: 0, variables: Vec::new(), asks };
        names.check(program.expression())?;
        let asks = names.asks;
        if let Some(expected) = trial::expected(&program, text.contains("attributes")) {
            return Err(BadExpression { line: 1, column: 1, expected: expected.to_owned() });
        }
        Ok(Self { program: Some(program), asks })
    }

    /// Whether it is empty, and so always holds.
    #[must_use]
    pub fn is_always(&self) -> bool {
        self.program.is_none()
    }

    /// What has to be known for it beside the conversation and the message.
    #[must_use]
    pub fn asks(&self) -> Asks {
        self.asks
    }

    /// Whether the condition holds for these facts.
    ///
    /// # Errors
    /// A sentence on what could not be evaluated, such as a number compared with a text. It quotes no fact.
    pub fn holds(&self, sheet: &Sheet) -> Result<bool, String> {
        let Some(program) = &self.program else { return Ok(true) };
        match program.execute(&sheet.context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(_) => Err("the condition is not true or false, but another value".to_owned()),
            Err(_) if self.asks.contact && !sheet.contact_known => {
                Err("the contact is not known: the contacts service did not answer".to_owned())
            }
            Err(error) => Err(explained(&error)),
        }
    }
}

/// The kind of a failure, without the values in it: a decision is read by people who need not see messages.
fn explained(error: &cel::ExecutionError) -> String {
    use cel::ExecutionError as E;
    match error {
        E::NoSuchKey(_) => "the condition asks for a key that is not there",
        E::IndexOutOfBounds(_) => "the condition asks for an element that a list does not have",
        E::DivisionByZero(_) | E::RemainderByZero(_) => "the condition divides by zero",
        E::UndeclaredReference(_) => "the condition calls a function that does not exist",
        E::InvalidArgumentCount { .. } => "the condition calls a function with a wrong number of arguments",
        _ => "the condition combines values of types that do not go together",
    }
    .to_owned()
}

/// Refuses, before anything recurses, what could be too deep.
fn bounded(text: &str) -> Result<(), BadExpression> {
    let operators = text.bytes().filter(u8::is_ascii_punctuation).count() + text.matches("in").count();
    if operators <= MOST_OPERATORS {
        return Ok(());
    }
    let expected = format!(
        "at most {MOST_OPERATORS} operators and other punctuation, not {operators}: use two workflows"
    );
    Err(BadExpression { line: 1, column: 1, expected })
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
    facts: Vocabulary,
    program: &'a Program,
    loops: usize,
    patterns: usize,
    variables: Vec<String>,
    asks: Asks,
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
                self.affordable(node, call)?;
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
                    return Err(self.refused(node, "exists, all, map and filter not nested in one another"));
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

    /// Refuses calls of nothing, also where they would hardly ever be reached, and calls whose cost depends on more than the length
    /// of the condition.
    fn affordable(&mut self, node: &IdedExpr, call: &CallExpr) -> Result<(), BadExpression> {
        if !trial::exists(&call.func_name, call.target.is_some()) {
            return Err(self.refused(node, trial::A_FUNCTION));
        }
        // What `map` and `filter` expand to adds to what they have found so far; its name begins as no name in a text can.
        let of_the_loop = matches!(call.args.first().map(|first| &first.expr), Some(Expr::Ident(name)) if name.starts_with('@'));
        let costly = call.func_name == "matches" || (call.func_name == operators::ADD && !of_the_loop);
        if self.loops > 0 && costly {
            return Err(self.refused(node, "no matches and no + inside exists, all, map or filter"));
        }
        if call.func_name != "matches" {
            return Ok(());
        }
        self.patterns += 1;
        let pattern = call.args.last().map(|argument| &argument.expr);
        let Some(Expr::Literal(LiteralValue::String(pattern))) = pattern else {
            return Err(self.refused(node, "a pattern in quotes, such as matches('refund|return')"));
        };
        if self.patterns > MOST_PATTERNS {
            return Err(self.refused(node, format!("at most {MOST_PATTERNS} patterns")));
        }
        match patterns::compiled(pattern.inner()) {
            Ok(_) => Ok(()),
            Err(regex::Error::CompiledTooBig(_)) => {
                Err(self.refused(node, "a smaller pattern: it repeats too much"))
            }
            Err(_) => Err(self.refused(node, "a valid regular expression (RE2 syntax)")),
        }
    }

    fn known(&self, node: &IdedExpr, name: &str) -> Result<(), BadExpression> {
        if self.variables.iter().any(|variable| variable == name) {
            return Ok(());
        }
        let objects: Vec<&str> = self.facts.iter().map(|(object, _)| *object).collect();
        if let Some(field) = self.fields(name).first() {
            return Err(self.refused(node, format!("a field of {name}, such as {name}.{field}")));
        }
        Err(self.refused(node, format!("one of {}, not {name}", objects.join(", "))))
    }

    fn fact(
        &mut self,
        node: &IdedExpr,
        operand: &IdedExpr,
        object: &str,
        field: &str,
    ) -> Result<(), BadExpression> {
        let known = self.fields(object);
        if known.is_empty() {
            return self.known(operand, object);
        }
        if known.contains(&field) {
            self.asks.contact |= object == CONTACT;
            self.asks.time |= object == TIME;
            return Ok(());
        }
        Err(self.refused(node, format!("{object} has {}, not {field}", known.join(", "))))
    }

    fn fields(&self, object: &str) -> &'static [&'static str] {
        self.facts.iter().find(|(name, _)| *name == object).map_or(&[], |(_, fields)| fields)
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

#[cfg(test)]
mod tests;
