//! Answers what a policy in Rego denies, in regorus.
//!
//! The source is one module with `package wasmill` and the partial set `deny` of texts: why something is denied. It is
//! asked about one input at a time, each time in a fresh engine, and sees nothing but that input.

mod policy;
mod refusal;

use regorus::Value;
use wasmill_sdk::engine::{Engine, Fault, source};
use wasmill_sdk::{Error, Function, Tool};

use policy::Policy;

/// The one function that every policy has.
const DENY: &str = "deny";

struct Rego;

impl Engine for Rego {
    fn check() -> Result<(), Fault> {
        // Asked once about nothing, a policy shows most of what it would stumble over later.
        let asked = Policy::read(&source()).and_then(|mut policy| policy.denies(Value::new_object()));
        asked.map(drop).map_err(|refusal| refusal.fault())
    }
}

impl Tool for Rego {
    fn describe() -> Vec<Function> {
        let about = "Why the policy denies what the arguments are about; nothing where it doesn't.";
        let output = r#"{"type":"array","items":{"type":"string"}}"#;
        vec![Function::new(DENY, about, r#"{"type":"object"}"#, output)]
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        if function != DENY {
            return Err(Error::no_function(function));
        }
        let input = Value::from_json_str(arguments).map_err(|error| Error::invalid("rego.input", error.to_string()))?;
        let reasons = Policy::read(&source()).and_then(|mut policy| policy.denies(input));
        let reasons = reasons.map_err(|refusal| refusal.error())?;
        serde_json::to_string(&reasons).map_err(|error| Error::failed("rego.answer", error.to_string()))
    }
}

wasmill_sdk::engine!(Rego);
