//! Random arguments for a function, out of its input schema.
//!
//! What comes out are proposals: most fit the schema, and whoever uses them checks, where [`is_cheap`] says that a check
//! comes to an end. A schema may be anybody's work, so all is bounded, whatever it says: values and bytes of one input,
//! depth, references followed.

mod layers;
mod numbers;
mod pattern;
mod shrink;
mod text;
mod value;

use std::fmt;

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmill_registry::Digest;

pub use shrink::smaller;

use value::Maker;

/// Most values of one input, those inside others too.
const VALUES_MAX: usize = 512;
/// Most bytes of texts of one input.
const TEXT_BYTES_MAX: usize = 16 * 1024;

/// Where random inputs begin from: the same seed gives the same ones. 16 hexadecimal digits as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The seed of a request: its source and examples decide the inputs that it meets.
    pub fn of(request: &Digest) -> Self {
        Self(request.as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte)))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Seed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Inputs of one function, one after the other.
pub struct Inputs {
    schema: Value,
    random: ChaCha8Rng,
}

impl Inputs {
    /// Those that a seed gives a function with this input schema.
    pub fn new(schema: Value, seed: Seed, function: &str) -> Self {
        let own = Digest::of(format!("{seed} {function}").as_bytes());
        Self { schema, random: ChaCha8Rng::from_seed(*own.as_bytes()) }
    }

    /// The next one: an object, as all arguments are.
    pub fn draw(&mut self) -> Value {
        Maker::new(&self.schema, &mut self.random, VALUES_MAX, TEXT_BYTES_MAX).arguments()
    }
}

#[cfg(test)]
mod tests;
