// A text of sixty-four gigabytes, put together while compiling.
// stage: build
// code: forge.limit.memory forge.limit.processor forge.limit.wall forge.limit.disk
macro_rules! double {
    ($text:expr;) => { $text };
    ($text:expr; $first:tt $($left:tt)*) => { double!(concat!($text, $text); $($left)*) };
}

const LOOT: &str = double!("0123456789abcdef"; a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a);

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
