//! What streams keep in memory, with the tests that stand beside the code.
#![expect(dead_code, unreachable_pub, reason = "only their own tests use them here")]

#[path = "../../src/app/watch/pace.rs"]
mod pace;
#[path = "../../src/app/presence_board.rs"]
mod presence_board;
#[path = "../../src/app/watch/tally.rs"]
mod tally;
