//! The `backchannel` binary, built for the tests that start and kill processes.

fn main() -> std::process::ExitCode {
    suite::main()
}
