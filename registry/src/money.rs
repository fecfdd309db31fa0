//! Amounts of money, without a currency: which one it is, is a label elsewhere.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Millionths in one.
const MICROS: u64 = 1_000_000;
/// Places behind the point.
const PLACES: usize = 6;

/// An amount in millionths of a currency's unit, never below zero. As text, and in files, a decimal number in quotes:
/// `"2.50"`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u64);

impl Money {
    /// So many millionths.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Millionths.
    pub const fn micros(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Money {
    /// With two places behind the point at least, and no more zeros than that: `2.50`, `0.000015`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = format!("{:06}", self.0 % MICROS);
        let shown = places.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / MICROS, &places[..shown])
    }
}

/// A text that is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no amount; write a number in quotes with up to {PLACES} places behind the point, such as \"2.50\"")]
pub struct NoMoney(pub String);

impl FromStr for Money {
    type Err = NoMoney;

    fn from_str(text: &str) -> Result<Self, NoMoney> {
        let amount = || {
            let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            if !digits(whole) || !digits(places) || places.len() > PLACES {
                return None;
            }
            let places: u64 = format!("{places:0<PLACES$}").parse().ok()?;
            whole.parse::<u64>().ok()?.checked_mul(MICROS)?.checked_add(places)
        };
        amount().map(Self).ok_or_else(|| NoMoney(text.to_owned()))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_read_to_the_millionth_and_shown_as_short_as_it_is() {
        for (text, micros, shown) in [
            ("2.50", 2_500_000, "2.50"),
            ("0", 0, "0.00"),
            ("0.000015", 15, "0.000015"),
            ("10", 10_000_000, "10.00"),
            ("1.234500", 1_234_500, "1.2345"),
        ] {
            let money: Money = text.parse().unwrap();
            assert_eq!((money.micros(), money.to_string().as_str()), (micros, shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0.0000001", "99999999999999999999", "1 EUR"] {
            assert!(text.parse::<Money>().is_err(), "{text}");
        }
    }
}
