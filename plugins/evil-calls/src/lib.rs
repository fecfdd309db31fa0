//! The hostile tool that may call tools: itself, others, and too many at once.
//!
//! Needs a row that grants it `evil-calls`, and only that.

use evil_kit::{Attack, number, text};
use wasmill_sdk::serde_json::{Value, json};
use wasmill_sdk::{Error, Function, Tool, json, tools};

const KINDS: [&[Attack]; 1] = [&[
    Attack {
        name: "ungranted",
        must: "Calling the tool `tool`, which no row grants, is `denied`; the message names the row that would.",
        run: ungranted,
    },
    Attack {
        name: "discover",
        must: "The result lists the tools that are granted and no other: only `evil-calls`.",
        run: discover,
    },
    Attack {
        name: "depth",
        must: "A tool that calls itself without end meets `limit` with `tool.depth`; the result says how deep it came.",
        run: depth,
    },
    Attack {
        name: "fork-bomb",
        must: "A tool that calls itself 64 times at each level is ended by depth and deadline; the host keeps answering.",
        run: fork_bomb,
    },
    Attack { name: "many", must: "10,000 calls at once are refused with `limit`, and none is made.", run: many },
    Attack {
        name: "huge-arguments",
        must: "Arguments of 64 MiB are refused with `invalid` or `limit`.",
        run: huge_arguments,
    },
    Attack { name: "names", must: "No odd name leads to a tool: the result is an empty list.", run: names },
    Attack {
        name: "bad-arguments",
        must: "Arguments that are no JSON, or no object, are refused with `invalid` before the tool sees them.",
        run: bad_arguments,
    },
    Attack {
        name: "outlive",
        must: "A called loop ends with the caller's deadline, though its own would be longer.",
        run: outlive,
    },
    Attack { name: "loop", must: "A loop without end is stopped by `compute_ms`; the error names it.", run: endless },
]];

struct EvilCalls;

impl Tool for EvilCalls {
    fn describe() -> Vec<Function> {
        evil_kit::describe(&KINDS)
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        evil_kit::start(&KINDS, function, arguments)
    }
}

wasmill_sdk::tool!(EvilCalls);

fn ungranted(arguments: &Value) -> Result<String, Error> {
    tools::call(text(arguments, "tool", "evil"), "echo", "{}")
}

fn discover(_: &Value) -> Result<String, Error> {
    json::print(&tools::list()?.into_iter().map(|tool| tool.name).collect::<Vec<_>>())
}

fn depth(arguments: &Value) -> Result<String, Error> {
    let level = number(arguments, "level", 0);
    match tools::call("evil-calls", "depth", &json!({ "level": level + 1 }).to_string()) {
        Err(error) if error.code() == "tool.depth" => json::print(&level),
        deeper => deeper,
    }
}

fn fork_bomb(_: &Value) -> Result<String, Error> {
    let bomb = vec![tools::invocation("evil-calls", "fork-bomb", "{}"); 64];
    let answers = tools::call_all(&bomb)?;
    json::print(&answers.iter().filter(|answer| answer.is_ok()).count())
}

fn many(_: &Value) -> Result<String, Error> {
    let calls = vec![tools::invocation("evil-calls", "discover", "{}"); 10_000];
    json::print(&tools::call_all(&calls)?.len())
}

fn huge_arguments(_: &Value) -> Result<String, Error> {
    let arguments = json!({ "x": "x".repeat(64 * 1024 * 1024) }).to_string();
    tools::call("evil-calls", "discover", &arguments)
}

fn names(_: &Value) -> Result<String, Error> {
    let huge = "x".repeat(1024 * 1024);
    let odd = [
        "",
        "*",
        "evil-*",
        "../evil",
        "evil-calls@",
        "evil-calls@*",
        "evil-calls@99.0.0",
        "EVIL-CALLS",
        "evil-calls\0",
        &huge,
    ];
    let found: Vec<_> = odd.iter().filter(|name| tools::call(name, "discover", "{}").is_ok()).collect();
    json::print(&found)
}

fn bad_arguments(_: &Value) -> Result<String, Error> {
    let bad = ["", "{", "[]", "null", "{} {}", "{\"a\":1,}"];
    let taken: Vec<_> = bad.iter().filter(|text| tools::call("evil-calls", "discover", text).is_ok()).collect();
    json::print(&taken)
}

fn outlive(_: &Value) -> Result<String, Error> {
    tools::call("evil-calls", "loop", "{}")
}

fn endless(_: &Value) -> Result<String, Error> {
    loop {
        std::hint::black_box(());
    }
}
