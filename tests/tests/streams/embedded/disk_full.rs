//! A disk that is full: said so, nothing lost, and the log goes on when there is space again.

use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigHandler, Signal, signal};
use tempfile::TempDir;
use wasmill::streams::{Membership, Record, Streams};
use wasmill_tests::parts::{Missing, require};

use super::{child, open, topic};
use crate::contract::subject::{A_MOMENT, done, keyless, poll_until};

const SPACE: u64 = 16 * 1024 * 1024;
const RECORD_SIZE: usize = 200_000;

#[test]
fn a_file_that_may_not_grow_loses_nothing_and_goes_on_later() {
    let dir = TempDir::new().unwrap();
    let mut command = child::command("disk_full::fills_the_disk", dir.path());
    assert!(command.env(LIMIT, SPACE.to_string()).stdout(Stdio::null()).status().unwrap().success());
}

#[test]
fn a_full_file_system_loses_nothing_and_goes_on_later() {
    let dir = TempDir::new().unwrap();
    let mount = format!("mount -t tmpfs -o size={SPACE} none \"$WASMILL_TEST_DIR\"");
    let in_mount = |then: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", &format!("{mount} && {then}"), "sh"]);
        let (variable, value) = child::dir_variable(dir.path());
        command.env(variable, value).stdout(Stdio::null());
        command
    };
    let possible = in_mount("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let part = "file system of its own";
    let reason = || "`unshare --mount --map-root-user` can't mount a tmpfs here".to_owned();
    let Some(()) = require(if possible { Ok(()) } else { Err(Missing { part, reason: reason() }) }) else { return };
    let mut command = in_mount("exec \"$@\"");
    command.arg(std::env::current_exe().unwrap()).args(child::arguments("disk_full::fills_the_disk"));
    assert!(command.status().unwrap().success());
}

const LIMIT: &str = "WASMILL_TEST_FILE_SIZE_MAX";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the program of another test"]
async fn fills_the_disk() {
    let Some(dir) = child::dir() else { return };
    let ballast = dir.join("ballast");
    match std::env::var(LIMIT) {
        Ok(limit) => limit_file_size(limit.parse().unwrap()),
        Err(_) => std::fs::write(&ballast, vec![1; SPACE as usize / 2]).unwrap(),
    }
    fill_and_go_on(&dir, || {
        if ballast.exists() {
            std::fs::remove_file(&ballast).unwrap();
        } else {
            limit_file_size(getrlimit(Resource::RLIMIT_FSIZE).unwrap().1);
        }
    })
    .await;
}

/// Bounds the size of files that this process writes; going over is then an error and no signal.
fn limit_file_size(limit: u64) {
    // SAFETY: ignoring a signal installs no handler that could run.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }.unwrap();
    let (_, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, limit, hard).unwrap();
}

async fn fill_and_go_on(dir: &Path, make_space: impl FnOnce()) {
    let log = open(dir);
    log.create_topic(&topic("t", 1)).await.unwrap();
    log.create_topic(&topic("small", 1)).await.unwrap();
    log.append("small", vec![keyless("a"), keyless("b")]).await.unwrap();
    let group = Membership {
        group: "g".to_owned(),
        topics: vec!["small".to_owned()],
        state: None,
        batch_records_max: 1,
        batch_bytes_max: 1024,
    };
    let mut worker = log.join(group).await.unwrap();
    let first = poll_until(worker.as_mut(), |all| !all.batches.is_empty()).await.batches;
    worker.commit(done(&first)).await.unwrap();

    let record = |i: usize| Record { value: Some(vec![i as u8; RECORD_SIZE]), ..Record::default() };
    let mut kept = 0;
    let error = loop {
        assert!(kept < 1000, "the disk never got full");
        match log.append("t", vec![record(kept)]).await {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), "log.disk-full", "{error}");
    assert!(kept > 0);
    for _ in 0..3 {
        let again = log.append("t", vec![record(kept)]).await;
        assert!(again.is_err_and(|error| error.code() == "log.disk-full"));
    }

    make_space();
    log.append("t", vec![record(kept)]).await.unwrap();
    for i in 0..=kept {
        let batch = log.read("t", 0, i as u64, 1, A_MOMENT).await.unwrap();
        assert_eq!(batch.value(0).unwrap(), vec![i as u8; RECORD_SIZE], "record {i} of {kept}");
    }
    assert_eq!(log.watermarks("t", 0).await.unwrap().next, kept as u64 + 1);
    // The worker goes on where its group committed.
    let second = poll_until(worker.as_mut(), |all| !all.batches.is_empty()).await.batches;
    assert_eq!(second[0].offsets, [1]);
    worker.commit(done(&second)).await.unwrap();
    assert_eq!(log.committed("g", "small").await.unwrap(), [Some(2)]);
}
