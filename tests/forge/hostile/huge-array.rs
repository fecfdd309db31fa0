// A gigabyte of data in the component.
// stage: build
// code: forge.limit.memory forge.limit.disk forge.limit.processor forge.limit.wall forge.compile
static LOOT: [u64; 1 << 27] = [0x0123_4567_89ab_cdef; 1 << 27];

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
