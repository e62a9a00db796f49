//! `backchannel certificates`: an authority of one's own and what it signs, to try TLS with.

use std::path::PathBuf;
use std::process::ExitCode;

use kernel::Clock;
use runtime::tls::DevAuthority;

use crate::failure::{Failure, print};

/// Who serves or calls over TLS: the services, and the edge in front of them.
const HOSTS: [&str; 5] = ["contacts", "assignment-routing", "notes", "notifications", "edge"];

#[derive(clap::Args)]
pub(crate) struct CertificatesArgs {
    /// The folder to make them in; an authority that is there goes on
    #[arg(long, value_name = "DIR", default_value = "certificates")]
    out: PathBuf,
    /// A further name or address that all of them are good for
    #[arg(long = "name", value_name = "HOST")]
    names: Vec<String>,
    /// How many days they are good for
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=825))]
    days: u32,
}

/// Makes the authority, if there is none, and a new certificate for each service and for the edge.
pub(crate) fn run(args: &CertificatesArgs, clock: Clock) -> Result<ExitCode, Failure> {
    let failed = |error: runtime::tls::DevAuthorityError| Failure::because("no certificates", error);
    std::fs::create_dir_all(&args.out).map_err(|error| Failure::because(args.out.display(), error))?;
    let authority = DevAuthority::load_or_make(&args.out, clock).map_err(failed)?;
    for host in HOSTS {
        // By its name in a cluster or in Compose, by that of its inner address there, and on this machine.
        let inside = format!("{host}-internal");
        let mut names = vec![host, &inside, "localhost", "127.0.0.1", "::1"];
        names.extend(args.names.iter().map(String::as_str));
        authority.issue_into(&args.out.join(host), &names, args.days).map_err(failed)?;
    }
    let folder = args.out.display();
    print(format_args!(
        "{folder}/NAME/tls.crt, tls.key and ca.crt for {}, good for {} days; whoever has {folder}/{} can be any of them",
        HOSTS.join(", "),
        args.days,
        DevAuthority::KEY
    ))?;
    Ok(ExitCode::SUCCESS)
}
