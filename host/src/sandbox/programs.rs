//! The files that a program of this machine consists of.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// The programs and every library that they are linked with. Asks the loader, which may run them: only for
/// programs that are trusted.
pub fn with_libraries(programs: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut files: BTreeSet<PathBuf> = programs.iter().cloned().collect();
    for program in programs {
        for library in linked_files(program) {
            // /lib is a link to /usr/lib on most systems, and both spellings are used to look a library up.
            let folder = library.parent().and_then(|folder| folder.canonicalize().ok());
            files.extend(folder.zip(library.file_name()).map(|(folder, name)| folder.join(name)));
            if !library.components().any(|part| part == Component::ParentDir) {
                files.insert(library);
            }
        }
    }
    files
}

/// The libraries that a program is linked with, and its loader, as `ldd` lists them.
fn linked_files(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).env("LC_ALL", "C").output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).filter(|f| f.is_file()).collect()
}
