# Sourced by what calls a real server: builds its binary and the Rust client, and says in BUILT where they are.
# With all tests, as `tests/run test` builds them: for a single program cargo chooses other features, and compiles everything again.

cargo test --workspace --locked --no-run
BUILT=${CARGO_TARGET_DIR:-$PWD/target}/debug
