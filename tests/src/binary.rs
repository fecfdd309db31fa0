//! The `wasmill` binary, as a person runs it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

/// Longest time of one command: more than preparing the forge takes on a busy machine.
const COMMAND_MAX: Duration = Duration::from_secs(15 * 60);

/// The binary. It has the same `main` as `wasmill` itself, but belongs to this package, so cargo builds it for the tests.
pub fn wasmill() -> PathBuf {
    // Beside this program, or where this is a test: …/target/debug/deps/<this test> → …/target/debug/wasmill-under-test
    let here = std::env::current_exe().unwrap_or_default();
    let folders = here.ancestors().skip(1).take(2);
    folders.map(|folder| folder.join("wasmill-under-test")).find(|file| file.is_file()).unwrap_or_default()
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

    /// Another home like this one, with the same keys, components and settings. Its host must not run meanwhile.
    ///
    /// # Errors
    /// When a file can't be copied.
    pub fn copy(&self) -> std::io::Result<Self> {
        let copy = Self { folder: tempfile::tempdir()? };
        copy_folder(&self.home(), &copy.home())?;
        Ok(copy)
    }

    /// Copies the scratch folder to where it stays; says where.
    ///
    /// # Errors
    /// When a file can't be copied.
    pub fn keep(&self) -> std::io::Result<PathBuf> {
        let kept = self.folder().with_extension("kept");
        copy_folder(self.folder(), &kept)?;
        Ok(kept)
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
        Ended::of(to_its_end(&mut self.command(arguments)))
    }

    /// Runs a command to its end, with variables of the environment.
    pub fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
        Ended::of(to_its_end(self.command(arguments).envs(variables.iter().copied())))
    }

    /// Runs a command with something on its standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ended {
        let path = self.folder().join("stdin");
        let file = std::fs::write(&path, input).and_then(|()| std::fs::File::open(&path));
        Ended::of(file.and_then(|file| to_its_end(self.command(arguments).stdin(file))))
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

/// What a command wrote. One that goes on for too long is killed, and so has no exit code: a host that should have refused
/// to start would run for ever.
fn to_its_end(command: &mut Command) -> std::io::Result<Output> {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let process = Pid::from_raw(child.id().cast_signed());
    let (ended, end) = channel::<()>();
    std::thread::spawn(move || {
        if end.recv_timeout(COMMAND_MAX) == Err(RecvTimeoutError::Timeout) {
            let _ = kill(process, Signal::SIGKILL);
        }
    });
    let output = child.wait_with_output();
    drop(ended);
    output
}

/// Copies files and folders; sockets and links are left out.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    std::fs::set_permissions(to, std::fs::metadata(from)?.permissions())?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
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
