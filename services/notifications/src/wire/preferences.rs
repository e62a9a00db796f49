//! `backchannel.notifications.v1.PreferenceService`: its types to ours and back.

use std::collections::BTreeSet;

use db::Retry;
use proto::notifications::v1 as pb;
use rpc::convert::{etag, expected_version, proto_time};
use rpc::{Call, Fault, update_mask};

use super::{kind_of, proto_kind};
use crate::app::mutes::MutePage;
use crate::app::preferences::{Held, Update};
use crate::domain::NotificationType;
use crate::domain::digest::Digest;
use crate::domain::mute::Mute;
use crate::domain::preferences::{Channel, Choices, Chosen, Defaults, Effective, Urgent, Verdict};
use crate::domain::preferences_change::{DefaultsChange, PreferencesChange};
use crate::domain::quiet::{QuietHours, Window};

const TYPES: &str = "types";
const FORCED: &str = "forced_types";
const EMAIL: &str = "email";
const PUSH: &str = "push";
const QUIET: &str = "quiet_hours";
const DIGEST: &str = "digest";
const URGENT: &str = "urgent_types";

/// A change of a person's preferences. A path that the mask names and whose field is absent follows the organization again.
pub(crate) fn change(
    call: &Call,
    request: pb::UpdatePreferencesRequest,
) -> Result<(Update<PreferencesChange>, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let known = [
        (TYPES, !request.types.is_empty()),
        (EMAIL, request.email != 0),
        (PUSH, request.push != 0),
        (QUIET, request.quiet_hours.is_some()),
        (DIGEST, request.digest.is_some()),
        (URGENT, request.urgent_types.is_some()),
    ];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    let off = |switch: i32| pb::Switch::try_from(switch) == Ok(pb::Switch::Off);
    let change = PreferencesChange {
        choices: paths.take(TYPES, choices(&request.types)?),
        email_off: paths.take(EMAIL, off(request.email)),
        push_off: paths.take(PUSH, off(request.push)),
        quiet: paths.take(QUIET, request.quiet_hours.map(quiet).transpose()?),
        digest: paths.take(DIGEST, request.digest.map(digest).transpose()?),
        urgent: paths.take(URGENT, request.urgent_types.map(urgent)),
    };
    Ok((Update { change, expected: expected_version(&request.etag) }, retry))
}

/// A change of what an organization chose. A path that the mask names and whose field is absent goes back to what is built in.
pub(crate) fn change_defaults(
    call: &Call,
    request: pb::UpdateOrganizationPreferencesRequest,
) -> Result<(Update<DefaultsChange>, Retry), Fault> {
    let retry = runtime::retry(call, &request.request_id, &request)?;
    let known = [
        (TYPES, !request.types.is_empty()),
        (FORCED, !request.forced_types.is_empty()),
        (QUIET, request.quiet_hours.is_some()),
        (DIGEST, request.digest.is_some()),
        (URGENT, request.urgent_types.is_some()),
    ];
    let paths = update_mask::paths(request.update_mask.as_ref(), &known)?;
    let built_in = Defaults::default();
    let change = DefaultsChange {
        choices: paths.take(TYPES, choices(&request.types)?),
        forced: paths.take(FORCED, forced(&request.forced_types)?),
        quiet: paths.take(QUIET, request.quiet_hours.map(quiet).transpose()?.unwrap_or(built_in.quiet)),
        digest: paths.take(DIGEST, request.digest.map(digest).transpose()?.unwrap_or(built_in.digest)),
        urgent: paths.take(URGENT, request.urgent_types.map_or(built_in.urgent, urgent)),
    };
    Ok((Update { change, expected: expected_version(&request.etag) }, retry))
}

