//! `backchannel up` and `backchannel serve`.

use std::process::ExitCode;

use kernel::Clock;
use runtime::{Running, ServeFlags, Unit};

/// One service by name.
#[derive(clap::Args)]
pub(crate) struct ServeOne {
    /// Which service
    service: ServiceName,
    #[command(flatten)]
    flags: ServeFlags,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ServiceName {
    Contacts,
    AssignmentRouting,
    Notes,
    Notifications,
}

impl ServiceName {
    fn unit(self) -> Unit {
        match self {
            Self::Contacts => contacts::unit(),
            Self::AssignmentRouting => assignment_routing::unit(),
            Self::Notes => notes::unit(),
            Self::Notifications => notifications::unit(),
        }
    }
}

/// Serves everything; a newcomer sees what to try next.
pub(crate) fn up(flags: ServeFlags, clock: Clock) -> ExitCode {
    let all = [
        ServiceName::Contacts,
        ServiceName::AssignmentRouting,
        ServiceName::Notes,
        ServiceName::Notifications,
    ];
    let served = flags.load().and_then(|mut config| {
        // Reflection is for whoever runs this on their own machine; behind an edge it is on the internal address only.
        config.public_reflection = true;
        let data = config.data.display().to_string();
        runtime::run(config, clock, all.map(ServiceName::unit).into(), |running| {
            announce(running);
            suggest(running, &data);
        })
    });
    runtime::exit_code(served)
}

/// Serves one service.
pub(crate) fn serve(one: ServeOne, clock: Clock) -> ExitCode {
    let units = vec![one.service.unit()];
    let served = one.flags.load().and_then(|config| runtime::run(config, clock, units, announce));
    runtime::exit_code(served)
}

fn announce(running: &Running) {
    let ready = format_args!("ready grpc={} metrics={}", running.grpc, running.metrics);
    // It serves, whether or not this can be written.
    let _ = runtime::say::output(ready);
}

fn suggest(running: &Running, data: &str) {
    let folder = if data == "data" { String::new() } else { format!(" --data {data}") };
    // As it was called: after `cargo run` it is in no PATH.
    let program = std::env::args().next().unwrap_or_else(|| "backchannel".to_owned());
    let _ = runtime::say::output(format_args!(
        "\nTry, in another terminal:\n\
         \n  {program} token --org acme --sub ana --role agent{folder}\n\
         \n  grpcurl -plaintext -H \"authorization: Bearer $({program} token --sub ana --role agent{folder})\" \\\
         \n    {} backchannel.routing.v1.AgentService/GetMyAgent\n\
         \nCtrl-C ends it.",
        running.grpc
    ));
}
