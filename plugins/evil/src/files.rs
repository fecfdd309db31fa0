//! The host's files.

use std::fs;

use evil_kit::{Attack, report, text};
use wasmill_sdk::Error;
use wasmill_sdk::serde_json::Value;

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "read-file",
        must: "Reading the file `path` is refused with `evil.refused`, wherever it lies.",
        run: read_file,
    },
    Attack { name: "list-folder", must: "Listing the folder `path` is refused with `evil.refused`.", run: list_folder },
    Attack {
        name: "write-file",
        must: "Writing to the file `path` is refused with `evil.refused`, and no such file appears.",
        run: write_file,
    },
    Attack {
        name: "climb",
        must: "Reading a file through any number of `..` is refused with `evil.refused`.",
        run: climb,
    },
    Attack { name: "link", must: "Making a link to a host file is refused with `evil.refused`.", run: link },
];

fn read_file(arguments: &Value) -> Result<String, Error> {
    report(fs::read_to_string(text(arguments, "path", "/etc/passwd")))
}

fn list_folder(arguments: &Value) -> Result<String, Error> {
    report(fs::read_dir(text(arguments, "path", "/")).map(|entries| entries.count()))
}

fn write_file(arguments: &Value) -> Result<String, Error> {
    let path = text(arguments, "path", "/tmp/evil-was-here");
    report(fs::write(path, "evil").map(|()| path))
}

fn climb(_: &Value) -> Result<String, Error> {
    let ways = (0..16).map(|depth| format!("{}etc/passwd", "../".repeat(depth)));
    report(ways.map(fs::read_to_string).find(Result::is_ok).unwrap_or_else(|| fs::read_to_string("etc/passwd")))
}

fn link(_: &Value) -> Result<String, Error> {
    report(fs::hard_link("/etc/passwd", "passwd").map(|()| "a link"))
}
