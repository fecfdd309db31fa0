//! A private Apache Kafka: one node, KRaft, from the jars that set-up fetched; started for the tests, gone with them.

mod cluster;
mod identity;
mod properties;

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use tempfile::TempDir;

pub use cluster::Cluster;
pub use identity::{Identity, PASSWORD, USER};
use properties::{Node, Ports};

use crate::parts::{self, require};
use crate::server::{Launch, Server, until};

/// How long a broker may take to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(180);

/// How long a broker may take to write down what it has and end.
const STOP_MAX: Duration = Duration::from_secs(60);

/// A running Kafka without topics. Dropping it stops the broker and removes its files.
#[derive(Debug)]
pub struct Kafka {
    // Fields are dropped in this order: the broker ends before its folder goes.
    server: Mutex<Option<Server>>,
    folder: TempDir,
    java: PathBuf,
    libs: PathBuf,
    place: Ipv4Addr,
    ports: Ports,
    identity: Option<Arc<Identity>>,
    speed: Speed,
}

/// What a broker is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speed {
    /// To be there soon: a small heap and the quick compiler only, for brokers that live for seconds.
    Start,
    /// To be fast while it runs: as it would be operated.
    Run,
}

impl Speed {
    fn java(self) -> &'static [&'static str] {
        match self {
            Self::Start => &["-Xmx320m", "-Xms96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"],
            Self::Run => &["-Xmx1g", "-Xms1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Xshare:auto"],
        }
    }
}

/// The broker that the tests of one binary share, see [`Kafka::shared`].
static SHARED: OnceLock<Option<Kafka>> = OnceLock::new();

