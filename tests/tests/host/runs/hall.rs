//! A home whose host works with `stepper`, the agent that does what its records say.

use std::process::Command;

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::scratch::{PATIENCE, component, manifest};
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use super::service::Service;

/// A home, its host, and the service that its agent may ask.
pub struct Hall {
    pub cli: Cli,
    pub service: Service,
    up: Option<Up>,
}

impl Hall {
    /// A home with these settings, its host not started. `change` may change the agent's manifest. `None` where the plugins
    /// are not built.
    pub fn new(settings: &str, change: impl FnOnce(String) -> String) -> Option<Self> {
        let (cli, service) = (Cli::new(), Service::start());
        let port = service.address;
        cli.write("home/host.toml", settings);
        let http = format!("http = [{{ host = \"{port}\", methods = [\"GET\", \"POST\"] }}]");
        let rows = format!(
            "privileged = []\n[[row]]\nprincipal = \"client:cli\"\ntools = [\"*\"]\n\
             [[row]]\nprincipal = \"agent:stepper\"\ntopics.read = [\"steps\"]\ntopics.write = [\"steps.done\"]\n\
             tools = [\"evil-http\"]\nmodel = [\"*\"]\nstate = true\nclock = true\n{http}\n\
             [[row]]\nprincipal = \"tool:evil-http\"\n{http}\n"
        );
        cli.write("home/permissions.toml", rows);
        let hall = Self { cli, service, up: None };
        hall.install("stepper", &change(manifest("stepper").ok()?), |bytes| bytes)?;
        let tool = "name = \"evil-http\"\nversion = \"0.1.0\"\nkind = \"tool\"\n[permissions]\n\
                    http = [{ host = \"*\", methods = [\"*\"] }]\n";
        hall.install("evil-http", tool, |bytes| bytes)?;
        for topic in ["steps", "steps.done"] {
            hall.cli.run(&["topic", "create", topic]).expect_code(0);
        }
        Some(hall)
    }

    /// The same with the host at work.
    pub fn start(settings: &str, change: impl FnOnce(String) -> String) -> Option<Self> {
        let mut hall = Self::new(settings, change)?;
        hall.up();
        Some(hall)
    }

    /// Signs and installs a component, changed, under a manifest.
    pub fn install(&self, plugin: &str, manifest: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Option<()> {
        wasmill_tests::parts::require(wasmill_tests::parts::plugin(plugin))?;
        let file = format!("{plugin}.wasm");
        self.cli.write(&file, change(component(plugin).unwrap()));
        self.cli.write("wasmill.toml", manifest);
        self.cli.run(&["plugin", "sign", &file]).expect_code(0);
        self.cli.run(&["plugin", "install", &file]).expect_code(0);
        Some(())
    }

    /// Installs a version of the agent that asks otherwise.
    pub fn install_variant(&self) {
        let other = |mut bytes: Vec<u8>| {
            let at = bytes.windows(11).position(|part| part == b"variant-1, ").unwrap();
            bytes[at + 8] = b'2';
            bytes
        };
        let manifest = manifest("stepper").unwrap().replace("version = \"0.1.0\"", "version = \"0.2.0\"");
        self.install("stepper", &manifest, other).unwrap();
    }

    pub fn up(&mut self) {
        self.up = Some(Up::start(&self.cli));
        self.cli.status_until(|status| status["agents"][0]["state"] == "running");
    }

    /// Starts a second host of the same settings and components, and then kills the first one at once.
    pub fn kill_beside_another(&mut self) {
        let other = Cli::empty();
        let copied = Command::new("cp").arg("-a").arg(self.cli.home()).arg(other.home()).status().unwrap();
        assert!(copied.success());
        // The socket is the first one's, and so is its name towards Kafka.
        for name in ["host.sock", "host.lock"] {
            // A host may do without.
            let _ = std::fs::remove_file(other.home().join(name));
        }
        let settings = std::fs::read_to_string(other.home().join("host.toml")).unwrap();
        other.write("home/host.toml", settings.replace("instance = \"runs\"", "instance = \"runs-2\""));
        let up = Up::start(&other);
        other.status_until(|status| status["agents"][0]["state"] == "running");
        self.kill();
        (self.cli, self.up) = (other, Some(up));
    }

    /// Kills the host at once.
    pub fn kill(&mut self) {
        self.up.take().unwrap().kill();
    }

    /// What the host has written.
    pub fn log(&self) -> String {
        self.up.as_ref().map(Up::log).unwrap_or_default()
    }

    /// Sends a record with a key: a list of steps.
    pub fn send(&self, key: &str, steps: Value) {
        self.cli.run(&["record", "send", "steps", &steps.to_string(), "--key", key]).expect_code(0);
    }

    /// A step that gets this path.
    pub fn get(&self, path: &str) -> Value {
        json!({ "get": self.service.url(path) })
    }

    /// Waits until so many records were sent on, and gives their keys and values in order.
    pub fn done(&self, records: usize) -> Vec<(String, Value)> {
        let mut told = Vec::new();
        let all = until(PATIENCE, || {
            told = self.cli.run(&["record", "tail", "steps.done", "--no-follow"]).json_lines();
            told.len() >= records
        });
        assert!(all, "{} of {records} records; {:#}\n{}", told.len(), self.runs(), self.log());
        assert_eq!(told.len(), records);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        told.iter().map(|r| (text(&r["key"]), serde_json::from_str(r["value"].as_str().unwrap()).unwrap())).collect()
    }

    /// All runs, newest first.
    pub fn runs(&self) -> Value {
        self.cli.run(&["run", "list"]).json()
    }

    /// Waits until the run of a key stands so.
    pub fn run_of(&self, key: &str, status: &str) -> Value {
        let mut last = Value::Null;
        let stands = until(PATIENCE, || {
            let all = self.runs();
            last = all.as_array().unwrap().iter().find(|run| run["key"] == key).cloned().unwrap_or_default();
            last["status"] == status
        });
        assert!(stands, "not {status}: {last:#}\n{}", self.log());
        last
    }

    /// An order to the run of a key, and its answer.
    pub fn order(&self, order: &str, run: &Value) -> Value {
        self.cli.run(&["run", order, run["id"].as_str().unwrap()]).json()
    }

    /// A run with its steps.
    pub fn show(&self, run: &Value) -> Value {
        self.order("show", run)
    }
}
