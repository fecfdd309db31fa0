//! The forge, asked for what it must not make.

use wasmill_sdk::forge::{self, Outcome, Request};
use wasmill_sdk::{Failure, Outbox};

use crate::{Attack, Case};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "forge",
        must: "The `source` in the record is refused or built in the sandbox; the result names the stage or the tool.",
        run: source,
    },
    Attack {
        name: "forge-more",
        must: "A tool with more permissions than this agent's own is refused at `inspect`, or gets only the agent's.",
        run: more,
    },
    Attack { name: "forge-names", must: "No odd name is taken: the result is an empty list.", run: names },
    Attack {
        name: "forge-crates",
        must: "No crate outside the allowed set is taken: the result is an empty list.",
        run: crates,
    },
    Attack { name: "forge-size", must: "A source of 1 MiB is refused.", run: size },
    Attack { name: "forge-many", must: "1,000 builds meet `limit` at `builds_per_hour`.", run: many },
];

/// A tool that needs nothing and is right.
const HARMLESS: &str = r#"
use wasmill_sdk::{Error, Function, Tool};
struct Harmless;
impl Tool for Harmless {
    fn describe() -> Vec<Function> { vec![Function::new("f", "Nothing.", "{\"type\":\"object\"}", "{}")] }
    fn call(_: &str, _: &str) -> Result<String, Error> { Ok("null".into()) }
}
wasmill_sdk::tool!(Harmless);
"#;

fn request(name: &str) -> Request {
    forge::rust(name, "Hostile, for tests.", HARMLESS)
}

fn build(request: &Request) -> Result<String, Failure> {
    Ok(match forge::build(request)? {
        Outcome::Callable(product) => format!("callable: {}", product.tool),
        Outcome::Waiting(product) => format!("waiting: {}", product.tool),
        Outcome::Refused(refusal) => format!("refused: {:?}: {}", refusal.stage, refusal.reason.code()),
    })
}

fn source(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    build(&forge::rust("from-a-record", "Hostile, for tests.", case.text("source", HARMLESS)))
}

fn more(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let wanted =
        "tools = [\"*\"]\nforge = [\"rust\"]\nhttp = [{ host = \"*\", methods = [\"*\"] }]\nsecrets = [\"*\"]\n";
    build(&request("more").with_permissions(wanted))
}

fn names(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let huge = "x".repeat(65);
    let odd = ["", ".", "..", "../evil", "a/b", "a b", "a\0b", "ü", "A", "evil-agent.x", "x\" \ninjected = \"1", &huge];
    accepted(odd.iter().map(|name| request(name)))
}

fn crates(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let odd =
        ["libc", "cc", "reqwest", "../../host", "serde\" , path = \"/etc", "serde_json = \"*\"\n[build-dependencies]"];
    accepted(odd.iter().map(|name| request("crates").with_dependency(name)))
}

fn accepted(requests: impl Iterator<Item = Request>) -> Result<String, Failure> {
    let built =
        requests.filter(|request| matches!(forge::build(request), Ok(Outcome::Callable(_) | Outcome::Waiting(_))));
    Ok(format!("{:?}", built.map(|request| (request.name, request.dependencies)).collect::<Vec<_>>()))
}

fn size(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    build(&Request { source: format!("{HARMLESS}//{}", "x".repeat(1024 * 1024)), ..request("size") })
}

fn many(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    for number in 0..1000 {
        // A comment makes each source another one, so that none is answered from what is there already.
        build(&Request { source: format!("{HARMLESS}// {number}"), ..request(&format!("many-{number}")) })?;
    }
    Ok("1000 builds".to_owned())
}
