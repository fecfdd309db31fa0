//! The file of checkpoints in the home: one signed envelope a line, as JSON. Whoever can write into the database can't
//! write here.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};
use wasmill_registry::{CHECKPOINT_SIZE_MAX, Checkpoint};

use super::error::AuditError;

/// Bytes that are read at once.
const READ_SIZE: usize = 256 * 1024;

/// A line.
pub(super) enum Line {
    /// A signed envelope, and what it says, which is not verified.
    Envelope(Vec<u8>, Checkpoint),
    /// Anything else.
    Unreadable,
}

/// Reads the lines that were there when it was opened.
pub(super) struct Lines {
    path: PathBuf,
    file: Option<Box<dyn AsyncBufRead + Send + Unpin>>,
}

impl Lines {
    /// Opens the file; without one there are no lines.
    pub async fn open(path: &Path) -> Result<Self, AuditError> {
        let failed = |source| AuditError::File { path: path.to_owned(), source };
        let file: Option<Box<dyn AsyncBufRead + Send + Unpin>> = match tokio::fs::File::open(path).await {
            Ok(file) => {
                let size = file.metadata().await.map_err(failed)?.len();
                Some(Box::new(BufReader::with_capacity(READ_SIZE, file).take(size)))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        Ok(Self { path: path.to_owned(), file })
    }

    /// The next line; none at the end. A last line without an end was cut by a crash, and is none.
    pub async fn next(&mut self) -> Result<Option<Line>, AuditError> {
        let Some(file) = &mut self.file else { return Ok(None) };
        let mut line = Vec::new();
        let read = file.take(CHECKPOINT_SIZE_MAX as u64 + 1).read_until(b'\n', &mut line).await;
        read.map_err(|source| AuditError::File { path: self.path.clone(), source })?;
        if line.pop_if(|last| *last == b'\n').is_none() {
            let is_too_long = line.len() > CHECKPOINT_SIZE_MAX;
            self.file = None;
            return Ok(is_too_long.then_some(Line::Unreadable));
        }
        let said = Checkpoint::peek(&line);
        Ok(Some(said.map_or(Line::Unreadable, |said| Line::Envelope(line, said))))
    }
}

/// Adds a line, and waits until it is on the disk.
pub(super) fn add(path: &Path, envelope: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).read(true).append(true).mode(0o600).open(path)?;
    cut_torn_line(&mut file)?;
    file.write_all(&[envelope, b"\n"].concat())?;
    file.sync_data()
}

/// A crash may have cut the last line, and the next one would hang on it.
fn cut_torn_line(file: &mut File) -> io::Result<()> {
    let size = file.seek(SeekFrom::End(0))?;
    let tail = size.min(CHECKPOINT_SIZE_MAX as u64 + 1);
    file.seek(SeekFrom::Start(size - tail))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    match bytes.iter().rposition(|byte| *byte == b'\n') {
        _ if bytes.is_empty() => Ok(()),
        Some(end) => file.set_len(size - tail + end as u64 + 1),
        None => file.set_len(size - tail),
    }
}
