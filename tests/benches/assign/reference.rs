//! What the database does by itself with the rows of a batch: bare statements that name no row one by one, in one transaction, as the
//! role that the services have. Nothing is decided.

use std::time::{Duration, Instant};

use proto::routing::v1::Availability;
use sqlx::{Connection, PgConnection, raw_sql};

use crate::office::Office;

const LOCK: &str = "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('reference', 0))";
const NEXT: &str = "SELECT array_agg(id) FROM (SELECT c.conversation_id::text AS id
     FROM queue q JOIN conversations c ON c.org_id = q.org_id AND c.conversation_id = q.conversation_id
     WHERE q.org_id = 'bench' AND q.team_id = $1::uuid AND c.status = 'OPEN' AND c.assignee_id IS NULL
     ORDER BY -q.priority, q.queue_time, q.conversation_id LIMIT $2 FOR UPDATE OF c) next";

/// What a decision of ten candidates weighs.
const DECISION: &str = "INSERT INTO decisions (org_id, conversation_id, decision_id, decide_time, body)
     SELECT 'bench', id::uuid, gen_random_uuid(), 1, jsonb_build_object('id', id, 'conversation', id, 'outcome', 'ASSIGNED',
         'cause', 'QUEUE', 'strategy', 'ROUND_ROBIN', 'candidates', (SELECT jsonb_agg(jsonb_build_object('agent', a,
             'exclusion', 'NOT_THEIR_TURN', 'open', 17, 'units', 17, 'capacity', 0)) FROM unnest($2::text[]) a))
     FROM unnest($1::text[]) id";

/// The rest, of the conversations `$1` and the agents `$2`.
const WRITES: [&str; 9] = [
    DECISION,
    "UPDATE conversations SET assignee_id = ($2::text[])[1]::uuid, version = version + 1, last_entry_time = last_entry_time + 1
     WHERE org_id = 'bench' AND conversation_id = ANY($1::text[]::uuid[])",
    "INSERT INTO assignments (org_id, decision_id, conversation_id, agent_id, assign_time)
     SELECT 'bench', gen_random_uuid(), id::uuid, ($2::text[])[1]::uuid, 1 FROM unnest($1::text[]) id",
    "INSERT INTO conversation_events (org_id, conversation_id, event_time, event_id, type, agent_id)
     SELECT 'bench', id::uuid, 1, gen_random_uuid(), 'ASSIGNED', ($2::text[])[1]::uuid FROM unnest($1::text[]) id",
    "UPDATE loads SET last_assign_time = 1 WHERE org_id = 'bench' AND agent_id = ANY($2::text[]::uuid[])
         AND cardinality($1::text[]) > 0",
    "DELETE FROM queue WHERE org_id = 'bench' AND conversation_id = ANY($1::text[]::uuid[])
         AND cardinality($2::text[]) > 0",
    "INSERT INTO audit_queue (org_id, event_id, actor_subject, actor_role, action, object_kind, object_id, method)
     SELECT 'bench', gen_random_uuid(), 'routing', 'service', 'conversation.assign', 'conversation', id, 'assigner'
     FROM unnest($1::text[]) id WHERE cardinality($2::text[]) > 0",
    "UPDATE rotations SET last_agent_id = last_agent_id
     WHERE org_id = 'bench' AND cardinality($1::text[]) + cardinality($2::text[]) > 0",
    // For nobody: the relay leaves it alone.
    "INSERT INTO outbox (org_id, event_id, target, kind, payload, next_attempt_time, create_time)
     SELECT 'bench', gen_random_uuid(), 'bench', 'assigned', convert_to(repeat('x', 180), 'UTF8'), 0, 1
     FROM unnest($1::text[]) id WHERE cardinality($2::text[]) > 0",
];

/// How long so many batches took, each of so many conversations. Nobody else works meanwhile.
pub(crate) async fn batches(office: &mut Office, rows: usize, batches: usize) -> Vec<Duration> {
    office.are(Availability::Away).await;
    let reference_id = office.reference_id.clone();
    office.wait_for(&reference_id, rows * batches).await;
    let mut bare = PgConnection::connect(&office.database()).await.unwrap();
    let role = "SET search_path = routing; SET app.org = 'bench'; SET ROLE backchannel_app";
    raw_sql(role).execute(&mut bare).await.unwrap();
    let rows = i64::try_from(rows).unwrap();
    let mut took = Vec::with_capacity(batches);
    for _ in 0..batches {
        let begun = Instant::now();
        raw_sql(LOCK).execute(&mut bare).await.unwrap();
        let next: Vec<String> =
            sqlx::query_scalar(NEXT).bind(&reference_id).bind(rows).fetch_one(&mut bare).await.unwrap();
        for write in WRITES {
            sqlx::query(write).bind(&next).bind(&office.agent_ids).execute(&mut bare).await.unwrap();
        }
        raw_sql("COMMIT").execute(&mut bare).await.unwrap();
        took.push(begun.elapsed());
    }
    bare.close().await.unwrap();
    took
}
