//! The audit trail as the contracts show it: what every service's `AdminService` answers, written once.

use std::time::Duration;

use audit::{Defect, Filter, Finding, Head, Record, Walk};
use db::Db;
use futures::future::BoxFuture;
use kernel::{PageSeal, PageSize, Subject};
use proto::common::v1 as pb;
use rpc::convert::{optional_id_of, proto_role, proto_time, time_of};
use rpc::{Call, Fault};
use serde::Serialize;
use uuid::Uuid;

const LIST: &str = "audit.list";
const WALK: &str = "audit.verify";

/// Steps of one call, of a thousand records each.
const STEPS: usize = 50;

/// With so little time left a call answers with what it has.
const SPARE: Duration = Duration::from_secs(1);

/// The audit trail of a service.
#[derive(Debug, Clone)]
pub struct AuditTrail {
    service: &'static str,
    db: Db,
    seal: PageSeal,
}

impl AuditTrail {
    /// The trail in this database. `service` is the name that its sealer has.
    #[must_use]
    pub fn new(service: &'static str, db: Db, seal: PageSeal) -> Self {
        Self { service, db, seal }
    }

    /// Lists records, newest first: the page, and the token of the next.
    ///
    /// # Errors
    /// INVALID_FIELD, INVALID_PAGE_TOKEN, or the database's.
    // Not `async fn`: see `db::Db::open`.
    pub fn list<'a>(
        &'a self,
        call: &'a Call,
        filter: Option<pb::AuditFilter>,
        page_size: i32,
        page_token: &'a str,
    ) -> BoxFuture<'a, Result<(Vec<pb::AuditEvent>, String), Fault>> {
        Box::pin(async move {
            let (filter, size) = (read_filter(filter.unwrap_or_default())?, PageSize::of(page_size)?);
            let binding = self.binding(call, &filter)?;
            let before: Option<Uuid> = self.resumed(LIST, &binding, page_token)?;
            let read = self.db.read(&call.caller.org, move |tx| {
                Box::pin(async move { audit::list(tx, &filter, before, size.and_one()).await })
            });
            let mut records = read.await.map_err(crate::database)?;
            let more = records.len() > size.get();
            records.truncate(size.get());
            let last = records.last().filter(|_| more).map(|last| last.event_id);
            let next = last.map(|last| self.seal.seal(LIST, &binding, &last)).unwrap_or_default();
            Ok((records.into_iter().map(event).collect(), next))
        })
    }

    /// Verifies the chain of the caller's organization: as far as one call may take, then with a token to go on.
    ///
    /// # Errors
    /// INVALID_FIELD, INVALID_PAGE_TOKEN, or the database's.
    // Not `async fn`: see `db::Db::open`.
    pub fn verify<'a>(
        &'a self,
        call: &'a Call,
        known: Option<pb::AuditHead>,
        page_token: &'a str,
    ) -> BoxFuture<'a, Result<(pb::AuditVerification, String), Fault>> {
        Box::pin(async move {
            let known = known.map(read_head).transpose()?;
            let binding = self.binding(call, &known)?;
            let (org, service) = (&call.caller.org, self.service);
            // Before the walk begins: what is sealed meanwhile is counted twice rather than not at all.
            let unsealed =
                self.db.read(org, |tx| audit::count_unsealed(tx)).await.map_err(crate::database)?;
            let mut walk = match self.resumed::<Walk>(WALK, &binding, page_token)? {
                Some(walk) => walk,
                None => {
                    let begin = self.db.read(org, move |tx| Walk::begin(tx, service, known));
                    begin.await.map_err(crate::database)?
                }
            };
            let mut found = None;
            for _ in 0..STEPS {
                (walk, found) = self.db.read(org, move |tx| walk.step(tx)).await.map_err(crate::database)?;
                if found.is_some() || call.remaining() < SPARE {
                    break;
                }
            }
            let verification = verification(&walk, found, unsealed);
            let next = match found {
                Some(_) => String::new(),
                None => self.seal.seal(WALK, &binding, &walk),
            };
            Ok((verification, next))
        })
    }

    /// What tokens are bound to: service, organization, and what was asked.
    fn binding(&self, call: &Call, asked: &impl Serialize) -> Result<Vec<u8>, Fault> {
        let asked = serde_json::to_string(asked).map_err(Fault::internal)?;
        Ok(format!("{}/{}/{asked}", self.service, call.caller.org).into_bytes())
    }

    fn resumed<T: serde::de::DeserializeOwned>(
        &self,
        kind: &str,
        binding: &[u8],
        token: &str,
    ) -> Result<Option<T>, Fault> {
        if token.is_empty() {
            return Ok(None);
        }
        let opened = self.seal.open(kind, binding, token);
        opened.map(Some).map_err(|malformed| malformed.at("page_token").into())
    }
}

