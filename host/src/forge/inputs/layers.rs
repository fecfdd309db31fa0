//! What a schema says of one place: itself, what it refers to, all of `allOf`, and one of `anyOf` or `oneOf`, side by side.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde_json::{Map, Value};

/// Most schemas that hold at one place; what comes after them is left out.
const LAYERS_MAX: usize = 64;

/// The kinds of values that JSON has, by the words of `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    Integer,
    Number,
    Bool,
    Null,
}

impl Kind {
    const ALL: [(Self, &str); 7] = [
        (Self::Object, "object"),
        (Self::Array, "array"),
        (Self::Text, "string"),
        (Self::Integer, "integer"),
        (Self::Number, "number"),
        (Self::Bool, "boolean"),
        (Self::Null, "null"),
    ];

    /// Keywords that say of what kind a value is meant to be where `type` doesn't.
    fn hints(self) -> &'static [&'static str] {
        match self {
            Self::Object => &["properties", "required", "additionalProperties", "minProperties", "patternProperties"],
            Self::Array => &["items", "prefixItems", "minItems", "maxItems", "contains"],
            Self::Text => &["pattern", "format", "minLength", "maxLength"],
            Self::Number => &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
            Self::Integer | Self::Bool | Self::Null => &[],
        }
    }
}

/// Schemas that all hold for one value. `true` and what is no schema say nothing.
pub(super) struct Layers<'a>(Vec<&'a Map<String, Value>>);

impl<'a> Layers<'a> {
    /// Puts together what `schemas` say of one value. `root` is what references lead into.
    pub fn of(root: &'a Value, schemas: &[&'a Value], random: &mut ChaCha8Rng) -> Self {
        let mut layers = Vec::new();
        let mut left: Vec<&Value> = schemas.to_vec();
        // Each step takes one schema: a reference to itself ends at the most of them.
        while let Some(schema) = left.pop() {
            let Value::Object(schema) = schema else { continue };
            if layers.len() == LAYERS_MAX {
                break;
            }
            left.extend(schema.get("$ref").and_then(Value::as_str).and_then(|to| target(root, to)));
            left.extend(list(schema.get("allOf")).iter().take(LAYERS_MAX));
            for key in ["anyOf", "oneOf"] {
                let choices = list(schema.get(key));
                if !choices.is_empty() {
                    left.push(&choices[random.random_range(0..choices.len())]);
                }
            }
            layers.push(schema);
        }
        Self(layers)
    }

    /// What is said under a keyword, by each that says something.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter_map(move |layer| layer.get(key))
    }

    /// The first that is said under a keyword.
    pub fn first(&self, key: &str) -> Option<&'a Value> {
        self.all(key).next()
    }

    /// The largest of the numbers under a keyword that bounds from below.
    pub fn least(&self, key: &str) -> Option<f64> {
        self.all(key).filter_map(Value::as_f64).reduce(f64::max)
    }

    /// The smallest of the numbers under a keyword that bounds from above.
    pub fn most(&self, key: &str) -> Option<f64> {
        self.all(key).filter_map(Value::as_f64).reduce(f64::min)
    }

    /// A count from a keyword that bounds from below, and from one that bounds from above.
    pub fn counts(&self, least: &str, most: &str) -> (usize, Option<usize>) {
        // `as` keeps within what there is.
        (self.least(least).map_or(0, |n| n as usize), self.most(most).map(|n| n as usize))
    }

    /// What `properties` say, by name.
    pub fn properties(&self) -> BTreeMap<&'a str, Vec<&'a Value>> {
        let mut properties: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for (name, schema) in self.all("properties").filter_map(Value::as_object).flatten() {
            properties.entry(name).or_default().push(schema);
        }
        properties
    }

    /// The names under `required`.
    pub fn required(&self) -> BTreeSet<&'a str> {
        self.all("required").flat_map(|names| list(Some(names))).filter_map(Value::as_str).collect()
    }

    /// True where some layer says `false` under a keyword.
    pub fn forbids(&self, key: &str) -> bool {
        self.all(key).any(|schema| *schema == Value::Bool(false))
    }

    /// The kinds that all layers let a value be of.
    pub fn kinds(&self) -> Vec<Kind> {
        let said: Vec<Vec<&str>> = self
            .all("type")
            .map(|kinds| match kinds {
                Value::String(one) => vec![one.as_str()],
                several => list(Some(several)).iter().filter_map(Value::as_str).collect(),
            })
            .collect();
        let kinds = Kind::ALL.into_iter().filter(|(_, word)| said.iter().all(|words| words.contains(word)));
        let kinds: Vec<Kind> = kinds.map(|(kind, _)| kind).collect();
        if !said.is_empty() {
            return kinds;
        }
        let hinted = kinds.iter().copied().filter(|kind| kind.hints().iter().any(|key| self.first(key).is_some()));
        let hinted: Vec<Kind> = hinted.collect();
        if hinted.is_empty() { kinds } else { hinted }
    }
}

/// The entries of a list; none where it is none.
pub(super) fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a reference within the schema leads to: a JSON pointer in a fragment. Others are not followed.
pub(super) fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}
