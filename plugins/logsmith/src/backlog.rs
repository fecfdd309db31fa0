//! Lines that wait for a parser, in `state`, in the order they came.

use logsmith_core::runtime::head;
use logsmith_core::source::Source;
use wasmill_sdk::{Error, state};

use crate::store::{key, read, write};

/// Bytes of lines in one entry; with their escapes in JSON they stay below 1 MiB as long as one line does.
const ENTRY_BYTES: usize = 128 * 1024;
/// Most entries read in one step.
const STEP: u32 = 64;

/// Adds lines and gives their bytes. A parser does not look at more of a line than `head::LINE_MAX`, so no more is kept.
pub fn push(source: &Source, lines: &[&str]) -> Result<usize, Error> {
    let mut next = source.waiting;
    let mut entry: Vec<&str> = Vec::new();
    let (mut bytes, mut total) = (0, 0);
    for line in lines.iter().map(|line| head::clip(line)) {
        if bytes + line.len() > ENTRY_BYTES && !entry.is_empty() {
            write(&entry_key(source, next), &entry)?;
            next += entry.len();
            (bytes, entry) = (0, Vec::new());
        }
        bytes += line.len();
        total += line.len();
        entry.push(line);
    }
    if !entry.is_empty() {
        write(&entry_key(source, next), &entry)?;
    }
    Ok(total)
}

/// All lines that wait.
pub fn lines(source: &Source) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    for key in keys(source)? {
        lines.extend(read::<Vec<String>>(&key)?.unwrap_or_default());
    }
    Ok(lines)
}

/// Forgets the lines: they were sent.
pub fn clear(source: &mut Source) -> Result<(), Error> {
    for key in keys(source)? {
        state::delete(key)?;
    }
    source.drained();
    Ok(())
}

fn keys(source: &Source) -> Result<Vec<String>, Error> {
    let prefix = format!("{}/", key("waiting", &source.name));
    let mut keys: Vec<String> = Vec::new();
    loop {
        let entries = state::scan(&prefix, keys.last().map(|key| key.as_bytes()), STEP)?;
        if entries.is_empty() {
            return Ok(keys);
        }
        keys.extend(entries.into_iter().map(|entry| String::from_utf8_lossy(&entry.key).into_owned()));
    }
}

/// Entries sort by the position of their first line.
fn entry_key(source: &Source, first: usize) -> String {
    format!("{}/{first:012}", key("waiting", &source.name))
}
