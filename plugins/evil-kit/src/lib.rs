//! What the hostile plugins have in common: attacks by name, each with a sentence on what must happen.

use std::fmt::Display;

use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, Function, json};

/// Something that must not succeed.
#[derive(Clone, Copy)]
pub struct Attack {
    /// Function that starts it.
    pub name: &'static str,
    /// What must happen.
    pub must: &'static str,
    /// Tries it. The text is the result as JSON.
    pub run: fn(&Value) -> Result<String, Error>,
}

impl Attack {
    /// The function that starts this attack.
    pub fn function(&self) -> Function {
        Function::new(self.name, self.must, r#"{"type":"object"}"#, "{}")
    }
}

/// The outcome of something that the host should have refused, as a result or an error that can be told apart.
///
/// # Errors
/// `evil.refused` with the words of the refusal.
pub fn report<T: Display, E: Display>(outcome: Result<T, E>) -> Result<String, Error> {
    match outcome {
        Ok(got) => json::print(&format!("got: {got}")),
        Err(refusal) => Err(Error::failed("evil.refused", refusal.to_string())),
    }
}

/// Describes all attacks.
pub fn describe(kinds: &[&[Attack]]) -> Vec<Function> {
    kinds.concat().iter().map(Attack::function).collect()
}

/// Starts the attack of that name.
///
/// # Errors
/// What the attack met.
pub fn start(kinds: &[&[Attack]], name: &str, arguments: &str) -> Result<String, Error> {
    let attacks = kinds.concat();
    let attack = attacks.iter().find(|attack| attack.name == name).ok_or_else(|| Error::no_function(name))?;
    (attack.run)(&json::parse(arguments)?)
}

/// A number among the arguments, or what is used without it.
pub fn number(arguments: &Value, name: &str, default: u64) -> u64 {
    arguments[name].as_u64().unwrap_or(default)
}

/// A text among the arguments, or what is used without it.
pub fn text<'a>(arguments: &'a Value, name: &str, default: &'a str) -> &'a str {
    arguments[name].as_str().unwrap_or(default)
}
