//! Checks of values that were read: what types alone can't say.

use crate::manifest::{Agent, Kind, Manifest, Mode};
use crate::names::{check_component_name, check_topic_name};
use crate::permissions::{HttpRule, Limits, Permissions};
use crate::schedule::{FIRED_TOPICS, TIMER_PAYLOAD_SIZE_MAX, check_timer_name};

/// Most entries of one list of patterns.
pub const PATTERNS_MAX: usize = 256;
/// Most characters of one pattern.
pub const PATTERN_CHARS_MAX: usize = 256;
/// Most characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 1024;
/// Most topics that one agent reads.
pub const AGENT_READS_MAX: usize = 64;
/// Most records of one batch.
pub const BATCH_RECORDS_MAX: usize = 16_384;
/// Most schedules of one agent.
pub const CRON_MAX: usize = 64;
/// Most runs at once of an agent in task mode, on one host.
pub const RUNS_AT_ONCE_MAX: usize = 1024;
/// Longest time of one run, seconds: seven days.
pub const RUN_SECONDS_MAX: u64 = 7 * 24 * 60 * 60;
/// Longest time between two transactions, milliseconds: a worker that waits longer would be taken for dead.
pub const COMMIT_MS_MAX: u64 = 10_000;
/// Longest idle time, milliseconds: one day.
pub const IDLE_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// A field with a value that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {reason}", .path.join("."))]
pub struct FieldError {
    /// The way to the field; numbers count rows of an array from 0. See [`crate::line_of`].
    pub path: Vec<String>,
    /// What is wrong, as one sentence without a full stop.
    pub reason: String,
}

impl FieldError {
    fn at(path: &[&str], reason: impl Into<String>) -> Self {
        Self { path: path.iter().map(|&step| step.to_owned()).collect(), reason: reason.into() }
    }

    fn under(mut self, parent: &str) -> Self {
        self.path.insert(0, parent.to_owned());
        self
    }
}

impl Manifest {
    /// Checks what the types can't say.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(&self) -> Result<(), FieldError> {
        check_component_name(&self.name).map_err(|error| FieldError::at(&["name"], error.to_string()))?;
        if !self.version.build.is_empty() {
            // Versions are compared without it, so two different components would carry equal versions.
            return Err(FieldError::at(&["version"], "a version has no `+build` part here"));
        }
        if self.version.to_string().len() > 64 {
            return Err(FieldError::at(&["version"], "a version has at most 64 characters"));
        }
        if self.description.chars().count() > DESCRIPTION_CHARS_MAX || self.description.chars().any(char::is_control) {
            let reason = format!("a description is one line of at most {DESCRIPTION_CHARS_MAX} characters");
            return Err(FieldError::at(&["description"], reason));
        }
        self.check_engine()?;
        if !self.permissions.host.is_empty() {
            return Err(FieldError::at(&["permissions", "host"], "only clients work on a host at its gateway"));
        }
        match (self.kind, &self.agent) {
            (Kind::Agent, None) => {
                return Err(FieldError::at(&["kind"], "an agent needs an [agent] section that says what it reads"));
            }
            (Kind::Tool | Kind::Engine, Some(_)) => {
                return Err(FieldError::at(&["agent"], "only an agent has an [agent] section"));
            }
            (Kind::Tool, None) if self.permissions.state => {
                return Err(FieldError::at(
                    &["permissions", "state"],
                    "a tool keeps nothing between calls; only agents have state",
                ));
            }
            (Kind::Tool, None) if self.permissions.timers => {
                return Err(FieldError::at(&["permissions", "timers"], "only agents set timers"));
            }
            (Kind::Agent, Some(agent)) if agent.mode == Mode::Task && self.permissions.timers => {
                let reason =
                    "timers are for mode = \"stream\" only; let an agent in stream mode send a record when it is time";
                return Err(FieldError::at(&["permissions", "timers"], reason));
            }
            (Kind::Agent, Some(agent)) => agent.check().map_err(|error| error.under("agent"))?,
            (Kind::Tool | Kind::Engine, None) => {}
        }
        self.permissions.check().map_err(|error| error.under("permissions"))?;
        self.limits.check().map_err(|error| error.under("limits"))
    }

    fn check_engine(&self) -> Result<(), FieldError> {
        match (self.kind, &self.engine) {
            (Kind::Engine, None) => {
                return Err(FieldError::at(&["kind"], "an engine needs an [engine] section that names its language"));
            }
            (Kind::Engine, Some(engine)) => {
                check_component_name(&engine.language)
                    .map_err(|error| FieldError::at(&["engine", "language"], error.to_string()))?;
            }
            (_, Some(_)) => return Err(FieldError::at(&["engine"], "only an engine has an [engine] section")),
            (_, None) => {}
        }
        if self.kind == Kind::Engine && self.permissions != Permissions::default() {
            let reason = "an engine has no permissions: each tool that it runs has its own";
            return Err(FieldError::at(&["permissions"], reason));
        }
        if self.kind != Kind::Tool && self.script.is_some() {
            return Err(FieldError::at(&["script"], "only a tool has a [script] section"));
        }
        Ok(())
    }
}

