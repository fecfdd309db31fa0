//! JSON Schemas of what goes in and what comes out.

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Makes schemas: of requests as they may be, of answers as they are.
pub(in crate::gateway) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    pub fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|s| {
            s.meta_schema = None;
            s.definitions_path = "/components/schemas".into();
        });
        // Optional fields may be left out of a request and are there in an answer: two schemas of one type, so that only
        // one of them can have its name.
        let requests = settings.clone().for_deserialize().with(|s| s.inline_subschemas = true);
        Self { requests: requests.into_generator(), answers: settings.for_serialize().into_generator() }
    }

    /// What a request may hold.
    pub fn request<T: JsonSchema>(&mut self) -> Value {
        bounded(self.requests.subschema_for::<T>())
    }

    /// What an answer holds; where it has a name, a reference to it.
    pub fn answer<T: JsonSchema>(&mut self) -> Value {
        bounded(self.answers.subschema_for::<T>())
    }

    /// All schemas that answers refer to.
    pub fn named(mut self) -> Map<String, Value> {
        let named = self.answers.take_definitions(true);
        named.into_iter().map(|(name, schema)| (name, bounded_value(schema))).collect()
    }
}

fn bounded(schema: Schema) -> Value {
    let mut schema = schema;
    RecursiveTransform(bound).transform(&mut schema);
    schema.to_value()
}

fn bounded_value(schema: Value) -> Value {
    Schema::try_from(schema).map_or(Value::Bool(true), bounded)
}

/// A schema's `format` of an integer is a hint that few programs know: its bounds say the same to all.
fn bound(schema: &mut Schema) {
    let (least, most) = match schema.get("format").and_then(Value::as_str) {
        Some("uint16") => (json!(0), json!(u16::MAX)),
        Some("uint32") => (json!(0), json!(u32::MAX)),
        Some("uint" | "uint64") => (json!(0), json!(u64::MAX)),
        Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
        Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
        _ => return,
    };
    if let Some(object) = schema.as_object_mut() {
        object.entry("minimum").or_insert(least);
        object.entry("maximum").or_insert(most);
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Both {
        #[serde(default)]
        count: Option<u32>,
    }

    #[test]
    fn a_request_may_leave_out_what_an_answer_has() {
        let mut schemas = Schemas::new();
        let request = schemas.request::<Both>();
        assert_eq!((request.get("required"), &request["additionalProperties"]), (None, &json!(false)), "{request}");
        assert_eq!(request["properties"]["count"]["maximum"], json!(u32::MAX));
        assert_eq!(schemas.answer::<Both>(), json!({ "$ref": "#/components/schemas/Both" }));
        assert_eq!(schemas.named()["Both"]["required"], json!(["count"]));
    }
}
