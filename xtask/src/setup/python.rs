//! A virtual environment with the strangers that are written in Python, in `<cache>/python`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::machine::Machine;
use crate::shell;

/// Whether the environment has exactly what `tests/python/requirements.txt` asks for.
pub fn is_there(machine: &Machine) -> bool {
    let installed = fs::read(folder(machine).join("requirements.txt"));
    installed.is_ok_and(|installed| fs::read(requirements(machine)).is_ok_and(|wanted| wanted == installed))
}

/// Makes the environment and installs the client.
///
/// # Errors
/// When there is no Python with `venv`, or the packages cannot be downloaded.
pub fn get(machine: &Machine) -> Result<()> {
    let python = interpreter().context("no python3 with `venv` and `ensurepip`")?;
    let folder = folder(machine);
    shell::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(folder.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    shell::run(pip.arg(requirements(machine)))?;
    // The copy says that the installation was finished, and with what.
    fs::copy(requirements(machine), folder.join("requirements.txt"))?;
    Ok(())
}

/// A Python that can make virtual environments: the one on the path, or the system's.
pub fn interpreter() -> Option<&'static str> {
    let can = |python: &&str| shell::succeeds(Command::new(*python).args(["-c", "import venv, ensurepip"]));
    ["python3", "/usr/bin/python3"].into_iter().find(can)
}

/// Where the environment is.
pub(super) fn folder(machine: &Machine) -> PathBuf {
    machine.cache.join("python")
}

fn requirements(machine: &Machine) -> PathBuf {
    machine.root.join("tests/python/requirements.txt")
}
