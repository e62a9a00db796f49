//! What each layer refuses, and that it refuses nothing else.

use std::time::Duration;

use crate::support::{contract, request, toy, verdict};
use http_body_util::BodyExt;
use kernel::Role;
use proto::common::v1::ErrorReason;
use rpc::{Fault, Limits};
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt;

const WHO: &str = "/toy.v1.Toy/WhoAmI";

#[tokio::test]
async fn identity_comes_from_the_token_and_no_header_changes_it() {
    let toy = toy(Limits::default());
    let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
    let spoofed = [
        "x-user-id",
        "x-user",
        "x-org",
        "x-org-id",
        "x-role",
        "x-roles",
        "x-forwarded-user",
        "x-forwarded-email",
        "x-auth-request-user",
        "x-jwt-payload",
        "x-authenticated-userid",
        "x-consumer-username",
        "x-tenant-id",
        "remote-user",
        "x-remote-user",
        "x-amzn-oidc-data",
        "x-goog-authenticated-user-id",
        "x-endpoint-api-userinfo",
        "org",
        "sub",
        "role",
        "grpc-metadata-authorization",
        "proxy-authorization",
        "cookie",
    ];
    for header in spoofed {
        let with = request(WHO).header(header, "admin").header("authorization", &bearer);
        let answer = toy.send(with.body(Body::empty()).unwrap()).await;
        assert_eq!(verdict(&answer).0, Code::Ok, "{header}");
        let said = ["org", "subject", "role"].map(|name| answer.headers()[name].to_str().unwrap().to_owned());
        assert_eq!(said, ["acme", "ana", "agent"], "{header}");
        let without = toy.send(request(WHO).header(header, &bearer).body(Body::empty()).unwrap()).await;
        assert_eq!(verdict(&without), (Code::Unauthenticated, Some(ErrorReason::TokenMissing)), "{header}");
    }
}

#[tokio::test]
async fn only_one_bearer_token_authorizes() {
    let toy = toy(Limits::default());
    let token = toy.token("ana", Role::Agent);
    let good = toy
        .send(request(WHO).header("authorization", format!("bearer {token}")).body(Body::empty()).unwrap());
    assert_eq!(verdict(&good.await).0, Code::Ok);
    let odd = [
        token.clone(),
        format!("Basic {token}"),
        "Bearer ".into(),
        "Bearer".into(),
        format!("Bearer  {token}"),
        format!("Bearer {token},Bearer {token}"),
        format!("Token {token}"),
        String::new(),
    ];
    for value in odd {
        let answer =
            toy.send(request(WHO).header("authorization", &value).body(Body::empty()).unwrap()).await;
        assert_eq!(verdict(&answer), (Code::Unauthenticated, Some(ErrorReason::TokenInvalid)), "{value:?}");
    }
    let bearer = format!("Bearer {token}");
    let twice = request(WHO).header("authorization", &bearer).header("authorization", &bearer);
    let answer = toy.send(twice.body(Body::empty()).unwrap()).await;
    assert_eq!(verdict(&answer), (Code::Unauthenticated, Some(ErrorReason::TokenInvalid)));
}

#[tokio::test]
async fn what_the_contract_does_not_allow_is_denied() {
    let toy = toy(Limits { person_per_second: 0, ..Limits::default() });
    let paths = ["WhoAmI", "AdminOnly", "Nobody", "Unknown", "whoami", "WhoAmI/"];
    let paths = paths.map(|name| format!("/toy.v1.Toy/{name}"));
    let others = [
        "/",
        "//toy.v1.Toy/WhoAmI",
        "/toy.v2.Toy/WhoAmI",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ];
    for path in paths.iter().map(String::as_str).chain(others) {
        for role in Role::ALL {
            let bearer = format!("Bearer {}", toy.token("ana", role));
            let answer =
                toy.send(request(path).header("authorization", bearer).body(Body::empty()).unwrap()).await;
            let agents = matches!(role, Role::Agent | Role::Integration | Role::Service);
            let allowed = (path == WHO && agents) || (path.ends_with("AdminOnly") && role == Role::Admin);
            let expected = if allowed { (Code::Ok, None) } else { denied() };
            assert_eq!(verdict(&answer), expected, "{path} {role}");
        }
    }
}

