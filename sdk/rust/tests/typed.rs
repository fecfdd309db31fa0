//! What `tool! { fn … }` makes of functions, seen through the trait that it implements.
#![cfg(feature = "typed")]
#![allow(clippy::unwrap_used, reason = "what helpers of tests unwrap is what the test is about")]

use wasmill_sdk::serde_json::{Value, json};
use wasmill_sdk::{Error, Function, Tool};

wasmill_sdk::tool! {
    /// Repeats a text.
    ///
    /// Line by
    /// line.
    fn repeat(
        /// What to repeat.
        text: String,
        times: Option<u8>,
    ) -> Result<String, Error> {
        Ok(text.repeat(times.unwrap_or(2).into()))
    }

    fn fail() -> Result<(), &'static str> {
        Err("as intended")
    }

    fn tree(tree: Tree) -> Result<Tree, String> {
        Ok(tree)
    }
}

/// A type that contains itself.
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Tree {
    leaves: Vec<Tree>,
}

fn function(name: &str) -> Function {
    __Functions::describe().into_iter().find(|function| function.name == name).unwrap()
}

fn schema(text: &str) -> Value {
    wasmill_sdk::serde_json::from_str(text).unwrap()
}

fn call(name: &str, arguments: &Value) -> Result<Value, Error> {
    __Functions::call(name, &arguments.to_string()).map(|result| schema(&result))
}

fn refusal(name: &str, arguments: &Value) -> String {
    match call(name, arguments) {
        Err(Error::Invalid(problem)) => problem.message,
        other => panic!("{other:?} is no refusal"),
    }
}

#[test]
fn a_comment_becomes_the_description_with_its_paragraphs() {
    assert_eq!(function("repeat").description, "Repeats a text.\n\nLine by line.");
    assert_eq!(function("fail").description, "");
}

#[test]
fn arguments_become_an_object_schema() {
    let expected = json!({
        "type": "object",
        "properties": {
            "text": { "type": "string", "description": "What to repeat." },
            "times": { "type": ["integer", "null"], "format": "uint8", "minimum": 0, "maximum": 255 },
        },
        "required": ["text"],
        "additionalProperties": false,
    });
    assert_eq!(schema(&function("repeat").input_schema), expected);
    assert_eq!(schema(&function("repeat").output_schema), json!({ "type": "string" }));
}

#[test]
fn a_type_that_contains_itself_brings_its_definition_along() {
    let Function { input_schema, output_schema, .. } = function("tree");
    for text in [input_schema, output_schema] {
        let schema = schema(&text);
        assert_eq!(schema["$defs"]["Tree"]["properties"]["leaves"]["items"], json!({ "$ref": "#/$defs/Tree" }));
    }
}

#[test]
fn what_is_optional_may_be_left_out() {
    assert_eq!(call("repeat", &json!({ "text": "ab" })).unwrap(), "abab");
    assert_eq!(call("repeat", &json!({ "text": "ab", "times": 1 })).unwrap(), "ab");
}

#[test]
fn arguments_that_do_not_fit_are_refused_by_name() {
    assert_eq!(refusal("repeat", &json!({})), "argument `text` is missing");
    assert_eq!(refusal("repeat", &json!({ "text": "", "more": 1 })), "there is no argument `more`");
    assert!(refusal("repeat", &json!({ "text": "", "times": 256 })).starts_with("argument `times` does not fit"));
    assert!(matches!(call("repeat", &json!([])), Err(Error::Invalid(_))));
}

#[test]
fn a_text_as_error_is_a_failure() {
    let error = call("fail", &json!({})).unwrap_err();
    assert!(matches!(&error, Error::Failed(_)));
    assert_eq!(error.message(), "as intended");
}

#[test]
fn an_unknown_function_is_not_found() {
    assert!(matches!(call("nothing", &json!({})), Err(Error::NotFound(_))));
}