fn read_filter(filter: pb::AuditFilter) -> Result<Filter, Fault> {
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    let time = |field, time: Option<_>| time.map(|time| time_of(field, &time)).transpose();
    if filter.object_kind.is_empty() && !filter.object_id.is_empty() {
        return Err(Fault::invalid("filter.object_kind", "is needed with filter.object_id"));
    }
    Ok(Filter {
        actor: optional_id_of::<Subject>("filter.actor_subject", &filter.actor_subject)?,
        object_kind: text(filter.object_kind),
        object_id: text(filter.object_id),
        action: text(filter.action),
        start: time("filter.start_time", filter.start_time)?,
        end: time("filter.end_time", filter.end_time)?,
    })
}

fn event(record: Record) -> pb::AuditEvent {
    // A role that is none was not written by us; verifying tells where. The record is shown all the same.
    let actor_role = record.role().map_or(pb::Role::Unspecified, proto_role).into();
    pb::AuditEvent {
        event_id: record.event_id.to_string(),
        event_time: Some(proto_time(record.time())),
        actor_subject: record.actor_subject,
        actor_role,
        action: record.action,
        object_kind: record.object_kind,
        object_id: record.object_id,
        method: record.method,
        request_id: record.request_id.map(|id| id.to_string()).unwrap_or_default(),
        trace_id: record.trace_id.unwrap_or_default(),
        sequence: record.sequence,
        hash: record.hash.as_deref().map(hex).unwrap_or_default(),
    }
}

fn verification(walk: &Walk, found: Option<Finding>, unsealed_count: i64) -> pb::AuditVerification {
    let (verdict, defect, defect_sequence, event_id) = match found {
        None => (pb::AuditVerdict::Unfinished, pb::AuditDefect::Unspecified, 0, None),
        Some(Finding::Intact) => (pb::AuditVerdict::Intact, pb::AuditDefect::Unspecified, 0, None),
        Some(Finding::Broken { defect, sequence, event_id }) => {
            (pb::AuditVerdict::Broken, shown(defect), sequence, event_id)
        }
    };
    pb::AuditVerification {
        verdict: verdict.into(),
        defect: defect.into(),
        defect_sequence,
        defect_event_id: event_id.map(|id| id.to_string()).unwrap_or_default(),
        verified_count: walk.verified(),
        head: walk.head().map(|head| pb::AuditHead { sequence: head.sequence, hash: hex(&head.hash) }),
        unsealed_count,
    }
}

fn shown(defect: Defect) -> pb::AuditDefect {
    match defect {
        Defect::Altered => pb::AuditDefect::Altered,
        Defect::Removed => pb::AuditDefect::Removed,
        Defect::Inserted => pb::AuditDefect::Inserted,
        Defect::HeadAltered => pb::AuditDefect::HeadAltered,
        Defect::Rewritten => pb::AuditDefect::Rewritten,
    }
}

fn read_head(head: pb::AuditHead) -> Result<Head, Fault> {
    let wrong = || Fault::invalid("known_head.hash", "must be 64 lowercase hexadecimal digits");
    let mut hash = [0; 32];
    if head.hash.len() != 2 * hash.len() || !head.hash.is_ascii() {
        return Err(wrong());
    }
    for (index, byte) in hash.iter_mut().enumerate() {
        let digits = &head.hash[2 * index..2 * index + 2];
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(Head { sequence: head.sequence, hash })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