fn denied() -> (Code, Option<ErrorReason>) {
    (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed))
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_deadline_gets_five_seconds_and_none_gets_more_than_thirty() {
    let toy = toy(Limits::default());
    let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
    for (asked, seconds) in
        [(None, 5.0), (Some("2S"), 2.0), (Some("150m"), 0.15), (Some("8H"), 30.0), (Some("x"), 5.0)]
    {
        let mut slow = request("/toy.v1.Toy/Slow").header("authorization", &bearer);
        if let Some(asked) = asked {
            slow = slow.header("grpc-timeout", asked);
        }
        let begin = tokio::time::Instant::now();
        let answer = toy.send(slow.body(Body::empty()).unwrap()).await;
        assert_eq!(
            verdict(&answer),
            (Code::DeadlineExceeded, Some(ErrorReason::DeadlineExceeded)),
            "{asked:?}"
        );
        assert!((begin.elapsed().as_secs_f64() - seconds).abs() < 0.01, "{asked:?}: {:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_full_process_refuses_at_once_and_says_when_to_come_again() {
    let toy = toy(Limits { unary_in_flight: 2, ..Limits::default() });
    let mut held = Vec::new();
    for _ in 0..2 {
        let stack = toy.stack.clone();
        let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
        let hold = request("/toy.v1.Toy/Hold").header("authorization", bearer).body(Body::empty()).unwrap();
        held.push(tokio::spawn(async move { tower::ServiceExt::oneshot(stack, hold).await.unwrap() }));
    }
    tokio::task::yield_now().await;
    let refused = toy.call_as("bo", WHO).await;
    assert_eq!(verdict(&refused), (Code::ResourceExhausted, Some(ErrorReason::Overloaded)));
    let status = Status::from_header_map(refused.headers()).unwrap();
    assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() >= Duration::from_millis(100));
    assert!(status.get_details_quota_failure().is_some());
    // A caller who leaves gives its place back, and so does an answer.
    held.pop().unwrap().abort();
    tokio::task::yield_now().await;
    assert_eq!(verdict(&toy.call_as("bo", WHO).await).0, Code::Ok);
    toy.release.notify_waiters();
    assert_eq!(verdict(&held.pop().unwrap().await.unwrap()).0, Code::Ok);
}

// P8
#[test]
fn nobody_is_told_to_come_again_at_once() {
    let refused = Fault::new(Code::ResourceExhausted, ErrorReason::RateLimited, "too many calls");
    let status = Status::from(refused.retry_after(Duration::ZERO));
    assert!(status.get_details_retry_info().unwrap().retry_delay.unwrap() > Duration::ZERO);
}

#[tokio::test]
async fn a_person_has_five_streams_and_a_place_is_free_when_a_body_is_dropped() {
    let toy = toy(Limits::default());
    let mut open = Vec::new();
    for _ in 0..5 {
        open.push(toy.call_as("ana", "/toy.v1.Toy/Watch").await);
    }
    assert!(open.iter().all(|answer| verdict(answer).0 == Code::Ok));
    let sixth = toy.call_as("ana", "/toy.v1.Toy/Watch").await;
    assert_eq!(verdict(&sixth), (Code::ResourceExhausted, Some(ErrorReason::TooManyStreams)));
    assert_eq!(verdict(&toy.call_as("bo", "/toy.v1.Toy/Watch").await).0, Code::Ok);
    drop(open.pop());
    assert_eq!(verdict(&toy.call_as("ana", "/toy.v1.Toy/Watch").await).0, Code::Ok);
}

#[tokio::test]
async fn streams_are_counted_per_process_while_they_last() {
    let toy = toy(Limits { streams: 3, ..Limits::default() });
    let mut open = Vec::new();
    for person in ["ana", "bo", "cy"] {
        open.push(toy.call_as(person, "/toy.v1.Toy/Watch").await);
    }
    let refused = toy.call_as("di", "/toy.v1.Toy/Watch").await;
    assert_eq!(verdict(&refused), (Code::ResourceExhausted, Some(ErrorReason::Overloaded)));
    drop(open);
    assert_eq!(verdict(&toy.call_as("di", "/toy.v1.Toy/Watch").await).0, Code::Ok);
}

#[tokio::test]
async fn a_person_gets_a_burst_of_forty_and_others_are_not_touched() {
    let toy = toy(Limits::default());
    let mut refused = 0;
    for _ in 0..60 {
        let answer = toy.call_as("ana", WHO).await;
        if verdict(&answer) == (Code::ResourceExhausted, Some(ErrorReason::RateLimited)) {
            let status = Status::from_header_map(answer.headers()).unwrap();
            assert!(
                status.get_details_retry_info().is_some() && status.get_details_quota_failure().is_some()
            );
            refused += 1;
        }
    }
    assert!((1..=20).contains(&refused), "{refused}");
    assert_eq!(verdict(&toy.call_as("bo", WHO).await).0, Code::Ok);
}

#[tokio::test]
async fn an_organization_has_a_limit_too_and_adapters_are_not_counted() {
    let toy = toy(Limits { org_per_second: 5, ..Limits::default() });
    let mut refused = 0;
    for number in 0..30 {
        let answer = toy.call_as(&format!("person-{number}"), WHO).await;
        refused += usize::from(verdict(&answer).0 == Code::ResourceExhausted);
    }
    assert!(refused >= 15, "{refused}");
    let bearer = format!("Bearer {}", toy.token("chat", Role::Integration));
    for _ in 0..100 {
        let answer =
            toy.send(request(WHO).header("authorization", &bearer).body(Body::empty()).unwrap()).await;
        assert_eq!(verdict(&answer).0, Code::Ok);
    }
}

#[tokio::test]
async fn contacts_cannot_use_up_the_share_of_those_who_help_them() {
    let toy = toy(Limits { org_per_second: 5, ..Limits::default() });
    let mut refused = 0;
    for number in 0..30 {
        let bearer = format!("Bearer {}", toy.token(&format!("customer-{number}"), Role::Contact));
        let call = request("/toy.v1.Toy/Ask").header("authorization", bearer).body(Body::empty()).unwrap();
        refused += usize::from(verdict(&toy.send(call).await).0 == Code::ResourceExhausted);
    }
    assert!(refused >= 15, "{refused}");
    for _ in 0..10 {
        assert_eq!(verdict(&toy.call_as("ana", "/toy.v1.Toy/Ask").await).0, Code::Ok);
    }
}

#[tokio::test]
async fn a_panic_ends_one_call_and_its_text_stays_inside() {
    let toy = toy(Limits::default());
    let answer = toy.call_as("ana", "/toy.v1.Toy/Panic").await;
    assert_eq!(verdict(&answer), (Code::Internal, Some(ErrorReason::Internal)));
    let status = Status::from_header_map(answer.headers()).unwrap();
    assert!(status.message().starts_with("internal error, id ") && !status.message().contains("secret"));
    assert_eq!(verdict(&toy.call_as("ana", WHO).await).0, Code::Ok);

    let stream = toy.call_as("ana", "/toy.v1.Toy/WatchPanic").await.into_body().collect().await.unwrap();
    let status = Status::from_header_map(stream.trailers().unwrap()).unwrap();
    assert_eq!(status.code(), Code::Internal);
    assert!(!status.message().contains("secret"));
}

#[tokio::test]
async fn a_refusal_carries_domain_and_reason_and_what_was_called() {
    let toy = toy(Limits::default());
    let answer = toy.call_as("ana", "/toy.v1.Toy/AdminOnly").await;
    let info = Status::from_header_map(answer.headers()).unwrap().get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ROLE_NOT_ALLOWED", "backchannel.dev"));
    assert_eq!(info.metadata["role"], "agent");
    assert_eq!(info.metadata["method"], contract("/toy.v1.Toy/AdminOnly").unwrap().path);
}

#[tokio::test]
async fn the_generated_contract_is_what_a_policy_enforces() {
    use rpc::{Keys, Policy, Verifier};
    let toy = toy(Limits::default());
    let keys = Keys::from_jwks(&toy.signer.jwks()).unwrap();
    let verifier = Verifier::new(keys, vec!["backchannel-dev".into()], "backchannel", toy.clock.clone());
    let limits = Limits { person_per_second: 0, org_per_second: 0, ..Limits::default() };
    let policy = Policy::new(verifier, toy.clock.clone()).with_limits(limits);
    let stack = rpc::stack(tonic::service::Routes::default(), policy);
    for method in proto::METHODS {
        let call = request(method.path).body(Body::empty()).unwrap();
        let answer = tower::ServiceExt::oneshot(stack.clone(), call).await.unwrap();
        let expected = if method.public { Code::Unimplemented } else { Code::Unauthenticated };
        assert_eq!(verdict(&answer).0, expected, "{} without a token", method.path);
        for role in Role::ALL {
            let bearer = format!("Bearer {}", toy.token("ana", role));
            let call = request(method.path).header("authorization", bearer).body(Body::empty()).unwrap();
            let answer = tower::ServiceExt::oneshot(stack.clone(), call).await.unwrap();
            let named = format!("ROLE_{}", role.as_str().to_uppercase());
            let allowed = method.roles.iter().any(|admitted| admitted.as_str_name() == named);
            // The routes are empty: who is let through finds nothing.
            let expected =
                if allowed || method.public { Code::Unimplemented } else { Code::PermissionDenied };
            assert_eq!(verdict(&answer).0, expected, "{} {role}", method.path);
        }
    }
}