fn choices(types: &[pb::TypePreference]) -> Result<Choices, Fault> {
    once(TYPES, types.iter().map(|it| it.r#type))?;
    let mut choices = Choices::default();
    for it in types {
        let Some(kind) = kind_of(it.r#type) else { continue };
        for (channel, switch) in [(Channel::Email, it.email), (Channel::Push, it.push)] {
            let choice = match pb::Switch::try_from(switch) {
                Ok(pb::Switch::On) => Some(true),
                Ok(pb::Switch::Off) => Some(false),
                _ => None,
            };
            choices.set(kind, channel, choice);
        }
    }
    Ok(choices)
}

fn forced(types: &[pb::ForcedType]) -> Result<BTreeSet<(NotificationType, Channel)>, Fault> {
    once(FORCED, types.iter().map(|it| it.r#type))?;
    let each = types.iter().filter_map(|it| Some((kind_of(it.r#type)?, it.email, it.push)));
    let channels = each.flat_map(|(kind, email, push)| {
        let email = email.then_some((kind, Channel::Email));
        email.into_iter().chain(push.then_some((kind, Channel::Push)))
    });
    Ok(channels.collect())
}

/// Makes sure that no type is named twice: which one holds would be a guess.
fn once(field: &str, types: impl Iterator<Item = i32>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for (index, kind) in types.enumerate() {
        if !seen.insert(kind) {
            return Err(Fault::invalid(
                format!("{field}[{index}].type"),
                "names a type that is named before",
            ));
        }
    }
    Ok(())
}

fn quiet(hours: pb::QuietHours) -> Result<QuietHours, Fault> {
    let window = |it: pb::QuietWindow| Window {
        weekdays: it.weekdays,
        start_minute: it.start_minute,
        end_minute: it.end_minute,
    };
    Ok(QuietHours::of(hours.windows.into_iter().map(window).collect())?)
}

fn digest(it: pb::Digest) -> Result<Digest, Fault> {
    Ok(match it.frequency() {
        pb::DigestFrequency::Unspecified | pb::DigestFrequency::Off => Digest::Off,
        pb::DigestFrequency::Hourly => Digest::Hourly,
        pb::DigestFrequency::Daily => Digest::daily(it.minute)?,
    })
}

fn urgent(types: pb::UrgentTypes) -> Urgent {
    types.types.into_iter().filter_map(kind_of).collect()
}

impl From<Held> for pb::Preferences {
    fn from(Held { own, defaults }: Held) -> Self {
        let Chosen { chosen, version, update_time } = own;
        let effective = Effective { own: &chosen, defaults: &defaults };
        let switch =
            |channel| if chosen.off.contains(&channel) { pb::Switch::Off } else { pb::Switch::Unspecified };
        Self {
            etag: etag(version),
            types: proto_choices(&chosen.choices),
            email: switch(Channel::Email).into(),
            push: switch(Channel::Push).into(),
            quiet_hours: chosen.quiet.as_ref().map(proto_quiet),
            digest: chosen.digest.map(proto_digest),
            urgent_types: chosen.urgent.as_ref().map(proto_urgent),
            update_time: update_time.map(proto_time),
            effective_types: NotificationType::ALL
                .iter()
                .map(|kind| effective_type(&effective, *kind))
                .collect(),
            effective_quiet_hours: Some(proto_quiet(effective.quiet())),
            effective_digest: Some(proto_digest(effective.digest())),
        }
    }
}

impl From<Chosen<Defaults>> for pb::OrganizationPreferences {
    fn from(Chosen { chosen, version, update_time }: Chosen<Defaults>) -> Self {
        Self {
            etag: etag(version),
            types: proto_choices(&chosen.choices),
            forced_types: proto_forced(&chosen.forced),
            quiet_hours: Some(proto_quiet(&chosen.quiet)),
            digest: Some(proto_digest(chosen.digest)),
            urgent_types: Some(proto_urgent(&chosen.urgent)),
            update_time: update_time.map(proto_time),
        }
    }
}

impl From<Mute> for pb::Mute {
    fn from(it: Mute) -> Self {
        let (conversation_id, create_time) =
            (it.conversation_id.to_string(), Some(proto_time(it.create_time)));
        Self { conversation_id, create_time }
    }
}

impl From<MutePage> for pb::ListMutesResponse {
    fn from(page: MutePage) -> Self {
        let mutes = page.mutes.into_iter().map(pb::Mute::from).collect();
        Self { mutes, next_page_token: page.next_page_token }
    }
}

fn effective_type(effective: &Effective<'_>, kind: NotificationType) -> pb::EffectiveType {
    let (email, push) = (effective.verdict(kind, Channel::Email), effective.verdict(kind, Channel::Push));
    pb::EffectiveType {
        r#type: proto_kind(kind).into(),
        email: email.wanted(),
        push: push.wanted(),
        email_forced: email == Verdict::Forced,
        push_forced: push == Verdict::Forced,
        urgent: effective.urgent(kind),
    }
}

fn proto_choices(choices: &Choices) -> Vec<pb::TypePreference> {
    let switch = |kind, channel| match choices.of(kind, channel) {
        Some(true) => pb::Switch::On,
        Some(false) => pb::Switch::Off,
        None => pb::Switch::Unspecified,
    };
    let kinds: BTreeSet<NotificationType> = choices.iter().map(|(kind, ..)| kind).collect();
    let choice = |kind| pb::TypePreference {
        r#type: proto_kind(kind).into(),
        email: switch(kind, Channel::Email).into(),
        push: switch(kind, Channel::Push).into(),
    };
    kinds.into_iter().map(choice).collect()
}

fn proto_forced(forced: &BTreeSet<(NotificationType, Channel)>) -> Vec<pb::ForcedType> {
    let kinds: BTreeSet<NotificationType> = forced.iter().map(|(kind, _)| *kind).collect();
    let one = |kind| pb::ForcedType {
        r#type: proto_kind(kind).into(),
        email: forced.contains(&(kind, Channel::Email)),
        push: forced.contains(&(kind, Channel::Push)),
    };
    kinds.into_iter().map(one).collect()
}

fn proto_quiet(quiet: &QuietHours) -> pb::QuietHours {
    let window = |it: &Window| pb::QuietWindow {
        weekdays: it.weekdays.clone(),
        start_minute: it.start_minute,
        end_minute: it.end_minute,
    };
    pb::QuietHours { windows: quiet.windows().iter().map(window).collect() }
}

fn proto_digest(digest: Digest) -> pb::Digest {
    let (frequency, minute) = match digest {
        Digest::Off => (pb::DigestFrequency::Off, 0),
        Digest::Hourly => (pb::DigestFrequency::Hourly, 0),
        Digest::Daily { minute } => (pb::DigestFrequency::Daily, minute),
    };
    pb::Digest { frequency: frequency.into(), minute }
}

fn proto_urgent(urgent: &Urgent) -> pb::UrgentTypes {
    pb::UrgentTypes { types: urgent.iter().map(|kind| proto_kind(*kind).into()).collect() }
}
