// Keeps the compiler computing without end.
// stage: build
// code: forge.limit.processor forge.limit.wall
#![allow(long_running_const_eval)]

const fn spin() -> u8 {
    let mut n = 0u64;
    loop {
        n = n.wrapping_add(1);
    }
}

const LOOT: u8 = spin();

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
