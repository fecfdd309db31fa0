//! Exit codes. They are stable: scripts may rely on them.

use std::process::ExitCode;

use crate::problem::ProblemKind;

/// What `--help` says of them.
pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  it was tried and failed
  2  the command or what it was given is wrong
  3  denied: no permission, or no trusted signature, allows it
  4  what it names does not exist
  5  something outside (broker, database, host) does not answer now
  6  a limit was reached

First steps:
  wasmill init
  wasmill topic create words
  echo hello | wasmill record send words
  wasmill record tail words --count 1";

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// It was tried and failed, or contradicts what is there.
    Failed = 1,
    /// The command, or what it was given, is wrong.
    Usage = 2,
    /// No permission, or no trusted signature, allows it.
    Denied = 3,
    /// What it names does not exist.
    NotFound = 4,
    /// Something outside does not answer now.
    Unavailable = 5,
    /// A limit was reached.
    Limit = 6,
}

impl From<ProblemKind> for Exit {
    fn from(kind: ProblemKind) -> Self {
        match kind {
            ProblemKind::Denied => Self::Denied,
            ProblemKind::Invalid => Self::Usage,
            ProblemKind::NotFound => Self::NotFound,
            ProblemKind::Conflict | ProblemKind::Failed => Self::Failed,
            ProblemKind::Limit => Self::Limit,
            ProblemKind::Unavailable => Self::Unavailable,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_has_every_exit_code_once() {
        let codes: Vec<&str> = HELP.lines().filter_map(|line| line.strip_prefix("  ")?.split("  ").next()).collect();
        let exits = [Exit::Ok, Exit::Failed, Exit::Usage, Exit::Denied, Exit::NotFound, Exit::Unavailable, Exit::Limit];
        let known: Vec<String> = exits.map(|exit| (exit as u8).to_string()).to_vec();
        let named: Vec<&str> = codes.into_iter().filter(|code| code.parse::<u8>().is_ok()).collect();
        assert_eq!(named, known);
    }
}
