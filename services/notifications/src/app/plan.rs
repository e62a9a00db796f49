//! What is told outside of feeds. A worker looks for feeds with entries that are not planned, plans them in the order of the feed, and
//! moves the place up to which everything is planned: all of a batch in one transaction, so that no entry is planned twice or left out.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use db::{DbError, Tx};
use futures::StreamExt;
use futures::stream;
use kernel::{ConversationId, OrgId, Subject, Timestamp};
use outbox::Wake;
use zones::WallClock;

use super::App;
use super::deliver::Carriers;
use super::enqueue::enqueue;
use super::people::Person;
use crate::domain::cause::Cause;
use crate::domain::delivery::Channel;
use crate::domain::plan::{Device, Reader, Undo, plan};
use crate::domain::preferences::{Defaults, Effective, Preferences};
use crate::domain::recent::Recent;
use crate::domain::{Notification, Sequence};
use crate::error::Error;
use crate::store::plans::{Behind, EntryPlan};
use crate::store::{devices, mutes, plans, preferences};

/// Feeds of one organization in one round, and so in one transaction.
const SHARE: i64 = 32;
/// Feeds in one round.
const FEEDS: i64 = 512;
/// Organizations that are planned at once.
const AT_ONCE: usize = 8;
/// Places of a feed that are planned in one round.
const PLACES: i64 = 200;
/// Feeds that are taken as planned in one transaction, where nobody is told anything outside of them.
const SKIPPED: i64 = 500;

/// What this process can carry out of it, and how long entries wait before.
#[derive(Debug, Clone)]
pub struct Ways {
    /// Channels with a carrier.
    pub channels: BTreeSet<Channel>,
    /// How long entries wait.
    pub undo: Undo,
}

impl Ways {
    /// To people, through these carriers.
    #[must_use]
    pub fn of(carriers: &Carriers, undo: Undo) -> Self {
        let to_people = [Channel::Email, Channel::WebPush, Channel::Fcm];
        Self { channels: to_people.into_iter().filter(|channel| carriers.carries(*channel)).collect(), undo }
    }

    /// Whether emails are carried.
    #[must_use]
    pub fn sends_email(&self) -> bool {
        self.channels.contains(&Channel::Email)
    }
}

impl App {
    /// Plans what is behind, once around all organizations that have something, beginning behind `turn`. Tells how many entries were
    /// planned, and whose turn was last. An organization with which something is wrong is left to a later round.
    ///
    /// # Errors
    /// [`Error::Db`], [`Error::Routing`], if nothing could be planned.
    pub async fn plan_round(&self, ways: &Arc<Ways>, turn: &str) -> Result<(u64, String), Error> {
        let after = turn.to_owned();
        let behind = self.db.read_system(move |tx| {
            Box::pin(async move { plans::list_behind(tx, &after, SHARE, FEEDS).await })
        });
        let behind = behind.await.map_err(Error::Db)?;
        let last = behind.last().map(|(org, _)| org.to_string()).unwrap_or_default();
        let mut by_org: HashMap<OrgId, Vec<Subject>> = HashMap::new();
        for (org, subject) in behind {
            by_org.entry(org).or_default().push(subject);
        }
        let plan_each = by_org.into_iter().map(|(org, subjects)| async move {
            let planned = self.plan_of(&org, subjects, ways).await;
            if let Err(error) = &planned {
                tracing::warn!(%error, "what an organization is told outside of feeds was not planned; tried again");
            }
            planned
        });
        // One organization's trouble is not another's: routing may be slow for one.
        let ended: Vec<Result<u64, Error>> =
            stream::iter(plan_each).buffer_unordered(AT_ONCE).collect().await;
        let planned = ended.iter().flatten().sum();
        match ended.into_iter().find_map(Result::err) {
            Some(error) if planned == 0 => Err(error),
            _ => Ok((planned, last)),
        }
    }

