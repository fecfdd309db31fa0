// Takes the place of a function that the bindings export.
// stage: refuse
// code: forge.source
// says: export_name
#[export_name = "wasmill:plugin/tool@0.1.0#call"]
pub fn steal() {}

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
