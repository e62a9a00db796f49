//! What every contract promises: held against the descriptors, so that a new message or RPC cannot forget it.

use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

fn pool() -> DescriptorPool {
    DescriptorPool::decode(proto::FILE_DESCRIPTOR_SET).unwrap()
}

/// Every message that a request of ours is made of, requests included.
fn request_messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    let mut found: Vec<MessageDescriptor> = Vec::new();
    let mut open: Vec<MessageDescriptor> = pool
        .services()
        .filter(|service| service.full_name().starts_with("backchannel."))
        .flat_map(|service| service.methods().map(|method| method.input()).collect::<Vec<_>>())
        .collect();
    while let Some(message) = open.pop() {
        if !message.full_name().starts_with("backchannel.") || found.contains(&message) {
            continue;
        }
        open.extend(message.fields().filter_map(|field| match field.kind() {
            Kind::Message(inner) => Some(inner),
            _ => None,
        }));
        found.push(message);
    }
    found
}

fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name).unwrap();
    options.has_extension(&extension).then(|| options.get_extension(&extension).into_owned())
}

fn needs_rules(field: &FieldDescriptor) -> bool {
    let repeated = field.is_list();
    repeated || matches!(field.kind(), Kind::String | Kind::Bytes | Kind::Int32 | Kind::Int64 | Kind::Enum(_))
}

// P4
#[test]
fn every_string_repeated_integer_and_enum_field_of_a_request_has_a_rule() {
    let pool = pool();
    // The sender of an event is one of our own services, and copies the actor from a verified token.
    let trusted = ["backchannel.common.v1.Actor"];
    let bare: Vec<String> = request_messages(&pool)
        .iter()
        .filter(|message| !trusted.contains(&message.full_name()))
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter(needs_rules)
        .filter(|field| extension(&pool, &field.options(), "buf.validate.field").is_none())
        .map(|field| field.full_name().to_owned())
        .collect();
    assert!(bare.is_empty(), "without a rule: {bare:#?}");
}

// P3
#[test]
fn every_rpc_of_the_descriptors_is_in_the_table_with_at_least_one_role_or_is_public() {
    let pool = pool();
    let mut count = 0;
    for service in pool.services().filter(|service| service.full_name().starts_with("backchannel.")) {
        for method in service.methods() {
            let path = format!("/{}/{}", service.full_name(), method.name());
            let entry = proto::method(&path).unwrap_or_else(|| panic!("{path} is not in the table"));
            assert_eq!(entry.roles.is_empty(), entry.public, "{path}");
            assert_eq!(entry.server_streaming, method.is_server_streaming(), "{path}");
            count += 1;
        }
    }
    assert_eq!(count, proto::METHODS.len());
    assert!(proto::method("/backchannel.notes.v1.NoteService/NoSuch").is_none());
}

/// What answers callers who show no token, each for a reason that somebody has thought about.
const PUBLIC: [&str; 1] = ["/backchannel.notifications.v1.EmailService/Unsubscribe"];

// P3
#[test]
fn only_what_is_meant_to_be_is_public_and_it_answers_with_nothing() {
    let pool = pool();
    let public = proto::METHODS.iter().filter(|method| method.public);
    assert_eq!(public.clone().map(|method| method.path).collect::<Vec<_>>(), PUBLIC);
    for method in public {
        let service = pool.get_service_by_name(method.service).unwrap();
        let rpc = service.methods().find(|rpc| rpc.name() == method.name).unwrap();
        assert_eq!(rpc.output().fields().len(), 0, "{}", method.path);
    }
}

// N3
#[test]
fn no_rpc_of_notes_or_notifications_admits_a_contact() {
    for method in proto::METHODS {
        let private = ["backchannel.notes.", "backchannel.notifications."]
            .iter()
            .any(|package| method.path[1..].starts_with(package));
        let admits = method.roles.contains(&proto::common::v1::Role::Contact);
        assert!(!(private && admits), "{} admits contacts", method.path);
    }
}

