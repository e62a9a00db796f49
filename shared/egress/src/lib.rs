//! HTTP to addresses that others chose: webhooks, push services, token endpoints.
//!
//! Whoever may name a URL that this process opens could otherwise reach what only this process reaches: the database, another
//! tenant's service, the cloud's metadata. So every name is resolved here, every address is checked, and the address that was
//! checked is the one connected to: a name that resolves differently a moment later changes nothing. There are no redirects, no
//! proxies from the environment, https only, answers are read up to [`ANSWER_LIMIT`], and everything together has one time limit.
//!
//! | module | story |
//! |---|---|
//! | [`special`] | which addresses are nobody's on the public internet |
//! | [`url`] | which URLs may be named at all |
//! | [`settings`] | what an operator can open for development and tests, and the time limits |
//! | [`network`] | names to addresses, addresses to connections: the two things that a test replaces |
//! | `connect` | resolve, check, dial, TLS |
//! | [`client`] | [`Egress`]: one request, one [`Answer`] or one [`Failure`] |
//!
//! ```ignore
//! let egress = Egress::new(&settings)?;                     // one for each process: it keeps connections open
//! let url = egress.admit("https://example.com/hook")?;      // when somebody names it: a Malformed says what is wrong
//! let request = http::Request::post(url.uri()).header("content-type", "application/json").body(body)?;
//! let answer = egress.send(request).await?;                 // whatever the status; Failure says how far it came
//! if answer.status.is_success() { .. } else if let Some(wait) = answer.retry_after(now) { .. }
//! ```

mod answer;
pub mod client;
mod connect;
mod failure;
pub mod network;
pub mod settings;
pub mod special;
pub mod url;

use std::future::Future;
use std::pin::Pin;

pub use answer::Answer;
pub use client::{ANSWER_LIMIT, Egress};
pub use failure::Failure;
pub use network::Network;
pub use settings::{EgressSettings, Unusable};
pub use url::Url;

/// A future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
