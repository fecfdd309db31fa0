//! Numbers between bounds, those at the bounds first of all.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Number, Value};

use super::layers::Layers;

/// Whole numbers at which programs break: signs, sizes of words, the last one that a double counts.
const EDGES: [i64; 14] =
    [0, 1, -1, 2, 10, 127, 255, -129, i32::MAX as i64, i32::MIN as i64, 1 << 32, (1 << 53) + 1, i64::MAX, i64::MIN];
/// Others.
const FRACTIONS: [f64; 8] = [0.5, -0.5, 0.1, 1e-9, -1e-300, 1e21, 1e300, -1e300];
/// How far a number without bounds is from zero, or from its only bound.
const USUAL: i64 = 1_000;

/// The bounds of a value, both part of it. A bound that is not part is stepped over for whole numbers alone.
struct Range {
    low: Option<f64>,
    high: Option<f64>,
}

impl Range {
    fn of(layers: &Layers<'_>, step: f64) -> Self {
        let low = layers.least("exclusiveMinimum").map(|low| low + step);
        let high = layers.most("exclusiveMaximum").map(|high| high - step);
        let both = |one: Option<f64>, other: Option<f64>, pick: fn(f64, f64) -> f64| match (one, other) {
            (Some(one), Some(other)) => Some(pick(one, other)),
            (one, other) => one.or(other),
        };
        Self { low: both(low, layers.least("minimum"), f64::max), high: both(high, layers.most("maximum"), f64::min) }
    }

    fn has(&self, number: f64) -> bool {
        self.low.is_none_or(|low| number >= low) && self.high.is_none_or(|high| number <= high)
    }
}

/// A whole number.
pub(super) fn integer(layers: &Layers<'_>, random: &mut ChaCha8Rng) -> Value {
    let range = Range::of(layers, 1.0);
    // `as` keeps within what there is.
    let (low, high) = match (range.low.map(|low| low.ceil() as i64), range.high.map(|high| high.floor() as i64)) {
        (None, None) => (-USUAL, USUAL),
        (Some(low), None) => (low, low.saturating_add(USUAL)),
        (None, Some(high)) => (high.saturating_sub(USUAL), high),
        (Some(low), Some(high)) => (low, high.max(low)),
    };
    let number = match random.random_range(0..4) {
        0 => low,
        1 => high,
        2 => {
            let edges: Vec<i64> = EDGES.into_iter().filter(|edge| range.has(*edge as f64)).collect();
            if edges.is_empty() { low } else { edges[random.random_range(0..edges.len())] }
        }
        _ => random.random_range(low..=high),
    };
    match layers.first("multipleOf").and_then(Value::as_i64).filter(|step| *step > 0) {
        Some(step) => {
            let down = number.div_euclid(step).saturating_mul(step);
            if range.has(down as f64) { down } else { down.saturating_add(step) }.into()
        }
        None => number.into(),
    }
}

/// Any number.
pub(super) fn number(layers: &Layers<'_>, random: &mut ChaCha8Rng) -> Value {
    let range = Range::of(layers, 0.0);
    let has_whole = range.low.zip(range.high).is_none_or(|(low, high)| low.ceil() <= high);
    if layers.first("multipleOf").is_some() || (has_whole && random.random()) {
        return integer(layers, random);
    }
    let (low, high) = match (range.low, range.high) {
        (None, None) => (-(USUAL as f64), USUAL as f64),
        (Some(low), None) => (low, low + USUAL as f64),
        (None, Some(high)) => (high - USUAL as f64, high),
        (Some(low), Some(high)) => (low, high),
    };
    let fractions: Vec<f64> = FRACTIONS.into_iter().filter(|number| range.has(*number)).collect();
    let number = match random.random_range(0..3) {
        0 if !fractions.is_empty() => fractions[random.random_range(0..fractions.len())],
        // Not by its width, which may be more than a number can be.
        _ => {
            let part: f64 = random.random();
            low * (1.0 - part) + high * part
        }
    };
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}
