//! The hostile tool: tries what a tool without any grant must not be able to do.
//!
//! One module per kind of attack, one function per attack, picked by name; the description of each says what must
//! happen. A call that comes back with a result has told what it got; whether that is harmless is for the caller to judge.
//! The setting `describe` makes the tool lie about itself, see [`lies`].

mod clocks;
mod compute;
mod crash;
mod environment;
mod files;
mod flood;
mod lies;
mod memory;
mod output;
mod settings;

use evil_kit::Attack;
use wasmill_sdk::{Error, Function, Tool};

/// All attacks, by what they attack.
const KINDS: [&[Attack]; 9] = [
    files::ATTACKS,
    environment::ATTACKS,
    clocks::ATTACKS,
    compute::ATTACKS,
    memory::ATTACKS,
    output::ATTACKS,
    crash::ATTACKS,
    flood::ATTACKS,
    settings::ATTACKS,
];

struct Evil;

impl Tool for Evil {
    fn describe() -> Vec<Function> {
        lies::about(evil_kit::describe(&KINDS))
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        evil_kit::start(&KINDS, function, arguments)
    }
}

wasmill_sdk::tool!(Evil);
