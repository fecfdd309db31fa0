//! Runs tools that are one JavaScript module each, in QuickJS.
//!
//! A tool exports its functions: objects with `call`, and with `description`, `input` and `output` (JSON Schema) for who
//! chooses among tools. Each call meets a fresh engine; what a module keeps in variables is gone afterwards.

mod api;
mod functions;
mod module;
mod thrown;

use wasmill_sdk::engine::{Engine, Fault};
use wasmill_sdk::{Error, Function, Tool, log};

struct JavaScript;

impl Engine for JavaScript {
    fn check() -> Result<(), Fault> {
        module::with_exports(functions::all).map(drop).map_err(|thrown| thrown.fault())
    }
}

impl Tool for JavaScript {
    fn describe() -> Vec<Function> {
        module::with_exports(functions::all).unwrap_or_else(|thrown| {
            log::error(&thrown.fault().message, &[]);
            Vec::new()
        })
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        module::with_exports(|ctx, exports| functions::call(ctx, exports, function, arguments))
            .map_err(|thrown| thrown.error())
    }
}

wasmill_sdk::engine!(JavaScript);
