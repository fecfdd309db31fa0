//! `cargo xtask demo`: logs in formats that nobody taught it, on this machine, from nothing.
//!
//! A story in parts, one file each; [`crate::rig`] does what is told in it. It must never do anything that a person could
//! not do with the commands that it shows.

mod learn;
mod privileged;
mod roster;
mod script;
mod sources;
mod speed;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};

use self::learn::{Learned, Watch};
use self::roster::Roster;
use self::sources::Source;
use crate::machine::Machine;
use crate::rig::{self, Builds, Host, Parsed, Scratch, Stages, Wasmill};
use crate::setup::{self, Purpose};
use crate::show::{self, Step};

/// The agent, and tools written by hand.
const PLUGINS: [&str; 4] = ["logsmith", "text-metrics", "json-query", "time-convert"];

/// What runs tools in JavaScript.
const ENGINE: &str = "javascript";

/// Arguments of `cargo xtask demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Your own log instead of this machine's.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Records on this Kafka instead of the log in the home.
    #[arg(long, value_name = "HOST:PORT")]
    kafka: Option<String>,
}

/// The command.
///
/// # Errors
/// With what to do, and the end of the host's log where there is a host.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    // Before anything is built: a mistyped name should not cost minutes.
    let mut sources = match &args.input {
        Some(path) => vec![sources::of_file(path)?],
        None => sources::of_this_machine(),
    };
    if args.kafka.is_some() {
        name_for_this_run(&mut sources);
    }
    setup::ensure(machine, Purpose::Run)?;
    rig::listen()?;

    show::title("Building");
    let binary = rig::binary(machine)?;
    let components = rig::plugins(machine, &PLUGINS)?;
    rig::engine(machine, ENGINE)?;

    show::title("A home");
    let roster = Roster::start()?;
    let scratch = Scratch::new(machine, &binary, &components, "wasmill-demo-")?;
    let wasmill = scratch.wasmill.clone();
    let told = home(&scratch, args.kafka.as_deref(), &roster).and_then(|()| story(&wasmill, &sources, args, &roster));
    if told.is_err() {
        eprintln!("the home is kept for a look: {}", wasmill.home().display());
    }
    told.map(|()| ExitCode::SUCCESS)
}

/// Makes everything that a host needs.
fn home(scratch: &Scratch, kafka: Option<&str>, roster: &Roster) -> Result<()> {
    show::done(&format!("{} with keys: {}", scratch.wasmill.home().display(), scratch.keys.join(", ")), None);
    let step = Step::start("the forge fetches and compiles what tools may use (once on each machine, some minutes)");
    scratch.prepare_forge()?;
    step.done("the forge is ready");
    rig::check()?;
    scratch.allow(&privileged::rows(roster))?;
    let step = Step::start("plugins are signed and installed");
    let all = [&PLUGINS[..], &[ENGINE]].concat();
    for plugin in &all {
        scratch.install(plugin)?;
    }
    step.done(&format!("signed and installed: {}", all.join(", ")));
    if let Some(broker) = kafka {
        scratch.use_kafka(broker)?;
    }
    let step = Step::start("topics are created");
    scratch.topics()?;
    step.done(&format!(
        "topics logs.raw and logs.parsed, {}",
        kafka.map_or("in the home".into(), |k| format!("on {k}"))
    ));
    Ok(())
}

fn story(wasmill: &Wasmill, sources: &[Source], args: &Args, roster: &Roster) -> Result<()> {
    let step = Step::start("the host compiles its plugins and starts");
    let mut host = Host::start(wasmill)?;
    let log = host.log().to_owned();
    step.done("the host is up: logsmith reads logs.raw and knows no format at all");

    let parsed = Parsed::follow(wasmill, "end")?;
    let (stages, builds) = (Stages::default(), Builds::default());
    let mut watch = Watch { wasmill, host: &mut host, parsed: &parsed, stages, builds };
    let mut learned: Vec<(&Source, Learned)> = Vec::new();
    for source in sources {
        learned.push((source, watch.learn(source)?));
    }
    let mut own = if args.input.is_none() { sources::of_host(&log).into_iter().collect() } else { Vec::new() };
    if args.kafka.is_some() {
        name_for_this_run(&mut own);
    }
    for source in &own {
        learned.push((source, watch.learn(source)?));
    }
    ensure!(!learned.is_empty(), "this machine has no log to show; name one with --input FILE");
    drop(parsed);

    show::title("Before and after");
    let lines = learned.iter().map(|(source, _)| source.lines.len()).sum();
    let took: Duration = learned.iter().map(|(_, learned)| learned.took).sum();
    let known: Vec<&Source> = learned.iter().map(|(source, _)| *source).collect();
    speed::compare(wasmill, &mut host, &known, (lines, took))?;

    show::title("A tool that asks for more");
    privileged::show(wasmill, roster)?;

    show::title("A tool in milliseconds");
    script::show(wasmill)?;

    let step = Step::start("the host stops");
    host.stop()?;
    drop(step);
    if let Some((source, learned)) = learned.first() {
        end(wasmill, source, learned, args.kafka.as_deref());
    }
    Ok(())
}

/// Where everything lies, and what to try next.
fn end(wasmill: &Wasmill, source: &Source, learned: &Learned, kafka: Option<&str>) {
    show::title("Where everything lies");
    let home = wasmill.home().display();
    show::say(&format!("{home} is kept until you remove it: host.log, permissions.toml, keys/, registry/, store.db"));
    if let Some(broker) = kafka {
        show::say(&format!("{broker} keeps the topics logs.raw, logs.parsed and what logsmith remembers."));
    }
    show::title("Three commands to try next");
    show::command(&wasmill.shown(&["forge", "show", &learned.build, "--source"]));
    show::command(&wasmill.shown(&["record", "tail", rig::PARSED, "--count", "3"]));
    let lines = serde_json::json!({ "lines": source.lines.iter().take(1).collect::<Vec<_>>() }).to_string();
    show::command(&wasmill.shown(&["tool", "call", &learned.tool, "parse", &lines]));
    println!();
}

/// On a shared Kafka an earlier demo may have left parsers for the same names, in a home that is gone.
fn name_for_this_run(sources: &mut [Source]) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    for source in sources {
        source.name = format!("{}-{:x}", source.name, now % 0x10_0000);
    }
}
