//! The manifest of a component: `wasmill.toml` beside a plugin's `Cargo.toml`.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::check::FieldError;
use crate::digest::Digest;
use crate::document::{DocumentError, line_of, parse_document};
use crate::permissions::{Limits, Permissions};
use crate::schedule::Schedule;

/// Largest manifest, in bytes.
pub const MANIFEST_SIZE_MAX: usize = 64 * 1024;

/// Why a manifest cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It has more bytes than allowed.
    #[error("it has {size} bytes, over the limit of {MANIFEST_SIZE_MAX}")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// It is not UTF-8 text.
    #[error("it is not text (byte {at} is not UTF-8)")]
    NotText {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// Something in it is wrong, on the line that the message names.
    #[error("{0}")]
    Invalid(#[from] DocumentError),
}

impl ManifestError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "manifest.too-large",
            Self::NotText { .. } => "manifest.not-text",
            Self::Invalid(_) => "manifest.invalid",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        "Correct wasmill.toml; `wasmill plugin new` writes one to compare with.".into()
    }
}

/// What a component says of itself. The signature covers these bytes exactly as they are in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// 1 to 64 characters of `a-z`, `0-9` and `-`; a forged component has its maker and a dot in front.
    pub name: String,
    /// Semantic version.
    pub version: Version,
    /// Tool, agent or engine.
    pub kind: Kind,
    /// One sentence for a person.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How an agent takes part in streams. Exactly the agents have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Agent>,
    /// What an engine runs. Exactly the engines have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    /// What runs a tool that is text. A tool without it is a component of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Script>,
    /// What it would like to be allowed. The matrix decides.
    #[serde(default)]
    pub permissions: Permissions,
    /// What it needs at most.
    #[serde(default)]
    pub limits: Limits,
}

impl Manifest {
    /// Reads a manifest and checks it.
    ///
    /// # Errors
    /// With the line of what is wrong: not TOML, unknown or missing keys, values out of bounds, an `[agent]` section
    /// where the kind is tool or none where it is agent.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        if bytes.len() > MANIFEST_SIZE_MAX {
            return Err(ManifestError::TooLarge { size: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).map_err(|error| ManifestError::NotText { at: error.valid_up_to() })?;
        let manifest: Self = parse_document(text)?;
        manifest.check().map_err(|error| at_line(text, &error))?;
        Ok(manifest)
    }
}

impl Permissions {
    /// Reads permissions alone, in the words of a manifest's `[permissions]` section. Empty text: none.
    ///
    /// # Errors
    /// With the line of what is wrong.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MANIFEST_SIZE_MAX {
            return Err(ManifestError::TooLarge { size: text.len() });
        }
        let permissions: Self = parse_document(text)?;
        permissions.check().map_err(|error| at_line(text, &error))?;
        Ok(permissions)
    }
}

fn at_line(text: &str, error: &FieldError) -> DocumentError {
    let path: Vec<&str> = error.path.iter().map(String::as_str).collect();
    DocumentError { line: line_of(text, &path), message: error.to_string() }
}

/// Kind of a component: which world it implements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Exports `wasmill:plugin/tool`.
    Tool,
    /// Exports `wasmill:plugin/agent`.
    Agent,
    /// Exports `wasmill:plugin/engine`.
    Engine,
}

/// What an engine runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// Language of its tools: 1 to 64 characters of `a-z`, `0-9` and `-`.
    pub language: String,
}

/// What runs a tool that is text: the component of such a tool is its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// SHA-256 of the engine's component. No other engine runs it: what was tried is what is called.
    pub engine: Digest,
}

/// How an agent takes part in streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Topics that it reads. Partition `p` of all of them goes to one instance.
    pub reads: Vec<String>,
    /// Most records in one batch, 1 to 16,384.
    #[serde(default = "Agent::batch_records_default")]
    pub batch_records: usize,
    /// Least time between two transactions, milliseconds, at most 10,000; 0: each as soon as there is
    /// something. More makes fewer, larger transactions.
    #[serde(default)]
    pub commit_ms: u64,
    /// What the host writes on each record that it sends.
    #[serde(default)]
    pub headers: RecordHeaders,
    /// Calls `idle` once when a partition gave no record for so many milliseconds; 0: never.
    #[serde(default)]
    pub idle_ms: u64,
    /// What it does by the clock.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cron: Vec<Cron>,
    /// Its way of working.
    #[serde(default)]
    pub mode: Mode,
    /// In task mode: most runs at once on one host, 1 to 1,024.
    #[serde(default = "Agent::runs_at_once_default")]
    pub runs_at_once: usize,
    /// In task mode: how long one run may take with all its turns and pauses, seconds; at most seven days.
    #[serde(default = "Agent::run_seconds_default")]
    pub run_seconds: u64,
}

