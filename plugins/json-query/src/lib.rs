//! Selects, flattens and compares JSON.

mod changes;
mod flat;

pub use changes::Change;
use serde_json::{Map, Value};
use serde_json_path::JsonPath;
use wasmill_sdk::Error;

wasmill_sdk::tool! {
    /// Selects parts of a JSON document with a JSONPath expression (RFC 9535), for example `$.orders[?@.total > 100].id`.
    /// Returns all parts that match, in document order.
    pub fn select(
        /// The document.
        document: Value,
        /// The expression, beginning with `$`.
        path: String,
    ) -> Result<Vec<Value>, Error> {
        let path = JsonPath::parse(&path).map_err(|error| Error::invalid("json-query.path", error.to_string()))?;
        Ok(path.query(&document).all().into_iter().cloned().collect())
    }

    /// Takes the one part of a JSON document that a JSON Pointer (RFC 6901) names, for example `/orders/0/id`; null where
    /// there is none.
    pub fn pointer(document: Value, pointer: String) -> Result<Value, String> {
        Ok(document.pointer(&pointer).cloned().unwrap_or_default())
    }

    /// Makes a flat object out of a JSON document: JSON Pointers as keys, single values as values.
    pub fn flatten(document: Value) -> Result<Map<String, Value>, String> {
        Ok(flat::flatten(&document))
    }

    /// Lists what changed from one JSON document to another, each change with its JSON Pointer.
    pub fn compare(before: Value, after: Value) -> Result<Vec<Change>, String> {
        Ok(changes::between(&before, &after))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_selects_all_that_match() {
        let document = json!({ "orders": [{ "id": 1, "total": 50 }, { "id": 2, "total": 150 }] });
        assert_eq!(select(document, "$.orders[?@.total > 100].id".into()).unwrap(), [json!(2)]);
    }

    #[test]
    fn a_malformed_path_is_the_callers_fault() {
        let error = select(json!({}), "orders".into()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error:?}");
    }

    #[test]
    fn a_pointer_to_nothing_gives_null() {
        assert_eq!(pointer(json!({ "a": [7] }), "/a/0".into()).unwrap(), json!(7));
        assert_eq!(pointer(json!({ "a": [7] }), "/b".into()).unwrap(), Value::Null);
    }
}
