//! How often a validator looks at the places of a value: schemas that lead to the same one on several ways, each of which
//! does the same again, make it more than the world has time for, and one that leads to itself makes it endless.

use std::collections::HashMap;

use serde_json::Value;

/// Most looks.
pub(super) const LOOKS_MAX: u64 = 1_000_000;
/// Most schemas and places that are counted.
const PAIRS_MAX: usize = 100_000;
/// Deepest way through schemas and places.
const DEPTH_MAX: usize = 400;

/// Keywords whose schemas look at the same place again.
const HERE: [&str; 4] = ["not", "if", "then", "else"];
/// The same with lists of schemas.
const HERE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Keywords whose schema looks at each property or element.
const EACH: [&str; 5] = ["additionalProperties", "unevaluatedProperties", "items", "contains", "unevaluatedItems"];
/// Keywords by which a schema means others than those at the place where a reference points to.
const UNKNOWN: [&str; 4] = ["$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor"];

/// True where a validator of `schema` is soon done with `value`, at the worst.
pub fn is_cheap(schema: &Value, value: &Value) -> bool {
    Costs { root: schema, known: HashMap::new() }.of(schema, value, 0) <= LOOKS_MAX
}

struct Costs<'a> {
    root: &'a Value,
    /// By the addresses of schema and place; none as long as it is being counted.
    known: HashMap<(usize, usize), Option<u64>>,
}

impl<'a> Costs<'a> {
    /// Looks that one schema takes at one place and all below it, each as often as it is come to.
    fn of(&mut self, schema: &'a Value, value: &Value, depth: usize) -> u64 {
        let Value::Object(keywords) = schema else { return 1 };
        let pair = (std::ptr::from_ref(schema).addr(), std::ptr::from_ref(value).addr());
        match self.known.get(&pair) {
            // Come to again on the way from itself, without having gone anywhere.
            Some(known) => return known.unwrap_or(u64::MAX),
            None if depth == DEPTH_MAX || self.known.len() == PAIRS_MAX => return u64::MAX,
            None => {}
        }
        let is_other_document = depth > 0 && keywords.contains_key("$id");
        if is_other_document || UNKNOWN.iter().any(|key| keywords.contains_key(*key)) {
            return u64::MAX;
        }
        self.known.insert(pair, None);
        let mut looks: u64 = 1;
        let mut add = |costs: &mut Self, schema: &'a Value, value: &Value| {
            looks = looks.saturating_add(costs.of(schema, value, depth + 1));
        };
        if let Some(reference) = keywords.get("$ref") {
            match reference.as_str().and_then(|to| target(self.root, to)) {
                Some(schema) => add(self, schema, value),
                None => return u64::MAX,
            }
        }
        HERE.iter().filter_map(|key| keywords.get(*key)).for_each(|schema| add(self, schema, value));
        HERE_LISTS.iter().flat_map(|key| list(keywords.get(*key))).for_each(|schema| add(self, schema, value));
        let named = |key: &str| keywords.get(key).and_then(Value::as_object).into_iter().flatten();
        named("dependentSchemas").for_each(|(_, schema)| add(self, schema, value));
        match value {
            Value::Object(object) => {
                for (name, schema) in named("properties") {
                    object.get(name).into_iter().for_each(|value| add(self, schema, value));
                }
                for value in object.values() {
                    named("patternProperties").for_each(|(_, schema)| add(self, schema, value));
                    EACH.iter().filter_map(|key| keywords.get(*key)).for_each(|schema| add(self, schema, value));
                    keywords.get("propertyNames").into_iter().for_each(|schema| add(self, schema, &Value::Null));
                }
            }
            Value::Array(array) => {
                for (value, schema) in array.iter().zip(list(keywords.get("prefixItems"))) {
                    add(self, schema, value);
                }
                for value in array {
                    EACH.iter().filter_map(|key| keywords.get(*key)).for_each(|schema| add(self, schema, value));
                }
            }
            _ => {}
        }
        self.known.insert(pair, Some(looks));
        looks
    }
}

/// The entries of a list; none where it is none.
fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// What a reference within the schema leads to: a JSON pointer in a fragment. Others are not followed.
fn target<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_schemas_usually_say_is_cheap() {
        let tree = json!({ "$ref": "#/$defs/tree", "$defs": { "tree": { "type": "object", "properties": {
            "left": { "$ref": "#/$defs/tree" }, "right": { "$ref": "#/$defs/tree" } } } } });
        assert!(is_cheap(&tree, &json!({ "left": { "left": {}, "right": {} } })));
        let items = json!({ "items": { "anyOf": [{ "type": "string" }, { "type": "number" }] } });
        assert!(is_cheap(&items, &json!((0..500).collect::<Vec<_>>())));
    }

    #[test]
    fn what_never_ends_or_not_soon_is_not() {
        for schema in
            [json!({ "$ref": "#" }), json!({ "allOf": [{ "not": { "$ref": "#" } }] }), json!({ "$ref": "#a" })]
        {
            assert!(!is_cheap(&schema, &json!({})), "{schema}");
        }
        // The same place, twice as often with each step.
        let mut doubled = serde_json::Map::new();
        for n in 0..40 {
            let next = json!({ "$ref": format!("#/$defs/d{}", n + 1) });
            doubled.insert(format!("d{n}"), json!({ "allOf": [next, next] }));
        }
        doubled.insert("d40".into(), json!(true));
        assert!(!is_cheap(&json!({ "$ref": "#/$defs/d0", "$defs": doubled }), &json!({})));
        assert!(is_cheap(&json!({ "$ref": "#/$defs/d30", "$defs": doubled }), &json!({})));
        // Twice as often with each level of the value.
        let twice = json!({ "properties": { "a": { "$ref": "#" } } });
        let schema = json!({ "allOf": [twice, twice] });
        let mut deep = json!({});
        for _ in 0..30 {
            deep = json!({ "a": deep });
        }
        assert!(!is_cheap(&schema, &deep));
        assert!(is_cheap(&schema, &json!({ "a": { "a": {} } })));
    }
}
