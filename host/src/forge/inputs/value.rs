//! A value that fits a schema, as likely as not one at its edges.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Map, Value};

use super::layers::{Kind, Layers, list};
use super::{numbers, text};

/// From this depth on only what a schema requires is made.
const DEPTH_SPARE: usize = 6;
/// Below this depth there is nothing but null.
const DEPTH_MAX: usize = 32;
/// How many elements, or properties that no schema names, a value has beyond the least.
const MORE_MAX: usize = 4;
/// Names of properties that nobody has thought of.
const ODD_NAMES: [&str; 5] = ["extra", "", "__proto__", "toString", "ключ"];

/// Makes one input.
pub(super) struct Maker<'a, 'r> {
    root: &'a Value,
    pub random: &'r mut ChaCha8Rng,
    values_left: usize,
    pub bytes_left: usize,
}

impl<'a, 'r> Maker<'a, 'r> {
    pub fn new(root: &'a Value, random: &'r mut ChaCha8Rng, values: usize, bytes: usize) -> Self {
        Self { root, random, values_left: values, bytes_left: bytes }
    }

    /// An object, whatever else the schema may allow.
    pub fn arguments(&mut self) -> Value {
        let layers = Layers::of(self.root, &[self.root], self.random);
        match self.fixed(&layers) {
            Some(value) => value,
            None => self.object(&layers, 0),
        }
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u32) -> bool {
        self.random.random_ratio(1, n)
    }

    /// A value that all of `schemas` are for.
    fn value(&mut self, schemas: &[&'a Value], depth: usize) -> Value {
        // What is too deep counts as well: there may be as many of it.
        let Some(left) = self.values_left.checked_sub(1) else { return Value::Null };
        self.values_left = left;
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        let layers = Layers::of(self.root, schemas, self.random);
        if let Some(value) = self.fixed(&layers) {
            return value;
        }
        let kinds = layers.kinds();
        // Where nothing is said, what holds others is of no use deep down.
        let kinds: Vec<Kind> = match layers.first("type") {
            None if depth >= DEPTH_SPARE && kinds.len() > 1 => {
                kinds.into_iter().filter(|kind| !matches!(kind, Kind::Object | Kind::Array)).collect()
            }
            _ => kinds,
        };
        if kinds.is_empty() {
            return Value::Null;
        }
        match kinds[self.random.random_range(0..kinds.len())] {
            Kind::Object => self.object(&layers, depth),
            Kind::Array => self.array(&layers, depth),
            Kind::Text => text::text(self, &layers).into(),
            Kind::Integer => numbers::integer(&layers, self.random),
            Kind::Number => numbers::number(&layers, self.random),
            Kind::Bool => self.random.random::<bool>().into(),
            Kind::Null => Value::Null,
        }
    }

    fn object(&mut self, layers: &Layers<'a>, depth: usize) -> Value {
        let (required, properties) = (layers.required(), layers.properties());
        let additional: Vec<&Value> = layers.all("additionalProperties").collect();
        let mut object = Map::new();
        for (name, schemas) in &properties {
            if required.contains(name) || (depth < DEPTH_SPARE && self.random.random()) {
                object.insert((*name).to_owned(), self.value(schemas, depth + 1));
            }
        }
        for name in required.iter().filter(|name| !properties.contains_key(**name)) {
            if self.values_left == 0 {
                break;
            }
            object.insert((*name).to_owned(), self.value(&additional, depth + 1));
        }
        let (least, most) = layers.counts("minProperties", "maxProperties");
        let room = most.unwrap_or(usize::MAX).saturating_sub(object.len());
        let missing = least.saturating_sub(object.len());
        for _ in 0..(missing + self.more(layers, depth)).min(room) {
            if self.values_left == 0 {
                break;
            }
            let (name, schemas) = self.further(layers, &additional);
            let value = self.value(&schemas, depth + 1);
            object.entry(name).or_insert(value);
        }
        Value::Object(object)
    }

    /// How many properties that nobody names an object has beyond the least.
    fn more(&mut self, layers: &Layers<'a>, depth: usize) -> usize {
        let is_map =
            layers.first("patternProperties").is_some() || layers.all("additionalProperties").any(Value::is_object);
        let is_open = !layers.forbids("additionalProperties") && !layers.forbids("unevaluatedProperties");
        match () {
            () if depth >= DEPTH_SPARE => 0,
            () if is_map => self.random.random_range(0..=MORE_MAX),
            () if is_open && self.once_in(8) => 1,
            () => 0,
        }
    }

    /// One more property: its name, and what its value must fit.
    fn further(&mut self, layers: &Layers<'a>, additional: &[&'a Value]) -> (String, Vec<&'a Value>) {
        if let Some(patterns) = layers.first("patternProperties").and_then(Value::as_object)
            && let Some((pattern, schema)) = patterns.iter().nth(self.random.random_range(0..patterns.len().max(1)))
        {
            return (text::of_pattern(self, pattern), vec![schema]);
        }
        let name = match layers.first("propertyNames") {
            Some(names) => {
                let layers = Layers::of(self.root, &[names], self.random);
                text::text(self, &layers)
            }
            None if self.once_in(4) => ODD_NAMES[self.random.random_range(0..ODD_NAMES.len())].to_owned(),
            None => text::word(self),
        };
        (name, additional.to_vec())
    }

    fn array(&mut self, layers: &Layers<'a>, depth: usize) -> Value {
        let (least, most) = layers.counts("minItems", "maxItems");
        let more = if depth >= DEPTH_SPARE { 0 } else { self.random.random_range(0..=MORE_MAX) };
        let count = least.saturating_add(more).min(most.unwrap_or(usize::MAX));
        let items: Vec<&Value> = layers.all("items").collect();
        let first = list(layers.first("prefixItems"));
        let contained = layers.first("contains").filter(|_| least == 0 || count > 0);
        let is_unique = layers.all("uniqueItems").any(|unique| *unique == Value::Bool(true));
        let mut array = Vec::new();
        for place in 0..count.max(usize::from(contained.is_some())) {
            // However many there should be: what holds too few is no input, and is left out.
            if self.values_left == 0 {
                break;
            }
            let value = match (first.get(place), contained) {
                (Some(schema), _) => self.value(&[schema], depth + 1),
                (None, Some(schema)) if place == first.len() => self.value(&[schema], depth + 1),
                (None, _) => self.value(&items, depth + 1),
            };
            if !is_unique || !array.contains(&value) {
                array.push(value);
            }
        }
        Value::Array(array)
    }

    /// A value that the schema itself names, where there is room for it.
    fn fixed(&mut self, layers: &Layers<'a>) -> Option<Value> {
        let choices = list(layers.first("enum"));
        let value = match layers.first("const") {
            Some(value) => value,
            None => choices.get(self.random.random_range(0..choices.len().max(1)))?,
        };
        let bytes = match value {
            Value::Object(_) | Value::Array(_) | Value::String(_) => value.to_string().len(),
            _ => 0,
        };
        match self.bytes_left.checked_sub(bytes) {
            Some(left) => {
                self.bytes_left = left;
                Some(value.clone())
            }
            None => Some(Value::Null),
        }
    }
}
