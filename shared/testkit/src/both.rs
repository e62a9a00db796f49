//! One test body, two tests.

/// Runs each test on SQLite and on PostgreSQL: `fn name(engine) { .. }` becomes the tests `name::sqlite` and
/// `name::postgres`, on a runtime of several threads.
#[macro_export]
macro_rules! on_both_databases {
    ($($(#[$attribute:meta])* async fn $name:ident($engine:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            $(#[$attribute])*
            async fn body($engine: $crate::Engine) $body

            #[test]
            fn sqlite() {
                $crate::run(body($crate::Engine::Sqlite));
            }

            #[test]
            fn postgres() {
                $crate::run(body($crate::Engine::Postgres));
            }
        }
    )+};
}

/// Runs a test's body to its end.
#[doc(hidden)]
pub fn run(body: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a test needs threads")
        .block_on(body);
}
