//! Reading and writing files of a home.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::error::HomeError;

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`HomeError::Unreadable`] where it has more; [`HomeError::Io`].
pub fn read_bounded(path: &Path, limit: usize) -> Result<Vec<u8>, HomeError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| HomeError::io(path, error))?;
    // One byte more than allowed tells "exactly the limit" from "over it"; the size on disk may lie (a pipe has none).
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| HomeError::io(path, error))?;
    if bytes.len() > limit {
        let reason = format!("it has more than {limit} bytes");
        return Err(HomeError::Unreadable { path: path.to_owned(), reason });
    }
    Ok(bytes)
}

/// Reads a text file of at most `limit` bytes.
///
/// # Errors
/// As [`read_bounded`]; [`HomeError::Unreadable`] where it is not text.
pub fn read_text(path: &Path, limit: usize) -> Result<String, HomeError> {
    String::from_utf8(read_bounded(path, limit)?).map_err(|error| HomeError::Unreadable {
        path: path.to_owned(),
        reason: format!("it is not text (byte {} is not UTF-8)", error.utf8_error().valid_up_to()),
    })
}

/// Reads a text file of at most `limit` bytes that is for its owner only.
///
/// # Errors
/// [`HomeError::Exposed`]; [`HomeError::Unreadable`], [`HomeError::Io`].
pub fn read_private(path: &Path, limit: usize) -> Result<String, HomeError> {
    check_private(path)?;
    read_text(path, limit)
}

/// Refuses a file that others than its owner may read or write.
pub(super) fn check_private(path: &Path) -> Result<(), HomeError> {
    let mode = fs::metadata(path).map_err(|error| HomeError::io(path, error))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(HomeError::Exposed { path: path.to_owned(), mode }) }
}

/// Adds lines at the end of a text file, all or none, and keeps its mode.
///
/// # Errors
/// [`HomeError::Io`]; [`HomeError::Unreadable`].
pub fn add_to_file(path: &Path, lines: &str) -> Result<(), HomeError> {
    let failed = |error| HomeError::io(path, error);
    let mut text = read_text(path, super::FILE_SIZE_MAX)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(lines);
    write(path, &text, fs::metadata(path).map_err(failed)?.permissions())
}

/// Replaces a text file, wholly or not at all, and keeps its mode; one that says the same already is left alone.
///
/// # Errors
/// [`HomeError::Io`]; [`HomeError::Unreadable`].
pub fn replace(path: &Path, text: &str) -> Result<(), HomeError> {
    if path.exists() && read_text(path, super::FILE_SIZE_MAX)? == text {
        return Ok(());
    }
    let mode = fs::metadata(path).map_or_else(|_| Permissions::from_mode(0o644), |metadata| metadata.permissions());
    write(path, text, mode)
}

/// Replaces a text file, wholly or not at all, by one for its owner only.
///
/// # Errors
/// [`HomeError::Io`].
pub(super) fn replace_private(path: &Path, text: &str) -> Result<(), HomeError> {
    write(path, text, Permissions::from_mode(0o600))
}

/// Makes a text file for its owner only, whole or not at all; one that is there already stays as it is.
///
/// # Errors
/// [`HomeError::Io`].
pub fn create_private(path: &Path, text: &str) -> Result<(), HomeError> {
    let failed = |error| HomeError::io(path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    // Such a file is for its owner only from its first moment.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => Err(failed(error.error)),
        _ => Ok(()),
    }
}

fn write(path: &Path, text: &str, mode: Permissions) -> Result<(), HomeError> {
    let failed = |error| HomeError::io(path, error);
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().set_permissions(mode).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