/// What the host writes on each record that an agent sends, besides the agent's own headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RecordHeaders {
    /// CloudEvents in binary mode, trace context, digest of the component and revision of the policy.
    #[default]
    All,
    /// Nothing. A small record is cheaper by half then; its readers can't tell who made it, and its trace ends here.
    None,
}

/// Something that an agent does again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// What the agent knows it by: the key of the record that it gets.
    pub name: String,
    /// When.
    pub schedule: Schedule,
    /// Value of the record that it gets.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payload: String,
}

/// An agent's way of working.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Batches of records, each in one transaction: for fast handlers.
    #[default]
    Stream,
    /// One run for each record, many at once, each with its own instance and a journal: for work that waits and pays.
    Task,
}

impl Agent {
    /// An agent that only says what it reads.
    pub(crate) fn default_of(reads: Vec<String>) -> Self {
        Self {
            reads,
            batch_records: Self::batch_records_default(),
            commit_ms: 0,
            headers: RecordHeaders::default(),
            idle_ms: 0,
            cron: Vec::new(),
            mode: Mode::default(),
            runs_at_once: Self::runs_at_once_default(),
            run_seconds: Self::run_seconds_default(),
        }
    }

    fn batch_records_default() -> usize {
        1024
    }

    fn runs_at_once_default() -> usize {
        16
    }

    fn run_seconds_default() -> u64 {
        3600
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = r#"name = "counter"
version = "1.0.0"
kind = "agent"
description = "Counts."

[agent]
reads = ["words"]
batch_records = 100

[permissions]
topics.read = ["words"]
topics.write = ["counts"]
state = true
http = [{ host = "api.example.com", methods = ["GET"] }]

[limits]
memory_mib = 32
"#;

    /// Line and message for the manifest with one replacement.
    fn refused(from: &str, to: &str) -> (usize, String) {
        assert!(AGENT.contains(from), "{from}");
        match Manifest::parse(AGENT.replacen(from, to, 1).as_bytes()) {
            Err(ManifestError::Invalid(error)) => (error.line, error.message),
            other => panic!("{from} -> {to}: {other:?}"),
        }
    }

    #[test]
    fn a_whole_manifest_is_read() {
        let manifest = Manifest::parse(AGENT.as_bytes()).unwrap();
        assert_eq!(manifest.kind, Kind::Agent);
        assert_eq!(manifest.agent.unwrap().batch_records, 100);
        assert_eq!(manifest.permissions.topics.write, ["counts"]);
        assert_eq!(manifest.limits.memory_mib, Some(32));
    }

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        for (from, to, line, key) in [
            ("description", "descripton", 4, "descripton"),
            ("batch_records", "batch_size", 8, "batch_size"),
            ("topics.write", "topics.rite", 12, "rite"),
            ("state = true", "sate = true", 13, "sate"),
            ("memory_mib", "memory", 17, "memory"),
        ] {
            let (found, message) = refused(from, to);
            assert!(message.contains(key), "{message}");
            assert_eq!(found, line, "{message}");
        }
    }

    #[test]
    fn wrong_values_are_named_with_their_line() {
        for (from, to, line) in [
            ("\"counter\"", "\"../counter\"", 1),
            ("\"1.0.0\"", "\"1.0\"", 2),
            ("\"1.0.0\"", "\"1.0.0+linux\"", 2),
            ("\"agent\"", "\"daemon\"", 3),
            ("Counts.", "Counts.\\nA lot.", 4),
            ("[\"words\"]", "[]", 7),
            ("[\"words\"]", "[\"wo rds\"]", 7),
            ("[\"words\"]", "[\"words\", \"words\"]", 7),
            ("[\"words\"]", "[\"wasmill.timer\"]", 7),
            ("= 100", "= 0", 8),
            ("= 100", "= 20000", 8),
            ("= 100", "= 100\ncommit_ms = 10001", 9),
            ("[\"counts\"]", "[\"\"]", 12),
            ("api.example.com", "https://api.example.com/", 14),
            ("GET", "get", 14),
            ("memory_mib = 32", "memory_mib = 0", 17),
        ] {
            let (found, message) = refused(from, to);
            assert_eq!(found, line, "{from} -> {to}: {message}");
        }
    }

    #[test]
    fn ways_of_working_exclude_each_others_settings() {
        let task = |lines: &str| AGENT.replace("batch_records = 100", &format!("mode = \"task\"\n{lines}"));
        let agent = Manifest::parse(task("runs_at_once = 3").as_bytes()).unwrap().agent.unwrap();
        assert_eq!((agent.mode, agent.runs_at_once, agent.run_seconds), (Mode::Task, 3, 3600));
        for (lines, line) in [
            ("runs_at_once = 0", 9),
            ("runs_at_once = 1025", 9),
            ("run_seconds = 0", 9),
            ("run_seconds = 604801", 9),
            ("idle_ms = 5", 9),
            ("commit_ms = 5", 9),
            ("batch_records = 7", 9),
        ] {
            let Err(ManifestError::Invalid(error)) = Manifest::parse(task(lines).as_bytes()) else { panic!("{lines}") };
            assert_eq!(error.line, line, "{lines}: {error}");
        }
        let (line, message) = refused("batch_records = 100", "runs_at_once = 3");
        assert_eq!(line, 8, "{message}");
    }

