//! Adds numbers: the small way, without any crate.

use wasmill_sdk::{Error, Function, Tool};

struct Sum;

impl Tool for Sum {
    fn describe() -> Vec<Function> {
        vec![Function::new(
            "sum",
            "Adds up the numbers of a text.",
            r#"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}"#,
            r#"{"type":"integer"}"#,
        )]
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        if function != "sum" {
            return Err(Error::no_function(function));
        }
        let digits = arguments.split(|c: char| !c.is_ascii_digit());
        let sum: u64 = digits.filter_map(|n| n.parse::<u64>().ok()).sum();
        Ok(sum.to_string())
    }
}

wasmill_sdk::tool!(Sum);
