//! The `wasmill` binary, as a person runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The binary. It has the same `main` as `wasmill` itself, but belongs to this package, so cargo builds it for the tests.
pub fn wasmill() -> PathBuf {
    // …/target/debug/deps/<this test> → …/target/debug/wasmill-under-test
    let here = std::env::current_exe().unwrap_or_default();
    here.ancestors().nth(2).map(|folder| folder.join("wasmill-under-test")).unwrap_or_default()
}

/// One home directory, and commands on it.
pub struct Cli {
    folder: tempfile::TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Default for Cli {
    fn default() -> Self {
        Self::new()
    }
}

impl Cli {
    /// A folder without a home.
    #[allow(clippy::expect_used, reason = "a test without a scratch folder has nothing to say")]
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().expect("a scratch folder") }
    }

    /// A new home with its keys.
    pub fn new() -> Self {
        let cli = Self::empty();
        cli.run(&["init"]).expect_code(0);
        cli
    }

    /// The scratch folder, with the home in `home/` and room for files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The home directory.
    pub fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    /// A command on the home, with JSON output, not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(wasmill());
        command.arg("--home").arg(self.home()).args(["--output", "json"]).args(arguments);
        command.current_dir(self.folder()).stdin(Stdio::null());
        command.env_remove("WASMILL_HOME").env_remove("CARGO_TARGET_DIR");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output())
    }

    /// Runs a command to its end, with variables of the environment.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        Ended::of(self.command(arguments).envs(variables.iter().copied()).output())
    }

    /// Runs a command with something on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let path = self.folder().join("stdin");
        let file = std::fs::write(&path, input).and_then(|()| std::fs::File::open(&path));
        Ended::of(file.and_then(|file| self.command(arguments).stdin(file).output()))
    }

    /// Writes a file into the scratch folder.
    #[allow(clippy::expect_used, reason = "a test without its files has nothing to say")]
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.folder().join(name), content).expect("a file in the scratch folder");
    }
}

impl Ended {
    #[allow(clippy::expect_used, reason = "a test without the binary has nothing to say")]
    fn of(output: std::io::Result<Output>) -> Self {
        let output = output.expect("the binary runs");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Checks the exit code.
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// The answer of a command that went well.
    pub fn json(self) -> Value {
        let ended = self.expect_code(0);
        serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
    }

    /// The answer of a command that went well and answers in lines.
    pub fn json_lines(self) -> Vec<Value> {
        let ended = self.expect_code(0);
        let lines: Result<Vec<Value>, serde_json::Error> = ended.stdout.lines().map(serde_json::from_str).collect();
        lines.unwrap_or_else(|error| panic!("{error}: {ended:?}"))
    }

    /// Code, sentence and advice of a command that failed with this exit code.
    pub fn problem(self, code: i32) -> Problem {
        let ended = self.expect_code(code);
        assert_eq!(ended.stdout, "", "{ended:?}");
        let value: Value = serde_json::from_str(&ended.stderr).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
        let field = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Problem { code: field("code"), message: field("message"), next: field("next") }
    }
}

/// An error as the binary prints it.
#[derive(Debug)]
pub struct Problem {
    /// Stable identifier.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// What to do next.
    pub next: String,
}
