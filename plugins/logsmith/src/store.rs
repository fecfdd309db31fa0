//! What the agent keeps in `state`, apart from waiting lines. Keys are `<kind>/<slug of the source>`.

use logsmith_core::source::Source;
use logsmith_core::{Learned, slug};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasmill_sdk::{Error, state};

/// Largest piece of a value, in bytes; one entry holds at most 1 MiB.
const PIECE_BYTES: usize = 768 * 1024;
/// Lines of a sample that are kept for the next version.
const SAMPLE_LINES: usize = 1_000;
/// Lines without a template that are kept.
const STRANGE_LINES: usize = 1_000;
/// Bytes of kept lines of one kind.
const KEPT_BYTES: usize = 512 * 1024;
/// Longest line that is kept, in bytes.
const KEPT_LINE_BYTES: usize = 4 * 1024;

/// A source, new or known.
pub fn source(name: &str) -> Result<Source, Error> {
    Ok(read(&key("source", name))?.unwrap_or_else(|| Source::new(name)))
}

/// All known sources of this partition.
pub fn sources() -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let entries = state::scan("source/", after.as_deref(), 1_000)?;
        let Some(last) = entries.last() else { return Ok(sources) };
        after = Some(last.key.clone());
        for entry in &entries {
            sources.push(serde_json::from_slice(&entry.value).map_err(|error| damaged("source/", &error))?);
        }
    }
}

/// Keeps a source.
pub fn keep(source: &Source) -> Result<(), Error> {
    write(&key("source", &source.name), source)
}

/// What was learned last; none before the first parser, and none where a model wrote it.
pub fn learned(source: &Source) -> Result<Option<Learned>, Error> {
    read_large(&key("learned", &source.name))
}

/// Keeps what was learned, with a part of the lines that it was learned from.
pub fn keep_learned(source: &Source, learned: Option<&Learned>, sample: &[&str]) -> Result<(), Error> {
    match learned {
        Some(learned) => write_large(&key("learned", &source.name), learned)?,
        None => delete_large(&key("learned", &source.name))?,
    }
    write_large(&key("sample", &source.name), &some(sample, SAMPLE_LINES))?;
    delete_large(&key("strange", &source.name))
}

/// The lines for the next version: a part of the last sample, and what came since and fitted no template.
pub fn next_sample(source: &Source) -> Result<Vec<String>, Error> {
    let mut lines: Vec<String> = read_large(&key("sample", &source.name))?.unwrap_or_default();
    lines.extend(strange(source)?);
    Ok(lines)
}

/// Remembers lines that fitted no template, the newest. Always true: the lines are dealt with.
pub fn remember_strange(source: &Source, lines: &[&str]) -> Result<bool, Error> {
    if !lines.is_empty() {
        let mut all = strange(source)?;
        all.extend(lines.iter().map(|line| clip(line).to_owned()));
        let mut bytes = 0;
        let fits = |line: &&String| {
            bytes += line.len();
            bytes <= KEPT_BYTES
        };
        let kept = all.iter().rev().take(STRANGE_LINES).take_while(fits).count();
        write_large(&key("strange", &source.name), &all[all.len() - kept..])?;
    }
    Ok(true)
}

fn strange(source: &Source) -> Result<Vec<String>, Error> {
    Ok(read_large(&key("strange", &source.name))?.unwrap_or_default())
}

/// At most `count` of the lines, evenly chosen and clipped, and not more bytes than are kept.
fn some<'a>(lines: &[&'a str], count: usize) -> Vec<&'a str> {
    let step = lines.len().div_ceil(count).max(1);
    let mut bytes = 0;
    lines
        .iter()
        .step_by(step)
        .map(|line| clip(line))
        .take_while(|line| {
            bytes += line.len();
            bytes <= KEPT_BYTES
        })
        .collect()
}

fn clip(line: &str) -> &str {
    &line[..line.floor_char_boundary(KEPT_LINE_BYTES)]
}

/// A key for a source, whatever its name.
pub fn key(kind: &str, name: &str) -> String {
    format!("{kind}/{}", slug(name))
}

/// Reads a value.
pub fn read<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let Some(bytes) = state::get(key)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(key, &error))
}

/// Writes a value of at most one piece.
pub fn write<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<(), Error> {
    state::set(key, print(key, value)?)
}

fn read_large<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Error> {
    let mut bytes = Vec::new();
    for piece in 0.. {
        match state::get(format!("{key}/{piece}"))? {
            Some(more) => bytes.extend(more),
            None => break,
        }
    }
    if bytes.is_empty() {
        return Ok(None);
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| damaged(key, &error))
}

fn write_large<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<(), Error> {
    delete_large(key)?;
    for (piece, bytes) in print(key, value)?.chunks(PIECE_BYTES).enumerate() {
        state::set(format!("{key}/{piece}"), bytes)?;
    }
    Ok(())
}

fn delete_large(key: &str) -> Result<(), Error> {
    for piece in 0.. {
        let key = format!("{key}/{piece}");
        if state::get(&key)?.is_none() {
            break;
        }
        state::delete(&key)?;
    }
    Ok(())
}

fn print<T: Serialize + ?Sized>(key: &str, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|error| damaged(key, &error))
}

fn damaged(key: &str, error: &serde_json::Error) -> Error {
    Error::failed("logsmith.state", format!("state entry {key} is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_sample_is_spread_over_all_lines() {
        let lines: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let kept = some(&lines, 1_000);
        assert_eq!((kept.len(), kept[1], kept[999]), (1_000, "2", "1998"));
        assert_eq!(some(&lines[..3], 1_000), ["0", "1", "2"]);
    }

    #[test]
    fn long_lines_do_not_make_a_kept_sample_large() {
        let long = "é".repeat(100_000);
        let kept = some(&[long.as_str(); 2_000], 1_000);
        assert!(kept.iter().map(|line| line.len()).sum::<usize>() <= KEPT_BYTES);
        assert!(kept.iter().all(|line| line.len() <= KEPT_LINE_BYTES));
    }
}
