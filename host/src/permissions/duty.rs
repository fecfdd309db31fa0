//! What clients may do on a host at its gateway.

/// A kind of work on the host itself: an entry of the column `host`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// See what is installed, what works, what was tried; no records of topics.
    Read,
    /// Create topics, give orders to runs, look at dead letters and send them again, stop started agents.
    Operate,
    /// Install and remove components. Their signatures count as always.
    Install,
    /// Bring in an admin's signed decision, and refuse. What is approved is decided by the signature, not by who brings it.
    Approve,
    /// Set and remove secrets, which nobody ever reads again.
    Secrets,
    /// Talk with agents in sessions of its own.
    Talk,
}

impl Duty {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Read, Self::Operate, Self::Install, Self::Approve, Self::Secrets, Self::Talk];

    /// The word in a row.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Install => "install",
            Self::Approve => "approve",
            Self::Secrets => "secrets",
            Self::Talk => "talk",
        }
    }
}
