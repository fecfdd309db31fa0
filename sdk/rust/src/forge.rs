//! Turns source into a callable tool: built in a sandbox, inspected, tried, signed, registered. Needs `forge`.

use crate::Error;
use crate::bindings::agent::wasmill::plugin::forge;

pub use forge::{Diagnostic, Example, Language, Outcome, Product, Refusal, Request, Severity, Stage, Timing};

/// A request for a tool in one Rust file, without dependencies beside the SDK, examples or permissions.
pub fn rust(name: &str, description: &str, source: impl Into<String>) -> Request {
    request(Language::Rust, name, description, source.into())
}

/// A request for a tool in one JavaScript module that exports its functions, without examples or permissions.
pub fn javascript(name: &str, description: &str, source: impl Into<String>) -> Request {
    request(Language::Javascript, name, description, source.into())
}

fn request(language: Language, name: &str, description: &str, source: String) -> Request {
    Request {
        name: name.to_owned(),
        description: description.to_owned(),
        language,
        source,
        dependencies: Vec::new(),
        examples: Vec::new(),
        permissions: String::new(),
    }
}

impl Request {
    /// Adds a call that the finished tool must answer with `expected`, both JSON text; none: any answer that is no error.
    #[must_use]
    pub fn with_example(mut self, function: &str, arguments: impl Into<String>, expected: Option<String>) -> Self {
        self.examples.push(Example { function: function.to_owned(), arguments: arguments.into(), expected });
        self
    }

    /// Adds a crate out of the allowed set, by name.
    #[must_use]
    pub fn with_dependency(mut self, name: &str) -> Self {
        self.dependencies.push(name.to_owned());
        self
    }

    /// Asks for permissions: TOML in the words of a permission row without its principal.
    #[must_use]
    pub fn with_permissions(mut self, toml: impl Into<String>) -> Self {
        self.permissions = toml.into();
        self
    }
}

/// Makes a tool. The same request from the same maker gives the tool that is already there.
///
/// # Errors
/// `denied` without `forge`; `limit` for a reached quota; `unavailable` where this host has no sandbox or no compiler,
/// or no engine.
/// Everything about the source itself is an [`Outcome`].
pub fn build(request: &Request) -> Result<Outcome, Error> {
    forge::build(request)
}