    #[test]
    fn exactly_agents_have_an_agent_section() {
        let (line, message) = refused("\"agent\"", "\"tool\"");
        assert_eq!(line, 6, "{message}");
        let (line, message) = refused("[agent]\nreads = [\"words\"]\nbatch_records = 100\n", "");
        assert_eq!(line, 3, "{message}");
    }

    #[test]
    fn exactly_engines_have_an_engine_section_and_only_tools_are_scripts() {
        let engine = "name = 'js'\nversion = '1.0.0'\nkind = 'engine'\n[engine]\nlanguage = 'javascript'\n";
        assert_eq!(Manifest::parse(engine.as_bytes()).unwrap().engine.unwrap().language, "javascript");
        let script = format!("\n[script]\nengine = '{}'\n", Digest::of(b"engine"));
        let tool = format!("name = 'sum'\nversion = '1.0.0'\nkind = 'tool'\n{script}");
        assert_eq!(Manifest::parse(tool.as_bytes()).unwrap().script.unwrap().engine, Digest::of(b"engine"));
        for (text, line) in [
            (engine.replace("[engine]\nlanguage = 'javascript'\n", ""), 3),
            (engine.replace("'javascript'", "'Java Script'"), 5),
            (engine.replace("kind = 'engine'", "kind = 'tool'"), 4),
            (format!("{engine}[permissions]\ntools = ['*']\n"), 6),
            (format!("{engine}{script}"), 7),
            (format!("{AGENT}{script}"), 19),
            (tool.replace(&Digest::of(b"engine").to_string(), "0123"), 6),
        ] {
            let error = Manifest::parse(text.as_bytes()).unwrap_err();
            assert!(matches!(&error, ManifestError::Invalid(e) if e.line == line), "{text}: {error}");
        }
    }

    #[test]
    fn a_tool_asks_for_no_state_no_timers_and_nothing_of_the_host() {
        for asked in ["state = true", "timers = true", "host = ['read']"] {
            let text = format!("name = 'a'\nversion = '1.0.0'\nkind = 'tool'\n[permissions]\n{asked}\n");
            assert!(matches!(Manifest::parse(text.as_bytes()), Err(ManifestError::Invalid(error)) if error.line == 5));
        }
    }

    #[test]
    fn a_schedule_is_checked_where_it_is_written() {
        let daily = "[[agent.cron]]\nname = \"daily\"\nschedule = \"0 3 * * *\"\npayload = \"x\"\n\n[permissions]";
        let manifest = Manifest::parse(AGENT.replace("[permissions]", daily).as_bytes()).unwrap();
        assert_eq!(manifest.agent.unwrap().cron[0].schedule.to_string(), "0 3 * * *");
        for (from, to, line) in [
            ("0 3 * * *", "0 25 * * *", 12),
            ("0 3 * * *", "0 0 30 2 *", 12),
            ("\"daily\"", "\"\"", 11),
            ("\"daily\"", "\"a\\nb\"", 11),
        ] {
            let text = AGENT.replace("[permissions]", &daily.replace(from, to));
            let error = Manifest::parse(text.as_bytes()).unwrap_err();
            assert!(matches!(&error, ManifestError::Invalid(e) if e.line == line), "{to}: {error}");
        }
        let twice = AGENT.replace("[permissions]", &daily.replace("\n[perm", &format!("\n{daily}[perm")));
        assert!(Manifest::parse(twice.replace("[permissions][permissions]", "[permissions]").as_bytes()).is_err());
    }

    #[test]
    fn what_is_not_text_or_too_large_is_refused() {
        assert_eq!(Manifest::parse(b"name = \"\xff\"").unwrap_err(), ManifestError::NotText { at: 8 });
        let large = vec![b'#'; MANIFEST_SIZE_MAX + 1];
        assert_eq!(Manifest::parse(&large).unwrap_err().code(), "manifest.too-large");
    }

    #[test]
    fn permissions_alone_are_read_in_the_same_words() {
        assert_eq!(Permissions::parse("").unwrap(), Permissions::default());
        assert_eq!(Permissions::parse("tools = ['a.*']").unwrap().tools, ["a.*"]);
        assert_eq!(Permissions::parse("\ntolls = ['a']").unwrap_err().to_string().split(':').next(), Some("line 2"));
    }
}
