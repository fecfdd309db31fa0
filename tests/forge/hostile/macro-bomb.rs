// Two to the power of forty expressions from forty lines of macro.
// stage: build
// code: forge.limit.processor forge.limit.wall forge.limit.memory
macro_rules! bomb {
    ([$($left:tt)*] $($n:tt)*) => { bomb!(@ [$($left)*] $($n)*) };
    (@ [] $($n:tt)*) => { 0 $(+ { $n; 1 })* };
    (@ [$first:tt $($left:tt)*] $($n:tt)*) => { bomb!(@ [$($left)*] $($n)* $($n)*) };
}

const LOOT: u64 = bomb!([a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a] 1);

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
