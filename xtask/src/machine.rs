//! The machine that a chore runs on: its folders and what we may do on it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// Folders and rights.
#[derive(Debug)]
pub struct Machine {
    /// The repository's root.
    pub root: PathBuf,
    /// What set-up fetches outside the repository: `$WASMILL_CACHE`, or `~/.cache/wasmill`.
    pub cache: PathBuf,
    /// Whether nothing may be missing or skipped, because nobody is there to read a warning.
    pub ci: bool,
    rights: Rights,
}

/// How the machine's packages can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rights {
    /// We are root.
    Root,
    /// `sudo` will do it, perhaps after it asked for a password.
    Sudo,
    /// Somebody else has to.
    None,
}

impl Machine {
    /// Looks at this machine.
    ///
    /// # Errors
    /// When the current directory or the home directory cannot be told.
    pub fn new() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask lies in a folder of the repository")?.to_owned();
        let cache = match env::var_os("WASMILL_CACHE") {
            Some(cache) => env::current_dir()?.join(cache),
            None => PathBuf::from(env::var_os("HOME").context("HOME is not set")?).join(".cache/wasmill"),
        };
        let ci = env::var("CI").is_ok_and(|value| value == "true" || value == "1");
        let is_root = shell::capture(Command::new("id").arg("-u")).is_ok_and(|uid| uid.trim() == "0");
        let rights = match (is_root, shell::on_path("sudo")) {
            (true, _) => Rights::Root,
            (false, true) => Rights::Sudo,
            (false, false) => Rights::None,
        };
        Ok(Self { root, cache, ci, rights })
    }

    /// Runs a command that changes the system.
    ///
    /// # Errors
    /// When it fails, or when neither root nor `sudo` is at hand; then with the command to run by hand.
    pub fn run_as_root(&self, words: &[&str]) -> Result<()> {
        let mut command = match self.rights {
            Rights::Root => Command::new(words[0]),
            Rights::Sudo => {
                let mut sudo = Command::new("sudo");
                // Nobody can type a password where no terminal is.
                if !console::user_attended() {
                    sudo.arg("-n");
                }
                sudo.arg(words[0]);
                sudo
            }
            Rights::None => {
                let mut by_hand = Command::new(words[0]);
                bail!("this needs root, and there is no sudo. Run as root: {}", shell::line(by_hand.args(&words[1..])))
            }
        };
        command.args(&words[1..]).current_dir("/");
        shell::run(&mut command)
            .with_context(|| format!("if you may not do this here, have it run as root: {}", shell::line(&command)))
    }
}
