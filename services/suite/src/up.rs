//! `backchannel up` and `backchannel serve`.

use std::path::PathBuf;
use std::process::ExitCode;

use db::Migrations;
use kernel::Clock;
use runtime::{Running, ServeFlags, TlsFiles, Unit};

/// One service by name.
#[derive(clap::Args)]
pub(crate) struct ServeOne {
    /// Which service
    service: ServiceName,
    #[command(flatten)]
    flags: ServeFlags,
}

/// The services, by their names.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(crate) enum ServiceName {
    Contacts,
    AssignmentRouting,
    Notes,
    Notifications,
}

impl ServiceName {
    /// All of them, in the order in which they depend on one another.
    pub(crate) const ALL: [Self; 4] =
        [Self::Contacts, Self::AssignmentRouting, Self::Notes, Self::Notifications];

    /// The tables of the service.
    pub(crate) fn migrations(self) -> &'static Migrations {
        match self {
            Self::Contacts => &contacts::store::MIGRATIONS,
            Self::AssignmentRouting => &assignment_routing::store::MIGRATIONS,
            Self::Notes => &notes::MIGRATIONS,
            Self::Notifications => &notifications::store::MIGRATIONS,
        }
    }

    /// The service as a part of a process.
    pub(crate) fn unit(self) -> Unit {
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
    let served = flags.load().and_then(|mut config| {
        // Reflection is for whoever runs this on their own machine; behind an edge it is on the internal address only.
        config.public_reflection = true;
        let (data, audience) = (config.data.display().to_string(), config.audience.clone());
        let transport = transport(&config.tls);
        runtime::run(config, clock, ServiceName::ALL.map(ServiceName::unit).into(), |running| {
            announce(running);
            suggest(running, &data, &audience, &transport);
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

/// How grpcurl is told what is spoken here.
fn transport(tls: &TlsFiles) -> String {
    let flag = |name: &str, file: &Option<PathBuf>| {
        file.as_ref().map(|file| format!("-{name} {} ", file.display())).unwrap_or_default()
    };
    if tls.certificate.is_none() {
        return "-plaintext ".to_owned();
    }
    let own =
        if tls.mutual { flag("cert", &tls.certificate) + &flag("key", &tls.key) } else { String::new() };
    flag("cacert", &tls.authority) + &own
}

fn suggest(running: &Running, data: &str, audience: &str, transport: &str) {
    let mut whose = if data == "data" { String::new() } else { format!(" --data {data}") };
    if audience != rpc::auth::AUDIENCE {
        whose.push_str(&format!(" --audience {audience}"));
    }
    // As it was called: after `cargo run` it is in no PATH.
    let program = std::env::args().next().unwrap_or_else(|| "backchannel".to_owned());
    let _ = runtime::say::output(format_args!(
        "\nTry, in another terminal:\n\
         \n  {program} token --org acme --sub ana --role agent{whose}\n\
         \n  grpcurl {transport}-H \"authorization: Bearer $({program} token --sub ana --role agent{whose})\" \\\
         \n    {} backchannel.routing.v1.AgentService/GetMyAgent\n\
         \nCtrl-C ends it.",
        running.grpc
    ));
}
