//! The `backchannel` binary; everything is in the library, so that tests can build it too.

fn main() -> std::process::ExitCode {
    suite::main()
}
