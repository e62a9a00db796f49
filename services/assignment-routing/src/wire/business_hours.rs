//! When teams work.

use proto::routing::v1 as pb;
use rpc::Fault;
use rpc::convert::etag;

use super::{maybe_time, zone};
use crate::app::business_hours::Working;
use crate::domain::agent::WorkingHours;
use crate::domain::hours::{BusinessWeek, Holiday};
use zones::Day;

/// When a team works.
#[must_use]
pub fn business_hours(it: Working) -> pb::BusinessHours {
    let Working { hours, open } = it;
    pb::BusinessHours {
        team_id: hours.team.to_string(),
        etag: etag(hours.version),
        week: Some(week(&hours.week)),
        open,
        update_time: maybe_time(hours.update_time),
    }
}

fn week(it: &BusinessWeek) -> pb::BusinessWeek {
    let interval = |it: &WorkingHours| pb::WorkingHours {
        weekday: it.weekday,
        start_minute: it.start_minute,
        end_minute: it.end_minute,
    };
    let holiday = |it: &Holiday| pb::Holiday { date: it.date.to_string(), name: it.name.clone() };
    pb::BusinessWeek {
        time_zone: it.zone().as_str().to_owned(),
        intervals: it.intervals().iter().map(interval).collect(),
        holidays: it.holidays().iter().map(holiday).collect(),
    }
}

/// A week of work.
///
/// # Errors
/// INVALID_FIELD for a time zone or a day that there is not, a stretch that ends before it begins, a day twice.
pub fn week_of(it: pb::BusinessWeek) -> Result<BusinessWeek, Fault> {
    let zone = zone(&it.time_zone).map_err(|bad| Fault::invalid("week.time_zone", bad.reason()))?;
    let interval = |it: pb::WorkingHours| WorkingHours {
        weekday: it.weekday,
        start_minute: it.start_minute,
        end_minute: it.end_minute,
    };
    let intervals = it.intervals.into_iter().map(interval).collect();
    let holidays = it.holidays.into_iter().enumerate().map(|(index, it)| {
        let field = format!("week.holidays[{index}].date");
        let date = Day::parse(&it.date).map_err(|bad| Fault::invalid(field, bad.reason()))?;
        Ok(Holiday { date, name: it.name })
    });
    Ok(BusinessWeek::new(zone, intervals, holidays.collect::<Result<_, Fault>>()?)?)
}
