//! What is said of a configuration that cannot be used: the key, where it stands, what it must be. Never the value, which
//! may be a secret, and never a name of the program's own.

use std::io::{self, ErrorKind};
use std::path::Path;

use figment::error::Kind;
use figment::{Figment, Metadata, Source};
use thiserror::Error;

/// What an address to listen on must be.
pub(crate) const ADDRESS: &str =
    "an IP address with a port, such as 127.0.0.1:50051, or 0.0.0.0:50051 for calls from other machines";

/// The configuration is not usable; the text names the key and where it came from.
#[derive(Debug, Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A key whose value parses but cannot be used.
    pub fn bad_value(key: &str, reason: impl std::fmt::Display) -> Self {
        ConfigError(format!("{key}: {reason}"))
    }

    /// The file named on the command line cannot be read.
    pub(super) fn no_file(file: &Path, error: &io::Error) -> Self {
        let why = match error.kind() {
            ErrorKind::NotFound => {
                "is not there: name another, or none to serve with the defaults".to_owned()
            }
            ErrorKind::IsADirectory => "is a folder: name a TOML file in it".to_owned(),
            ErrorKind::InvalidData => "is not UTF-8: save it as such, or name another".to_owned(),
            _ => format!("cannot be read: {error}"),
        };
        ConfigError(format!("the file {} of --config (or BACKCHANNEL_CONFIG) {why}", file.display()))
    }

    pub(super) fn no_section(service: &str) -> Self {
        ConfigError(format!("there is no section for {service:?}"))
    }

    /// A key with a value of the right type that cannot be used, and the place it stands in.
    pub(super) fn at(key: &str, sources: &Figment, reason: &str) -> Self {
        let place = sources.find_metadata(key).map(|from| place(from, key)).unwrap_or_default();
        Self::bad_value(key, format_args!("{reason}{place}"))
    }

    /// What `sources` could not be read as; `section` is where they begin, empty at the top.
    pub(super) fn of(error: &figment::Error, sources: &Figment, section: &str) -> Self {
        let problems: Vec<String> =
            error.clone().into_iter().map(|problem| told(&problem, sources, section)).collect();
        ConfigError(problems.join("; "))
    }
}

fn told(problem: &figment::Error, sources: &Figment, section: &str) -> String {
    let key = problem.path.join(".");
    let unknown = match &problem.kind {
        Kind::UnknownField(name, _) if key.is_empty() => name.clone(),
        // Some readers name the unknown key in the path as well.
        Kind::UnknownField(name, _) if problem.path.last().is_none_or(|last| last != name) => {
            format!("{key}.{name}")
        }
        _ => key,
    };
    let full = if section.is_empty() { unknown.clone() } else { format!("{section}.{unknown}") };
    let found = sources.find_metadata(&unknown).or(problem.metadata.as_ref());
    let place = found.map(|from| place(from, &full)).unwrap_or_default();
    match &problem.kind {
        Kind::UnknownField(_, []) => format!("unknown key {full:?}{place}; nothing can be set here"),
        Kind::UnknownField(_, known) => {
            format!("unknown key {full:?}{place}; known here: {}", known.join(", "))
        }
        Kind::UnknownVariant(_, known) => format!("{full}: must be one of {}{place}", known.join(", ")),
        Kind::MissingField(name) => format!("missing key {name:?}{place}"),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("{full}: must be {}{place}", in_words(expected))
        }
        Kind::Message(text) if text == "invalid socket address syntax" => {
            format!("{full}: must be {ADDRESS}{place}")
        }
        Kind::Message(text) if unknown.is_empty() => format!("{}{place}", without_content(text)),
        Kind::Message(text) => format!("{full}: {}{place}", without_content(text)),
        _ => format!("{full}: cannot be used{place}"),
    }
}

fn place(from: &Metadata, key: &str) -> String {
    match &from.source {
        Some(Source::File(path)) => format!(" (in {})", path.display()),
        _ if from.name.contains("BACKCHANNEL_") => {
            format!(" (in BACKCHANNEL_{})", key.to_uppercase().replace('.', "__"))
        }
        _ if from.name.contains("environment") => " (in OTEL_EXPORTER_OTLP_ENDPOINT)".to_owned(),
        _ if from.name == "TOML file" => String::new(),
        // What is left are the flags, which have the names of their keys.
        _ => format!(" (in --{key})"),
    }
}

/// The library names types as the program does; people know other words.
fn in_words(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "f32" | "f64" => "a number",
        "socket address" => ADDRESS,
        "string" | "a string" | "path string" | "str" => "a text",
        _ if expected.starts_with(['u', 'i']) && expected[1..].parse::<u8>().is_ok() => "a whole number",
        "usize" | "isize" => "a whole number",
        _ if expected.starts_with("struct ") || expected == "a map" => "a section with keys of its own",
        _ if expected.contains("::") || expected.starts_with("enum ") => "something else",
        _ => expected,
    }
}

/// Of a TOML file that cannot be read its parser shows the line, where a password may be; its first and last words say
/// where and what.
fn without_content(text: &str) -> String {
    text.lines().filter(|line| !line.contains('|')).collect::<Vec<_>>().join(": ")
}
