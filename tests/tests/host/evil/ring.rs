//! Where an attack takes place: a host with one hostile tool and one that means well.

use serde_json::{Value, json};
use wasmill::capabilities::{Invocation, ToolCalls, problem};
use wasmill::host::Host;
use wasmill::problem::{Problem, ProblemKind};
use wasmill_tests::scratch::{Scratch, component, manifest};

/// Whoever calls may call everything; four lines, so that the rows of a test begin at line 5. Nothing is privileged:
/// who must approve what is another suite's.
const CALLER: &str = "privileged = []\n[[row]]\nprincipal = \"client:cli\"\ntools = [\"*\"]\n";

/// A host under attack.
pub struct Ring {
    /// Its folder.
    pub scratch: Scratch,
    /// The host.
    pub host: Host,
    tool: String,
}

impl Ring {
    /// A host with this plugin, and rows for it.
    pub async fn of(plugin: &str, rows: &str) -> Self {
        Self::with(plugin, &manifest(plugin).unwrap(), plugin, rows, &[]).await
    }

    /// The same under another name or manifest, with settings.
    pub async fn with(plugin: &str, manifest: &str, name: &str, rows: &str, settings: &[(&str, &str)]) -> Self {
        let mut scratch = Scratch::new(&format!("{CALLER}{rows}")).await.unwrap();
        scratch.install_bytes(&component(plugin).unwrap(), manifest).unwrap();
        scratch.install("text-metrics").unwrap();
        let own = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        scratch.settings.insert(name.to_owned(), own);
        scratch.settings.insert("upper".into(), [("password".to_owned(), "somebody else's".to_owned())].into());
        let host = scratch.open().await.unwrap();
        Self { scratch, host, tool: name.to_owned() }
    }

    /// Starts an attack and returns what it got, or what it met. The host must answer others afterwards.
    pub async fn attack(&self, name: &str, arguments: Value) -> Result<Value, Problem> {
        let outcome = self.call(&self.tool, name, arguments).await;
        self.is_well().await;
        outcome
    }

    /// Starts an attack that must not get anything.
    pub async fn refused(&self, name: &str, arguments: Value) -> Problem {
        match self.attack(name, arguments).await {
            Ok(got) => panic!("{name} got {got}"),
            Err(problem) => problem,
        }
    }

    /// Starts an attack that must meet this limit, as it is named, with its value and who set it.
    pub async fn limited(&self, name: &str, arguments: Value, limit: &str) {
        let problem = self.refused(name, arguments).await;
        assert_eq!(problem.kind, ProblemKind::Limit, "{name}: {problem:?}");
        assert!(problem.message.contains(limit), "{name} does not say {limit}: {problem:?}");
    }

    /// Calls any tool.
    pub async fn call(&self, tool: &str, function: &str, arguments: Value) -> Result<Value, Problem> {
        let call = Invocation { tool: tool.into(), function: function.into(), arguments: arguments.to_string() };
        let answer = self.host.toolbox.call(&self.host.client("cli"), call).await.map_err(|e| problem(&e))?;
        Ok(serde_json::from_str(&answer).unwrap())
    }

    /// A tool that means well is answered.
    pub async fn is_well(&self) {
        let answer = self.call("text-metrics", "count", json!({ "text": "one two three" })).await.unwrap();
        assert_eq!(answer["words"], 3);
    }
}
