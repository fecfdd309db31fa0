//! What can go wrong with the database.

use sqlx::migrate::MigrateError;

/// Errors of the store. Each has a stable code, see [`StoreError::code`]. Addresses are shown without passwords.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address can't be one.
    #[error(
        "`{url}` is no database address: {reason}; use `sqlite:///path/to/store.db` or `postgres://user:password@host/database`"
    )]
    Url {
        /// The address, without its password.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The database does not answer.
    #[error(
        "the database {url} does not answer: {reason}; check that it runs and that `store.url` in host.toml is right"
    )]
    Unreachable {
        /// The address, without its password.
        url: String,
        /// The driver's word.
        reason: String,
    },
    /// The file is no SQLite database, or a broken one.
    #[error("the database is damaged: {0}; restore it from a backup, or move it away and approve again what is needed")]
    Damaged(String),
    /// The disk is full.
    #[error("the disk that holds the database is full: {0}; free some space, what was written is safe")]
    DiskFull(String),
    /// The tables are those of a newer Wasmill, or somebody changed them.
    #[error("the database's tables do not fit this version: {0}; run the newest Wasmill that has used this database")]
    Schema(String),
    /// Somebody else holds the database for too long.
    #[error("the database stays busy: {0}; try again")]
    Busy(String),
    /// A row holds what no row should.
    #[error("{table} holds a row that can't be read: {reason}")]
    Row {
        /// Table.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Anything else, with the driver's own words.
    #[error("the database failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "store.url",
            Self::Unreachable { .. } => "store.unreachable",
            Self::Damaged(_) => "store.damaged",
            Self::DiskFull(_) => "store.disk-full",
            Self::Schema(_) => "store.schema",
            Self::Busy(_) => "store.busy",
            Self::Row { .. } => "store.row",
            Self::Failed(_) => "store.failed",
        }
    }

    /// True where the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::DiskFull(_) | Self::Busy(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let text = error.to_string();
        match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
                Self::Unreachable { url: "in use".into(), reason: text }
            }
            // SQLite's result codes, of which the lower byte is the kind, and PostgreSQL's SQLSTATEs.
            sqlx::Error::Database(database) => match database.code().as_deref() {
                Some("53100") => Self::DiskFull(text),
                Some("57P01" | "57P02" | "57P03" | "53300") => Self::Unreachable { url: "in use".into(), reason: text },
                code => match code.and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff) {
                    Some(5 | 6) => Self::Busy(text),
                    Some(11 | 26) => Self::Damaged(text),
                    Some(13) => Self::DiskFull(text),
                    _ => Self::Failed(text),
                },
            },
            _ => Self::Failed(text),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Schema(other.to_string()),
        }
    }
}
