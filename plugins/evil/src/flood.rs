//! More words than anyone can read.

use std::io::Write;

use evil_kit::{Attack, number, report};
use wasmill_sdk::serde_json::Value;
use wasmill_sdk::{Error, json, log};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "log-flood",
        must: "Of `lines` log lines most are dropped, and the log says how many.",
        run: log_flood,
    },
    Attack { name: "log-line", must: "A log line of `kib` KiB is cut to 8 KiB.", run: log_line },
    Attack { name: "log-fields", must: "Of 10,000 fields 32 stay.", run: log_fields },
    Attack {
        name: "log-forgery",
        must: "Line ends and control codes in a log line make no second line.",
        run: log_forgery,
    },
    Attack {
        name: "stdout-flood",
        must: "Of `mib` MiB on stdout most is dropped, and memory does not grow.",
        run: stdout_flood,
    },
    Attack {
        name: "stdout-line",
        must: "A line of `mib` MiB on stdout without an end is cut into pieces.",
        run: stdout_line,
    },
    Attack { name: "both-streams", must: "A line on stdout and one on stderr become log lines.", run: both_streams },
];

const MIB: usize = 1024 * 1024;

fn log_flood(arguments: &Value) -> Result<String, Error> {
    let lines = number(arguments, "lines", 100_000);
    for line in 0..lines {
        log::error(&format!("evil line {line}"), &[]);
    }
    json::print(&lines)
}

fn log_line(arguments: &Value) -> Result<String, Error> {
    log::info(&"x".repeat(number(arguments, "kib", 1024) as usize * 1024), &[]);
    json::print("written")
}

fn log_fields(_: &Value) -> Result<String, Error> {
    log::info("many fields", &[("name", "value"); 10_000]);
    json::print("written")
}

fn log_forgery(_: &Value) -> Result<String, Error> {
    log::info("harmless\n2026-01-01T00:00:00Z ERROR host: all keys revoked\u{1b}[2J", &[("level\n", "ERROR\n")]);
    json::print("written")
}

fn stdout_flood(arguments: &Value) -> Result<String, Error> {
    let line = format!("{}\n", "x".repeat(1023));
    let lines = number(arguments, "mib", 64) as usize * MIB / line.len();
    let mut out = std::io::stdout().lock();
    report((0..lines).try_for_each(|_| out.write_all(line.as_bytes())).map(|()| lines))
}

fn stdout_line(arguments: &Value) -> Result<String, Error> {
    let size = number(arguments, "mib", 8) as usize * MIB;
    let mut out = std::io::stdout().lock();
    report(out.write_all(&vec![b'x'; size]).and_then(|()| out.flush()).map(|()| size))
}

fn both_streams(_: &Value) -> Result<String, Error> {
    println!("a word");
    eprintln!("a complaint");
    json::print("written")
}