    /// Takes everything as planned: nobody can be told anything outside of their feed.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn skip_plans(&self) -> Result<(), Error> {
        loop {
            let anything = self.db.read_system(|tx| Box::pin(plans::list_behind(tx, "", 1, 1)));
            if anything.await.map_err(Error::Db)?.is_empty() {
                return Ok(());
            }
            let skip = self.db.write_system(|tx| Box::pin(plans::skip_all(tx, SKIPPED)));
            if skip.await.map_err(Error::Db)? == 0 {
                // Somebody else has them locked.
                return Ok(());
            }
        }
    }

    /// Whether anybody has a device.
    ///
    /// # Errors
    /// [`Error::Db`].
    pub async fn any_device(&self) -> Result<bool, Error> {
        self.db.read_system(|tx| Box::pin(plans::any_device(tx))).await.map_err(Error::Db)
    }

    async fn plan_of(&self, org: &OrgId, subjects: Vec<Subject>, ways: &Arc<Ways>) -> Result<u64, Error> {
        let asked = subjects.clone();
        let with_devices = self
            .db
            .read(org, move |tx| Box::pin(async move { devices::of_people(tx, &asked).await }))
            .await
            .map_err(Error::Db)?;
        let reachable: Vec<Subject> = match ways.sends_email() {
            true => subjects.clone(),
            false => with_devices.iter().map(|(subject, ..)| subject.clone()).collect(),
        };
        let people = self.people.find_all(org, &reachable).await?;
        let (ways, wake) = (Arc::clone(ways), self.wake.clone());
        let write = self.db.write(org, move |tx| {
            Box::pin(async move { plan_batch(tx, &wake, &subjects, &people, &ways).await.map_err(Error::Db) })
        });
        write.await
    }
}

/// Plans the next entries of these people's feeds.
async fn plan_batch(
    tx: &mut Tx,
    wake: &Wake,
    subjects: &[Subject],
    people: &HashMap<Subject, Arc<Person>>,
    ways: &Ways,
) -> Result<u64, DbError> {
    let behind = plans::lock_behind(tx, subjects).await?;
    let now = tx.now().await?;
    let subjects: Vec<Subject> = behind.iter().map(|head| head.subject.clone()).collect();
    if subjects.is_empty() {
        return Ok(0);
    }
    let mut devices: HashMap<Subject, Vec<Device>> = HashMap::new();
    for (subject, id, kind) in devices::of_people(tx, &subjects).await? {
        let device = Device { destination: id.to_string(), channel: kind.channel() };
        devices.entry(subject).or_default().push(device);
    }
    // Who has no way out but the feed costs nothing more.
    let told: Vec<Subject> =
        subjects.into_iter().filter(|it| ways.sends_email() || devices.contains_key(it)).collect();
    let entries = plans::list_unplanned(tx, &told, PLACES).await?;
    let desk = Desk::read(tx, &told, &entries, now).await?;
    let planned = desk.plan(tx, entries, people, devices, ways, now);
    plans::insert(tx, &planned.plans, now).await?;
    plans::put_recent(tx, &planned.recent).await?;
    plans::move_through(tx, &ends(&behind, &told), now).await?;
    let count = planned.plans.len() as u64;
    enqueue(tx, wake, planned.deliveries).await?;
    tx.after_commit(move || metrics::counter!("feed_entries_planned_total").increment(count));
    Ok(count)
}

/// Up to which place each feed is planned then: of those who are told nothing else, all of it.
fn ends(behind: &[Behind], told: &[Subject]) -> Vec<(Subject, Sequence)> {
    let told: HashSet<&Subject> = told.iter().collect();
    let end = |head: &Behind| {
        let next = Sequence::new(head.planned_through.number().saturating_add(PLACES));
        let end = if told.contains(&head.subject) { head.sequence.min(next) } else { head.sequence };
        (head.subject.clone(), end)
    };
    behind.iter().map(end).collect()
}

