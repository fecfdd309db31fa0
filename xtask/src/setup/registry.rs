//! The distribution registry of Debian's package `docker-registry`, unpacked into `<cache>/docker-registry` and not
//! installed: the package would start a service that listens on every address of this machine.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::machine::Machine;
use crate::shell;

const PACKAGE: &str = "docker-registry";

/// Whether the registry is in its place, or on the path.
pub fn is_there(machine: &Machine) -> bool {
    folder(machine).join("usr/bin/docker-registry").is_file() || shell::on_path(PACKAGE)
}

/// Fetches and unpacks the package, 5 MB.
///
/// # Errors
/// When this machine has no apt-get, or its package can't be had.
pub fn get(machine: &Machine) -> Result<()> {
    if !shell::on_path("apt-get") {
        bail!("there is no apt-get here; get the distribution registry in this system's own way");
    }
    fs::create_dir_all(&machine.cache).with_context(|| format!("create {}", machine.cache.display()))?;
    // Beside its place, so that the finished folder only needs a new name.
    let scratch = tempfile::Builder::new().prefix(".fetching-").tempdir_in(&machine.cache)?;
    let download = || shell::run(Command::new("apt-get").args(["download", "-q", PACKAGE]).current_dir(scratch.path()));
    if download().is_err() {
        // Fresh machines have no lists, and old ones name packages that are gone.
        machine.run_as_root(&["apt-get", "update", "-q"])?;
        download()?;
    }
    let package = fs::read_dir(scratch.path())?.flatten().map(|entry| entry.path()).next();
    let package = package.with_context(|| format!("apt-get has brought no {PACKAGE}"))?;
    let unpacked = scratch.path().join("unpacked");
    shell::run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&unpacked))?;
    let folder = folder(machine);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::rename(&unpacked, &folder).with_context(|| format!("put the registry into {}", folder.display()))
}

fn folder(machine: &Machine) -> PathBuf {
    machine.cache.join(PACKAGE)
}
