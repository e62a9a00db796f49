//! Devices.

use kernel::Malformed;
use proto::notifications::v1 as pb;
use proto::notifications::v1::register_device_request::Address as ProtoAddress;
use rpc::convert::proto_time;

use crate::app::devices::DevicePage;
use crate::domain::device::{Address, BrowserKeys, Device, DeviceKind, NewDevice};

pub(crate) fn new_device(request: pb::RegisterDeviceRequest) -> Result<NewDevice, Malformed> {
    let address = match request.address {
        Some(ProtoAddress::WebPush(it)) => {
            Address::WebPush { keys: BrowserKeys::parse(&it.p256dh, &it.auth)?, endpoint: it.endpoint }
        }
        Some(ProtoAddress::Fcm(it)) => Address::Fcm { token: it.registration_token },
        None => return Err(Malformed::new("is required").at("address")),
    };
    Ok(NewDevice { address, name: request.display_name })
}

impl From<DevicePage> for pb::ListDevicesResponse {
    fn from(page: DevicePage) -> Self {
        let devices = page.devices.into_iter().map(pb::Device::from).collect();
        Self { devices, next_page_token: page.next_page_token }
    }
}

impl From<Device> for pb::Device {
    fn from(device: Device) -> Self {
        let kind = match device.address.kind() {
            DeviceKind::WebPush => pb::DeviceKind::WebPush,
            DeviceKind::Fcm => pb::DeviceKind::Fcm,
        };
        Self {
            device_id: device.device_id.to_string(),
            kind: kind.into(),
            push_service: device.push_service(),
            display_name: device.name,
            create_time: Some(proto_time(device.create_time)),
            register_time: Some(proto_time(device.register_time)),
        }
    }
}