/// What has to be known of an organization and its people to plan.
struct Desk {
    defaults: Defaults,
    preferences: HashMap<Subject, Preferences>,
    muted: HashMap<Subject, HashSet<ConversationId>>,
    recent: HashMap<Subject, Recent>,
}

/// What comes of it.
#[derive(Default)]
struct Outgoing {
    plans: Vec<EntryPlan>,
    recent: Vec<(Subject, Recent)>,
    deliveries: Vec<crate::domain::delivery::NewDelivery>,
}

impl Desk {
    async fn read(
        tx: &mut Tx,
        subjects: &[Subject],
        entries: &[(Subject, Notification)],
        now: Timestamp,
    ) -> Result<Self, DbError> {
        let conversations: BTreeSet<ConversationId> =
            entries.iter().filter_map(|(_, entry)| entry.conversation_id).collect();
        let conversations: Vec<ConversationId> = conversations.into_iter().collect();
        let defaults = preferences::find_defaults(tx).await?.chosen;
        let preferences = preferences::of_people(tx, subjects).await?;
        let muted = mutes::of_people(tx, subjects, &conversations).await?;
        let mut recent = plans::list_recent(tx, subjects).await?;
        let deliveries: Vec<_> = recent.values().flat_map(Recent::deliveries).collect();
        let open = plans::hold_open(tx, &deliveries).await?;
        recent.values_mut().for_each(|recent| recent.close(now, |id| open.contains(&id)));
        Ok(Self { defaults, preferences, muted, recent })
    }

    /// Plans entries, each person's in the order of their feed.
    fn plan(
        mut self,
        tx: &Tx,
        entries: Vec<(Subject, Notification)>,
        people: &HashMap<Subject, Arc<Person>>,
        devices: HashMap<Subject, Vec<Device>>,
        ways: &Ways,
        now: Timestamp,
    ) -> Outgoing {
        let (mut outgoing, clock) = (Outgoing::default(), tx.clock().clone());
        let mut rest = entries.as_slice();
        while let Some((subject, _)) = rest.first() {
            let end = rest.iter().take_while(|(other, _)| other == subject).count();
            let (theirs, others) = rest.split_at(end);
            rest = others;
            let person = people.get(subject).map(Arc::as_ref);
            let known = devices.get(subject).map(Vec::as_slice).unwrap_or_default();
            let carried: Vec<Device> =
                known.iter().filter(|it| ways.channels.contains(&it.channel)).cloned().collect();
            let own = self.preferences.remove(subject).unwrap_or_default();
            let muted = self.muted.remove(subject).unwrap_or_default();
            let mut recent = self.recent.remove(subject).unwrap_or_default();
            let wall = person.map_or_else(WallClock::default, |person| person.zone.clock());
            let reader = Reader {
                subject,
                effective: Effective { own: &own, defaults: &self.defaults },
                clock: &wall,
                muted: &muted,
                no_email: no_email(person, ways),
                no_push: no_push(known, &carried),
                devices: &carried,
                undo: ways.undo,
            };
            for (_, entry) in theirs {
                let planned = plan(entry, &reader, &mut recent, now, &mut || clock.new_id());
                let (subject, sequence) = (subject.clone(), entry.sequence);
                outgoing.plans.push(EntryPlan { subject, sequence, plan: planned.plan });
                outgoing.deliveries.extend(planned.deliveries);
            }
            outgoing.recent.push((subject.clone(), recent));
        }
        outgoing
    }
}

fn no_email(person: Option<&Person>, ways: &Ways) -> Option<Cause> {
    match person {
        _ if !ways.sends_email() => Some(Cause::NotConfigured),
        None => Some(Cause::NobodyThere),
        Some(person) if person.email.is_none() => Some(Cause::NoAddress),
        Some(_) => None,
    }
}

fn no_push(known: &[Device], carried: &[Device]) -> Option<Cause> {
    match (known, carried) {
        ([], _) => Some(Cause::NoDevice),
        (_, []) => Some(Cause::NotConfigured),
        _ => None,
    }
}
