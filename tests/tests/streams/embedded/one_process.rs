//! One process at a time has the log.

use std::process::Stdio;

use tempfile::TempDir;
use wasmill::streams::embedded::{Embedded, EmbeddedConfig};

use super::{child, open};

#[test]
fn a_second_process_is_refused_while_the_first_one_runs() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let opens = || {
        let mut command = child::command("one_process::opens_the_log", dir.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().code()
    };
    assert_eq!(opens(), Some(REFUSED));
    drop(log);
    assert_eq!(opens(), Some(0));
}

#[test]
fn the_same_process_cannot_open_it_twice_either() {
    let dir = TempDir::new().unwrap();
    let _log = open(dir.path());
    let error = Embedded::open(dir.path(), EmbeddedConfig::default()).err().unwrap();
    assert_eq!(error.code(), "log.in-use", "{error}");
}

const REFUSED: i32 = 7;

#[test]
#[ignore = "the program of another test"]
fn opens_the_log() {
    let Some(dir) = child::dir() else { return };
    match Embedded::open(&dir, EmbeddedConfig::default()) {
        Ok(_) => {}
        Err(error) if error.code() == "log.in-use" => std::process::exit(REFUSED),
        Err(error) => panic!("{error}"),
    }
}
