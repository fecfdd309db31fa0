//! Reading bounded files, and writing files that are whole or not there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What became of reading a file with a limit.
pub(crate) enum Bounded {
    /// All of it.
    Whole(Vec<u8>),
    /// It has more bytes than allowed.
    TooLarge,
}

/// Reads a file of at most `limit` bytes. Never holds more than that, whatever the file's size claims.
pub(crate) fn read_bounded(path: &Path, limit: usize) -> io::Result<Bounded> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > limit { Bounded::TooLarge } else { Bounded::Whole(bytes) })
}

/// Writes a file so that a reader, or a crash at any moment, sees the old content or the new one.
pub(crate) fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::other("a file has a folder"))?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The rename itself lasts only when the folder is on disk.
    File::open(folder)?.sync_all()
}

/// Creates a file that only its owner may read, and refuses to replace one.
pub(crate) fn create_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
