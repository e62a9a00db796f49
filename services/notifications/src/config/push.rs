//! What pushes are sent with: `[notifications.push]`, or `BACKCHANNEL_NOTIFICATIONS__PUSH__<KEY>`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The settings of pushes. Secrets are in files, which are named here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PushConfig {
    /// The file of the private key that this suite is known by to push services (VAPID): a key of P-256, as PEM or as the tools of Web
    /// Push write it, 32 bytes in base64url. The same for all replicas. Browsers subscribe with its public half, so whoever changes
    /// it loses every subscription. Absent: no Web Push; with a development key of people's tokens one is made in `data`.
    pub vapid_key: Option<PathBuf>,
    /// Where push services reach the operator: `mailto:` with an address, or an `https:` page. Needed with `vapid_key`.
    pub vapid_contact: Option<String>,
    /// The file of a service account (JSON, from the console of Firebase) that may send. Absent: no FCM.
    pub fcm_service_account: Option<PathBuf>,
    /// Where FCM is.
    pub fcm_address: String,
    /// Days after which a device that was not registered again is removed.
    pub device_kept_days: u32,
}

impl Default for PushConfig {
    fn default() -> Self {
        Self {
            vapid_key: None,
            vapid_contact: None,
            fcm_service_account: None,
            fcm_address: "https://fcm.googleapis.com".to_owned(),
            device_kept_days: 270,
        }
    }
}

impl PushConfig {
    /// How long a device is kept that is not registered again.
    pub fn device_kept(&self) -> Duration {
        DAY.saturating_mul(self.device_kept_days)
    }
}
