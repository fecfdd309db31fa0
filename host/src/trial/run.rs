//! All cases of a plugin, on a host of its own.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use wasmill_registry::{COMPONENT_SIZE_MAX, Kind, Manifest, Registry};

use super::agent::try_agent;
use super::case::{Case, Cases, Task};
use super::find::Found;
use super::tool::try_tool;
use crate::capabilities::Secrets;
use crate::home::read_bounded;
use crate::host::{Host, Parts};
use crate::permissions::Principal;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::EngineConfig;
use crate::store::Store;
use crate::streams::embedded::{Embedded, EmbeddedConfig};
use crate::streams::{SharedStreams, TopicSpec};
use crate::telemetry::Telemetry;

/// Most bytes of one file of cases.
const CASES_SIZE_MAX: usize = 4 * 1024 * 1024;
/// Instances at once: a case has one.
const INSTANCES_MAX: u32 = 64;

/// How all cases of a plugin ended.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// `name@version`.
    pub component: String,
    /// Cases that ended as expected.
    pub passed: usize,
    /// Cases that did not.
    pub failed: usize,
    /// All cases, by file and in their order.
    pub cases: Vec<Outcome>,
}

/// How one case ended.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Name of its file.
    pub file: String,
    /// Name of the case.
    pub name: String,
    /// Whether it ended as expected.
    pub passed: bool,
    /// How long it took, loading included, microseconds.
    pub micros: u64,
    /// What is not as expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// What was expected, and what came.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Expected.
    pub expected: Value,
    /// Got.
    pub got: Value,
}

/// Runs all cases of a plugin.
///
/// # Errors
/// Where a file can't be read, with the line of what is wrong in it, or the component can't be loaded at all.
pub async fn run(found: &Found) -> Result<Report, Problem> {
    let manifest = &found.manifest;
    let component = read_bounded(&found.component, COMPONENT_SIZE_MAX)?;
    let mut files = Vec::new();
    for path in &found.cases {
        let text = read_bounded(path, CASES_SIZE_MAX)?;
        let text = String::from_utf8(text).map_err(|_| wrong(path, "it is not UTF-8"))?;
        files.push((path, Cases::parse(&text, manifest.kind).map_err(|error| wrong(path, error))?));
    }
    let folder = tempfile::tempdir().map_err(|error| Problem::io(&std::env::temp_dir(), &error))?;
    let topics = files.iter().flat_map(|(_, cases)| cases.0.iter()).flat_map(topics_of);
    let host = host(folder.path(), manifest, topics).await?;
    let mut report = Report {
        component: format!("{}@{}", manifest.name, manifest.version),
        passed: 0,
        failed: 0,
        cases: Vec::new(),
    };
    for (path, cases) in &files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for case in &cases.0 {
            let began = Instant::now();
            let difference = match &case.task {
                Task::Tool(call) => try_tool(&host, &component, manifest, case, call).await?,
                Task::Agent(batch) => try_agent(&host, &component, manifest, case, batch).await?,
            };
            let micros = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let passed = difference.is_none();
            *(if passed { &mut report.passed } else { &mut report.failed }) += 1;
            report.cases.push(Outcome { file: file.clone(), name: case.name.clone(), passed, micros, difference });
        }
    }
    Ok(report)
}

fn wrong(path: &Path, error: impl std::fmt::Display) -> Problem {
    let message = format!("`{}`, {error}", path.display());
    Problem::new(ProblemKind::Invalid, "cases.invalid", message, "See \"Cases\" in docs/plugin-guide.md.")
}

/// Topics that a case sends to.
fn topics_of(case: &Case) -> Vec<String> {
    match &case.task {
        Task::Agent(batch) => batch.expected.iter().flatten().map(|record| record.topic.clone()).collect(),
        Task::Tool(_) => Vec::new(),
    }
}

/// A host in a scratch folder that grants one component what its manifest wishes.
async fn host(folder: &Path, manifest: &Manifest, topics: impl Iterator<Item = String>) -> Result<Host, Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::new(ProblemKind::Failed, "trial.host", error, "");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| Problem::io(&path, &error)).map(|()| path)
    };
    let streams: SharedStreams = Embedded::open(&folder.join("log"), EmbeddedConfig::default())?;
    let named = &manifest.permissions.topics;
    let wished = named.read.iter().chain(&named.write).filter(|topic| !topic.contains('*')).cloned();
    let all: std::collections::BTreeSet<String> = wished.chain(topics).collect();
    for name in all {
        streams.create_topic(&TopicSpec { name, partitions: 1, compacted: false }).await?;
    }
    let host = Host::open(Parts {
        streams,
        registry: Registry::create(&folder.join("registry"))?,
        trust: write("trust.toml", "")?,
        advisories: folder.join("advisories.jsonl"),
        veto: None,
        permissions: write("permissions.toml", &matrix(manifest).map_err(|error| failed(&error))?)?,
        code_cache: folder.join("cache"),
        store: Store::open_file(&folder.join("store.db")).await?,
        audit: folder.join("audit.jsonl"),
        name: "trial".into(),
        instance: "trial".into(),
        model: None,
        secrets: Secrets::new(BTreeMap::new()),
        secrets_key: folder.join("secrets.key"),
        settings: BTreeMap::new(),
        engine: EngineConfig { instances_max: INSTANCES_MAX, ..EngineConfig::default() },
        forge: None,
        limits: wasmill_registry::Limits::default(),
        runs_kept: Duration::MAX,
        tool_topics: Vec::new(),
        conversations: None,
        mcp_servers: Vec::new(),
        telemetry: Telemetry::off(),
    });
    host.await
}

/// One row with everything that the manifest wishes; nothing is privileged.
fn matrix(manifest: &Manifest) -> Result<String, toml::ser::Error> {
    #[derive(Serialize)]
    struct Row<'a> {
        principal: &'a str,
        #[serde(flatten)]
        permissions: &'a wasmill_registry::Permissions,
    }
    #[derive(Serialize)]
    struct Matrix<'a> {
        privileged: [&'a str; 0],
        row: [Row<'a>; 1],
    }
    let principal = match manifest.kind {
        Kind::Tool | Kind::Engine => Principal::tool(&manifest.name),
        Kind::Agent => Principal::agent(&manifest.name),
    };
    let row = Row { principal: principal.as_str(), permissions: &manifest.permissions };
    toml::to_string(&Matrix { privileged: [], row: [row] })
}
