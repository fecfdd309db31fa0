//! Running other programs, so that a person sees what is run and why it failed.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use console::style;

/// Shows the command and runs it with this terminal. All that is said goes to standard error: a chore's standard output is
/// for its answer.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command.stdout(std::io::stderr()).status().with_context(|| format!("start `{}`", line(command)))?;
    ensure!(status.success(), "`{}` ended with {status}", line(command));
    Ok(())
}

/// As [`run`], but given up and killed when it takes longer.
///
/// # Errors
/// When it cannot be started, does not succeed or takes longer than `limit`.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    show(command);
    let mut child = command.stdout(std::io::stderr()).spawn().with_context(|| format!("start `{}`", line(command)))?;
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "`{}` ended with {status}", line(command));
            return Ok(());
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("`{}` took longer than {} s", line(command), limit.as_secs());
        }
        sleep(Duration::from_millis(100));
    }
}

/// What a program writes to standard output; nothing is shown.
///
/// # Errors
/// When it cannot be started or does not succeed; then with what it wrote to standard error.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("start `{}`", line(command)))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{}` ended with {}: {}", line(command), output.status, said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program runs and succeeds; nothing is shown.
pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

/// Whether a program of this name is on the path.
pub fn on_path(name: &str) -> bool {
    find(name).is_some()
}

/// The first program of this name on the path.
pub fn find(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The command as a person would type it.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|word| {
        let word = word.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn show(command: &Command) {
    eprintln!("  {}", style(format!("$ {}", line(command))).for_stderr().dim());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_command_can_be_pasted_into_a_shell() {
        let mut command = Command::new("printf");
        command.args(["%s|%s|%s", "it's", "two words", ""]);
        let shown = line(&command);
        assert_eq!(capture(Command::new("sh").args(["-c", &shown])).unwrap(), "it's|two words|");
    }

    #[test]
    fn a_failure_says_what_the_program_said() {
        let failure = capture(Command::new("sh").args(["-c", "echo no luck >&2; exit 3"])).unwrap_err();
        assert!(failure.to_string().contains("no luck"), "{failure}");
    }

    #[test]
    fn what_takes_too_long_is_given_up() {
        let failure = run_within(Command::new("sleep").arg("60"), Duration::from_millis(200)).unwrap_err();
        assert!(failure.to_string().contains("took longer"), "{failure}");
    }
}
