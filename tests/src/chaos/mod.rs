//! Hosts under fire: producers write numbered records for each key, real hosts count them, and meanwhile faults strike
//! hosts, broker and network. In the end every record must be in the output once, in its key's order, with its count.
//!
//! Which faults and where is decided by a seed ([`plan`]); whether the outcome is right by [`judge`], which knows only
//! what was read. Each fault must prove that it happened: a run that hit nothing is no run.

mod faults;
mod fed;
pub mod feed;
pub mod group;
pub mod host;
pub mod judge;
mod net;
pub mod plan;
mod report;
mod rig;
pub mod topics;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

pub use net::Net;
pub use report::Report;

use crate::parts;
use plan::{Fault, Plan};
use rig::Rig;

/// What a run is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// Decides about faults, their moments and their victims.
    pub seed: u64,
    /// How long to go on; at least until each kind of fault has struck once.
    pub length: Duration,
    /// Records a second, all producers together.
    pub rate: u32,
    /// After how long a silent host is given up by its group.
    pub session: Duration,
    /// Where each host runs in a network of its own, which can be cut. None: that fault is left out.
    pub net: bool,
}

impl Options {
    /// A run that lets each kind of fault strike once.
    #[must_use]
    pub fn short(seed: u64, net: bool) -> Self {
        Self { seed, length: Duration::ZERO, rate: 400, session: Duration::from_secs(4), net }
    }
}

/// Runs it.
///
/// # Errors
/// Where something is missing, a fault did not happen, or a host ended by itself. A wrong outcome is no error, but a
/// report that is not [clean](Report::is_clean).
pub fn run(options: &Options) -> Result<Report> {
    for part in [parts::java().map(drop), parts::kafka_libs().map(drop), parts::plugin("tally").map(drop)] {
        part.map_err(|missing| anyhow::anyhow!("no {}: {}", missing.part, missing.reason))?;
    }
    let mut kinds = Fault::ALL.to_vec();
    if !options.net {
        kinds.retain(|fault| *fault != Fault::CutNetwork);
    }
    let rig = Rig::start(options)?;
    let began = Instant::now();
    let mut report = Report::new(options.seed);
    let struck = strike_all(&rig, options, &kinds, began, &mut report);
    let outcome = struck.and_then(|()| rig.settle(began, &mut report));
    report.seconds = began.elapsed().as_secs();
    if outcome.is_err() || !report.is_clean() {
        say(began, &format!("the hosts' homes and logs stay in {}", rig.keep().join(" ")));
    }
    outcome.with_context(|| format!("with the seed {}", options.seed))?;
    Ok(report)
}

fn strike_all(rig: &Rig, options: &Options, kinds: &[Fault], began: Instant, report: &mut Report) -> Result<()> {
    let mut plan = Plan::new(options.seed, kinds);
    let mut struck_so_far = 0;
    // However short it is to be, each kind strikes once.
    while struck_so_far < kinds.len() || began.elapsed() < options.length {
        let step = plan.next_step();
        std::thread::sleep(step.pause);
        rig.expect_alive()?;
        let names: Vec<&str> = step.strikes.iter().map(|strike| strike.fault.name()).collect();
        say(began, &names.join(" + "));
        let struck: Vec<Result<()>> = std::thread::scope(|scope| {
            let each = step.strikes.iter().map(|strike| scope.spawn(|| faults::strike(rig, options, strike)));
            let each: Vec<_> = each.collect();
            each.into_iter().map(|one| one.join().unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked")))).collect()
        });
        for (strike, outcome) in step.strikes.iter().zip(struck) {
            outcome.with_context(|| format!("{} did not happen", strike.fault.name()))?;
            report.count(strike.fault);
        }
        struck_so_far += step.strikes.len();
    }
    for kind in kinds {
        ensure!(report.times(*kind) > 0, "{} never struck", kind.name());
    }
    Ok(())
}

/// Tells whoever watches what happens, with the seconds since the beginning.
fn say(began: Instant, what: &str) {
    eprintln!("{:>7.1} s  {what}", began.elapsed().as_secs_f64());
}
