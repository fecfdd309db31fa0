// Reaches for durable state, which only agents have.
// stage: inspect
// code: forge.import
// says: no tool may have

const LOOT: fn() -> bool = || wasmill_sdk::state::get(b"key").is_ok();

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
