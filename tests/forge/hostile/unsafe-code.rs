// Writes where it likes, in its own memory.
// stage: refuse
// code: forge.source
// says: unsafe
const LOOT: u8 = unsafe { *(&7u8 as *const u8) };

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
