//! Writes the checks of the buf.validate rules as plain Rust. A rule this file does not know ends the build: none is
//! ever skipped in silence.

use std::fmt::Write;

use prost_reflect::{DynamicMessage, ExtensionDescriptor, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::Contracts;

/// The pattern by which a contract says that a text may be empty and not blank. It is no regular expression then, and its refusal
/// reads like that of a required text.
const EMPTY_OR_NOT_BLANK: &str = r"^$|\S";

/// One `impl Validate` for each message of the contracts.
pub(crate) fn checks(contracts: &Contracts) -> String {
    let rules = contracts.extension("buf.validate.field");
    let oneof_rules = contracts.extension("buf.validate.oneof");
    let mut source = String::new();
    for message in contracts.messages() {
        let mut body = String::new();
        for field in message.fields().filter(|field| real_oneof(field).is_none()) {
            let subject = Subject::field(&field);
            check_field(&mut body, &field, &rules_of(&field.options(), &rules), &subject);
        }
        for oneof in message.oneofs().filter(|oneof| !oneof.is_synthetic()) {
            check_oneof(&mut body, &message, &oneof, &rules, &oneof_rules);
        }
        let _ = writeln!(
            source,
            "impl Validate for {} {{\n    const REQUEST: bool = {};\n\n    fn check(&self, at: &Path<'_>, found: &mut Vec<Violation>) {{\n{body}    }}\n}}",
            rust_path(&message),
            is_request(&message)
        );
    }
    source
}

/// Whether an RPC takes this message.
fn is_request(message: &MessageDescriptor) -> bool {
    message.parent_pool().services().any(|service| service.methods().any(|method| method.input() == *message))
}

/// What a check looks at: how it is reached and whether it is a reference already.
struct Subject {
    name: String,
    expr: String,
}

impl Subject {
    fn field(field: &FieldDescriptor) -> Self {
        Self { name: field.name().to_owned(), expr: format!("self.{}", ident(field.name())) }
    }
}

type Rules = Option<DynamicMessage>;

fn rules_of(options: &DynamicMessage, extension: &ExtensionDescriptor) -> Rules {
    if !options.has_extension(extension) {
        return None;
    }
    match options.get_extension(extension).as_ref() {
        Value::Message(rules) => Some(rules.clone()),
        other => panic!("rules are not a message: {other:?}"),
    }
}

fn real_oneof(field: &FieldDescriptor) -> Option<prost_reflect::OneofDescriptor> {
    field.containing_oneof().filter(|oneof| !oneof.is_synthetic())
}

fn check_field(body: &mut String, field: &FieldDescriptor, rules: &Rules, subject: &Subject) {
    let name = &subject.name;
    let expr = &subject.expr;
    assert!(!field.is_map(), "{}: maps are not checked yet", field.full_name());
    if field.is_list() {
        let repeated = rules.as_ref().and_then(|rules| nested(rules, "repeated"));
        only_known(field, rules, &["repeated"]);
        if repeated.is_some() || ours(field) {
            let _ = writeln!(body, "        let here = at.field(\"{name}\");");
        }
        if let Some(repeated) = &repeated {
            list_rules(body, field, repeated, expr);
        }
        if ours(field) {
            let _ = writeln!(
                body,
                "        for (index, item) in {expr}.iter().enumerate() {{ item.check(&here.index(index), found); }}"
            );
        }
        return;
    }
    match field.kind() {
        Kind::Message(_) => {
            only_known(field, rules, &["required"]);
            let required = rules.as_ref().is_some_and(|rules| flag(rules, "required"));
            if required {
                let _ = writeln!(
                    body,
                    "        if {expr}.is_none() {{ found.push(at.field(\"{name}\").broken(\"is required\")); }}"
                );
            }
            if ours(field) {
                let _ = writeln!(
                    body,
                    "        if let Some(value) = &{expr} {{ value.check(&at.field(\"{name}\"), found); }}"
                );
            }
        }
        _ => {
            let Some(rules) = rules else { return };
            let mut checks = String::new();
            let optional = field.containing_oneof().is_some_and(|oneof| oneof.is_synthetic());
            scalar_rules(&mut checks, field, rules, if optional { "value" } else { expr });
            let _ = writeln!(body, "        let here = at.field(\"{name}\");");
            if optional {
                let by = if matches!(field.kind(), Kind::String | Kind::Bytes) { "&" } else { "" };
                let _ = writeln!(body, "        if let Some(value) = {by}{expr} {{ {checks} }}");
            } else {
                body.push_str(&checks);
            }
        }
    }
}

fn check_oneof(
    body: &mut String,
    message: &MessageDescriptor,
    oneof: &prost_reflect::OneofDescriptor,
    rules: &ExtensionDescriptor,
    oneof_rules: &ExtensionDescriptor,
) {
    let required = rules_of(&oneof.options(), oneof_rules).is_some_and(|rules| flag(&rules, "required"));
    let name = oneof.name();
    let absent = if required {
        format!("found.push(at.field(\"{name}\").broken(\"one of its fields is required\"))")
    } else {
        "()".to_owned()
    };
    let _ = writeln!(body, "        match &self.{} {{\n            None => {absent},", ident(name));
    for field in oneof.fields() {
        let mut arm = String::new();
        let own = rules_of(&field.options(), rules);
        let _ = write!(arm, "let here = at.field(\"{}\"); let _ = (&here, value);", field.name());
        if matches!(field.kind(), Kind::Message(_)) {
            only_known(&field, &own, &[]);
            if ours(&field) {
                arm.push_str(" value.check(&here, found);");
            }
        } else if let Some(own) = &own {
            scalar_rules(&mut arm, &field, own, "value");
        }
        let module = snake(message.name());
        let parent = rust_module(message);
        let _ = writeln!(
            body,
            "            Some({parent}::{module}::{}::{}(value)) => {{ {arm} }}",
            camel(name),
            camel(field.name())
        );
    }
    body.push_str("        }\n");
}

fn list_rules(body: &mut String, field: &FieldDescriptor, rules: &DynamicMessage, expr: &str) {
    for (rule, value) in rules.fields() {
        match (rule.name(), value) {
            ("min_items", Value::U64(least)) => {
                let _ = writeln!(body, "        rules::min_items({expr}.len(), {least}, &here, found);");
            }
            ("max_items", Value::U64(most)) => {
                let _ = writeln!(body, "        rules::max_items({expr}.len(), {most}, &here, found);");
            }
            ("items", Value::Message(items)) => {
                let mut arm = String::new();
                // Texts are checked where they are, numbers are copied.
                let item = if matches!(field.kind(), Kind::String | Kind::Bytes) { "item" } else { "*item" };
                scalar_rules(&mut arm, field, items, item);
                let _ = writeln!(
                    body,
                    "        for (index, item) in {expr}.iter().enumerate() {{ let here = here.index(index); {arm} }}"
                );
            }
            (other, _) => panic!("{}: the rule repeated.{other} is not known here", field.full_name()),
        }
    }
}

/// Checks of one value; `here` is in scope.
fn scalar_rules(body: &mut String, field: &FieldDescriptor, rules: &DynamicMessage, expr: &str) {
    let skip_zero =
        rules.fields().any(|(rule, value)| rule.name() == "ignore" && *value == Value::EnumNumber(1));
    let mut checks = String::new();
    for (rule, value) in rules.fields() {
        match (rule.name(), value) {
            ("ignore", Value::EnumNumber(0 | 1)) => {}
            ("string", Value::Message(string)) => string_rules(&mut checks, field, string, expr),
            ("bytes", Value::Message(bytes)) => bytes_rules(&mut checks, field, bytes, expr),
            ("int32" | "int64", Value::Message(int)) => int_rules(&mut checks, field, int, expr),
            ("enum", Value::Message(rules)) => enum_rules(&mut checks, field, rules, expr),
            (other, _) => panic!("{}: the rule {other} is not known here", field.full_name()),
        }
    }
    if skip_zero {
        let _ = writeln!(body, "        if !{expr}.is_empty() {{ {checks} }}");
    } else {
        body.push_str(&checks);
    }
}

/// The rules of the contract, and two of all texts: none holds U+0000, which PostgreSQL cannot store, and one that is required is not
/// blank. A UUID is stricter, and so are patterns.
fn string_rules(body: &mut String, field: &FieldDescriptor, rules: &DynamicMessage, expr: &str) {
    if !flag(rules, "uuid") {
        let _ = writeln!(body, "        rules::no_nul({expr}.as_str(), &here, found);");
    }
    if is_any_text(rules) && rules.fields().any(|(rule, _)| rule.name() == "min_len") {
        let _ = writeln!(body, "        rules::not_blank({expr}.as_str(), &here, found);");
    }
    for (rule, value) in rules.fields() {
        let _ = match (rule.name(), value) {
            ("min_len", Value::U64(n)) => {
                writeln!(body, "        rules::min_len({expr}.as_str(), {n}, &here, found);")
            }
            ("max_len", Value::U64(n)) => {
                writeln!(body, "        rules::max_len({expr}.as_str(), {n}, &here, found);")
            }
            ("max_bytes", Value::U64(n)) => {
                writeln!(body, "        rules::max_bytes({expr}.as_str(), {n}, &here, found);")
            }
            ("uuid", Value::Bool(true)) => {
                writeln!(body, "        rules::uuid({expr}.as_str(), &here, found);")
            }
            ("email", Value::Bool(true)) => {
                writeln!(body, "        rules::email({expr}.as_str(), &here, found);")
            }
            ("pattern", Value::String(pattern)) if pattern == EMPTY_OR_NOT_BLANK => {
                writeln!(body, "        rules::not_blank({expr}.as_str(), &here, found);")
            }
            ("pattern", Value::String(pattern)) => {
                regex::Regex::new(pattern).unwrap_or_else(|error| panic!("{}: {error}", field.full_name()));
                writeln!(
                    body,
                    "        {{ static PATTERN: rules::Pattern = rules::Pattern::new({pattern:?}); PATTERN.check({expr}.as_str(), &here, found); }}"
                )
            }
            (other, _) => panic!("{}: the rule string.{other} is not known here", field.full_name()),
        };
    }
}

/// Whether no rule says of which letters the text is.
fn is_any_text(rules: &DynamicMessage) -> bool {
    rules.fields().all(|(rule, _)| !matches!(rule.name(), "uuid" | "email" | "pattern"))
}

fn bytes_rules(body: &mut String, field: &FieldDescriptor, rules: &DynamicMessage, expr: &str) {
    for (rule, value) in rules.fields() {
        let _ = match (rule.name(), value) {
            ("max_len", Value::U64(n)) => {
                writeln!(body, "        rules::max_size({expr}.len(), {n}, &here, found);")
            }
            (other, _) => panic!("{}: the rule bytes.{other} is not known here", field.full_name()),
        };
    }
}

fn int_rules(body: &mut String, field: &FieldDescriptor, rules: &DynamicMessage, expr: &str) {
    for (rule, value) in rules.fields() {
        let bound = match value {
            Value::I32(bound) => i64::from(*bound),
            Value::I64(bound) => *bound,
            other => panic!("{}: {other:?} is not a bound", field.full_name()),
        };
        let check = match rule.name() {
            "gte" => "at_least",
            "lte" => "at_most",
            other => panic!("{}: the rule int.{other} is not known here", field.full_name()),
        };
        let _ = writeln!(body, "        rules::{check}({expr}, {bound}, &here, found);");
    }
}

fn enum_rules(body: &mut String, field: &FieldDescriptor, rules: &DynamicMessage, expr: &str) {
    let Kind::Enum(kind) = field.kind() else { panic!("{} is not an enum", field.full_name()) };
    for (rule, value) in rules.fields() {
        match (rule.name(), value) {
            ("defined_only", Value::Bool(true)) => {
                let known: Vec<String> = kind.values().map(|value| value.number().to_string()).collect();
                let _ =
                    writeln!(body, "        rules::one_of({expr}, &[{}], &here, found);", known.join(", "));
            }
            ("in", Value::List(listed)) => {
                let _ =
                    writeln!(body, "        rules::one_of({expr}, &[{}], &here, found);", numbers(listed));
            }
            ("not_in", Value::List(listed)) => {
                let _ =
                    writeln!(body, "        rules::none_of({expr}, &[{}], &here, found);", numbers(listed));
            }
            (other, _) => panic!("{}: the rule enum.{other} is not known here", field.full_name()),
        }
    }
}

fn numbers(listed: &[Value]) -> String {
    let numbers: Vec<String> = listed
        .iter()
        .map(|value| match value {
            Value::I32(number) | Value::EnumNumber(number) => number.to_string(),
            other => panic!("{other:?} is not the number of an enum value"),
        })
        .collect();
    numbers.join(", ")
}

fn only_known(field: &FieldDescriptor, rules: &Rules, known: &[&str]) {
    for (rule, _) in rules.iter().flat_map(|rules| rules.fields().collect::<Vec<_>>()) {
        assert!(
            known.contains(&rule.name()),
            "{}: the rule {} is not known here",
            field.full_name(),
            rule.name()
        );
    }
}

fn nested(rules: &DynamicMessage, name: &str) -> Option<DynamicMessage> {
    match rules.fields().find(|(rule, _)| rule.name() == name) {
        Some((_, Value::Message(nested))) => Some(nested.clone()),
        _ => None,
    }
}

fn flag(rules: &DynamicMessage, name: &str) -> bool {
    rules.fields().any(|(rule, value)| rule.name() == name && *value == Value::Bool(true))
}

fn ours(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(message) if message.full_name().starts_with("backchannel."))
}

fn rust_module(message: &MessageDescriptor) -> String {
    let package = message.package_name().trim_start_matches("backchannel.").replace('.', "::");
    format!("crate::{package}")
}

fn rust_path(message: &MessageDescriptor) -> String {
    assert!(message.parent_message().is_none(), "{}: nested messages are not used", message.full_name());
    format!("{}::{}", rust_module(message), message.name())
}

fn ident(name: &str) -> String {
    if matches!(name, "type" | "match" | "move" | "ref" | "use") {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn camel(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut letters = part.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
                .unwrap_or_default()
        })
        .collect()
}
