//! A document as one flat object.

use serde_json::{Map, Value};

/// JSON Pointers to single values; an empty object or list counts as a single value.
pub fn flatten(document: &Value) -> Map<String, Value> {
    let mut flat = Map::new();
    walk(document, String::new(), &mut |pointer, value| {
        flat.insert(pointer, value.clone());
    });
    flat
}

/// Calls `visit` for each single value, in document order.
fn walk(value: &Value, pointer: String, visit: &mut impl FnMut(String, &Value)) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                walk(member, step(&pointer, name), visit);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                walk(item, step(&pointer, &index.to_string()), visit);
            }
        }
        single => visit(pointer, single),
    }
}

/// One step down, with the two characters escaped that a pointer uses itself (RFC 6901, section 3).
pub fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_single_value_gets_its_pointer() {
        let flat = Value::Object(flatten(&json!({ "a": { "b/c": [1, null] }, "d": {} })));
        assert_eq!(flat, json!({ "/a/b~1c/0": 1, "/a/b~1c/1": null, "/d": {} }));
    }

    #[test]
    fn each_pointer_leads_back_to_its_value() {
        let document = json!({ "~x": [{ "y/": true }], "": 1 });
        for (pointer, value) in flatten(&document) {
            assert_eq!(document.pointer(&pointer), Some(&value), "{pointer}");
        }
    }
}
