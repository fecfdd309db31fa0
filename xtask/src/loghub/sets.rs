//! Logs with their ground truth: `NAME_2k.log` beside `NAME_2k.log_structured.csv`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// How the names of logs end, without their extension.
const SUFFIX: &str = "_2k";

/// A log and what is true of it.
#[derive(Debug)]
pub struct Set {
    /// Its name, without `_2k`.
    pub name: String,
    /// Its lines.
    pub lines: Vec<String>,
    /// The event of each line.
    pub events: Vec<String>,
}

/// A row of the ground truth.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    line_id: usize,
    event_id: String,
}

/// All sets of a folder, by name.
///
/// # Errors
/// When there is none, or one is not whole.
pub fn read(folder: &Path) -> Result<Vec<Set>> {
    let mut sets = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let log = entry?.path();
        let truth = log.with_extension("log_structured.csv");
        let stem = log.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let is_log = log.extension().is_some_and(|extension| extension == "log");
        if let Some(name) = stem.strip_suffix(SUFFIX).filter(|_| is_log && truth.is_file()) {
            sets.push(set(name, &log, &truth).with_context(|| format!("the set {name}"))?);
        }
    }
    ensure!(!sets.is_empty(), "{} has no NAME_2k.log with its NAME_2k.log_structured.csv", folder.display());
    sets.sort_by(|one, two| one.name.cmp(&two.name));
    Ok(sets)
}

fn set(name: &str, log: &Path, truth: &Path) -> Result<Set> {
    let text = fs::read(log)?;
    // As it is sent: `lines` takes the same line ends away as the command line does.
    let lines: Vec<String> = String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
    let mut rows: Vec<Row> = csv::Reader::from_path(truth)?.deserialize().collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.line_id);
    let whole = rows.iter().enumerate().all(|(at, row)| row.line_id == at + 1);
    ensure!(whole && rows.len() == lines.len(), "{} lines, but truth for {} of them", lines.len(), rows.len());
    Ok(Set { name: name.to_owned(), lines, events: rows.into_iter().map(|row| row.event_id).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_truth_are_matched_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("A_2k.log", "one\r\ntwo, and \"more\"\n");
        write("A_2k.log_structured.csv", "LineId,Content,EventId\n2,\"two, and \"\"more\"\"\",E2\n1,one,E1\n");
        write("B_2k.log", "no truth\n");
        let sets = read(folder.path()).unwrap();
        assert_eq!((sets.len(), sets[0].name.as_str()), (1, "A"));
        assert_eq!(sets[0].lines, ["one", "two, and \"more\""]);
        assert_eq!(sets[0].events, ["E1", "E2"]);
    }

    #[test]
    fn a_set_with_lines_missing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("A_2k.log"), "one\ntwo\n").unwrap();
        fs::write(folder.path().join("A_2k.log_structured.csv"), "LineId,EventId\n1,E1\n").unwrap();
        assert!(format!("{:#}", read(folder.path()).unwrap_err()).contains("truth for 1"));
    }
}
