//! Other agents: started without a right to it, under odd names, too many.

use wasmill_sdk::agents::{self, AgentSpec};
use wasmill_sdk::{Failure, Outbox};

use crate::{Attack, Case};

pub const ATTACKS: &[Attack] = &[
    Attack {
        name: "start",
        must: "Starting `component`, which no row grants, is `denied`; one that is granted works below this agent.",
        run: start,
    },
    Attack {
        name: "start-names",
        must: "No odd name, topic or setting is taken: the result is an empty list.",
        run: names,
    },
    Attack { name: "start-many", must: "1,000 agents meet `limit` at `agents_started`.", run: many },
    Attack { name: "stop", must: "Harmless: stops the agent `name` and says whether it was there.", run: stop },
    Attack {
        name: "stop-others",
        must: "No name leads to another's agents: the result is an empty list.",
        run: others,
    },
];

fn wanted(case: &Case<'_>) -> AgentSpec {
    let agent =
        agents::of(case.text("name", "night"), case.text("component", "relay"), [case.text("reads", "relay.in")]);
    match case.text("to", "") {
        "" => agent,
        to => agent.with_setting("to", to),
    }
}

fn start(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(format!("started: {}", agents::start(&wanted(case))?))
}

fn names(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let good = wanted(case);
    let huge = "x".repeat(65);
    let named = ["", ".", "..", "a.b", "A", "a b", "a/b", "a\0", "ü", &huge]
        .map(|name| AgentSpec { name: name.into(), ..good.clone() });
    let topics: Vec<_> = (0..65).map(|_| "relay.in".to_owned()).collect();
    let odd = [
        AgentSpec { reads: vec![], ..good.clone() },
        AgentSpec { reads: topics, ..good.clone() },
        AgentSpec { reads: vec!["wasmill.state.upper".into()], ..good.clone() },
        AgentSpec { reads: vec!["wasmill.timer".into()], ..good.clone() },
        AgentSpec { reads: vec!["payments".into()], ..good.clone() },
        AgentSpec { component: "../relay".into(), ..good.clone() },
        AgentSpec { settings: vec![("k".into(), "x".repeat(17 * 1024))], ..good.clone() },
        AgentSpec { settings: (0..65).map(|i| (i.to_string(), String::new())).collect(), ..good.clone() },
    ];
    let taken = named.iter().chain(&odd).filter(|agent| agents::start(agent).is_ok());
    Ok(format!("{:?}", taken.map(|agent| (&agent.name, &agent.reads)).collect::<Vec<_>>()))
}

fn many(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    for number in 0..1000 {
        agents::start(&AgentSpec { name: format!("many-{number}"), ..wanted(case) })?;
    }
    Ok("1000 agents".to_owned())
}

fn stop(case: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    Ok(format!("stopped: {}", agents::stop(case.text("name", "night"))?))
}

fn others(_: &Case<'_>, _: &mut Outbox) -> Result<String, Failure> {
    let odd = ["other.night", "../other.night", "", "evil-agent", "evil-agent.night", "upper"];
    Ok(format!("{:?}", odd.iter().filter(|name| !matches!(agents::stop(name), Ok(false) | Err(_))).collect::<Vec<_>>()))
}
