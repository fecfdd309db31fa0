//! What the types of a handler say of it.

use std::future::Future;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Sse;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::schemas::Schemas;
use crate::gateway::asker::{Asker, Standing};
use crate::gateway::details::Refusal;
use crate::gateway::etag::{IfMatch, Tagged};
use crate::gateway::extract::{Body, Params, Path, Quiet};
use crate::gateway::paging::Page;
use crate::gateway::state::SharedGateway;
use crate::gateway::upgrade::{Switched, Upgrade};

/// What is known of an operation.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Parts {
    /// Parameters of its query and its headers.
    pub parameters: Vec<Value>,
    /// Its body.
    pub body: Option<Value>,
    /// Its answer when all goes well: content by type.
    pub content: Value,
    /// Headers of that answer.
    pub headers: Vec<(&'static str, Value)>,
}

impl Parts {
    /// Adds a header of the request.
    pub fn header(&mut self, name: &str, about: &str, required: bool, schema: Value) {
        self.parameters.push(json!({
            "name": name, "in": "header", "required": required, "description": about, "schema": schema,
        }));
    }
}

/// A type that a handler takes.
pub(in crate::gateway) trait Asks {
    fn describe(_: &mut Schemas, _: &mut Parts) {}
}

/// A type that a handler answers.
pub(in crate::gateway) trait Answers {
    fn describe(schemas: &mut Schemas, parts: &mut Parts);
}

/// A handler whose types say what it is.
pub(in crate::gateway) trait Described<T> {
    fn describe(schemas: &mut Schemas) -> Parts;
}

impl Asks for State<SharedGateway> {}

impl Asks for Asker {}

impl Asks for Standing {}

impl Asks for Upgrade {
    fn describe(_: &mut Schemas, parts: &mut Parts) {
        parts.header("Upgrade", "The handshake of RFC 6455.", true, json!({ "const": "websocket" }));
    }
}

impl Asks for IfMatch {
    fn describe(_: &mut Schemas, parts: &mut Parts) {
        parts.header("If-Match", "The `ETag` of what this is to replace.", true, json!({ "type": "string" }));
    }
}

/// Of a list in pages, which link to themselves.
impl Asks for Uri {}

/// The pattern of the route names them.
impl<T> Asks for Path<T> {}

impl<T: JsonSchema> Asks for Params<T> {
    fn describe(schemas: &mut Schemas, parts: &mut Parts) {
        let mut schema = schemas.request::<T>();
        let required = schema["required"].take();
        let is_required = |name: &String| required.as_array().is_some_and(|all| all.iter().any(|one| one == name));
        let Value::Object(properties) = schema["properties"].take() else { return };
        for (name, mut schema) in properties {
            let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
            // Nobody can write a null into a query: it is left out.
            if let Some(Value::Array(kinds)) = schema.get_mut("type") {
                kinds.retain(|kind| kind != "null");
            }
            if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
            }
            let required = is_required(&name);
            let parameter = json!({
                "name": name, "in": "query", "required": required, "description": about.unwrap_or("".into()),
                "schema": schema,
            });
            parts.parameters.push(parameter);
        }
    }
}

impl<T: JsonSchema> Asks for Quiet<T> {
    fn describe(schemas: &mut Schemas, parts: &mut Parts) {
        <Body<T> as Asks>::describe(schemas, parts);
    }
}

impl<T: JsonSchema> Asks for Body<T> {
    fn describe(schemas: &mut Schemas, parts: &mut Parts) {
        let schema = schemas.request::<T>();
        parts.body = Some(json!({ "required": true, "content": { "application/json": { "schema": schema } } }));
    }
}

impl<T: JsonSchema> Answers for Json<T> {
    fn describe(schemas: &mut Schemas, parts: &mut Parts) {
        parts.content = json!({ "application/json": { "schema": schemas.answer::<T>() } });
    }
}

impl<T: JsonSchema> Answers for Tagged<T> {
    fn describe(schemas: &mut Schemas, parts: &mut Parts) {
        <Json<T> as Answers>::describe(schemas, parts);
    }
}

impl<T: JsonSchema> Answers for Page<T> {
    fn describe(schemas: &mut Schemas, parts: &mut Parts) {
        <Json<Vec<T>> as Answers>::describe(schemas, parts);
        let about = "Where the next page is (RFC 8288), with `rel=\"next\"`; absent on the last one.";
        parts.headers.push(("Link", json!({ "description": about, "schema": { "type": "string" } })));
    }
}

impl Answers for Switched {
    fn describe(_: &mut Schemas, _: &mut Parts) {}
}

impl<S> Answers for Sse<S> {
    fn describe(_: &mut Schemas, parts: &mut Parts) {
        parts.content = json!({ "text/event-stream": { "schema": { "type": "string" } } });
    }
}

/// Problems are the same for every operation.
impl<T: Answers, E: Into<Refusal>> Answers for Result<T, E> {
    fn describe(schemas: &mut Schemas, parts: &mut Parts) {
        T::describe(schemas, parts);
    }
}

macro_rules! described {
    ($($input:ident),*) => {
        impl<F, Fut, R, M, $($input),*> Described<(M, $($input,)*)> for F
        where
            F: FnOnce($($input),*) -> Fut,
            Fut: Future<Output = R>,
            R: Answers,
            $($input: Asks,)*
        {
            fn describe(schemas: &mut Schemas) -> Parts {
                let mut parts = Parts::default();
                $($input::describe(schemas, &mut parts);)*
                R::describe(schemas, &mut parts);
                parts
            }
        }
    };
}

described!();
described!(A);
described!(A, B);
described!(A, B, C);
described!(A, B, C, D);
described!(A, B, C, D, E);
described!(A, B, C, D, E, G);
described!(A, B, C, D, E, G, H);
