//! What a program in the sandbox can see: nothing, and then the pieces that are named here.

use std::ffi::{OsStr, OsString};
use std::path::Path;

/// The file system and the environment inside, as arguments of bubblewrap.
#[derive(Clone)]
pub struct View {
    arguments: Vec<OsString>,
    secrets: Vec<(String, String)>,
}

impl Default for View {
    fn default() -> Self {
        Self::new()
    }
}

impl View {
    /// An empty file system and an empty environment: no network, no other processes, no capabilities, no way to make
    /// namespaces of its own, no terminal to type into, and an end when the host ends.
    ///
    /// There is no `/proc` and no `/sys`, which tell about the host, and of `/dev` only `null`.
    pub fn new() -> Self {
        let arguments = [
            "--unshare-all",
            "--unshare-user",
            "--disable-userns",
            "--cap-drop",
            "ALL",
            "--die-with-parent",
            "--new-session",
            "--hostname",
            "sandbox",
            "--dev-bind",
            "/dev/null",
            "/dev/null",
        ];
        Self { arguments: arguments.map(OsString::from).into(), secrets: Vec::new() }
    }

    fn push(&mut self, arguments: &[&OsStr]) -> &mut Self {
        self.arguments.extend(arguments.iter().map(|&a| a.to_owned()));
        self
    }

    /// Shows a file or folder of the host at `inside`, read-only.
    pub fn read_only(&mut self, outside: &Path, inside: &Path) -> &mut Self {
        self.push(&["--ro-bind".as_ref(), outside.as_os_str(), inside.as_os_str()])
    }

    /// Shows a file or folder of the host at `inside` and lets it be written.
    pub fn writable(&mut self, outside: &Path, inside: &str) -> &mut Self {
        self.push(&["--bind".as_ref(), outside.as_os_str(), inside.as_ref()])
    }

    /// An empty folder of at most `bytes` bytes, in memory, gone afterwards.
    pub fn scratch(&mut self, inside: &str, bytes: u64) -> &mut Self {
        let bytes = bytes.to_string();
        self.push(&["--size".as_ref(), bytes.as_ref(), "--tmpfs".as_ref(), inside.as_ref()])
    }

    /// An environment variable.
    pub fn env(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        self.push(&["--setenv".as_ref(), name.as_ref(), value.as_ref()])
    }

    /// An environment variable whose value nobody else on this machine may see. It goes past the command line, which every
    /// process can read, through the environment of bubblewrap itself: names that a loader obeys are not for this.
    pub fn secret_env(&mut self, name: &str, value: &str) -> &mut Self {
        self.secrets.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The system's programs and libraries, with `/proc` of the sandbox's own processes. Only for work on sources that
    /// are ours: a native linker needs a good part of a system.
    pub fn system(&mut self) -> &mut Self {
        for folder in ["/usr", "/lib", "/lib64", "/bin", "/etc/alternatives"] {
            if Path::new(folder).exists() {
                self.read_only(folder.as_ref(), folder.as_ref());
            }
        }
        self.push(&["--proc".as_ref(), "/proc".as_ref(), "--tmpfs".as_ref(), "/tmp".as_ref()])
    }

    /// All of it, for bubblewrap. The root itself becomes read-only: it is made of memory and has no size limit.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        // bubblewrap is started with an empty environment; with this, one that is not would be emptied, too. Secrets are
        // all that it is given.
        let clear = self.secrets.is_empty().then(|| OsString::from("--clearenv"));
        let mut arguments: Vec<OsString> = clear.into_iter().chain(self.arguments.iter().cloned()).collect();
        arguments.extend(["--remount-ro", "/", "--chdir", "/"].map(OsString::from));
        arguments
    }

    /// The environment of bubblewrap: nothing but secrets.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.secrets.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
