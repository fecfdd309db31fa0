//! Times and sizes as people write them: `7d`, `12h`, `10 GiB`, `forever`.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

use crate::streams::Bound;

/// Units of time, in milliseconds; the largest comes first.
const TIMES: [(&str, u64); 5] =
    [("d", 24 * 60 * 60 * 1000), ("h", 60 * 60 * 1000), ("m", 60 * 1000), ("s", 1000), ("ms", 1)];
/// Units of size, in bytes.
const SIZES: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
/// The word for no bound.
const FOREVER: &str = "forever";
const UNLIMITED: &str = "unlimited";

/// How old a record may become, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub Bound);

/// How large a partition may become, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub Bound);

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, &TIMES, FOREVER)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, &SIZES, UNLIMITED)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = read(&text, &TIMES, FOREVER);
        read.map(Self)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no time; write `7d`, `12h`, `30m` or `forever`")))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = read(&text, &SIZES, UNLIMITED);
        read.map(Self)
            .ok_or_else(|| de::Error::custom(format!("{text:?} is no size; write `512MiB`, `10GiB` or `unlimited`")))
    }
}

/// A positive number with a unit, or the word for no bound. Kafka counts in 63 bits.
fn read(text: &str, units: &[(&str, u64)], without: &str) -> Option<Bound> {
    let text = text.trim();
    if text == without {
        return Some(Bound::Unlimited);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit = text[digits..].trim_start();
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    let amount = number.checked_mul(*factor)?;
    (amount > 0 && i64::try_from(amount).is_ok()).then_some(Bound::AtMost(amount))
}

/// In the largest unit that needs no fraction.
fn write(f: &mut fmt::Formatter<'_>, bound: Bound, units: &[(&str, u64)], without: &str) -> fmt::Result {
    let Bound::AtMost(amount) = bound else { return f.write_str(without) };
    let whole = units.iter().find(|(_, factor)| amount >= *factor && amount % factor == 0);
    match whole {
        Some((name, factor)) => write!(f, "{}{name}", amount / factor),
        None => write!(f, "{amount}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_as_they_are_written() {
        for text in ["7d", "36h", "30m", "90s", "250ms", "forever"] {
            assert_eq!(Age(read(text, &TIMES, FOREVER).unwrap()).to_string(), text);
        }
        for text in ["10GiB", "1536MiB", "1B", "unlimited"] {
            assert_eq!(Size(read(text, &SIZES, UNLIMITED).unwrap()).to_string(), text);
        }
        assert_eq!(read(" 10 GiB ", &SIZES, UNLIMITED), Some(Bound::AtMost(10 << 30)));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "7", "d", "-1d", "0d", "7 days", "1.5h", "9999999999999999999d", "300000000000d", "ü"] {
            assert_eq!(read(text, &TIMES, FOREVER), None, "{text:?}");
        }
    }
}
