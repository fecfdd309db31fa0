//! What a run is made of: the brokers, the hosts, the producers, and whoever watches the group.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::feed::Feed;
use super::group::Watch;
use super::host::Host;
use super::net::Net;
use super::report::Report;
use super::{Options, fed, judge, say, topics};
use crate::binary::Cli;
use crate::kafka::Cluster;

/// Hosts in the beginning.
const HOSTS: u32 = 3;
/// Partitions of both topics: more than there are ever hosts.
const PARTITIONS: u32 = 6;
const INPUT: &str = "tally.in";
const OUTPUT: &str = "tally.out";
const GROUP: &str = "wasmill.tally";
/// Longest wait for a victim that another fault has in its hands.
const VICTIM_MAX: Duration = Duration::from_secs(120);

const MAY: &str = "[[row]]\nprincipal = \"agent:tally\"\nstate = true\n\
                   topics.read = [\"tally.in\"]\ntopics.write = [\"tally.out\"]\n";

/// Everything that a run has started. Dropping it ends it all.
pub struct Rig {
    feed: Mutex<Option<Feed>>,
    /// Watches the hosts' group.
    pub watch: Watch,
    hosts: Mutex<Vec<Host>>,
    /// What hosts wrote that are gone.
    logs: Mutex<String>,
    names: AtomicU32,
    template: Cli,
    /// The brokers.
    pub kafka: Cluster,
    net: Option<Net>,
    session: Duration,
}

impl Rig {
    /// Starts brokers, hosts and producers, and waits until all hosts work.
    ///
    /// # Errors
    /// Where one of them can't be started.
    pub fn start(options: &Options) -> Result<Self> {
        let net = options.net.then(Net::open).transpose();
        let net = net.map_err(|missing| anyhow::anyhow!("no {}: {}", missing.part, missing.reason))?;
        let place = net.as_ref().map_or(Ipv4Addr::LOCALHOST, Net::address);
        let kafka = Cluster::start_at(place).context("Kafka is not there")?;
        let template = template(&kafka.address())?;
        let watch = Watch::start(&kafka.address(), GROUP)?;
        let rig = Self {
            feed: Mutex::new(Some(Feed::start(&kafka.address(), INPUT, options.rate))),
            watch,
            hosts: Mutex::default(),
            logs: Mutex::default(),
            names: AtomicU32::new(1),
            template,
            kafka,
            net,
            session: options.session,
        };
        for _ in 0..HOSTS {
            rig.add()?;
        }
        rig.watch.until("all hosts have partitions", |group| {
            let with_partitions = group.members.iter().filter(|member| !member.partitions.is_empty());
            group.is_stable && with_partitions.count() == HOSTS as usize
        })?;
        Ok(rig)
    }

    /// Starts one host more. Gives its name.
    ///
    /// # Errors
    /// Where it can't be started.
    pub fn add(&self) -> Result<String> {
        let name = format!("host-{}", self.names.fetch_add(1, Ordering::Relaxed));
        let cli = self.template.copy()?;
        let session = self.session.as_millis();
        // The name is all that differs between hosts. Zombies' transactions must end before the test gets bored.
        cli.write(
            "home/host.toml",
            format!(
                "[streams]\nbrokers = [\"{}\"]\nclient_id = \"{name}\"\n[streams.properties]\n\
                 \"session.timeout.ms\" = \"{session}\"\n\"heartbeat.interval.ms\" = \"{}\"\n\
                 \"transaction.timeout.ms\" = \"{}\"\n",
                self.kafka.address(),
                session / 4,
                session * 3 / 2,
            ),
        );
        let space = self.net.as_ref().map(Net::space).transpose()?;
        let host = Host::start(name.clone(), cli, space)?;
        lock(&self.hosts).push(host);
        Ok(name)
    }

    /// Takes a host out of the others' reach, so that only one fault strikes it. Waits where there is none.
    ///
    /// # Errors
    /// Where none becomes free.
    pub fn take(&self, victim: u64) -> Result<Host> {
        let began = Instant::now();
        loop {
            let mut hosts = lock(&self.hosts);
            if let Some(index) = victim.checked_rem(hosts.len() as u64) {
                return Ok(hosts.remove(usize::try_from(index)?));
            }
            drop(hosts);
            ensure!(began.elapsed() < VICTIM_MAX, "there is no host to strike");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Gives it back.
    pub fn give_back(&self, host: Host) {
        let mut hosts = lock(&self.hosts);
        hosts.push(host);
        // The next victim must not depend on which fault was done first.
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
    }

    /// Takes note of what a host wrote that is stopped for good.
    pub fn retire(&self, host: &Host) {
        lock(&self.logs).push_str(&host.log());
    }

    /// Checks that no host has ended by itself.
    ///
    /// # Errors
    /// With the end of its log.
    pub fn expect_alive(&self) -> Result<()> {
        lock(&self.hosts).iter_mut().try_for_each(Host::expect_alive)
    }

    /// Stops the producers, waits until the hosts have answered everything, and judges what they did.
    ///
    /// # Errors
    /// Where hosts have ended, or topics can't be read. Not where the outcome is wrong.
    pub fn settle(&self, began: Instant, report: &mut Report) -> Result<()> {
        say(began, "the producers stop");
        let feed = lock(&self.feed).take().context("the producers have stopped")?;
        let acknowledged = feed.stop()?;
        self.expect_alive()?;
        say(began, "until everything is answered");
        let brokers = self.kafka.address();
        report.drained = topics::drain(&brokers, GROUP, INPUT, PARTITIONS, || self.expect_alive())?;
        let inputs = topics::inputs(&brokers, INPUT, PARTITIONS)?;
        report.fed(&fed::compare(&acknowledged, &inputs));
        let outputs = topics::outputs(&brokers, OUTPUT, PARTITIONS)?;
        report.rebalances = self.watch.rebalances();
        let mut logs = std::mem::take(&mut *lock(&self.logs));
        lock(&self.hosts).iter().for_each(|host| logs.push_str(&host.log()));
        report.fenced = logs.lines().filter(|line| line.contains("work dropped")).count() as u64;
        report.errors =
            logs.lines().filter(|line| line.contains("\"level\":\"ERROR\"")).take(20).map(str::to_owned).collect();
        report.judged(judge::judge(&inputs, &outputs));
        Ok(())
    }

    /// Copies what the hosts left behind to where it stays; says where.
    pub fn keep(&self) -> Vec<String> {
        lock(&self.hosts).iter().filter_map(|host| Some(host.keep().ok()?.display().to_string())).collect()
    }
}

/// The home that all hosts' homes are copies of.
fn template(brokers: &str) -> Result<Cli> {
    let cli = Cli::new();
    cli.write("home/host.toml", format!("[streams]\nbrokers = [\"{brokers}\"]\n"));
    cli.allow(MAY);
    cli.install("tally").context("the plugin `tally` is not built")?;
    for topic in [INPUT, OUTPUT] {
        cli.run(&["topic", "create", topic, "--partitions", &PARTITIONS.to_string()]).expect_code(0);
    }
    Ok(cli)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each holds whole values: a poisoned lock is as good as any.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
