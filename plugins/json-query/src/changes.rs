//! What changed from one document to another.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::flat::step;

/// One change.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// Where, as a JSON Pointer.
    pointer: String,
    /// What was there; left out where there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Value>,
    /// What is there; left out where there is nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Value>,
}

/// All changes, objects by name, lists by position.
pub fn between(before: &Value, after: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), Some(before), Some(after), &mut changes);
    changes
}

fn compare(pointer: String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                compare(step(&pointer, name), old.get(name), new.get(name), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(step(&pointer, &index.to_string()), old.get(index), new.get(index), changes);
            }
        }
        _ if before == after => {}
        _ => changes.push(Change { pointer, before: before.cloned(), after: after.cloned() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equal_documents_have_no_changes() {
        let document = json!({ "a": [1, { "b": null }] });
        assert_eq!(between(&document, &document.clone()), []);
    }

    #[test]
    fn what_came_went_and_changed_is_told_apart() {
        let changes = between(&json!({ "went": 1, "same": 2, "list": [1] }), &json!({ "same": 2, "list": [3, 4] }));
        let text = serde_json::to_value(changes).unwrap();
        let expected = json!([
            { "pointer": "/list/0", "before": 1, "after": 3 },
            { "pointer": "/list/1", "after": 4 },
            { "pointer": "/went", "before": 1 },
        ]);
        assert_eq!(text, expected);
    }
}
