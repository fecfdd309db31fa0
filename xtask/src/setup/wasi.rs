//! A Rust compiler that knows `wasm32-wasip1`: rustup's, or Debian's newer Rust beside it.
//!
//! Debian ships that compiler without a standard library for WASI, but with the library's source and a
//! WASI libc. So the standard library is compiled once and installed where the compiler looks for it;
//! afterwards it is an ordinary target that needs no flags.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::apt;
use crate::guest::{Compiler, TARGET};
use crate::machine::Machine;
use crate::shell;

/// The target for which cargo makes components without cargo-component.
const PLAIN: &str = "wasm32-wasip2";
/// Where Debian's WASI libc lies, and where its compiler looks for a target's libraries.
const LIBC: &str = "/usr/lib/wasm32-wasi";
const INSTALLED: &str = "/usr/lib/rustlib/wasm32-wasip1/lib";

/// Whether any compiler here can do it.
pub fn is_there(machine: &Machine) -> bool {
    Compiler::find(machine).is_some()
}

/// The ordinary way first, then Debian's.
///
/// # Errors
/// When neither works; with the reason of the second.
pub fn get(machine: &Machine) -> Result<()> {
    if shell::on_path("rustup") {
        match rustup_add(machine, TARGET) {
            Ok(()) if is_there(machine) => {
                // Nothing depends on it: the one test that needs it says where it is skipped.
                if let Err(error) = rustup_add(machine, PLAIN) {
                    eprintln!("  rustup cannot ({error}); cargo-component makes the same components");
                }
                return Ok(());
            }
            Ok(()) => eprintln!("  rustup has no standard library for it; trying the system's Rust"),
            Err(error) => eprintln!("  rustup cannot ({error}); trying the system's Rust"),
        }
    }
    let packages = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22", "wasi-libc"];
    apt::install(machine, &packages).context("`rustup target add wasm32-wasip1` would do as well")?;
    if is_there(machine) {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    build_std(scratch.path())?;
    install_std(machine, &scratch.path().join("target").join(TARGET).join("release/deps"), scratch.path())
}

fn rustup_add(machine: &Machine, target: &str) -> Result<()> {
    let mut add = Command::new("rustup");
    add.args(["target", "add", target]).current_dir(&machine.root);
    // A mirror that does not have it may keep rustup waiting for long.
    shell::run_within(&mut add, Duration::from_secs(180))
}

/// Compiles the standard library into an otherwise empty crate: about a minute.
fn build_std(scratch: &Path) -> Result<()> {
    let manifest =
        "[package]\nname = \"carrier\"\nedition = \"2021\"\n[profile.release]\npanic = \"abort\"\n[workspace]\n";
    fs::create_dir(scratch.join("src"))?;
    fs::write(scratch.join("src/lib.rs"), "")?;
    fs::write(scratch.join("Cargo.toml"), manifest)?;

    let mut build = Command::new("/usr/bin/cargo");
    build.args(["build", "--release", "--target", TARGET, "-Zbuild-std=std,panic_abort"]).current_dir(scratch);
    // Building std is an unstable flag, which the variable allows to a stable compiler; the source is
    // exactly this compiler's own.
    build.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    // The plugins are linked with LTO, which reads bitcode that cargo would leave out here.
    build.env("RUSTFLAGS", format!("-C link-self-contained=no -C embed-bitcode=yes -L native={LIBC}"));
    // What cargo and rustup set for us belongs to the other toolchain.
    for inherited in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "CARGO", "CARGO_TARGET_DIR", "RUSTDOC"] {
        build.env_remove(inherited);
    }
    shell::run(&mut build)
}

/// Puts the libraries beside the compiler's own, complete or not at all.
fn install_std(machine: &Machine, built: &Path, scratch: &Path) -> Result<()> {
    let assembled = scratch.join("lib");
    fs::create_dir_all(assembled.join("self-contained"))?;
    let mut libraries = 0;
    for entry in fs::read_dir(built)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libcarrier-") {
            fs::copy(entry.path(), assembled.join(name))?;
            libraries += 1;
        }
    }
    ensure!(libraries > 0, "no libraries were built in {}", built.display());
    for object in ["crt1-command.o", "crt1-reactor.o", "libc.a"] {
        fs::copy(Path::new(LIBC).join(object), assembled.join("self-contained").join(object))?;
    }

    let fresh = format!("{INSTALLED}.new");
    let assembled = assembled.display().to_string();
    machine.run_as_root(&["rm", "-rf", &fresh, INSTALLED])?;
    machine.run_as_root(&["mkdir", "-p", &fresh])?;
    machine.run_as_root(&["cp", "-rT", &assembled, &fresh])?;
    // The scratch folder may have given them to one user only.
    machine.run_as_root(&["chmod", "-R", "a+rX", &fresh])?;
    machine.run_as_root(&["mv", "-T", &fresh, INSTALLED])
}
