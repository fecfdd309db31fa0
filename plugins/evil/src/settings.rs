//! The contract itself, used in ways that it does not allow.

use evil_kit::Attack;
use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, config, json};

pub const ATTACKS: &[Attack] = &[
    Attack { name: "echo", must: "Harmless: answers with its arguments. Shows that the tool still works.", run: echo },
    Attack {
        name: "settings",
        must: "The result holds this component's own settings and nobody else's.",
        run: |_| json::print(&config::get_all()),
    },
    Attack {
        name: "setting-names",
        must: "No name of a setting leads to another component's settings: the result is an empty list.",
        run: setting_names,
    },
];

fn echo(arguments: &Value) -> Result<String, Error> {
    json::print(arguments)
}

fn setting_names(_: &Value) -> Result<String, Error> {
    let huge = "x".repeat(1024 * 1024);
    let names = ["", "*", "../upper", "tool:upper/describe", "%", "'; drop table settings; --", "\0", &huge];
    let found: Vec<_> = names.iter().filter_map(|name| config::get(name)).collect();
    json::print(&found)
}
