//! Certificates that change while the process serves: whoever issues them renews them in place, and no connection ends for it.

use std::sync::Arc;
use std::time::Duration;

use kernel::Clock;
use tokio::sync::watch;
use tokio_rustls::rustls::{ClientConfig, ServerConfig};
use tokio_util::sync::CancellationToken;

use super::files::{Found, Unusable, Validity};
use super::settings::Settings;
use crate::config::TlsFiles;

/// Between two looks at the files.
const EVERY: Duration = Duration::from_secs(10);

/// Where new settings are put.
pub(super) struct Changed {
    server: Option<watch::Sender<Arc<ServerConfig>>>,
    client: watch::Sender<Arc<ClientConfig>>,
}

/// Where they are found.
pub(super) struct Now {
    pub(super) server: Option<watch::Receiver<Arc<ServerConfig>>>,
    pub(super) client: watch::Receiver<Arc<ClientConfig>>,
}

/// Settings that may change, from both ends.
pub(super) fn renewed(server: Option<Arc<ServerConfig>>, client: Arc<ClientConfig>) -> (Changed, Now) {
    let (to_server, server) = server.map(watch::channel).unzip();
    let (to_client, client) = watch::channel(client);
    (Changed { server: to_server, client: to_client }, Now { server, client })
}

/// Keeps TLS as the files are.
pub(crate) struct Renewal {
    files: TlsFiles,
    clock: Clock,
    /// What the last look found.
    found: Result<Found, Unusable>,
    changed: Changed,
}

impl Renewal {
    pub(super) fn new(files: TlsFiles, clock: Clock, found: Found, changed: Changed) -> Self {
        tell_end(&found, &clock);
        Self { files, clock, found: Ok(found), changed }
    }

    /// Looks at the files now and then, until `stop`. Files that cannot be used change nothing: a certificate whose key is still on its
    /// way is taken at the next look.
    pub(crate) async fn keep_up(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
            let files = self.files.clone();
            // What they hold is compared, not their times: see `key_set`.
            let Ok(found) = tokio::task::spawn_blocking(move || Found::read(&files)).await else { continue };
            if found == self.found {
                continue;
            }
            match found.clone().and_then(|found| self.take(&found)) {
                Ok(()) => tracing::info!("TLS has changed; new connections have what is in its files now"),
                Err(error) => {
                    tracing::warn!(%error, "TLS cannot be used as its files are now; what was there before stays in force");
                }
            }
            self.found = found;
        }
    }

    fn take(&self, found: &Found) -> Result<(), Unusable> {
        let Settings { server, client } = Settings::of(&found.material()?, self.files.mutual, &self.clock)?;
        if let (Some(changed), Some(server)) = (&self.changed.server, server) {
            changed.send_replace(server);
        }
        self.changed.client.send_replace(client);
        tell_end(found, &self.clock);
        Ok(())
    }
}

/// Tells operators when the certificate ends.
fn tell_end(found: &Found, clock: &Clock) {
    let Some(ends) =
        found.material().ok().and_then(|it| Validity::of(it.identity?.chain.first()?)).map(|it| it.ends)
    else {
        return;
    };
    let seconds = ends.since(kernel::Timestamp::from_micros(0)).as_secs_f64();
    metrics::gauge!("tls_certificate_expiry_seconds").set(seconds);
    if ends <= clock.now() {
        tracing::warn!("the certificate of tls.certificate has ended: callers refuse it until it is renewed");
    }
}
