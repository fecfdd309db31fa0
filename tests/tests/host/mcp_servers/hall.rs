//! A host with other MCP servers in its settings.

use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmill_tests::binary::{Cli, Ended};
use wasmill_tests::parts::{self, require};
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::{Launch, Server, free_port, until};
use wasmill_tests::up::Up;

const OTHER: &str = include_str!("other.py");
const HOSTILE: &str = include_str!("hostile.py");
/// The secret that servers are given.
pub const SECRET: &str = "k3y-of-the-other-server";
/// What `client:cli` may call: nothing of the server `forbidden`.
const MAY: &str = "[[row]]\nprincipal = \"client:cli\"\ntools = [\"mcp.web\", \"mcp.local\", \"mcp.hostile\"]\n";

/// A home whose host has other servers.
pub struct Hall {
    pub cli: Cli,
    pub python: PathBuf,
}

impl Hall {
    /// Where there is a Python with the official library.
    pub fn new() -> Option<Self> {
        let python = require(parts::mcp_python())?;
        let cli = Cli::new();
        cli.write("other.py", OTHER);
        cli.write("hostile.py", HOSTILE);
        cli.write("home/permissions.toml", MAY);
        cli.write("home/secrets.toml", format!("OTHER = \"{SECRET}\"\n"));
        Some(Self { cli, python })
    }

    pub fn file(&self, name: &str) -> String {
        self.cli.folder().join(name).display().to_string()
    }

    /// Settings for a server over HTTP at this port.
    pub fn web(name: &str, port: u16, more: &str) -> String {
        format!(
            "[[mcp.servers]]\nname = \"{name}\"\nurl = \"http://127.0.0.1:{port}/mcp\"\n\
             headers = {{ X-Key = \"${{secret:OTHER}}\" }}\n{more}\n"
        )
    }

    /// Settings for a script that is started in the sandbox: it sees a Python and itself.
    pub fn program(&self, name: &str, script: &str, arguments: &[&str], more: &str) -> String {
        let (python, script) = (self.python.display().to_string(), self.file(script));
        let words = [&[python.as_str(), &script], arguments].concat();
        let mut paths = python_files(&self.python);
        paths.push(script.clone());
        format!(
            "[[mcp.servers]]\nname = \"{name}\"\ncommand = {words:?}\npaths = {paths:?}\n\
             env = {{ OTHER_KEY = \"${{secret:OTHER}}\", PLAIN = \"plain\" }}\n{more}\n"
        )
    }

    pub fn settings(&self, text: &str) {
        self.cli.write("home/host.toml", text);
    }

    /// The official server as a process of this machine, over HTTP.
    pub fn serve(&self, script: &str, port: u16, more: &[&str]) -> Server {
        let python = self.python.display().to_string();
        let (script, port_text) = (self.file(script), port.to_string());
        let words: Vec<String> =
            [&[python.as_str(), &script, "http", &port_text], more].concat().iter().map(|w| (*w).to_owned()).collect();
        let log = self.cli.folder().join("server.log");
        let launch = Launch { command: &words, env: &[], log: &log, stop_signal: "TERM", user: None };
        let server = Server::start(&launch).unwrap();
        let listens = until(PATIENCE, || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(listens, "{}", std::fs::read_to_string(&log).unwrap_or_default());
        server
    }

    /// A host at work that has these tools.
    pub fn up(&self, tools: &[&str]) -> Up {
        let up = Up::start(&self.cli);
        self.has(&up, tools);
        up
    }

    /// Waits until these tools can be called.
    pub fn has(&self, up: &Up, tools: &[&str]) {
        let there = || {
            let listed = self.cli.run(&["tool", "list"]).json();
            let names: Vec<&str> = listed.as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
            tools.iter().all(|tool| names.contains(tool))
        };
        assert!(until(PATIENCE, there), "{tools:?} are not there; the host wrote:\n{}", up.log());
    }

    pub fn call(&self, tool: &str, function: &str, arguments: Value) -> Ended {
        self.cli.run(&["tool", "call", tool, function, &arguments.to_string()])
    }

    /// Functions that a tool has now.
    pub fn functions(&self, tool: &str) -> Vec<String> {
        let shown = self.cli.run(&["tool", "show", tool]).json();
        shown["functions"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Everything that was written down about what happened.
    pub fn told(&self, up: &Up) -> String {
        let audit = self.cli.run(&["audit", "list", "--limit", "1000"]).expect_code(0).stdout;
        let tools = self.cli.run(&["tool", "list"]).expect_code(0).stdout;
        let status = self.cli.run(&["status"]).expect_code(0).stdout;
        [up.log(), audit, tools, status].concat()
    }
}

/// Any free port.
pub fn port() -> u16 {
    free_port().unwrap()
}

/// What a Python consists of, wherever it was installed.
fn python_files(python: &Path) -> Vec<String> {
    let environment = python.parent().and_then(Path::parent).unwrap().display().to_string();
    let said = std::process::Command::new(python).args(["-c", "import sys; print(sys.base_prefix)"]).output().unwrap();
    let base = String::from_utf8(said.stdout).unwrap().trim().to_owned();
    let all = [environment, base, "/usr/lib".into(), "/lib".into(), "/lib64".into()];
    all.into_iter().filter(|path| Path::new(path).exists()).collect()
}
