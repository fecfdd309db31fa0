//! Packages of Debian and its relatives. What counts is whether the thing works, not which package it
//! came from: on other systems a person gets the same things in their own way.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::machine::Machine;
use crate::shell::{capture, on_path, succeeds};

/// A package, and how to see that what it gives is there already.
pub struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

/// What building and running needs.
pub const RUN: &[Package] = &[
    Package { name: "build-essential", is_there: || on_path("c++") && on_path("make") },
    Package { name: "pkg-config", is_there: || on_path("pkg-config") },
    Package { name: "libssl-dev", is_there: || succeeds(Command::new("pkg-config").args(["--exists", "openssl"])) },
    Package { name: "bubblewrap", is_there: || on_path("bwrap") },
];

/// What compiles C to WebAssembly.
pub const WASM_C: &[Package] = &[
    Package { name: "clang", is_there: || on_path("clang") },
    Package { name: "llvm", is_there: || on_path("llvm-ar") },
    Package { name: "wasi-libc", is_there: || Path::new("/usr/include/wasm32-wasi").is_dir() },
];

/// What the suites need beyond that.
pub const TEST: &[Package] = &[
    Package { name: "default-jre-headless", is_there: || java_version().is_some_and(|version| version >= 17) },
    Package { name: "kcat", is_there: || on_path("kcat") || on_path("kafkacat") },
    Package { name: "postgresql", is_there: || on_path("initdb") || Path::new("/usr/lib/postgresql").is_dir() },
    Package { name: "iproute2", is_there: || on_path("ip") },
    Package { name: "openssl", is_there: || on_path("openssl") },
    Package { name: "chromium", is_there: || on_path("chromium") },
    Package { name: "python3-venv", is_there: || super::python::interpreter().is_some() },
];

/// Whether everything that these packages give is there.
pub fn all_there(packages: &[Package]) -> bool {
    packages.iter().all(|package| (package.is_there)())
}

/// Installs those whose work is not done by something else.
///
/// # Errors
/// When this machine has no apt-get, or it fails; both times with what is missing.
pub fn install_missing(machine: &Machine, packages: &[Package]) -> Result<()> {
    let missing: Vec<_> = packages.iter().filter(|package| !(package.is_there)()).map(|package| package.name).collect();
    install(machine, &missing)
}

/// Installs packages by name.
///
/// # Errors
/// As [`install_missing`].
pub fn install(machine: &Machine, names: &[&str]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join(" ");
    if !on_path("apt-get") {
        bail!("there is no apt-get here; get what Debian calls {names} in this system's own way");
    }
    // One line, so that it is also what somebody else can be asked to run. The lists are fetched each
    // time: fresh machines have none, and old ones name packages that are gone.
    let install = "DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends";
    machine.run_as_root(&["sh", "-c", &format!("apt-get update -q && {install} {names}")])
}

/// The major version of the `java` on the path: 17 from `openjdk version "17.0.15" 2025-04-15`.
fn java_version() -> Option<u32> {
    // `--version` writes to standard output, `-version` to standard error; both exist since Java 9.
    major_version(&capture(Command::new("java").arg("--version")).ok()?)
}

/// The first number after the first blank: `openjdk 17.0.15 2025-04-15`.
fn major_version(said: &str) -> Option<u32> {
    let version = said.split_whitespace().nth(1)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_of_java_is_read() {
        assert_eq!(major_version("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime Environment"), Some(17));
        assert_eq!(major_version("java 21 2023-09-19 LTS"), Some(21));
        assert_eq!(major_version("openjdk 22-ea 2024-03-19"), Some(22));
        assert_eq!(major_version("Unrecognized option: --version"), None);
    }
}
