//! Reads a point in time however it is written.

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use wasmill_sdk::Error;

/// Numbers from here on are milliseconds: as seconds they would be after the year 5000.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// Reads RFC 3339, RFC 2822, or a Unix time in seconds or milliseconds.
pub fn parse(text: &str) -> Result<Timestamp, Error> {
    let text = text.trim();
    let read = match text.parse::<i64>() {
        Ok(number) if number.abs() >= MILLISECONDS_FROM => Timestamp::from_millisecond(number),
        Ok(number) => Timestamp::from_second(number),
        Err(_) => text.parse::<Timestamp>().or_else(|_| rfc2822::parse(text).map(|zoned| zoned.timestamp())),
    };
    read.map_err(|error| {
        Error::invalid("time-convert.time", format!("{text:?} is no point in time: {error}"))
            .with_next("Use RFC 3339, for example 2026-03-01T12:00:00Z.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_of_writing_it_mean_the_same_instant() {
        let expected = Timestamp::from_second(1_772_366_400).unwrap();
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01T13:00:00+01:00",
            "1772366400",
            "1772366400000",
            "Sun, 01 Mar 2026 12:00:00 +0000",
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_an_error_that_quotes_it() {
        assert!(parse("tomorrow").unwrap_err().message().contains("\"tomorrow\""));
    }
}
