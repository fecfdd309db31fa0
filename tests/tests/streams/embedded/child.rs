//! Tests that need a second process run this binary again, with one ignored test as its program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const DIR: &str = "WASMILL_TEST_DIR";

/// A command that runs the ignored test `program` of this module's siblings on a directory.
pub fn command(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(arguments(program)).env(DIR, dir).stdin(Stdio::null());
    command
}

/// The arguments that make this binary run `program`.
pub fn arguments(program: &str) -> [String; 4] {
    [format!("embedded::{program}"), "--exact".to_owned(), "--ignored".to_owned(), "--nocapture".to_owned()]
}

/// The variable that names the directory, for a command that is put together in another way.
pub fn dir_variable(dir: &Path) -> (&'static str, &Path) {
    (DIR, dir)
}

/// The directory that a program was started on; none where someone ran all ignored tests by hand.
pub fn dir() -> Option<PathBuf> {
    env::var_os(DIR).map(PathBuf::from)
}
