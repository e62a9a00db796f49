//! Takes the messages' types out of what tonic generates for unary calls: [`unary`](../src/unary.rs) says why.

use std::path::Path;
use std::{fs, io};

use regex::Regex;

use crate::Contracts;

/// The call of a method on the server.
const SERVED: &str = r"(?x)
    let\ fut\ =\ async\ move\ \{ \s*
        let\ method\ =\ (?<method>\w+)\(inner\); \s*
        let\ codec\ =\ crate::codec::Contract::default\(\); \s*
        let\ mut\ grpc\ =\ tonic::server::Grpc::new\(codec\) [^;]* ; \s*
        let\ res\ =\ grpc\.unary\(method,\ req\)\.await; \s*
        Ok\(res\) \s*
    \}; \s*
    Box::pin\(fut\)";

const SERVE: &str = "crate::unary::serve(
    ${method}(inner),
    req,
    crate::unary::Limits {
        accept: accept_compression_encodings,
        send: send_compression_encodings,
        largest_request: max_decoding_message_size,
        largest_answer: max_encoding_message_size,
    },
)";

/// The body of a client's method.
const CALLED: &str = r"(?x)
    self\.inner \s* \.ready\(\) [^;]* ; \s*
    let\ codec\ =\ crate::codec::Contract::default\(\); \s*
    (?<prepare> let\ path\ =\ [^;]* ; \s* let\ mut\ req\ =\ request\.into_request\(\); \s* req\.extensions_mut\(\) [^;]* ; ) \s*
    self\.inner\.unary\(req,\ path,\ codec\)\.await";

const CALL: &str = "${prepare}
    crate::unary::call(&mut self.inner, req, path).await";

/// Rewrites the generated files in `out`.
///
/// # Panics
/// If tonic generates something else than this knows: no method may be left behind unnoticed.
pub(crate) fn rewrite(contracts: &Contracts, out: &Path) -> io::Result<()> {
    let pattern = |text| Regex::new(text).unwrap_or_else(|error| panic!("{error}"));
    let (served, called) = (pattern(SERVED), pattern(CALLED));
    let mut found = (0, 0);
    for file in fs::read_dir(out)? {
        let file = file?.path();
        if file.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = fs::read_to_string(&file)?;
        found.0 += served.find_iter(&source).count();
        found.1 += called.find_iter(&source).count();
        let rewritten = served.replace_all(&source, SERVE);
        fs::write(&file, called.replace_all(&rewritten, CALL).as_ref())?;
    }
    let methods = contracts.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let unary = methods.filter(|it| !it.is_client_streaming() && !it.is_server_streaming()).count();
    assert_eq!(found, (unary, unary), "what tonic generates for unary calls has changed: see build/unary.rs");
    Ok(())
}
