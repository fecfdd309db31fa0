//! A scratch home: keys, plugins, permissions and topics of a pipeline around logsmith.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::build::component;
use super::wasmill::Wasmill;
use crate::machine::Machine;

/// Topic of lines, keyed by their source.
pub const RAW: &str = "logs.raw";
/// Topic of what parsers found in them.
pub const PARSED: &str = "logs.parsed";

/// What logsmith may do; the tools that it makes never get more than this.
const LOGSMITH_MAY: &str = r#"
# The agent that writes parsers.
[[row]]
principal = "agent:logsmith"
topics.read = ["logs.raw"]
topics.write = ["logs.parsed"]
tools = ["logsmith.*"]
forge = ["rust"]
state = true
"#;

/// A new home in the system's folder for temporary files. It is kept.
#[derive(Debug)]
pub struct Scratch {
    /// The command line on this home.
    pub wasmill: Wasmill,
    /// Names of its keys, each for the role of its name.
    pub keys: Vec<String>,
    components: PathBuf,
    plugins: PathBuf,
}

#[derive(Deserialize)]
struct Made {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    name: String,
}

#[derive(Deserialize)]
struct Topic {
    name: String,
}

impl Scratch {
    /// Makes a home with keys. `prefix` begins the name of its folder; `components` has what was built.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn new(machine: &Machine, binary: &Path, components: &Path, prefix: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir().context("make a scratch home")?.keep();
        let wasmill = Wasmill::new(binary, &folder);
        let made: Made = wasmill.ask(&["init"])?;
        let keys = made.keys.into_iter().map(|key| key.name).collect();
        let scratch = Self { wasmill, keys, components: components.to_owned(), plugins: machine.root.join("plugins") };
        scratch.allow(LOGSMITH_MAY)?;
        Ok(scratch)
    }

    /// Adds rows to permissions.toml.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn allow(&self, rows: &str) -> Result<()> {
        self.add("permissions.toml", |text| format!("{text}{rows}"))
    }

    /// Has records on Kafka instead of in the home.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn use_kafka(&self, broker: &str) -> Result<()> {
        let section = format!("[streams]\nbrokers = [{}]\n", Value::from(broker));
        self.add("host.toml", |text| text.replacen("[streams]\n", &section, 1))
    }

    fn add(&self, name: &str, change: impl FnOnce(&str) -> String) -> Result<()> {
        let path = self.wasmill.home().join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        fs::write(&path, change(&text)).with_context(|| format!("write {}", path.display()))
    }

    /// Signs and installs a plugin of this repository.
    ///
    /// # Errors
    /// When it was not built, or is refused.
    pub fn install(&self, plugin: &str) -> Result<()> {
        let path = |path: PathBuf| path.display().to_string();
        let component = path(component(&self.components, plugin));
        let manifest = path(self.plugins.join(plugin).join("wasmill.toml"));
        for verb in ["sign", "install"] {
            self.wasmill.ask::<Value>(&["plugin", verb, &component, "--manifest", &manifest])?;
        }
        Ok(())
    }

    /// Creates the topics of the pipeline that are not there yet; on Kafka they may be.
    ///
    /// # Errors
    /// When one cannot be created.
    pub fn topics(&self) -> Result<()> {
        let there: Vec<Topic> = self.wasmill.ask(&["topic", "list"])?;
        for name in [RAW, PARSED] {
            if !there.iter().any(|topic| topic.name == name) {
                self.wasmill.ask::<Value>(&["topic", "create", name])?;
            }
        }
        Ok(())
    }

    /// Gets the forge ready: takes a minute the first time on a machine.
    ///
    /// # Errors
    /// When there is no compiler or no sandbox, with what to do.
    pub fn prepare_forge(&self) -> Result<()> {
        let answer: Value = self.wasmill.ask(&["forge", "prepare"])?;
        ensure!(answer["forge"] == "ready", "the forge is not ready: {answer}");
        Ok(())
    }
}
