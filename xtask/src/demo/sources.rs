//! Real logs of this machine: whatever exists.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::shell;

/// Sources that are shown.
const SOURCES_MAX: usize = 4;
/// The newest lines of each that are used.
const LINES_MAX: usize = 5_000;
/// Fewer lines of what was found are not worth showing.
const LINES_MIN: usize = 40;
/// Fewer lines than this never get a parser.
const LINES_NEEDED: usize = 8;

/// Log files by the names of their sources: the package managers', the system's.
const FILES: [(&str, &str); 12] = [
    ("dpkg", "/var/log/dpkg.log"),
    ("syslog", "/var/log/syslog"),
    ("messages", "/var/log/messages"),
    ("kernel", "/var/log/kern.log"),
    ("apt-term", "/var/log/apt/term.log"),
    ("alternatives", "/var/log/alternatives.log"),
    ("auth", "/var/log/auth.log"),
    ("dnf", "/var/log/dnf.log"),
    ("pacman", "/var/log/pacman.log"),
    ("zypper", "/var/log/zypper.log"),
    ("apt-history", "/var/log/apt/history.log"),
    ("cloud-init", "/var/log/cloud-init.log"),
];

/// Programs that print a log.
const PROGRAMS: [(&str, &[&str]); 2] =
    [("journal", &["journalctl", "--no-pager", "--quiet", "--lines=5000"]), ("kernel", &["dmesg"])];

/// Lines that logsmith has never seen.
#[derive(Debug)]
pub struct Source {
    /// Key of its records.
    pub name: String,
    /// Where the lines are from: a file or a command.
    pub from: String,
    /// The lines, none of them empty.
    pub lines: Vec<String>,
}

impl Source {
    fn new(name: &str, from: &str, text: &str) -> Self {
        let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let newest = &all[all.len().saturating_sub(LINES_MAX)..];
        Self { name: name.into(), from: from.into(), lines: newest.iter().map(|line| (*line).to_owned()).collect() }
    }

    /// The lines as `wasmill record send` takes them, so many times over.
    pub fn text(&self, times: usize) -> String {
        let once: String = self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        once.repeat(times)
    }
}

/// What this machine has, in several formats.
pub fn of_this_machine() -> Vec<Source> {
    let files = FILES.iter().filter_map(|(name, path)| {
        let bytes = fs::read(path).ok()?;
        Some(Source::new(name, path, &String::from_utf8_lossy(&bytes)))
    });
    let programs = PROGRAMS.iter().filter_map(|(name, words)| {
        let text = shell::capture(Command::new(words[0]).args(&words[1..])).ok()?;
        Some(Source::new(name, words[0], &text))
    });
    let mut found: Vec<Source> = Vec::new();
    for source in programs.chain(files) {
        let known = found.iter().any(|other| other.name == source.name);
        if !known && source.lines.len() >= LINES_MIN {
            found.push(source);
        }
    }
    // The longest tell most.
    found.sort_by_key(|source| std::cmp::Reverse(source.lines.len()));
    found.truncate(SOURCES_MAX);
    found
}

/// A file that the reader named.
///
/// # Errors
/// When it cannot be read or has too few lines.
pub fn of_file(path: &Path) -> Result<Source> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let source = Source::new(&key(&stem), &path.display().to_string(), &String::from_utf8_lossy(&bytes));
    let lines = source.lines.len();
    ensure!(
        lines >= LINES_NEEDED,
        "{} has {lines} lines; a parser is made from {LINES_NEEDED} or more",
        path.display()
    );
    Ok(source)
}

/// A name as the others are: its tool is then called by it.
fn key(stem: &str) -> String {
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let key = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    if key.is_empty() { "input".to_owned() } else { key }
}

/// The log of the demo's own host, as far as it is written.
pub fn of_host(log: &Path) -> Option<Source> {
    let text = fs::read_to_string(log).ok()?;
    let source = Source::new("wasmill", "the log of this demo's own host", &text);
    (source.lines.len() >= LINES_NEEDED).then_some(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_are_taken_and_empty_ones_left_out() {
        let text: String = (0..LINES_MAX + 10).map(|n| format!("line {n}\n\n")).collect();
        let source = Source::new("x", "x", &text);
        assert_eq!(source.lines.len(), LINES_MAX);
        assert_eq!(source.lines[0], "line 10");
        assert_eq!(source.text(2).lines().count(), 2 * LINES_MAX);
    }

    #[test]
    fn any_file_name_gives_a_name() {
        assert_eq!([" My_App.2", "é", "-a-"].map(key), ["my-app-2", "input", "a"]);
    }

    #[test]
    fn a_file_with_too_few_lines_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("few.log");
        fs::write(&path, "one\ntwo\n").unwrap();
        let error = of_file(&path).unwrap_err().to_string();
        assert!(error.contains("2 lines") && error.contains("few.log"), "{error}");
    }
}
