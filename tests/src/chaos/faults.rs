//! The faults: each strikes, proves that it happened, and heals what it broke.

use std::os::unix::process::ExitStatusExt;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;

use super::Options;
use super::host::Host;
use super::plan::{Fault, Strike};
use super::rig::Rig;
use super::topics;

/// How long a broker that went down stays away at most; from the middle on its followers have taken its place.
const BROKER_AWAY_MAX: Duration = Duration::from_secs(8);

/// Lets a fault strike.
///
/// # Errors
/// Where it did not happen, or what it broke does not heal.
pub fn strike(rig: &Rig, options: &Options, strike: &Strike) -> Result<()> {
    match strike.fault {
        // Half of them are back before their group has given them up.
        Fault::KillHost => kill(rig, strike, options.session.mul_f64(2.0 * strike.length)),
        Fault::FreezeHost => hold_up(rig, strike, Host::freeze),
        Fault::CutNetwork => hold_up(rig, strike, Host::cut),
        Fault::AddHost => add(rig),
        Fault::RemoveHost => remove(rig, strike),
        Fault::RestartBroker | Fault::KillBroker => away(rig, strike, BROKER_AWAY_MAX.mul_f64(strike.length)),
    }
}

fn kill(rig: &Rig, strike: &Strike, away: Duration) -> Result<()> {
    let mut host = rig.take(strike.victim)?;
    rig.watch.until("the victim is a member", |group| !group.ids_of(&host.name).is_empty())?;
    host.kill()?;
    sleep(away);
    host.start_again()?;
    rig.give_back(host);
    Ok(())
}

/// Holds a host up until its group has given it up, and a while longer.
fn hold_up(rig: &Rig, strike: &Strike, hold: fn(&Host, bool) -> Result<()>) -> Result<()> {
    let host = rig.take(strike.victim)?;
    let before = rig.watch.until("the victim has partitions", |group| {
        group.is_stable && group.members.iter().any(|m| m.host == host.name && !m.partitions.is_empty())
    })?;
    let ids = before.ids_of(&host.name);
    hold(&host, true)?;
    let given_up = rig
        .watch
        .until("the group gives the victim up", |group| group.members.iter().all(|member| !ids.contains(&member.id)));
    sleep(Duration::from_secs(3).mul_f64(strike.length));
    hold(&host, false)?;
    rig.give_back(host);
    given_up.map(drop)
}

fn add(rig: &Rig) -> Result<()> {
    let name = rig.add()?;
    rig.watch.until("the new host has partitions", |group| {
        group.is_stable && group.members.iter().any(|m| m.host == name && !m.partitions.is_empty())
    })?;
    Ok(())
}

fn remove(rig: &Rig, strike: &Strike) -> Result<()> {
    let mut host = rig.take(strike.victim)?;
    rig.watch.until("the victim is a member", |group| !group.ids_of(&host.name).is_empty())?;
    host.stop()?;
    rig.retire(&host);
    rig.watch.until("the group goes on without the victim", |group| {
        group.is_stable && group.ids_of(&host.name).is_empty()
    })?;
    Ok(())
}

fn away(rig: &Rig, strike: &Strike, away: Duration) -> Result<()> {
    let broker = rig.kafka.node(strike.victim).context("there is no broker")?;
    if strike.fault == Fault::KillBroker {
        let status = broker.kill().context("the broker does not run")?;
        ensure!(status.signal() == Some(Signal::SIGKILL as i32), "the broker had ended before: {status}");
    } else {
        let status = broker.stop().context("the broker does not stop")?;
        // 143: Java's way to say that it ended in order after SIGTERM.
        ensure!(status.code() == Some(143), "the broker stopped badly: {status}");
    }
    sleep(away);
    broker.resume().context("the broker does not start again")?;
    // The next one must not take the last copy of something with it.
    topics::wait_until_whole(&rig.kafka.address())
}
