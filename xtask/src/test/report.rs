//! What a run came to: the stages, the counted tests, what failed and what was skipped.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use console::style;
use tempfile::TempDir;

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything in it was fine.
    Passed,
    /// Something was not.
    Failed(String),
    /// It did not run, for this reason.
    Skipped(String),
}

/// Collects while the stages run.
#[derive(Debug)]
pub struct Report {
    start: Instant,
    folder: TempDir,
    missing: Vec<String>,
    stages: Vec<(&'static str, Duration, Outcome)>,
    counted: Counted,
}

/// The tests of all programs together, as libtest counts them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counted {
    passed: u64,
    failed: u64,
    ignored: u64,
    names_of_failed: Vec<String>,
}

impl Report {
    /// An empty report; `missing` are the real parts that this machine does not have.
    ///
    /// # Errors
    /// When there is no room for a temporary folder.
    pub fn new(missing: Vec<String>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self { start: Instant::now(), folder, missing, stages: Vec::new(), counted: Counted::default() })
    }

    /// The file in which tests note that they were skipped.
    pub fn skip_log(&self) -> PathBuf {
        self.folder.path().join("skipped")
    }

    /// Takes note of one line that a test program wrote.
    pub fn line(&mut self, line: &str) {
        self.counted.line(line);
    }

    /// Takes note of a finished stage.
    pub fn stage(&mut self, title: &'static str, took: Duration, outcome: Outcome) {
        self.stages.push((title, took, outcome));
    }

    /// Prints the summary, and gives the exit code of the whole run.
    pub fn finish(self) -> ExitCode {
        println!("\n{}", style("Summary").bold().underlined());
        let mut failed = self.counted.failed > 0;
        for (title, took, outcome) in &self.stages {
            let seconds = took.as_secs_f64();
            let (mark, why) = match outcome {
                Outcome::Passed => (style("✓").green(), ""),
                Outcome::Failed(why) => (style("✗").red(), why.as_str()),
                Outcome::Skipped(why) => (style("–").yellow(), why.as_str()),
            };
            failed |= matches!(outcome, Outcome::Failed(_));
            println!("{}", format!("  {mark} {title:<18} {seconds:>7.1} s  {why}").trim_end());
        }
        for name in &self.counted.names_of_failed {
            println!("  {} {name}", style("FAILED").red().bold());
        }
        for line in &self.missing {
            println!("  {} {line}", style("MISSING").yellow().bold());
        }
        let skipped = skipped(&self.skip_log());
        for line in &skipped {
            println!("  {}", style(line).yellow());
        }
        // In libtest's own words, so that whatever reads the end of a test run understands it.
        let verdict = if failed { style("FAILED").red() } else { style("ok").green() };
        let Counted { passed, failed: tests_failed, ignored, .. } = self.counted;
        println!(
            "\ntest result: {verdict}. {passed} passed; {tests_failed} failed; {ignored} ignored; {} skipped; \
             finished in {:.1}s",
            skipped.len(),
            self.start.elapsed().as_secs_f64()
        );
        if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
    }
}

impl Counted {
    fn line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            // `ok. 8 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.37s`
            let counts = result.split_once(". ").map_or(result, |(_, counts)| counts);
            for count in counts.split("; ") {
                match count.split_once(' ') {
                    Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                    Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                    Some((number, "ignored")) => self.ignored += number.parse().unwrap_or(0),
                    _ => {}
                }
            }
        } else if let Some(name) = line.strip_prefix("test ").and_then(|test| test.strip_suffix(" ... FAILED")) {
            self.names_of_failed.push(name.to_owned());
        }
    }
}

/// The lines that tests left, each once; none when nothing was skipped.
fn skipped(log: &Path) -> Vec<String> {
    let mut lines: Vec<String> = std::fs::read_to_string(log).unwrap_or_default().lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_several_programs_are_added() {
        let mut counted = Counted::default();
        counted.line("test one ... ok");
        counted.line("test result: ok. 8 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.37s");
        counted.line("test streams::two ... FAILED");
        counted.line("test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out; finished in 2s");
        let names_of_failed = vec!["streams::two".to_owned()];
        assert_eq!(counted, Counted { passed: 11, failed: 1, ignored: 1, names_of_failed });
    }

    #[test]
    fn what_a_test_prints_is_not_taken_for_a_result() {
        let mut counted = Counted::default();
        counted.line("8 passed; 9 failed");
        counted.line("the test result: ok. 1 passed; 0 failed");
        assert_eq!(counted, Counted::default());
    }
}