impl Agent {
    fn check(&self) -> Result<(), FieldError> {
        if self.reads.is_empty() || self.reads.len() > AGENT_READS_MAX {
            return Err(FieldError::at(&["reads"], format!("an agent reads 1 to {AGENT_READS_MAX} topics")));
        }
        for (i, topic) in self.reads.iter().enumerate() {
            let path = ["reads", &i.to_string()];
            check_topic_name(topic).map_err(|error| FieldError::at(&path, error.to_string()))?;
            if self.reads[..i].contains(topic) {
                return Err(FieldError::at(&path, format!("topic `{topic}` is listed twice")));
            }
            if FIRED_TOPICS.contains(&topic.as_str()) {
                return Err(FieldError::at(&path, format!("`{topic}` is no topic: timers come under this name")));
            }
        }
        if !(1..=BATCH_RECORDS_MAX).contains(&self.batch_records) {
            return Err(FieldError::at(&["batch_records"], format!("a batch has 1 to {BATCH_RECORDS_MAX} records")));
        }
        if self.commit_ms > COMMIT_MS_MAX {
            return Err(FieldError::at(&["commit_ms"], format!("at most {COMMIT_MS_MAX} ms between two transactions")));
        }
        if self.idle_ms > IDLE_MS_MAX {
            return Err(FieldError::at(&["idle_ms"], format!("at most {IDLE_MS_MAX} ms, which is one day")));
        }
        if self.cron.len() > CRON_MAX {
            return Err(FieldError::at(&["cron"], format!("an agent has at most {CRON_MAX} schedules")));
        }
        for (i, cron) in self.cron.iter().enumerate() {
            let i = i.to_string();
            check_timer_name(&cron.name).map_err(|reason| FieldError::at(&["cron", &i, "name"], reason))?;
            if self.cron.iter().filter(|other| other.name == cron.name).count() > 1 {
                let reason = format!("`{}` is there twice", cron.name);
                return Err(FieldError::at(&["cron", &i, "name"], reason));
            }
            if cron.payload.len() > TIMER_PAYLOAD_SIZE_MAX {
                let reason = format!("a payload has at most {TIMER_PAYLOAD_SIZE_MAX} bytes");
                return Err(FieldError::at(&["cron", &i, "payload"], reason));
            }
        }
        if !(1..=RUNS_AT_ONCE_MAX).contains(&self.runs_at_once) {
            return Err(FieldError::at(&["runs_at_once"], format!("1 to {RUNS_AT_ONCE_MAX} runs at once")));
        }
        if !(1..=RUN_SECONDS_MAX).contains(&self.run_seconds) {
            let reason = format!("1 to {RUN_SECONDS_MAX} seconds, which are seven days");
            return Err(FieldError::at(&["run_seconds"], reason));
        }
        self.check_mode()
    }

    /// A setting of the other way of working is a misunderstanding. Where it has its default, nobody can tell.
    fn check_mode(&self) -> Result<(), FieldError> {
        let usual = Self::default_of(self.reads.clone());
        let (of_stream, of_task) = (
            vec![
                ("batch_records", self.batch_records != usual.batch_records),
                ("idle_ms", self.idle_ms != usual.idle_ms),
                ("commit_ms", self.commit_ms != usual.commit_ms),
                ("cron", !self.cron.is_empty()),
            ],
            vec![
                ("runs_at_once", self.runs_at_once != usual.runs_at_once),
                ("run_seconds", self.run_seconds != usual.run_seconds),
            ],
        );
        let (wrong, mode) = match self.mode {
            Mode::Stream => (of_task, "task"),
            Mode::Task => (of_stream, "stream"),
        };
        match wrong.iter().find(|(_, is_set)| *is_set) {
            Some((field, _)) => Err(FieldError::at(&[field], format!("this is for mode = \"{mode}\" only"))),
            None => Ok(()),
        }
    }
}

