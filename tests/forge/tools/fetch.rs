//! Asks a server: what a tool needs a grant for.

use wasmill_sdk::http::{self, Request};
use wasmill_sdk::{Error, Function, Tool};

struct Fetch;

impl Tool for Fetch {
    fn describe() -> Vec<Function> {
        vec![Function::new("status", "Asks a server how it is.", r#"{"type":"object"}"#, r#"{"type":"integer"}"#)]
    }

    fn call(_: &str, _: &str) -> Result<String, Error> {
        Ok(http::send(&Request::get("https://api.example.com/"))?.status.to_string())
    }
}

wasmill_sdk::tool!(Fetch);
