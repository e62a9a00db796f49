//! What people and organizations choose.

use kernel::Clock;
use prost_types::FieldMask;
use proto::common::v1::ErrorReason;
use proto::notifications::v1 as pb;
use proto::notifications::v1::NotificationType::{Assigned, Mentioned, Offered};
use proto::notifications::v1::Switch;
use rpc::reason_of;
use tonic::Code;
use tonic_types::StatusExt;

use super::{Preferences, World, by_email, update, update_organization};

async fn read(asks: &mut Preferences) -> pb::Preferences {
    asks.get_preferences(pb::GetPreferencesRequest {}).await.unwrap().into_inner().preferences.unwrap()
}

fn effective(preferences: &pb::Preferences, kind: pb::NotificationType) -> pb::EffectiveType {
    *preferences.effective_types.iter().find(|it| it.r#type() == kind).unwrap()
}

fn types(types: Vec<pb::TypePreference>) -> pb::UpdatePreferencesRequest {
    pb::UpdatePreferencesRequest { types, ..Default::default() }
}

/// The fields that a refusal names.
fn fields(status: &tonic::Status) -> Vec<String> {
    let details = status.get_details_bad_request().unwrap();
    details.field_violations.into_iter().map(|violation| violation.field).collect()
}

testkit::on_both_databases! {
    // D6
    async fn people_follow_the_organization_until_they_choose_and_force_wins(engine) {
        let world = World::on(engine).await;
        let (mut ana, mut admin) = (world.preferences("ana"), world.admin());
        let built_in = read(&mut ana).await;
        assert!(built_in.types.is_empty() && built_in.update_time.is_none());
        assert!(built_in.effective_types.iter().all(|it| it.push && it.email == (it.r#type() != Offered)));
        assert!(effective(&built_in, Offered).urgent && !effective(&built_in, Assigned).urgent);
        assert_eq!(built_in.effective_digest.unwrap().frequency(), pb::DigestFrequency::Off);

        update_organization(&mut admin, pb::UpdateOrganizationPreferencesRequest {
            types: vec![by_email(Assigned, Switch::Off), by_email(Mentioned, Switch::Off)],
            ..Default::default()
        }).await;
        let followed = read(&mut ana).await;
        assert!(!effective(&followed, Assigned).email && !effective(&followed, Mentioned).email);
        assert_eq!(followed.etag, built_in.etag, "ana chose nothing");

        let chosen = update(&mut ana, types(vec![by_email(Assigned, Switch::On)])).await;
        assert!(effective(&chosen, Assigned).email && !effective(&chosen, Mentioned).email);
        assert_ne!(chosen.etag, built_in.etag);

        let forced = pb::ForcedType { r#type: Mentioned.into(), email: true, push: false };
        update_organization(&mut admin, pb::UpdateOrganizationPreferencesRequest {
            forced_types: vec![forced],
            ..Default::default()
        }).await;
        let off = pb::UpdatePreferencesRequest { email: Switch::Off.into(), ..Default::default() };
        let off = update(&mut ana, off).await;
        let mentioned = effective(&off, Mentioned);
        assert!(mentioned.email && mentioned.email_forced && !mentioned.push_forced);
        assert!(!effective(&off, Assigned).email && effective(&off, Assigned).push);
        assert!(!effective(&read(&mut world.preferences("ben")).await, Assigned).email, "his own choice only");
    }

    // D6, P6
    async fn a_mask_takes_choices_back_and_an_old_etag_is_refused(engine) {
        let world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        let hourly = pb::Digest { frequency: pb::DigestFrequency::Hourly.into(), minute: 0 };
        let quiet = pb::QuietHours { windows: vec![pb::QuietWindow { weekdays: vec![6, 7], start_minute: 0, end_minute: 1440 }] };
        let first = update(&mut ana, pb::UpdatePreferencesRequest {
            digest: Some(hourly),
            quiet_hours: Some(quiet.clone()),
            ..Default::default()
        }).await;
        assert_eq!((first.digest, first.effective_quiet_hours.clone()), (Some(hourly), Some(quiet.clone())));
        let mask = |path: &str| Some(FieldMask { paths: vec![path.to_owned()] });
        let back = pb::UpdatePreferencesRequest { update_mask: mask("digest"), etag: first.etag.clone(), ..Default::default() };
        let second = update(&mut ana, back.clone()).await;
        assert_eq!((second.digest, second.quiet_hours.clone()), (None, Some(quiet)));
        let stale = ana.update_preferences(back).await.unwrap_err();
        assert_eq!((stale.code(), reason_of(&stale)), (Code::Aborted, Some(ErrorReason::StaleEtag)));
        let unknown = pb::UpdatePreferencesRequest { update_mask: mask("moods"), ..Default::default() };
        let unknown = ana.update_preferences(unknown).await.unwrap_err();
        assert_eq!(reason_of(&unknown), Some(ErrorReason::UnknownUpdatePath));
        // What changes nothing leaves the etag as it is.
        let same = update(&mut ana, pb::UpdatePreferencesRequest { update_mask: mask("digest"), ..Default::default() }).await;
        assert_eq!(same.etag, second.etag);
    }

    // D6, P5
    async fn a_repeated_request_gets_the_first_answer(engine) {
        let world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        let request_id = Clock::system().new_id().to_string();
        let request = pb::UpdatePreferencesRequest { request_id, ..types(vec![by_email(Assigned, Switch::Off)]) };
        let first = update(&mut ana, request.clone()).await;
        update(&mut ana, types(vec![by_email(Mentioned, Switch::Off)])).await;
        assert_eq!(update(&mut ana, request.clone()).await, first);
        let other = pb::UpdatePreferencesRequest { types: Vec::new(), push: Switch::Off.into(), ..request };
        let refused = ana.update_preferences(other).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(ErrorReason::RequestIdReused));
    }

    // D6, P4
    async fn what_makes_no_sense_is_refused_with_the_field_that_is_wrong(engine) {
        let world = World::on(engine).await;
        let mut ana = world.preferences("ana");
        let window = |start_minute, end_minute| pb::QuietWindow { weekdays: vec![], start_minute, end_minute };
        let quiet = |windows| pb::UpdatePreferencesRequest {
            quiet_hours: Some(pb::QuietHours { windows }),
            ..Default::default()
        };
        let cases = [
            ("types[1].type", types(vec![by_email(Assigned, Switch::On), by_email(Assigned, Switch::Off)])),
            ("types[0].type", types(vec![pb::TypePreference::default()])),
            ("quiet_hours.windows", quiet(vec![window(60, 60)])),
            ("quiet_hours.windows", quiet(vec![window(0, 720), window(720, 1440)])),
            ("quiet_hours.windows[0].end_minute", quiet(vec![window(0, 1441)])),
            ("digest.minute", pb::UpdatePreferencesRequest {
                digest: Some(pb::Digest { frequency: pb::DigestFrequency::Daily.into(), minute: 1440 }),
                ..Default::default()
            }),
        ];
        for (field, request) in cases {
            let refused = ana.update_preferences(request).await.unwrap_err();
            assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec![field.to_owned()]));
        }
        assert!(read(&mut ana).await.update_time.is_none(), "nothing was changed");
    }

    // D6, P1
    async fn preferences_are_of_one_person_in_one_organization(engine) {
        let world = World::on(engine).await;
        update(&mut world.preferences("ana"), types(vec![by_email(Assigned, Switch::Off)])).await;
        let elsewhere = world.suite.client("globex", "ana", kernel::Role::Agent);
        let mut elsewhere = Preferences::new(elsewhere);
        assert!(read(&mut elsewhere).await.types.is_empty());
        assert!(read(&mut world.preferences("ben")).await.types.is_empty());
    }
}
