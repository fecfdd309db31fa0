//! Apache Kafka's server: ordinary jars on Maven Central, which Maven resolves from `tests/kafka/pom.xml`
//! into `<cache>/kafka/<version>/libs`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::apt;
use crate::machine::Machine;
use crate::shell;

/// Whether the server's own jar is in its place; the folder only gets its name when it is complete.
pub fn is_there(machine: &Machine) -> bool {
    let jar = |version: &str| folder(machine, version).join(format!("libs/kafka_2.13-{version}.jar"));
    version(machine).is_ok_and(|version| jar(&version).is_file())
}

/// Fetches the jars, about 45 MB.
///
/// # Errors
/// When Maven cannot be had or cannot reach its repository.
pub fn get(machine: &Machine) -> Result<()> {
    if !shell::on_path("mvn") {
        apt::install(machine, &["maven"])?;
    }
    let folder = folder(machine, &version(machine)?);
    let parent = folder.parent().context("the cache folder has a parent")?;
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    // Beside its place, so that the finished folder only needs a new name.
    let scratch = tempfile::Builder::new().prefix(".fetching-").tempdir_in(parent)?;

    let mut maven = Command::new("mvn");
    maven.args(["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!("-DoutputDirectory={}", scratch.path().join("libs").display()));
    shell::run(maven.current_dir(machine.root.join("tests/kafka")))?;

    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::rename(scratch.keep(), &folder).with_context(|| format!("put the jars into {}", folder.display()))
}

fn folder(machine: &Machine, version: &str) -> PathBuf {
    machine.cache.join("kafka").join(version)
}

/// The version that the pom names, so that it stands in one place only.
///
/// # Errors
/// When the pom can't be read, or names none.
pub fn version(machine: &Machine) -> Result<String> {
    let pom = machine.root.join("tests/kafka/pom.xml");
    let text = fs::read_to_string(&pom).with_context(|| format!("read {}", pom.display()))?;
    let version = text.split_once("<kafka.version>").and_then(|(_, rest)| rest.split_once("</kafka.version>"));
    let (version, _) = version.with_context(|| format!("{} has no <kafka.version>", pom.display()))?;
    Ok(version.to_owned())
}
