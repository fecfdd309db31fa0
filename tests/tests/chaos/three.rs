//! Three hosts with the same settings on one Kafka and one PostgreSQL.

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::chaos::feed::Feed;
use wasmill_tests::chaos::group::{View, Watch};
use wasmill_tests::chaos::host::Host;
use wasmill_tests::chaos::{judge, topics};
use wasmill_tests::kafka::Kafka;
use wasmill_tests::parts::{self, require};
use wasmill_tests::postgres::Postgres;

const PARTITIONS: u32 = 6;

/// `tally` waits for an admin, because it reads a topic.
const PERMISSIONS: &str = "privileged = [\"topics.read\"]\n[[row]]\nprincipal = \"agent:tally\"\nstate = true\n\
                           topics.read = [\"tally.in\"]\ntopics.write = [\"tally.out\"]\n";

struct Three {
    hosts: Vec<Host>,
    kafka: Kafka,
    _postgres: Postgres,
}

/// Three hosts that are up, with nothing installed. `None` (said loudly) where this machine lacks something.
fn three() -> Option<Three> {
    require(parts::plugin("tally"))?;
    let (postgres, kafka) = (Postgres::start()?, Kafka::start()?);
    let first = Cli::new();
    first.write("home/permissions.toml", PERMISSIONS);
    let settings = |name: &str| {
        format!(
            "[streams]\nbrokers = [\"{}\"]\nclient_id = \"{name}\"\n[streams.properties]\n\
             \"session.timeout.ms\" = \"4000\"\n\"heartbeat.interval.ms\" = \"1000\"\n\
             \"transaction.timeout.ms\" = \"6000\"\n[store]\nurl = \"{}\"\n",
            kafka.address(),
            postgres.url()
        )
    };
    first.write("home/host.toml", settings("host-1"));
    for topic in ["tally.in", "tally.out"] {
        first.run(&["topic", "create", topic, "--partitions", &PARTITIONS.to_string()]).expect_code(0);
    }
    // The same keys, trust roots and matrix: what an admin gives every host.
    let homes = ["host-2", "host-3"].map(|name| {
        let home = first.copy().unwrap();
        home.write("home/host.toml", settings(name));
        (name, home)
    });
    let homes = [("host-1", first)].into_iter().chain(homes);
    let hosts: Vec<Host> = homes.map(|(name, home)| Host::start(name.to_owned(), home, None).unwrap()).collect();
    hosts.iter().for_each(Host::wait_until_up);
    Some(Three { hosts, kafka, _postgres: postgres })
}

impl Three {
    /// Runs a command on one host.
    fn run(&self, host: usize, arguments: &[&str]) -> Value {
        self.hosts[host].cli().run(arguments).json()
    }

    /// Waits until the status of all hosts says this.
    fn all(&self, says: impl Fn(&Value) -> bool) {
        for host in &self.hosts {
            host.cli().status_until(&says);
        }
    }

    fn install(&self, host: usize) -> Option<()> {
        self.hosts[host].cli().install("tally")
    }
}

fn waits(status: &Value) -> bool {
    status["agents"] == Value::Array(vec![]) && status["waiting"][0]["component"] == "tally@0.1.0"
}

fn works(status: &Value) -> bool {
    status["agents"][0]["agent"] == "tally@0.1.0" && status["agents"][0]["state"] == "running"
}

fn has_nothing(status: &Value) -> bool {
    status["agents"] == Value::Array(vec![]) && status["waiting"] == Value::Array(vec![])
}

/// Partitions of a host.
fn of(group: &View, host: &str) -> usize {
    group.members.iter().filter(|member| member.host == host).map(|member| member.partitions.len()).sum()
}

#[test]
fn what_is_decided_on_one_host_holds_on_all() {
    let _alone = crate::alone();
    let Some(three) = three() else { return };
    let Some(()) = three.install(0) else { return };
    three.all(waits);
    three.run(1, &["approval", "grant", "tally"]);
    three.all(works);
    three.run(2, &["approval", "deny", "tally", "--reason", "not today"]);
    three.all(|status| !works(status));
    three.run(0, &["approval", "grant", "tally"]);
    three.all(works);
    // Without its row, tally may read nothing; with it again, it may.
    let rows = std::fs::read_to_string(three.hosts[1].cli().home().join("permissions.toml")).unwrap();
    three.hosts[1].cli().write("home/permissions.toml", "");
    three.run(1, &["permission", "share"]);
    three.all(|status| !works(status));
    three.hosts[2].cli().write("home/permissions.toml", rows);
    three.run(2, &["permission", "share"]);
    three.all(works);
    three.run(1, &["plugin", "remove", "tally"]);
    three.all(has_nothing);
    let Some(()) = three.install(2) else { return };
    three.all(works);
}

#[test]
fn the_third_takes_over_when_one_is_killed_and_one_is_frozen() {
    let _alone = crate::alone();
    let Some(mut three) = three() else { return };
    let Some(()) = three.install(0) else { return };
    three.all(waits);
    three.run(0, &["approval", "grant", "tally"]);
    let brokers = three.kafka.address();
    let feed = Feed::start(&brokers, "tally.in", 400);
    let watch = Watch::start(&brokers, "wasmill.tally").unwrap();
    let names = ["host-1", "host-2", "host-3"];
    watch.until("each has two partitions", |g| g.is_stable && names.iter().all(|name| of(g, name) == 2)).unwrap();

    three.hosts[0].kill().unwrap();
    three.hosts[1].freeze(true).unwrap();
    watch.until("the third has all", |group| group.is_stable && of(group, "host-3") == 6).unwrap();
    three.hosts[1].freeze(false).unwrap();
    three.hosts[0].start_again().unwrap();
    watch.until("each has two partitions again", |g| g.is_stable && names.iter().all(|name| of(g, name) == 2)).unwrap();

    let acknowledged = feed.stop().unwrap();
    assert!(topics::drain(&brokers, "wasmill.tally", "tally.in", PARTITIONS, || Ok(())).unwrap());
    let inputs = topics::inputs(&brokers, "tally.in", PARTITIONS).unwrap();
    assert!(inputs.len() == acknowledged.len() && !inputs.is_empty());
    let verdict = judge::judge(&inputs, &topics::outputs(&brokers, "tally.out", PARTITIONS).unwrap());
    assert!(verdict.is_clean(), "{verdict:#?}");
}
