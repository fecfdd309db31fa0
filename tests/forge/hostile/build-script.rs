---
[package]
build = "build.rs"

[build-dependencies]
---
// Brings a manifest of its own, with a build script.
// stage: build
// code: forge.compile
const LOOT: &str = "";

use wasmill_sdk::{Error, Function, Tool};

struct Hostile;

impl Tool for Hostile {
    fn describe() -> Vec<Function> {
        vec![Function::new("f", "Does nothing.", "{}", "{}")]
    }

    fn call(_: &str, _: &str) -> Result<String, Error> {
        Ok(format!("{:?}", LOOT))
    }
}

wasmill_sdk::tool!(Hostile);
