// Would run native code inside the compiler.
// stage: refuse
// code: forge.source
// alone: forge.compile
extern crate proc_macro;

#[proc_macro]
pub fn steal(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    input
}

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
