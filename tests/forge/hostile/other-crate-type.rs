// Asks to be a procedural macro by an attribute of the crate.
// stage: refuse
// code: forge.source
// says: crate_type
// alone: forge.compile
#![crate_type = "proc-macro"]

#[proc_macro]
pub fn steal(_: u8) {}

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
