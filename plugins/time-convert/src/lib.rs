//! Reads, converts and compares points in time.

mod instant;

use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;
use wasmill_sdk::Error;

/// One point in time, written in several ways.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Forms {
    /// RFC 3339 with the offset of the wanted zone.
    rfc3339: String,
    /// RFC 2822, as in mail.
    rfc2822: String,
    /// Milliseconds since 1970-01-01T00:00:00Z.
    unix_ms: i64,
    /// Day of the week in English.
    weekday: String,
    /// Week of the year by ISO 8601, for example `2026-W01`.
    iso_week: String,
}

wasmill_sdk::tool! {
    /// Writes a point in time in several ways, in any time zone.
    pub fn convert(
        /// RFC 3339 (`2026-03-01T12:00:00+01:00`), RFC 2822, or a Unix time in seconds or milliseconds.
        time: String,
        /// IANA name of the wanted zone, for example `Europe/Vienna`; UTC where it is left out.
        zone: Option<String>,
    ) -> Result<Forms, Error> {
        let zoned = instant::parse(&time)?.to_zoned(zone_of(zone.as_deref())?);
        let week = zoned.date().iso_week_date();
        Ok(Forms {
            rfc3339: zoned.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
            rfc2822: zoned.strftime("%a, %d %b %Y %H:%M:%S %z").to_string(),
            unix_ms: zoned.timestamp().as_millisecond(),
            weekday: zoned.strftime("%A").to_string(),
            iso_week: format!("{}-W{:02}", week.year(), week.week()),
        })
    }

    /// Tells how many seconds lie between two points in time; negative where the second one is earlier.
    pub fn seconds_between(from: String, to: String) -> Result<f64, Error> {
        let nanoseconds = instant::parse(&to)?.as_nanosecond() - instant::parse(&from)?.as_nanosecond();
        Ok(nanoseconds as f64 / 1e9)
    }

    /// Adds a span to a point in time, by the calendar of a time zone, and returns RFC 3339.
    pub fn add(
        /// As in `convert`.
        time: String,
        /// ISO 8601 (`P1M`, `-PT90M`) or words (`1 month 2 hours`).
        span: String,
        /// As in `convert`.
        zone: Option<String>,
    ) -> Result<String, Error> {
        let invalid = |error: jiff::Error| Error::invalid("time-convert.span", error.to_string());
        let span: jiff::Span = span.parse().map_err(invalid)?;
        let zoned = instant::parse(&time)?.to_zoned(zone_of(zone.as_deref())?);
        let sum = zoned.checked_add(span).map_err(invalid)?;
        Ok(sum.strftime("%Y-%m-%dT%H:%M:%S%.f%:z").to_string())
    }
}

fn zone_of(name: Option<&str>) -> Result<TimeZone, Error> {
    match name {
        None => Ok(TimeZone::UTC),
        Some(name) => TimeZone::get(name).map_err(|error| {
            Error::invalid("time-convert.zone", error.to_string()).with_next("Use an IANA name such as Europe/Vienna.")
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_summer_and_winter() {
        let rfc3339 = |time: &str| convert(time.into(), Some("Europe/Vienna".into())).unwrap().rfc3339;
        assert_eq!(rfc3339("2026-01-15T12:00:00Z"), "2026-01-15T13:00:00+01:00");
        assert_eq!(rfc3339("2026-07-15T12:00:00Z"), "2026-07-15T14:00:00+02:00");
    }

    #[test]
    fn the_week_belongs_to_the_year_of_its_thursday() {
        assert_eq!(convert("2027-01-01T00:00:00Z".into(), None).unwrap().iso_week, "2026-W53");
    }

    #[test]
    fn a_month_is_added_by_the_calendar() {
        assert_eq!(add("2026-01-31T00:00:00Z".into(), "P1M".into(), None).unwrap(), "2026-02-28T00:00:00+00:00");
    }

    #[test]
    fn an_unknown_zone_is_the_callers_fault() {
        assert!(matches!(convert("0".into(), Some("Moon/Base".into())), Err(Error::Invalid(_))));
    }
}
