//! The sweep of the worker's room.

use std::time::Duration;

use contacts::app::CreateContact;
use contacts::domain::Profile;
use contacts::store::MIGRATIONS;
use contacts::worker::forget_expired;
use db::test_support::org;
use db::{Retry, both_databases};
use kernel::Subject;

use crate::desk::app;

// P5
both_databases!(a_request_is_forgotten_after_a_day_and_not_before, MIGRATIONS, |db| async move {
    let app = app(&db);
    let request_id = Some(db.clock.new_id());
    let retry =
        Retry { caller: Subject::parse("ana").unwrap(), method: "create", request_id, digest: [1; 32] };
    let create = CreateContact { profile: Profile::default(), tags: Vec::new(), retry };
    let first = app.create_contact(&org("acme"), create.clone()).await.unwrap();

    db.hand.advance(Duration::from_secs(24 * 60 * 60 - 1));
    assert_eq!(forget_expired(&db).await.unwrap(), 0);
    assert_eq!(app.create_contact(&org("acme"), create.clone()).await.unwrap(), first);

    db.hand.advance(Duration::from_secs(2));
    assert_eq!(forget_expired(&db).await.unwrap(), 1);
    assert_ne!(app.create_contact(&org("acme"), create).await.unwrap().contact_id, first.contact_id);
});
