//! Rows of `[[mcp.servers]]`: as they are written, and as they are meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;

use super::check::{Misfit, checked_headers, checked_paths, checked_url, is_plain, is_variable, within};
use crate::capabilities::names_secret;

/// Most servers of a host.
const SERVERS_MAX: usize = 64;
/// Longest time that a call may take, milliseconds.
const TIMEOUT_MS_MAX: u64 = 3_600_000;
/// Largest answer to a call, KiB.
const ANSWER_KIB_MAX: usize = 64 * 1024;
/// Most tools of one server.
const TOOLS_MAX: usize = 512;
/// Most memory of a process of a server, MiB.
const MEMORY_MIB_MAX: u64 = 64 * 1024;
/// Largest scratch space of a server, MiB.
const SCRATCH_MIB_MAX: u64 = 16 * 1024;

pub(super) const MIB: u64 = 1024 * 1024;

/// A row as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerSection {
    /// Name: its tools are the functions of the tool `mcp.NAME`.
    pub name: String,
    /// Where it answers, over streamable HTTP. Either this or `command`.
    pub url: Option<String>,
    /// Headers of each request; `${secret:NAME}` stands for a secret.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Program, and its arguments, that speaks on standard input and output, in the sandbox.
    pub command: Option<Vec<String>>,
    /// Environment of the program; `${secret:NAME}` stands for a secret.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Files and folders of this machine that the program may read.
    #[serde(default)]
    pub paths: Vec<PathBuf>,
    /// Address space of each of the program's processes, MiB.
    #[serde(default = "default_memory_mib")]
    pub memory_mib: u64,
    /// Space for the program's files, which are gone when it ends, MiB.
    #[serde(default = "default_scratch_mib")]
    pub scratch_mib: u64,
    /// Longest time that a call may take, milliseconds.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// Largest answer to a call, KiB.
    #[serde(default = "default_answer_kib")]
    pub answer_kib: usize,
    /// Most tools that it may have.
    #[serde(default = "default_tools_max")]
    pub tools_max: usize,
}

fn default_memory_mib() -> u64 {
    2048
}

fn default_scratch_mib() -> u64 {
    64
}

fn default_timeout_ms() -> u64 {
    30_000
}

fn default_answer_kib() -> usize {
    1024
}

fn default_tools_max() -> usize {
    64
}

/// One other MCP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Name, one part.
    pub name: String,
    /// How it is reached.
    pub reach: Reach,
    /// Longest time that a call may take.
    pub timeout: Duration,
    /// Largest answer to a call, bytes.
    pub answer_bytes: usize,
    /// Most tools that it may have.
    pub tools_max: usize,
}

/// How a server is reached. Values may hold `${secret:NAME}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Over streamable HTTP.
    Http {
        /// Where.
        url: Url,
        /// Headers of each request.
        headers: BTreeMap<String, String>,
    },
    /// A program in the sandbox.
    Program(Program),
}

/// A program that speaks MCP on standard input and output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Program, absolute, and its arguments.
    pub command: Vec<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// What it may read of this machine, absolute.
    pub paths: Vec<PathBuf>,
    /// Address space of each of its processes, bytes.
    pub memory_bytes: u64,
    /// Space for its files, bytes.
    pub scratch_bytes: u64,
}

/// Checks all rows.
///
/// # Errors
/// Row, field and words of the first thing that is wrong.
pub fn servers(sections: Vec<ServerSection>) -> Result<Vec<ServerConfig>, (usize, &'static str, String)> {
    if sections.len() > SERVERS_MAX {
        return Err((SERVERS_MAX, "name", format!("there are at most {SERVERS_MAX} MCP servers")));
    }
    let mut names = BTreeSet::new();
    let mut checked = Vec::with_capacity(sections.len());
    for (row, section) in sections.into_iter().enumerate() {
        let server = section.checked().map_err(|(field, message)| (row, field, message))?;
        if !names.insert(server.name.clone()) {
            return Err((row, "name", format!("two MCP servers are named `{}`", server.name)));
        }
        checked.push(server);
    }
    Ok(checked)
}

impl ServerSection {
    fn checked(self) -> Result<ServerConfig, Misfit> {
        wasmill_registry::check_component_name(&self.name).map_err(|error| ("name", error.to_string()))?;
        if self.name.contains('.') {
            return Err(("name", "a server's name has no dot".to_owned()));
        }
        within("timeout_ms", self.timeout_ms, 1, TIMEOUT_MS_MAX)?;
        within("answer_kib", self.answer_kib, 1, ANSWER_KIB_MAX)?;
        within("tools_max", self.tools_max, 1, TOOLS_MAX)?;
        within("memory_mib", self.memory_mib, 1, MEMORY_MIB_MAX)?;
        within("scratch_mib", self.scratch_mib, 1, SCRATCH_MIB_MAX)?;
        let reach = match (self.url, self.command) {
            (Some(url), None) => {
                let programs = [("env", self.env.is_empty()), ("paths", self.paths.is_empty())];
                if let Some((field, _)) = programs.into_iter().find(|(_, is_empty)| !is_empty) {
                    return Err((field, format!("`{field}` is for a server with `command`")));
                }
                let url = checked_url(&url, &self.headers)?;
                Reach::Http { url, headers: checked_headers(self.headers)? }
            }
            (None, Some(_)) if !self.headers.is_empty() => {
                return Err(("headers", "`headers` are for a server with `url`".to_owned()));
            }
            (None, Some(command)) => Reach::Program(
                Program {
                    paths: checked_paths(self.paths)?,
                    command,
                    env: self.env,
                    memory_bytes: self.memory_mib * MIB,
                    scratch_bytes: self.scratch_mib * MIB,
                }
                .checked()?,
            ),
            _ => return Err(("name", "a server has either `url` or `command`".to_owned())),
        };
        Ok(ServerConfig {
            name: self.name,
            reach,
            timeout: Duration::from_millis(self.timeout_ms),
            answer_bytes: self.answer_kib * 1024,
            tools_max: self.tools_max,
        })
    }
}

impl Program {
    fn checked(self) -> Result<Self, Misfit> {
        let program = self.command.first().map(Path::new).filter(|program| is_plain(program));
        let program = program.ok_or(("command", "`command` begins with the program's absolute path".to_owned()))?;
        if !self.paths.iter().any(|path| program.starts_with(path)) {
            let message = format!("`{}` is below none of `paths`, so it could not be seen", program.display());
            return Err(("command", message));
        }
        if self.command.iter().chain(self.env.values()).any(|text| text.contains('\0')) {
            return Err(("command", "a program can't be given text with a NUL in it".to_owned()));
        }
        if self.command.iter().any(|word| names_secret(word)) {
            return Err(("command", "every process can read arguments: put the secret into `env`".to_owned()));
        }
        for (name, value) in &self.env {
            if !is_variable(name) {
                return Err(("env", format!("`{name}` is no name of an environment variable")));
            }
            // It would be obeyed by what makes the sandbox, too.
            if names_secret(value) && ["LD_", "GLIBC_"].iter().any(|prefix| name.starts_with(prefix)) {
                return Err(("env", format!("`{name}` is for the loader, and no place for a secret")));
            }
        }
        Ok(self)
    }
}