impl Permissions {
    /// Checks the patterns: none empty, none endless, no control characters.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(&self) -> Result<(), FieldError> {
        check_patterns(&["topics", "read"], &self.topics.read)?;
        check_patterns(&["topics", "write"], &self.topics.write)?;
        check_patterns(&["topics", "create"], &self.topics.create)?;
        check_patterns(&["tools"], &self.tools)?;
        check_patterns(&["model"], &self.model)?;
        check_patterns(&["secrets"], &self.secrets)?;
        check_patterns(&["forge"], &self.forge)?;
        check_patterns(&["agents"], &self.agents)?;
        check_patterns(&["host"], &self.host)?;
        if self.http.len() > PATTERNS_MAX {
            return Err(FieldError::at(&["http"], format!("at most {PATTERNS_MAX} entries")));
        }
        for (i, rule) in self.http.iter().enumerate() {
            rule.check().map_err(|error| error.under(&i.to_string()).under("http"))?;
        }
        Ok(())
    }
}

impl HttpRule {
    fn check(&self) -> Result<(), FieldError> {
        let host = &self.host;
        let plain =
            host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'*' | b'[' | b']'));
        if host.is_empty() || host.len() > PATTERN_CHARS_MAX || !plain {
            let reason =
                format!("`{}` is not a host name, without scheme and path", host.chars().take(80).collect::<String>());
            return Err(FieldError::at(&["host"], reason));
        }
        if self.methods.is_empty() || self.methods.len() > 16 {
            return Err(FieldError::at(&["methods"], "name 1 to 16 methods, or \"*\" for all"));
        }
        for (i, method) in self.methods.iter().enumerate() {
            let written =
                !method.is_empty() && method.len() <= 32 && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
            if method != "*" && !written {
                let path = ["methods", &i.to_string()];
                return Err(FieldError::at(&path, "a method is written in capitals, like GET; \"*\" stands for all"));
            }
        }
        Ok(())
    }
}

fn check_patterns(path: &[&str], patterns: &[String]) -> Result<(), FieldError> {
    if patterns.len() > PATTERNS_MAX {
        return Err(FieldError::at(path, format!("at most {PATTERNS_MAX} entries")));
    }
    for (i, pattern) in patterns.iter().enumerate() {
        let plain = pattern.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if pattern.is_empty() || pattern.chars().count() > PATTERN_CHARS_MAX || !plain {
            let mut error =
                FieldError::at(path, format!("a pattern has 1 to {PATTERN_CHARS_MAX} characters and no spaces"));
            error.path.push(i.to_string());
            return Err(error);
        }
    }
    Ok(())
}

impl Limits {
    /// Checks that no limit is zero where zero means that nothing can work, or beyond what any host offers.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn check(&self) -> Result<(), FieldError> {
        // Under 17 pages of 64 KiB, no Rust guest can even be instantiated.
        check_bounds("memory_mib", self.memory_mib.map(u64::from), 2, 4096)?;
        check_bounds("compute_ms", self.compute_ms, 1, 60 * 60 * 1000)?;
        check_bounds("deadline_ms", self.deadline_ms, 1, 24 * 60 * 60 * 1000)?;
        check_bounds("table_entries", self.table_entries.map(u64::from), 1, 10_000_000)?;
        check_bounds("output_kib", self.output_kib.map(u64::from), 1, 1024 * 1024)?;
        check_bounds("call_depth", self.call_depth.map(u64::from), 0, 64)?;
        check_bounds("state_mib", self.state_mib.map(u64::from), 0, 1024 * 1024)?;
        check_bounds("timers_waiting", self.timers_waiting.map(u64::from), 0, 10_000_000)?;
        check_bounds("topics_made", self.topics_made.map(u64::from), 0, 1_000_000)?;
        check_bounds("topic_partitions", self.topic_partitions.map(u64::from), 1, 1024)?;
        check_bounds("topic_hours", self.topic_hours.map(u64::from), 1, 1_000_000)?;
        check_bounds("agents_started", self.agents_started.map(u64::from), 0, 10_000)?;
        check_bounds("builds_per_hour", self.builds_per_hour.map(u64::from), 0, 100_000)?;
        check_bounds("tools_alive", self.tools_alive.map(u64::from), 0, 1_000_000)?;
        check_bounds("tool_bytes", self.tool_bytes, 0, 1 << 50)?;
        check_bounds("unused_days", self.unused_days.map(u64::from), 1, 100_000)
    }
}

fn check_bounds(field: &str, value: Option<u64>, min: u64, max: u64) -> Result<(), FieldError> {
    match value {
        Some(value) if !(min..=max).contains(&value) => {
            Err(FieldError::at(&[field], format!("{value} is not between {min} and {max}")))
        }
        _ => Ok(()),
    }
}
