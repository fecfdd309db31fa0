//! Asking a tool what it can do, once, when it is loaded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::Store;

use super::answer::depth;
use super::call::end_of_call;
use super::component::ToolFunction;
use super::error::CatalogError;
use super::instance::new_store;
use crate::capabilities::{CallContext, Guest, Identity, Services, problem};
use crate::runtime::bindings::ToolComponentPre;
use crate::runtime::bindings::tool_types::Function;
use crate::runtime::{Engine, RuntimeError};
use crate::schemas::Schema;

/// Most functions of one tool.
const FUNCTIONS_MAX: usize = 64;
/// Longest name of a function, bytes.
const NAME_SIZE_MAX: usize = 64;
/// Longest description, bytes.
const DESCRIPTION_SIZE_MAX: usize = 8 * 1024;
/// Deepest nesting of a schema.
const SCHEMA_DEPTH_MAX: usize = 64;
/// Time that describing may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// Calls `describe` in a fresh instance and checks what it says.
///
/// # Errors
/// [`CatalogError::Describe`] for a trap, a reached limit, or an answer that can't be.
pub(super) async fn describe(
    engine: &Engine,
    services: &Arc<Services>,
    identity: &Arc<Identity>,
    pre: &ToolComponentPre<Guest>,
) -> Result<Vec<ToolFunction>, CatalogError> {
    let failed = |reason: String| CatalogError::Describe { component: identity.component.to_string(), reason };
    let context = CallContext::closed(Instant::now() + DEADLINE, "".into());
    let mut store = new_store(engine, Guest::new(identity.clone(), services.clone(), context, None));
    let functions = match tokio::time::timeout(DEADLINE, ask(&mut store, pre)).await {
        Ok(Ok(functions)) => functions,
        Ok(Err(error)) => {
            let error = RuntimeError::from_call(&error, store.data_mut().limiter().refused());
            return Err(failed(problem(&end_of_call(identity, store.data().context(), &error)).message));
        }
        Err(_) => return Err(failed(format!("no answer within {} s", DEADLINE.as_secs()))),
    };
    check(functions).map_err(failed)
}

async fn ask(store: &mut Store<Guest>, pre: &ToolComponentPre<Guest>) -> wasmtime::Result<Vec<Function>> {
    let instance = pre.instantiate_async(&mut *store).await?;
    instance.wasmill_plugin_tool().call_describe(store).await
}

fn check(functions: Vec<Function>) -> Result<Vec<ToolFunction>, String> {
    if functions.is_empty() || functions.len() > FUNCTIONS_MAX {
        return Err(format!("{} functions; a tool has 1 to {FUNCTIONS_MAX}", functions.len()));
    }
    let mut checked: Vec<ToolFunction> = Vec::with_capacity(functions.len());
    for function in functions {
        let name = &function.name;
        if name.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(no_name(name));
        }
        if checked.iter().any(|f| f.function.name == *name) {
            return Err(format!("two functions are named `{name}`"));
        }
        checked.push(ToolFunction::checked(function)?);
    }
    Ok(checked)
}

impl ToolFunction {
    /// Checks what somebody says of a function of theirs: its name is one that language models take, description and
    /// schemas are bounded, and the schemas are such, without a reference to anything outside of them.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn checked(function: Function) -> Result<Self, String> {
        let name = &function.name;
        if !is_name(name) {
            return Err(no_name(name));
        }
        if function.description.len() > DESCRIPTION_SIZE_MAX {
            return Err(format!("the description of `{name}` has over {DESCRIPTION_SIZE_MAX} bytes"));
        }
        let arguments = schema(&function.input_schema).map_err(|e| format!("the input schema of `{name}` {e}"))?;
        if !takes_objects(&function.input_schema) {
            return Err(format!("the input schema of `{name}` takes no object, and arguments are one"));
        }
        let result = schema(&function.output_schema).map_err(|e| format!("the output schema of `{name}` {e}"))?;
        Ok(Self { function, arguments: Arc::new(arguments), result: Arc::new(result) })
    }
}

fn is_name(name: &str) -> bool {
    (1..=NAME_SIZE_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn no_name(name: &str) -> String {
    format!("`{}` is no name for a function", name.escape_debug().take(NAME_SIZE_MAX).collect::<String>())
}

/// False for a schema that refuses every object by its type. One that does so in another way is only useless.
fn takes_objects(schema: &str) -> bool {
    match serde_json::from_str::<serde_json::Value>(schema).ok().as_ref().and_then(|schema| schema.get("type")) {
        Some(serde_json::Value::String(one)) => one == "object",
        Some(serde_json::Value::Array(several)) => several.iter().any(|one| one == "object"),
        _ => true,
    }
}

fn schema(text: &str) -> Result<Schema, String> {
    if depth(text) > SCHEMA_DEPTH_MAX {
        return Err(format!("is nested over {SCHEMA_DEPTH_MAX} deep"));
    }
    Schema::parse(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(name: &str, input: &str) -> Function {
        Function {
            name: name.into(),
            description: String::new(),
            input_schema: input.into(),
            output_schema: "{}".into(),
        }
    }

    #[test]
    fn a_description_that_cannot_be_is_refused_with_the_reason() {
        let cases = [
            (vec![], "0 functions"),
            ((0..65).map(|i| function(&format!("f{i}"), "{}")).collect(), "65 functions"),
            (vec![function("A b", "{}")], "no name"),
            (vec![function("f", "{}"), function("f", "{}")], "two functions"),
            (vec![function("f", "{")], "not JSON"),
            (vec![function("f", r#"{"type": 7}"#)], "not a JSON Schema"),
            (vec![function("f", r#"{"type": "string"}"#)], "takes no object"),
            (vec![function("f", r#"{"type": ["null", "array"]}"#)], "takes no object"),
            (vec![function("f", &format!("\"{}\"", "x".repeat(64 * 1024)))], "over"),
            (vec![function("f", &format!("{}{{}}{}", r#"{"not":"#.repeat(64), "}".repeat(64)))], "deep"),
            (vec![function("f", "{}"), function("F", "{}")], "no name"),
        ];
        for (functions, reason) in cases {
            let error = check(functions).err().unwrap();
            assert!(error.contains(reason), "{error} does not say {reason}");
        }
        assert_eq!(check(vec![function("f", "{}"), function("g", "true")]).ok().unwrap().len(), 2);
    }

    #[test]
    fn a_schema_cannot_make_the_host_read_a_file_or_ask_a_server() {
        for reference in ["file:///etc/hostname", "http://127.0.0.1:9/x"] {
            assert!(check(vec![function("f", &format!(r#"{{"$ref": "{reference}"}}"#))]).is_err(), "{reference}");
        }
    }
}
