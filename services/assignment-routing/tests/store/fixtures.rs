//! Rows to test with, and the application without its wire.

use std::collections::BTreeSet;
use std::sync::Arc;

use assignment_routing::app::presence_board::PresenceBoard;
use assignment_routing::app::rulesets::Rulesets;
use assignment_routing::app::{App, inbox};
use assignment_routing::config::RoutingConfig;
use assignment_routing::domain::agent::{Agent, Profile};
use assignment_routing::domain::choose::Availability;
use assignment_routing::domain::conversation::{Conversation, Status};
use assignment_routing::domain::handle::Handle;
use assignment_routing::domain::offer::{Mode, Offering};
use assignment_routing::domain::presence::Presence;
use assignment_routing::domain::priority::Priority;
use assignment_routing::domain::team::{RampUp, Team};
use assignment_routing::store;
use assignment_routing::store::handles::Named;
use assignment_routing::store::queue::Place;
use db::{Db, DbError, Tx};
use kernel::{AgentId, Clock, OrgId, PageSeal, Role, Subject, TeamId};
use rpc::{Caller, DevKey, Peer, ServiceTokens, Switchboard, TokenSpec, Verifier};

pub(crate) fn org() -> OrgId {
    OrgId::parse("acme").unwrap()
}

/// Where what the tests do comes from.
pub(crate) fn origin() -> audit::Origin {
    audit::Origin::system("routing", "test")
}

/// An agent who is there until they say otherwise.
pub(crate) async fn agent(tx: &mut Tx, name: &str) -> Result<AgentId, DbError> {
    let now = tx.clock().now();
    let agent = Agent {
        id: tx.clock().new_id().into(),
        version: 1,
        subject: Subject::parse(name).unwrap(),
        profile: Profile {
            username: Handle::parse(name).unwrap(),
            display_name: String::new(),
            email: String::new(),
            role: Role::Agent,
            languages: vec![],
            skills: vec![],
            time_zone: String::new(),
            working_hours: vec![],
            capacity_units: 0,
        },
        presence: Presence::set(Availability::Online, true, now),
        open: 0,
        open_units: 0,
        teams: vec![],
        create_time: now,
        update_time: now,
    };
    store::handles::insert_handle(tx, &agent.profile.username, Named::Agent(agent.id)).await?;
    store::agents::insert_agent(tx, &agent).await?;
    store::presence::insert_presence(tx, agent.id, agent.presence, now).await?;
    store::agents::insert_load(tx, agent.id).await?;
    Ok(agent.id)
}

pub(crate) async fn team(tx: &mut Tx, name: &str, members: &[AgentId]) -> Result<TeamId, DbError> {
    let now = tx.clock().now();
    let team = Team {
        id: tx.clock().new_id().into(),
        version: 1,
        handle: Handle::parse(name).unwrap(),
        display_name: String::new(),
        members: 0,
        queued: 0,
        ramp_up: RampUp::default(),
        offering: Offering::default(),
        reply_limit: None,
        create_time: now,
        update_time: now,
    };
    store::teams::insert_team(tx, &team).await?;
    store::teams::insert_members(tx, team.id, members).await?;
    Ok(team.id)
}

/// The team asks its agents from now on.
pub(crate) async fn asks(tx: &mut Tx, team: TeamId) -> Result<(), DbError> {
    let mut changed = store::teams::find_team(tx, team).await?.unwrap();
    changed.version += 1;
    changed.offering.mode = Mode::Offer;
    assert!(store::teams::save_team(tx, &changed).await?);
    Ok(())
}

pub(crate) fn conversation(clock: &Clock, team: Option<TeamId>) -> Conversation {
    let id = clock.new_id();
    Conversation {
        id: id.into(),
        version: 1,
        source: "airline".into(),
        channel: "chat".into(),
        external_id: id.to_string(),
        contact: clock.new_id().into(),
        subject: String::new(),
        tags: BTreeSet::new(),
        priority: Priority::Normal,
        status: Status::Open,
        assignee: None,
        team,
        waiting_since: None,
        first_reply_time: None,
        last_activity_time: clock.now(),
        snooze_until: None,
        resolve_time: None,
        create_time: clock.now(),
        message_count: 0,
        first_contact: None,
        last_inbound_position: 0,
        last_entry_time: clock.now(),
        units: 1,
        sharing: None,
        sla: None,
    }
}

pub(crate) fn place(clock: &Clock, it: &Conversation, team: TeamId) -> Place {
    Place::of(it, team, clock.now())
}

/// A conversation that waits for a team.
pub(crate) async fn waiting(tx: &mut Tx, team: TeamId) -> Result<Conversation, DbError> {
    let clock = tx.clock().clone();
    let it = conversation(&clock, Some(team));
    store::conversations::insert_conversation(tx, &it).await?;
    store::queue::join(tx, &place(&clock, &it, team)).await?;
    Ok(it)
}

/// The application on a database, with nobody to ask.
pub(crate) fn app(db: &Db, clock: &Clock) -> Arc<App> {
    let keys = tempfile::tempdir().unwrap();
    let dev = DevKey::load_or_make(keys.path(), clock.clone()).unwrap();
    let tokens = ServiceTokens::new(dev.signer(), Subject::parse("routing").unwrap(), clock.clone());
    let outbox = outbox::Outbox::new();
    Arc::new(App {
        conversations: inbox::gather(db.clone()),
        follower: merges::Follower::new("routing", db.clone(), store::merges::Conversations),
        db: db.clone(),
        clock: clock.clone(),
        seal: PageSeal::new(&[7; 32]),
        announcer: announce::Announcer::new(outbox.clone()),
        outbox,
        wake: outbox::Wake::local(),
        contacts: Peer::local(Switchboard::new(), tokens),
        settings: RoutingConfig { assign_batch: 20, ..RoutingConfig::default() },
        rulesets: Rulesets::default(),
        hubs: Arc::default(),
        presence: Arc::new(PresenceBoard::new(clock.new_id())),
        streams_end: tokio_util::sync::CancellationToken::new(),
    })
}

/// Somebody who calls.
pub(crate) fn caller(clock: &Clock, subject: &str) -> Arc<Caller> {
    caller_in(clock, org(), subject)
}

/// Somebody of an organization who calls.
pub(crate) fn caller_in(clock: &Clock, org: OrgId, subject: &str) -> Arc<Caller> {
    let keys = tempfile::tempdir().unwrap();
    let dev = DevKey::load_or_make(keys.path(), clock.clone()).unwrap();
    let issuers = vec![rpc::auth::DEV_ISSUER.to_owned()];
    let verifier = Verifier::new(dev.keys().unwrap(), issuers, rpc::auth::AUDIENCE, clock.clone());
    let spec = TokenSpec::new(org, Subject::parse(subject).unwrap(), Role::Agent);
    verifier.verify(&dev.signer().mint(&spec).unwrap()).unwrap()
}
