//! Writes the table of RPCs: path, who may call, what a retry may do.

use std::fmt::Write;

use prost_reflect::{DynamicMessage, MethodDescriptor, Value};

use crate::Contracts;

const ACCESS: &str = "backchannel.common.v1.access";

/// The source of `METHODS`. A method without the access option, or without an idempotency level, ends the build:
/// nothing is reachable by oversight.
pub(crate) fn methods(contracts: &Contracts) -> String {
    let access = contracts.extension(ACCESS);
    let mut source = String::from("&[\n");
    for service in contracts.services() {
        for method in service.methods() {
            let options = method.options();
            let (roles, public) = access_of(&method, &options, &access);
            let level = idempotency(&method, &options);
            let _ = writeln!(
                source,
                "    Method {{ path: \"/{}/{}\", service: \"{}\", name: \"{}\", roles: &[{roles}], public: {public}, \
                 client_streaming: {}, server_streaming: {}, idempotency: Idempotency::{level} }},",
                service.full_name(),
                method.name(),
                service.full_name(),
                method.name(),
                method.is_client_streaming(),
                method.is_server_streaming(),
            );
        }
    }
    source.push(']');
    source
}

/// The roles that may call, and whether anybody may.
fn access_of(
    method: &MethodDescriptor,
    options: &DynamicMessage,
    access: &prost_reflect::ExtensionDescriptor,
) -> (String, bool) {
    assert!(options.has_extension(access), "{}: the access option is missing", method.full_name());
    let value = options.get_extension(access);
    let Value::Message(rule) = value.as_ref() else { panic!("{ACCESS} is not a message") };
    let listed = rule.get_field_by_name("roles");
    let Some(Value::List(listed)) = listed.as_deref() else { panic!("{ACCESS} has no roles") };
    let public = rule.get_field_by_name("public").is_some_and(|public| *public == Value::Bool(true));
    let name = method.full_name();
    assert!(listed.is_empty() == public, "{name}: the access option names roles, or is public");
    let names: Vec<String> = listed
        .iter()
        .map(|role| match role {
            Value::EnumNumber(1) => "Role::Contact".to_owned(),
            Value::EnumNumber(2) => "Role::Agent".to_owned(),
            Value::EnumNumber(3) => "Role::Supervisor".to_owned(),
            Value::EnumNumber(4) => "Role::Admin".to_owned(),
            Value::EnumNumber(5) => "Role::Integration".to_owned(),
            Value::EnumNumber(6) => "Role::Service".to_owned(),
            other => panic!("{}: {other:?} is not a role", method.full_name()),
        })
        .collect();
    (names.join(", "), public)
}

fn idempotency(method: &MethodDescriptor, options: &DynamicMessage) -> &'static str {
    let level = options.get_field_by_name("idempotency_level");
    match level.as_deref() {
        Some(Value::EnumNumber(1)) => "NoSideEffects",
        Some(Value::EnumNumber(2)) => "Idempotent",
        _ => {
            let takes_key = method.input().get_field_by_name("request_id").is_some();
            assert!(takes_key, "{}: neither idempotent nor with a request_id", method.full_name());
            "ByRequestId"
        }
    }
}
