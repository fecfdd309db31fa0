//! What the host process was started with.

use std::io::Read;

use evil_kit::{Attack, report};
use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, json};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "environment",
        must: "The result is an empty list: there is no environment variable.",
        run: environment,
    },
    Attack { name: "arguments", must: "The result is an empty list: there is no command line.", run: command_line },
    Attack {
        name: "input",
        must: "Standard input gives no byte: the result is `got: 0`, or it is refused.",
        run: input,
    },
    Attack { name: "spawn", must: "Starting a process is refused with `evil.refused`.", run: spawn },
    Attack { name: "thread", must: "Starting a thread is refused with `evil.refused`.", run: thread },
];

fn environment(_: &Value) -> Result<String, Error> {
    let found: Vec<_> = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    json::print(&found)
}

fn command_line(_: &Value) -> Result<String, Error> {
    let found: Vec<_> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    json::print(&found)
}

fn input(_: &Value) -> Result<String, Error> {
    report(std::io::stdin().read_to_end(&mut Vec::new()))
}

fn spawn(_: &Value) -> Result<String, Error> {
    report(std::process::Command::new("/bin/sh").args(["-c", "id"]).output().map(|_| "a process"))
}

fn thread(_: &Value) -> Result<String, Error> {
    report(std::thread::Builder::new().spawn(|| ()).map(|_| "a thread"))
}
