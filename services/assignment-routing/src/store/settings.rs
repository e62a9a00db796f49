//! What the organization decided: one row, or none while it decided nothing, and what conversations of its channels cost.

use std::collections::BTreeMap;
use std::time::Duration;

use db::{DbError, Tx};
use kernel::{TeamId, Timestamp};

use super::unreadable;
use crate::domain::handoff::HandoffRules;
use crate::domain::reopen::ReopenPolicy;
use crate::domain::settings::{Decided, Grace, Settings};
use zones::Zone;

#[derive(db::FromRow)]
struct SettingsRow {
    version: i64,
    update_time: Timestamp,
    default_capacity_units: i64,
    time_zone: String,
    reassign_requires_handoff: bool,
    escalate_requires_handoff: bool,
    reopen_policy: String,
    offline_grace_seconds: i64,
}

/// The organization's settings with their version, without what channels cost: the defaults if it never changed one.
pub async fn find_decided(tx: &mut Tx) -> Result<Decided, DbError> {
    let row: Option<SettingsRow> = tx
        .query(
            "SELECT version, update_time, default_capacity_units, time_zone, reassign_requires_handoff,
                 escalate_requires_handoff, reopen_policy, offline_grace_seconds
             FROM settings WHERE org_id = $1",
        )
        .fetch_optional(tx)
        .await?;
    row.map(SettingsRow::decided).transpose().map(Option::unwrap_or_default)
}

impl SettingsRow {
    fn decided(self) -> Result<Decided, DbError> {
        Ok(Decided {
            settings: Settings {
                default_capacity_units: i32::try_from(self.default_capacity_units).unwrap_or(i32::MAX),
                channel_units: BTreeMap::new(),
                time_zone: Zone::stored(&self.time_zone),
                handoffs: HandoffRules {
                    reassign: self.reassign_requires_handoff,
                    escalate: self.escalate_requires_handoff,
                },
                reopen_policy: ReopenPolicy::read(&self.reopen_policy)
                    .ok_or_else(|| unreadable("settings.reopen_policy"))?,
                offline_grace: Grace(Duration::from_secs(
                    u64::try_from(self.offline_grace_seconds).unwrap_or_default(),
                )),
            },
            version: self.version,
            update_time: Some(self.update_time),
        })
    }
}

/// What a conversation costs, by channel.
pub async fn list_channel_units(tx: &mut Tx) -> Result<BTreeMap<String, i32>, DbError> {
    let rows: Vec<(String, i64)> =
        tx.query("SELECT channel, units FROM channel_units WHERE org_id = $1").fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(channel, units)| (channel, i32::try_from(units).unwrap_or(i32::MAX))).collect())
}

/// Stores settings that were decided over those of version `before`, without what channels cost; false if they are not
/// those any more.
pub async fn save_settings(
    tx: &mut Tx,
    settings: &Settings,
    before: i64,
    update_time: Timestamp,
) -> Result<bool, DbError> {
    let saved = tx
        .query(
            "INSERT INTO settings (org_id, version, update_time, default_capacity_units, time_zone,
                 reassign_requires_handoff, escalate_requires_handoff, reopen_policy, offline_grace_seconds)
             VALUES ($1, $2 + 1, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (org_id) DO UPDATE SET version = excluded.version, update_time = excluded.update_time,
                 default_capacity_units = excluded.default_capacity_units, time_zone = excluded.time_zone,
                 reassign_requires_handoff = excluded.reassign_requires_handoff,
                 escalate_requires_handoff = excluded.escalate_requires_handoff,
                 reopen_policy = excluded.reopen_policy, offline_grace_seconds = excluded.offline_grace_seconds
             WHERE settings.version = $2",
        )
        .bind(before)
        .bind(update_time)
        .bind(i64::from(settings.default_capacity_units))
        .bind(settings.time_zone.as_str())
        .bind(settings.handoffs.reassign)
        .bind(settings.handoffs.escalate)
        .bind(settings.reopen_policy.as_str())
        .bind(i64::try_from(settings.offline_grace.0.as_secs()).unwrap_or(i64::MAX))
        .execute(tx)
        .await?;
    Ok(saved == 1)
}

/// Forgets what channels cost.
pub async fn delete_channel_units(tx: &mut Tx) -> Result<(), DbError> {
    tx.query("DELETE FROM channel_units WHERE org_id = $1").execute(tx).await.map(drop)
}

/// Stores what channels cost.
pub async fn insert_channel_units(tx: &mut Tx, units: &BTreeMap<String, i32>) -> Result<(), DbError> {
    if units.is_empty() {
        return Ok(());
    }
    let sql =
        format!("INSERT INTO channel_units (org_id, channel, units) VALUES {}", db::org_rows(units.len(), 2));
    let mut query = tx.query_dynamic(sql);
    for (channel, units) in units {
        query = query.bind(channel.as_str()).bind(i64::from(*units));
    }
    query.execute(tx).await.map(drop)
}

/// The teams in whose queues something waits.
pub async fn list_waiting_teams(tx: &mut Tx) -> Result<Vec<TeamId>, DbError> {
    tx.query("SELECT DISTINCT team_id FROM queue WHERE org_id = $1").fetch_values(tx).await
}
