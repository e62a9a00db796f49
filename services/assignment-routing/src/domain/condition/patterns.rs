//! `matches`: regular expressions in conditions, each compiled once and kept.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use cel::common::types::{CelBool, CelString};
use cel::{DeclarationError, Env, ExecutionError};
use regex::{Regex, RegexBuilder};

/// The most memory of a compiled pattern, in bytes: compiling takes time in proportion. What it keeps while it looks is bounded by as much.
const PATTERN_BYTES: usize = 256 * 1024;

/// Compiled patterns that a process keeps; beyond that all are compiled anew, as they are asked for.
const ROOM: usize = 256;

static KEPT: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// A pattern as it was compiled.
///
/// # Errors
/// Why there is none: it is not RE2, or takes too much.
pub(super) fn compiled(pattern: &str) -> Result<Regex, regex::Error> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = kept.get(pattern) {
        return Ok(known.clone());
    }
    let new = RegexBuilder::new(pattern).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build()?;
    if kept.len() >= ROOM {
        kept.clear();
    }
    kept.insert(pattern.to_owned(), new.clone());
    Ok(new)
}

/// CEL's `matches`, as a function and as a method of texts.
///
/// # Errors
/// [`DeclarationError`] where the environment has one already.
pub(super) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    cel::add_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>, id = "matches")?;
    cel::add_member_overload!(env, fn matches: (CelString, CelString) -> Result<CelBool>)
}

fn matches(text: &CelString<'_>, pattern: &CelString<'_>) -> Result<CelBool, ExecutionError> {
    // What is not a pattern was refused at save. The reason quotes it, and is not told.
    let found =
        compiled(pattern.inner()).map_err(|_| ExecutionError::function_error("matches", "not a pattern"))?;
    Ok(CelBool::from(found.is_match(text.inner())))
}
