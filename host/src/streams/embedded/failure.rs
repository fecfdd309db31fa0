//! What redb reports, in our words.

use std::io::ErrorKind;
use std::path::Path;

use redb::StorageError;

use crate::streams::StreamError;

/// An error while the log is in use.
pub fn in_use(error: impl Into<redb::Error>) -> StreamError {
    match error.into() {
        redb::Error::Io(error) => from_io(&error),
        redb::Error::Corrupted(what) => StreamError::Damaged(format!("{what}; restore the file from a copy")),
        // An earlier error closed the file; the committer opens it again.
        redb::Error::PreviousIo | redb::Error::DatabaseClosed => closed(),
        other => StreamError::Failed(other.to_string()),
    }
}

/// An error while the file is opened.
pub fn at_open(error: redb::DatabaseError, file: &Path) -> StreamError {
    let damaged = |what: &str| {
        StreamError::Damaged(format!(
            "{what}; restore `{0}` from a copy, or move it away to begin with an empty log",
            file.display()
        ))
    };
    match error {
        redb::DatabaseError::DatabaseAlreadyOpen => StreamError::InUse(file.display().to_string()),
        redb::DatabaseError::UpgradeRequired(version) => damaged(&format!("file format {version} is not readable")),
        redb::DatabaseError::RepairAborted => damaged("it can't be repaired"),
        redb::DatabaseError::Storage(StorageError::Corrupted(what)) => damaged(&what),
        redb::DatabaseError::Storage(StorageError::Io(error))
            if matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            damaged(&error.to_string())
        }
        redb::DatabaseError::Storage(StorageError::Io(error)) => from_io(&error),
        other => StreamError::Failed(format!("`{}`: {other}", file.display())),
    }
}

/// The file is closed after an error, until it could be opened again.
pub fn closed() -> StreamError {
    StreamError::Failed("the file was closed after an error and is being opened again".to_owned())
}

/// True where an error leaves redb unable to go on with the open file.
pub fn needs_reopening(error: &StreamError) -> bool {
    matches!(error, StreamError::DiskFull(_) | StreamError::Failed(_))
}

fn from_io(error: &std::io::Error) -> StreamError {
    match error.kind() {
        // A file-size limit and a quota end the same way as a full disk: nothing more can be written.
        ErrorKind::StorageFull | ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded => {
            StreamError::DiskFull(error.to_string())
        }
        ErrorKind::UnexpectedEof => {
            StreamError::Damaged(format!("{error}; the file was cut short: restore it from a copy"))
        }
        _ => StreamError::Failed(error.to_string()),
    }
}
