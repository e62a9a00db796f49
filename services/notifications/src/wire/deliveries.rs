//! `backchannel.notifications.v1.DeliveryService`: its types to ours and back.

use kernel::{OrgId, PageSize, Subject};
use proto::notifications::v1 as pb;
use rpc::Fault;
use rpc::convert::{optional_id_of, proto_time};

use crate::app::deliveries::{DeliveryPage, ListDeliveries, Retried};
use crate::domain::attempt::{Attempt, Ending};
use crate::domain::delivery::{Channel, DeliveryState};
use crate::store::delivery_list::{Delivery, DeliveryFilter};

pub(crate) fn list(org: OrgId, request: pb::ListDeliveriesRequest) -> Result<ListDeliveries, Fault> {
    let pb::ListDeliveriesRequest { state, channel, subject, destination_id, page_size, page_token } =
        request;
    let filter = DeliveryFilter { state: state_of(state), ..filter(channel, &subject, destination_id)? };
    Ok(ListDeliveries { org, filter, size: PageSize::of(page_size)?, page_token })
}

pub(crate) fn retried(request: pb::RetryDeliveriesRequest) -> Result<DeliveryFilter, Fault> {
    filter(request.channel, &request.subject, request.destination_id)
}

fn filter(channel: i32, subject: &str, destination: String) -> Result<DeliveryFilter, Fault> {
    let subject: Option<Subject> = optional_id_of("subject", subject)?;
    let destination = Some(destination).filter(|it| !it.is_empty());
    Ok(DeliveryFilter { state: None, channel: channel_of(channel), subject, destination })
}

/// A channel of the contract; none if it is not said.
pub(crate) fn channel_of(channel: i32) -> Option<Channel> {
    use pb::DeliveryChannel as Theirs;
    match Theirs::try_from(channel) {
        Ok(Theirs::Email) => Some(Channel::Email),
        Ok(Theirs::WebPush) => Some(Channel::WebPush),
        Ok(Theirs::Fcm) => Some(Channel::Fcm),
        Ok(Theirs::Webhook) => Some(Channel::Webhook),
        Ok(Theirs::Unspecified) | Err(_) => None,
    }
}

pub(crate) const fn proto_channel(channel: Channel) -> pb::DeliveryChannel {
    match channel {
        Channel::Email => pb::DeliveryChannel::Email,
        Channel::WebPush => pb::DeliveryChannel::WebPush,
        Channel::Fcm => pb::DeliveryChannel::Fcm,
        Channel::Webhook => pb::DeliveryChannel::Webhook,
    }
}

fn state_of(state: i32) -> Option<DeliveryState> {
    use pb::DeliveryState as Theirs;
    match Theirs::try_from(state) {
        Ok(Theirs::Waiting) => Some(DeliveryState::Waiting),
        Ok(Theirs::Sent) => Some(DeliveryState::Sent),
        Ok(Theirs::Skipped) => Some(DeliveryState::Skipped),
        Ok(Theirs::Failed) => Some(DeliveryState::Failed),
        Ok(Theirs::Unspecified) | Err(_) => None,
    }
}

pub(crate) const fn proto_state(state: DeliveryState) -> pb::DeliveryState {
    match state {
        DeliveryState::Waiting => pb::DeliveryState::Waiting,
        DeliveryState::Sent => pb::DeliveryState::Sent,
        DeliveryState::Skipped => pb::DeliveryState::Skipped,
        DeliveryState::Failed => pb::DeliveryState::Failed,
    }
}

pub(crate) const fn proto_ending(ending: Ending) -> pb::DeliveryOutcome {
    match ending {
        Ending::Started => pb::DeliveryOutcome::Started,
        Ending::Sent => pb::DeliveryOutcome::Sent,
        Ending::Skipped => pb::DeliveryOutcome::Skipped,
        Ending::Failed => pb::DeliveryOutcome::Failed,
        Ending::Unreachable => pb::DeliveryOutcome::Unreachable,
        Ending::Refused => pb::DeliveryOutcome::Refused,
        Ending::Gone => pb::DeliveryOutcome::Gone,
        Ending::Postponed => pb::DeliveryOutcome::Postponed,
    }
}

impl From<Delivery> for pb::Delivery {
    fn from(it: Delivery) -> Self {
        let due = Some(it.due_time).filter(|_| it.state == DeliveryState::Waiting);
        Self {
            delivery_id: it.delivery_id.to_string(),
            channel: proto_channel(it.channel).into(),
            state: proto_state(it.state).into(),
            subject: it.subject,
            destination_id: it.destination,
            object_id: it.lane,
            waits_for_earlier: it.behind,
            due_time: due.map(proto_time),
            attempt_count: count(it.attempt),
            last_error: it.last_error.unwrap_or_default(),
            create_time: Some(proto_time(it.create_time)),
            done_time: it.done_time.map(proto_time),
        }
    }
}

impl From<Attempt> for pb::DeliveryAttempt {
    fn from(it: Attempt) -> Self {
        Self {
            attempt: count(it.attempt),
            outcome: proto_ending(it.ending).into(),
            code: it.code.map(count).unwrap_or_default(),
            error: it.error.unwrap_or_default(),
            start_time: Some(proto_time(it.start_time)),
            end_time: it.end_time.map(proto_time),
        }
    }
}

fn count(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl From<DeliveryPage> for pb::ListDeliveriesResponse {
    fn from(page: DeliveryPage) -> Self {
        let deliveries = page.deliveries.into_iter().map(pb::Delivery::from).collect();
        Self { deliveries, next_page_token: page.next_page_token }
    }
}

pub(crate) fn got((delivery, attempts): (Delivery, Vec<Attempt>)) -> pb::GetDeliveryResponse {
    let attempts = attempts.into_iter().map(pb::DeliveryAttempt::from).collect();
    pb::GetDeliveryResponse { delivery: Some(delivery.into()), attempts }
}

impl From<Retried> for pb::RetryDeliveriesResponse {
    fn from(retried: Retried) -> Self {
        Self { retried_count: i32::try_from(retried.count).unwrap_or(i32::MAX), more: retried.more }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_and_state_crosses_the_wire_and_back() {
        for channel in Channel::ALL {
            assert_eq!(channel_of(proto_channel(channel).into()), Some(channel));
        }
        for state in DeliveryState::ALL {
            assert_eq!(state_of(proto_state(state).into()), Some(state));
        }
        assert_eq!((channel_of(0), channel_of(99), state_of(0), state_of(99)), (None, None, None, None));
    }
}
