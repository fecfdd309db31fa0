// Switches on what the compiler calls unfinished.
// stage: refuse
// code: forge.source
// says: feature
// alone: forge.compile
#![feature(asm_experimental_arch)]

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
