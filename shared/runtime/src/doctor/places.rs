//! Where a process listens and writes.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;

use super::Finding;
use crate::config::Config;
use crate::error::StartError;

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let mut found = vec![
        address("listen", config.listen, config).await,
        address("metrics", config.metrics, config).await,
    ];
    if config.database.is_none() {
        found.push(folder(&config.data));
    }
    found
}

async fn address(key: &'static str, address: SocketAddr, config: &Config) -> Finding {
    let about = format!("address {address}");
    match TcpListener::bind(address).await {
        Ok(_) if key == "metrics" && !address.ip().is_loopback() => Finding::doubtful(
            about,
            format!("{key} is free, and open to other machines"),
            "let only your monitoring reach it: metrics, and reflection, need no token there",
        ),
        Ok(_) if key == "listen" && !address.ip().is_loopback() && config.keys.jwks.is_none() => {
            Finding::doubtful(
                about,
                format!("{key} is open to other machines, and tokens are signed with a development key"),
                "name the keys of your identity provider with keys.jwks, and keys.signing for the services' own",
            )
        }
        Ok(_) => Finding::well(about, format!("{key} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::doubtful(
            about,
            format!("{key} is taken"),
            "all right if that is the process which this configuration is for; else free it, or name another",
        ),
        Err(error) => Finding::ill(about, StartError::Listen { key, address, error }.to_string(), ""),
    }
}

/// Whether SQLite files can be kept there, by nobody but their owner.
fn folder(data: &Path) -> Finding {
    let about = format!("folder {}", data.display());
    let Ok(there) = data.metadata() else {
        return Finding::well(about, "is not there yet: the first start makes it, for its owner only");
    };
    if !there.is_dir() {
        return Finding::ill(about, "is a file", "name a folder, there or to be made, with --data");
    }
    if there.permissions().readonly() {
        return Finding::ill(about, "cannot be written to", "give it to the user whom the process runs as");
    }
    if open_to_all(&there) {
        let advice = format!("chmod 700 {}, unless others have business there", data.display());
        return Finding::doubtful(
            about,
            "is open to all users of this machine; only new files are their owner's",
            advice,
        );
    }
    Finding::well(about, "is there")
}

/// Whether users that have nothing to do with it may look into it.
#[cfg(unix)]
pub(super) fn open_to_all(file: &std::fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&file.permissions()) & 0o007 != 0
}

#[cfg(not(unix))]
pub(super) fn open_to_all(_: &std::fs::Metadata) -> bool {
    false
}