impl Kafka {
    /// The one broker of this test binary: started by the first test that asks, stopped when the binary ends. Tests
    /// tell their topics and groups apart by name. `None` (said loudly) where the machine has no Kafka.
    ///
    /// # Panics
    /// As [`Kafka::start`].
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        let shared = SHARED.get_or_init(|| {
            // SAFETY: the handler only touches `SHARED`, which is never dropped.
            unsafe { nix::libc::atexit(stop_shared) };
            Self::start()
        });
        if shared.is_none() {
            // Each test that is skipped says so.
            require(parts::java())?;
            require(parts::kafka_libs())?;
        }
        shared.as_ref()
    }

    /// A broker without encryption, or `None` (said loudly) where the machine has no Kafka.
    ///
    /// # Panics
    /// When Kafka is there and does not start, with what it wrote; and with `CI=true` when it is not there.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::start_with(None, Speed::Start)
    }

    /// The same, with the heap and the compilers that Kafka's own scripts give it.
    ///
    /// # Panics
    /// As [`Kafka::start`].
    #[must_use]
    pub fn start_for_benchmarks() -> Option<Self> {
        Self::start_with(None, Speed::Run)
    }

    /// A broker that also listens with TLS, SASL over TLS and SASL without.
    ///
    /// # Panics
    /// As [`Kafka::start`].
    #[must_use]
    pub fn start_secured() -> Option<Self> {
        Self::start_with_identity(false)
    }

    /// The same, and it checks access rules: it has none, so that [`USER`] may do nothing. Who comes without encryption
    /// and login is its admin.
    ///
    /// # Panics
    /// As [`Kafka::start`].
    #[must_use]
    pub fn start_guarded() -> Option<Self> {
        Self::start_with_identity(true)
    }

    fn start_with_identity(is_guarded: bool) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("wasmill-identity-").tempdir().ok()?;
        let identity = require(Identity::make(folder, is_guarded))?;
        Self::start_with(Some(Arc::new(identity)), Speed::Start)
    }

    fn start_with(identity: Option<Arc<Identity>>, speed: Speed) -> Option<Self> {
        let (java, libs) = (require(parts::java())?, require(parts::kafka_libs())?);
        // Between choosing a free port and listening on it, another process may take it.
        let mut last = None;
        for _ in 0..3 {
            let made = Ports::free().and_then(|ports| {
                let node = Node::alone(&ports);
                let mut kafka = Self::make(&java, &libs, &node, ports, identity.clone())?;
                kafka.speed = speed;
                kafka.resume()?;
                Ok(kafka)
            });
            match made {
                Ok(kafka) => return Some(kafka),
                Err(error) => last = Some(error),
            }
        }
        panic!("Kafka in {} does not start: {:?}", libs.display(), last);
    }

    /// Address of the listener without encryption, `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.place, self.ports.plaintext)
    }

    /// Address of the listener that asks for a certificate.
    #[must_use]
    pub fn tls_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.tls)
    }

    /// Address of the listener that asks for a password, not encrypted.
    #[must_use]
    pub fn sasl_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.sasl)
    }

    /// Address of the encrypted listener that asks for a password.
    #[must_use]
    pub fn sasl_tls_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports.sasl_tls)
    }

    /// Certificates of a secured broker.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// Kills the broker at once, as a power cut would. Its files stay. Says how it ended, where it ran.
    pub fn kill(&self) -> Option<ExitStatus> {
        self.server.lock().ok()?.take()?.kill()
    }

    /// Stops the broker as a service manager does. Its files stay. Says how it ended, where it ran and ended by itself.
    pub fn stop(&self) -> Option<ExitStatus> {
        self.server.lock().ok()?.take()?.end(Signal::SIGTERM, STOP_MAX)
    }

    /// Starts the broker on the files and ports that it has, and waits until it answers.
    ///
    /// # Errors
    /// With what it wrote, when it does not start.
    pub fn resume(&self) -> Result<()> {
        let server = self.launch()?;
        self.wait(server)
    }

    /// Starts the broker; it is up when [`Kafka::wait`] says so.
    fn launch(&self) -> Result<Server> {
        let log = self.folder.path().join("log");
        let command = self.command("kafka.Kafka", &[&self.settings().display().to_string()]);
        let launch = Launch { command: &command, env: &[], log: &log, stop_signal: "TERM", user: None };
        Ok(Server::start(&launch)?)
    }

    fn wait(&self, mut server: Server) -> Result<()> {
        let log = self.folder.path().join("log");
        let up = until(START_MAX, || !matches!(server.ended(), Ok(None)) || self.is_up(&log));
        ensure!(up && matches!(server.ended(), Ok(None)), "it wrote:\n{}", tail(&log));
        if let Ok(mut place) = self.server.lock() {
            *place = Some(server);
        }
        Ok(())
    }

    fn make(java: &Path, libs: &Path, node: &Node, ports: Ports, identity: Option<Arc<Identity>>) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("wasmill-kafka-").tempdir()?;
        let kafka = Self {
            server: Mutex::new(None),
            folder,
            java: java.to_owned(),
            libs: libs.to_owned(),
            place: node.place,
            ports,
            identity,
            speed: Speed::Start,
        };
        let data = kafka.folder.path().join("data");
        fs::write(kafka.settings(), properties::write(node, &kafka.ports, &data, kafka.identity()))?;
        fs::write(kafka.folder.path().join("log4j2.properties"), properties::LOGGING)?;
        let settings = kafka.settings().display().to_string();
        let mut format = vec!["format", "-t", "wasmill-tests-cluster0", "-c", &settings];
        let users = properties::users();
        if kafka.identity.is_some() {
            for user in &users {
                format.extend(["--add-scram", user]);
            }
        }
        let command = kafka.command("kafka.tools.StorageTool", &format);
        let output = Command::new(&command[0]).args(&command[1..]).stdin(Stdio::null()).output();
        let output = output.context("run Kafka's StorageTool")?;
        let said = [output.stdout, output.stderr].concat();
        ensure!(output.status.success(), "StorageTool: {}", String::from_utf8_lossy(&said));
        Ok(kafka)
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("server.properties")
    }

    fn command(&self, class: &str, arguments: &[&str]) -> Vec<String> {
        let logging = format!("-Dlog4j2.configurationFile={}", self.folder.path().join("log4j2.properties").display());
        let jars = format!("{}/*", self.libs.display());
        let mut command = vec![self.java.display().to_string()];
        command.extend(self.speed.java().iter().map(|argument| (*argument).to_owned()));
        command.extend([logging, "-cp".to_owned(), jars, class.to_owned()]);
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        command
    }

    fn is_up(&self, log: &Path) -> bool {
        let started = fs::read_to_string(log).is_ok_and(|log| {
            // The log goes on after a restart: only what the newest process wrote counts.
            log.rsplit("starting (kafka.server.KafkaRaftServer")
                .next()
                .is_some_and(|log| log.contains("Kafka Server started"))
        });
        started && std::net::TcpStream::connect((self.place, self.ports.plaintext)).is_ok()
    }
}

/// Statics are not dropped, and the broker's files would stay.
extern "C" fn stop_shared() {
    if let Some(Some(kafka)) = SHARED.get() {
        kafka.kill();
        let _ = fs::remove_dir_all(kafka.folder.path());
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}
