//! The devices of a person: registered, listed, removed.

use audit::{Event, Origin};
use kernel::{PageSize, Timestamp};

use super::{App, Owner};
use crate::NAME;
use crate::domain::device::{Address, DEVICES, Device, DeviceId, DeviceKind, NewDevice};
use crate::error::Error;
use crate::store::devices;

const TOKEN: &str = "notifications.devices";

/// A page of devices.
#[derive(Debug)]
pub struct DevicePage {
    /// Its devices.
    pub devices: Vec<Device>,
    /// Token of the next page; empty at the end.
    pub next_page_token: String,
}

/// Organizations looked at in one round, and devices removed in one transaction.
const ORGS: i64 = 100;
const IDLE: i64 = 500;

impl App {
    /// Registers a device as the person's own. Again, it is the same device.
    ///
    /// # Errors
    /// [`Error::ChannelNotConfigured`], [`Error::BadDevice`], [`Error::Db`].
    pub async fn register_device(
        &self,
        Owner { org, subject }: Owner,
        origin: Origin,
        new: NewDevice,
    ) -> Result<Device, Error> {
        self.admit(&new.address)?;
        let write = self.db.write(&org, move |tx| {
            Box::pin(async move {
                let now = tx.now().await?;
                let id = DeviceId::from_uuid(tx.clock().new_id());
                let device = devices::put(tx, id, &subject, &new, now).await?;
                let gone = devices::remove_beyond(tx, &subject, DEVICES).await?;
                let mut events = Event::each("device.remove", gone);
                // Registered again, as apps do at each start, it is nothing new.
                if device.device_id == id {
                    events.push(Event::new("device.register", id));
                }
                audit::record(tx, &origin, &events).await?;
                Ok::<_, Error>(device)
            })
        });
        write.await
    }

    /// Whether this process can send there at all.
    fn admit(&self, address: &Address) -> Result<(), Error> {
        let absent = || Error::ChannelNotConfigured(address.kind().channel());
        match address {
            Address::Fcm { .. } => self.push_services.fcm.as_ref().map(drop).ok_or_else(absent),
            Address::WebPush { endpoint, .. } => {
                let web_push = self.push_services.web_push.as_ref().ok_or_else(absent)?;
                web_push.admit(endpoint).map_err(Error::BadDevice)
            }
        }
    }

    /// Lists a person's devices, the one that was registered last first.
    ///
    /// # Errors
    /// [`Error::ForeignPageToken`], [`Error::Db`].
    pub async fn list_devices(
        &self,
        owner: Owner,
        size: PageSize,
        page_token: &str,
    ) -> Result<DevicePage, Error> {
        let binding = owner.binding("devices");
        let behind: Option<devices::Place> = match page_token {
            "" => None,
            token => Some(self.seal.open(TOKEN, &binding, token).map_err(|_| Error::ForeignPageToken)?),
        };
        let Owner { org, subject } = owner;
        let read = self.db.read(&org, move |tx| {
            Box::pin(async move { devices::list(tx, &subject, behind, size.and_one()).await })
        });
        let mut page = read.await.map_err(Error::Db)?;
        let more = page.len() > size.get();
        page.truncate(size.get());
        let last = page.last().filter(|_| more).map(|last| (last.register_time, last.device_id));
        let next_page_token = last.map(|last| self.seal.seal(TOKEN, &binding, &last)).unwrap_or_default();
        Ok(DevicePage { devices: page, next_page_token })
    }

    /// Removes a person's device.
    ///
    /// # Errors
    /// [`Error::NoSuchDevice`], [`Error::Db`].
    pub async fn remove_device(
        &self,
        Owner { org, subject }: Owner,
        origin: Origin,
        id: DeviceId,
    ) -> Result<(), Error> {
        let write = self.db.write(&org, move |tx| {
            Box::pin(async move {
                if !devices::remove(tx, &subject, id).await? {
                    return Err(Error::NoSuchDevice);
                }
                audit::record(tx, &origin, &[Event::new("device.remove", id)]).await?;
                Ok(())
            })
        });
        write.await
    }

    /// What browsers subscribe with.
    ///
    /// # Errors
    /// [`Error::ChannelNotConfigured`].
    pub fn web_push_key(&self) -> Result<String, Error> {
        let web_push = self.push_services.web_push.as_ref();
        let web_push = web_push.ok_or(Error::ChannelNotConfigured(DeviceKind::WebPush.channel()))?;
        Ok(web_push.public_key().to_owned())
    }

    /// Removes devices that were not registered again since a moment, until none is left; tells how many went.
    ///
    /// # Errors
    /// [`Error::Db`]; what went before stays gone.
    pub async fn forget_devices(&self, before: Timestamp) -> Result<usize, Error> {
        let mut gone = 0;
        loop {
            let orgs = self.db.read_system(move |tx| {
                Box::pin(async move { devices::orgs_with_idle(tx, before, ORGS).await })
            });
            let orgs = orgs.await.map_err(Error::Db)?;
            if orgs.is_empty() {
                return Ok(gone);
            }
            for org in orgs {
                let write = self.db.write(&org, move |tx| {
                    Box::pin(async move {
                        let gone = devices::remove_idle(tx, before, IDLE).await?;
                        let count = gone.len();
                        let origin = Origin::system(NAME, "retention");
                        audit::record(tx, &origin, &Event::each("device.remove", gone)).await?;
                        Ok::<_, Error>(count)
                    })
                });
                gone += write.await?;
            }
        }
    }
}