// N3
#[test]
fn what_a_contact_may_call_answers_with_no_message_of_the_private_packages() {
    let pool = pool();
    for method in proto::METHODS.iter().filter(|m| m.roles.contains(&proto::common::v1::Role::Contact)) {
        let service = pool.get_service_by_name(method.service).unwrap();
        let rpc = service.methods().find(|rpc| rpc.name() == method.name).unwrap();
        let mut open = vec![rpc.output()];
        let mut seen = Vec::new();
        while let Some(message) = open.pop() {
            assert!(
                !message.full_name().starts_with("backchannel.notes."),
                "{} shows {}",
                method.path,
                message.full_name()
            );
            if seen.contains(&message) {
                continue;
            }
            open.extend(message.fields().filter_map(|field| match field.kind() {
                Kind::Message(inner) => Some(inner),
                _ => None,
            }));
            seen.push(message);
        }
    }
}

// G1
#[test]
fn every_public_rpc_has_an_http_binding_and_every_internal_one_has_none() {
    let pool = pool();
    for method in proto::METHODS {
        let service = pool.get_service_by_name(method.service).unwrap();
        let rpc = service.methods().find(|rpc| rpc.name() == method.name).unwrap();
        let bound = extension(&pool, &rpc.options(), "google.api.http").is_some();
        let internal = method.roles == [proto::common::v1::Role::Service];
        assert_eq!(bound, !internal, "{}", method.path);
    }
}

// G1 P10
#[test]
fn what_only_reads_is_a_get_unless_its_request_holds_words_that_no_address_shall_keep() {
    let pool = pool();
    // That an export leaves a record is no side effect: nobody calls it for the record, and the next call answers the same.
    let worded = ["SearchContacts", "SearchNotes", "ResolveHandles", "SimulateWorkflows"];
    for method in proto::METHODS.iter().filter(|it| it.idempotency == proto::Idempotency::NoSideEffects) {
        let service = pool.get_service_by_name(method.service).unwrap();
        let rpc = service.methods().find(|rpc| rpc.name() == method.name).unwrap();
        let Some(Value::Message(rule)) = extension(&pool, &rpc.options(), "google.api.http") else {
            continue;
        };
        let expected = if worded.contains(&method.name) { "post" } else { "get" };
        assert!(rule.has_field_by_name(expected), "{} is no {expected}", method.path);
    }
    for method in proto::METHODS.iter().filter(|method| method.name.starts_with("Export")) {
        assert_eq!(method.idempotency, proto::Idempotency::NoSideEffects, "{}", method.path);
    }
}

// P7
#[test]
fn every_list_is_paged() {
    let pool = pool();
    for method in proto::METHODS.iter().filter(|method| method.name.starts_with("List")) {
        let service = pool.get_service_by_name(method.service).unwrap();
        let rpc = service.methods().find(|rpc| rpc.name() == method.name).unwrap();
        for field in ["page_size", "page_token"] {
            assert!(rpc.input().get_field_by_name(field).is_some(), "{} has no {field}", method.path);
        }
        assert!(rpc.output().get_field_by_name("next_page_token").is_some(), "{}", method.path);
    }
}

// P1
#[test]
fn no_request_names_an_organization() {
    for message in request_messages(&pool()) {
        for field in message.fields() {
            let named = field.name().split('_').any(|word| matches!(word, "org" | "organization" | "tenant"));
            assert!(!named, "{}", field.full_name());
        }
    }
}

// P8
#[test]
fn the_details_of_every_refusal_are_among_the_descriptors() {
    let pool = pool();
    for name in ["ErrorInfo", "BadRequest", "PreconditionFailure", "QuotaFailure", "RetryInfo", "Status"] {
        assert!(pool.get_message_by_name(&format!("google.rpc.{name}")).is_some(), "{name}");
    }
}
