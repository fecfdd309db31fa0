//! `cargo xtask setup`: gets what building, running and testing needs. Every step first looks whether
//! its part is there, so that a second run does nothing, and says what it does and what for.
//!
//! It must never know the host crate, nor need anything that a step is there to get.

mod apt;
mod kafka;
mod node;
mod python;
mod registry;
mod tools;
mod wasi;

use std::process::ExitCode;

use anyhow::{Result, bail};
use console::style;

use crate::machine::Machine;

pub use kafka::version as kafka_version;

/// Arguments of `cargo xtask setup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Leave out what only the tests use: Kafka, PostgreSQL, a registry and the clients that talk to them.
    #[arg(long)]
    without_tests: bool,
}

/// What the machine has to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Building the host and guests, and running them: the demo.
    Run,
    /// The real servers and clients of the tests as well.
    Test,
}

/// One thing that may be missing.
struct Step {
    what: &'static str,
    why: &'static str,
    purpose: Purpose,
    is_there: fn(&Machine) -> bool,
    get: fn(&Machine) -> Result<()>,
}

/// In the order in which they need each other.
const STEPS: &[Step] = &[
    Step {
        what: "compiler and sandbox (C++, OpenSSL's headers, bubblewrap)",
        why: "librdkafka is compiled from source; generated tools are built in bubblewrap's sandbox",
        purpose: Purpose::Run,
        is_there: |_| apt::all_there(apt::RUN),
        get: |machine| apt::install_missing(machine, apt::RUN),
    },
    Step {
        what: "a Rust compiler for wasm32-wasip1",
        why: "plugins and generated tools are WebAssembly",
        purpose: Purpose::Run,
        is_there: wasi::is_there,
        get: wasi::get,
    },
    Step {
        what: "a C compiler for WebAssembly (clang, llvm, WASI's headers)",
        why: "the engine that runs JavaScript tools is C",
        purpose: Purpose::Run,
        is_there: |_| apt::all_there(apt::WASM_C),
        get: |machine| apt::install_missing(machine, apt::WASM_C),
    },
    Step {
        what: "cargo-component",
        why: "it turns a compiled plugin into a component",
        purpose: Purpose::Run,
        is_there: |_| tools::component_is_there(),
        get: tools::get_component,
    },
    Step {
        what: "servers and clients (PostgreSQL, Java, kcat, Chromium, iproute2, openssl, Python's venv)",
        why: "the tests run against real servers, with strangers as clients",
        purpose: Purpose::Test,
        is_there: |_| apt::all_there(apt::TEST),
        get: |machine| apt::install_missing(machine, apt::TEST),
    },
    Step {
        what: "Apache Kafka's server",
        why: "the suite of the streams runs against it; its jars come from Maven Central",
        purpose: Purpose::Test,
        is_there: kafka::is_there,
        get: kafka::get,
    },
    Step {
        what: "the distribution registry",
        why: "components are pushed to it and pulled from it; it is unpacked from Debian's package, not installed",
        purpose: Purpose::Test,
        is_there: registry::is_there,
        get: registry::get,
    },
    Step {
        what: "Python clients: of Kafka, Prometheus and MCP, a browser's driver, and Node.js",
        why: "strangers read what we write, and a browser walks through the console",
        purpose: Purpose::Test,
        is_there: python::is_there,
        get: python::get,
    },
    Step {
        what: "the inspector of MCP",
        why: "it checks what an MCP server says; it is JavaScript, and Node.js came with the Python clients",
        purpose: Purpose::Test,
        is_there: node::is_there,
        get: node::get,
    },
    Step {
        what: "cargo-deny",
        why: "it checks licences, sources and versions of all dependencies",
        purpose: Purpose::Test,
        is_there: |machine| !tools::deny_is_due(machine),
        get: tools::get_deny,
    },
];

/// The command: gets everything, and fails when something could not be had.
///
/// # Errors
/// When anything that was asked for is missing in the end.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    let purpose = if args.without_tests { Purpose::Run } else { Purpose::Test };
    let missing = ensure(machine, purpose)?;
    if missing.is_empty() {
        println!("{} everything is there; next: cargo xtask demo, or cargo xtask test", style("✓").green());
        return Ok(ExitCode::SUCCESS);
    }
    bail!("not everything could be had:\n{}", missing.join("\n"))
}

/// Gets what is missing for this purpose. Gives a line for every part of the tests that could not be
/// had: the suites say which of them they skip.
///
/// # Errors
/// When something is missing that everything else needs; in CI, when anything is.
pub fn ensure(machine: &Machine, purpose: Purpose) -> Result<Vec<String>> {
    let mut missing = Vec::new();
    for step in STEPS.iter().filter(|step| step.purpose <= purpose) {
        if (step.is_there)(machine) {
            continue;
        }
        let (label, what) = (style("set-up").for_stderr().cyan().bold(), style(step.what).for_stderr().bold());
        eprintln!("{label} {what}: {}", step.why);
        let got = (step.get)(machine).and_then(|()| match (step.is_there)(machine) {
            true => Ok(()),
            false => bail!("it is still missing afterwards"),
        });
        if let Err(error) = got {
            let line = format!("{} is missing: {error:#}", step.what);
            if step.purpose == Purpose::Run || machine.ci {
                bail!("{line}");
            }
            eprintln!("{} {line}", style("warning").for_stderr().yellow().bold());
            missing.push(line);
        }
    }
    Ok(missing)
}
