// Looks for a second file.
// stage: refuse
// code: forge.source
// says: one file
// alone: forge.compile file not found for module
mod loot;

use loot::LOOT;

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
