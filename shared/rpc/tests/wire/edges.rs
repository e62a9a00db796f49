//! What a port offers besides the contracts, and in other dialects.

use http_body_util::{BodyExt, Full};
use kernel::Role;
use proto::common::v1::ErrorReason;
use rpc::{Keys, Limits, Policy, Stack, Verifier};
use tonic::Code;
use tonic::body::Body;
use tonic::service::Routes;
use tower::{Service, ServiceExt};

use crate::support::{Toy, request, toy, verdict};

const HEALTH: &str = "/grpc.health.v1.Health/Check";
const REFLECTION: &str = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";

pub(crate) fn message(bytes: &[u8]) -> Body {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    Body::new(Full::from([&[0], length.as_slice(), bytes].concat()))
}

pub(crate) async fn port(toy: &Toy, open: impl FnOnce(Policy) -> Policy) -> (Stack, rpc::Health) {
    let keys = Keys::from_jwks(&toy.signer.jwks()).unwrap();
    let verifier = Verifier::new(keys, vec!["backchannel-dev".into()], "backchannel", toy.clock.clone());
    let (routes, health) = rpc::with_health(Routes::default(), vec!["toy.v1.Toy"]).await;
    let policy = open(Policy::new(verifier, toy.clock.clone()));
    (rpc::stack(rpc::with_reflection(routes).unwrap(), policy), health)
}

/// The last byte of the answer: the status of a HealthCheckResponse.
pub(crate) async fn check(stack: &Stack, service: &str) -> u8 {
    let named = [&[10, u8::try_from(service.len()).unwrap()], service.as_bytes()].concat();
    let answer = stack.clone().oneshot(request(HEALTH).body(message(&named)).unwrap()).await.unwrap();
    assert_eq!(verdict(&answer).0, Code::Ok);
    *answer.into_body().collect().await.unwrap().to_bytes().last().unwrap()
}

#[tokio::test]
async fn health_needs_no_token_and_follows_the_process() {
    const SERVING: u8 = 1;
    const NOT_SERVING: u8 = 2;
    let (stack, health) = port(&toy(Limits::default()), std::convert::identity).await;
    assert_eq!([check(&stack, "").await, check(&stack, "toy.v1.Toy").await], [NOT_SERVING; 2]);
    health.serving().await;
    assert_eq!([check(&stack, "").await, check(&stack, "toy.v1.Toy").await], [SERVING; 2]);
    health.stopping().await;
    assert_eq!([check(&stack, "").await, check(&stack, "toy.v1.Toy").await], [NOT_SERVING; 2]);
}

// G1
#[tokio::test]
async fn what_is_no_post_reaches_nothing() {
    let toy = toy(Limits::default());
    let (stack, health) = port(&toy, Policy::with_reflection).await;
    health.serving().await;
    let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
    for method in ["OPTIONS", "GET", "HEAD", "PUT", "PATCH", "DELETE"] {
        for (stack, path) in [(&stack, HEALTH), (&stack, REFLECTION), (&toy.stack, "/toy.v1.Toy/WhoAmI")] {
            let asked =
                request(path).method(method).header("authorization", &bearer).body(message(&[])).unwrap();
            let refused = verdict(&stack.clone().oneshot(asked).await.unwrap());
            assert_eq!(
                refused,
                (Code::PermissionDenied, Some(ErrorReason::RoleNotAllowed)),
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn reflection_is_closed_unless_the_policy_opens_it() {
    let toy = toy(Limits::default());
    let list = || request(REFLECTION).body(message(&[58, 1, b'*'])).unwrap();
    let (closed, _) = port(&toy, std::convert::identity).await;
    let refused = closed.oneshot(list()).await.unwrap();
    assert_eq!(verdict(&refused), (Code::Unauthenticated, Some(ErrorReason::TokenMissing)));
    let (open, _) = port(&toy, Policy::with_reflection).await;
    let answer = open.oneshot(list()).await.unwrap().into_body().collect().await.unwrap().to_bytes();
    let text = String::from_utf8_lossy(&answer);
    assert!(text.contains("grpc.health.v1.Health") && text.contains("backchannel."), "{text}");
}

// P8
#[tokio::test]
async fn whoever_asks_reflection_can_read_the_details_of_a_refusal() {
    /// Asks for the file that has a symbol, in `ServerReflectionRequest`.
    const FILE_CONTAINING_SYMBOL: u8 = (4 << 3) | 2;
    let toy = toy(Limits::default());
    let (open, _) = port(&toy, Policy::with_reflection).await;
    for (symbol, file) in [
        ("google.rpc.ErrorInfo", "google/rpc/error_details.proto"),
        ("google.rpc.BadRequest", "google/rpc/error_details.proto"),
        ("google.rpc.PreconditionFailure", "google/rpc/error_details.proto"),
        ("google.rpc.RetryInfo", "google/rpc/error_details.proto"),
        ("google.rpc.Status", "google/rpc/status.proto"),
    ] {
        let length = u8::try_from(symbol.len()).unwrap();
        let asked = [&[FILE_CONTAINING_SYMBOL, length], symbol.as_bytes()].concat();
        let call = request(REFLECTION).body(message(&asked)).unwrap();
        let answer = open.clone().oneshot(call).await.unwrap().into_body().collect().await.unwrap();
        let text = String::from_utf8_lossy(&answer.to_bytes()).into_owned();
        // The question comes back with the answer; the name of the file only if there is one.
        assert!(text.contains(file), "{symbol}: {text}");
    }
}

#[tokio::test]
async fn a_browser_speaks_grpc_web_through_the_same_layers() {
    let toy = toy(Limits::default());
    let web = |token: Option<String>| {
        let call =
            http::Request::post("/toy.v1.Toy/WhoAmI").header("content-type", "application/grpc-web+proto");
        let call = match token {
            Some(token) => call.header("authorization", format!("Bearer {token}")),
            None => call,
        };
        call.body(message(&[])).unwrap()
    };
    let mut edge = rpc::edge(toy.stack.clone());
    let answer = edge.call(web(Some(toy.token("ana", Role::Agent)))).await.unwrap();
    assert_eq!(answer.headers()["subject"], "ana");
    assert_eq!(answer.headers()["content-type"], "application/grpc-web+proto");
    let refused = edge.call(web(None)).await.unwrap();
    assert_eq!(verdict(&refused), (Code::Unauthenticated, Some(ErrorReason::TokenMissing)));
}

#[tokio::test]
async fn a_message_over_256_kib_is_refused_whatever_the_handler_allows() {
    let toy = toy(Limits::default());
    let bearer = format!("Bearer {}", toy.token("ana", Role::Agent));
    for (length, code) in [(256 * 1_024, Code::Ok), (256 * 1_024 + 1, Code::InvalidArgument)] {
        let call = request("/toy.v1.Toy/WhoAmI").header("authorization", &bearer);
        let answer = toy.send(call.body(message(&vec![0; length])).unwrap()).await;
        assert_eq!(verdict(&answer).0, code, "{length}");
    }
}
