//! Making a kit: once for each compiler and SDK, with the network for fetching and without it for compiling.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use tokio::process::Command;
use wasmill_registry::Digest;

use super::super::toolchain::Toolchain;
use super::prune::prune;
use super::{Kit, KitError, KitFacts, build_command, show_sources, sources};
use crate::sandbox::{Ended, Sandbox, SandboxLimits, View};

/// How long fetching the crates may take.
const FETCH_MAX: Duration = Duration::from_secs(300);

/// The combinations of crates after which every choice among [`super::ALLOWED_CRATES`] is warm: see the template.
const COMBINATIONS: [&[&str]; 4] =
    [&["regex-lite"], &["serde_json"], &["serde", "serde_json"], &["schemars", "serde", "serde_json"]];

/// How the folder of an unfinished kit begins.
pub(super) const UNFINISHED: &str = ".making-";

/// How much of a program's last words goes into an error, characters.
const WORDS_MAX: usize = 2000;

/// Opens the kit for this toolchain, and makes it first where there is none. `progress` hears a sentence before each
/// step that takes time.
///
/// Several processes may do this at once: one makes it, the others wait.
///
/// # Errors
/// What stood in the way; nothing half-made is left behind.
pub async fn prepare(
    kits: &Path,
    toolchain: &Toolchain,
    sandbox: &Sandbox,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<Kit, KitError> {
    if let Ok(kit) = Kit::open(kits, toolchain) {
        return Ok(kit);
    }
    let io = |source| KitError::Io { path: kits.to_owned(), source };
    std::fs::create_dir_all(kits).map_err(io)?;
    let _held = lock(kits.join(".lock")).await.map_err(io)?;
    if let Ok(kit) = Kit::open(kits, toolchain) {
        return Ok(kit);
    }

    remove_unfinished(kits).map_err(io)?;
    let making = tempfile::Builder::new().prefix(UNFINISHED).tempdir_in(kits).map_err(io)?;
    sources::write(making.path()).map_err(io)?;
    progress("fetching the crates that tools may use");
    fetch(making.path(), toolchain).await?;
    sources::write_config(making.path()).map_err(io)?;
    progress("compiling them once, so that builds need not");
    compile(making.path(), toolchain, sandbox).await?;
    let facts = facts(toolchain).map_err(io)?;
    let text = serde_json::to_vec_pretty(&facts).map_err(|e| io(e.into()))?;
    std::fs::write(making.path().join("kit.json"), text).map_err(io)?;

    // In one step, so that a kit is there as a whole or not at all.
    let folder = kits.join(sources::fingerprint(toolchain.versions()));
    std::fs::rename(making.keep(), &folder).map_err(io)?;
    prune(kits, SystemTime::now()).map_err(io)?;
    Kit::open(kits, toolchain)
}

/// Removes what others left behind who were killed half-way. Only while holding the lock: nobody is at work then.
fn remove_unfinished(kits: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(kits)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

/// Waits on a thread that may be blocked for as long as another process needs.
async fn lock(path: std::path::PathBuf) -> std::io::Result<File> {
    let waiting = tokio::task::spawn_blocking(move || {
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    });
    waiting.await.map_err(std::io::Error::other)?
}

/// Copies the crates' sources into the kit, by the lock file. cargo checks each one's checksum; no code of theirs runs.
async fn fetch(kit: &Path, toolchain: &Toolchain) -> Result<(), KitError> {
    let mut command = Command::new(toolchain.cargo());
    command
        .args(["vendor", "--locked", "--versioned-dirs", "--manifest-path"])
        .arg(kit.join("warm/crate/Cargo.toml"))
        .arg(kit.join("vendor"))
        .env("RUSTC", toolchain.rustc())
        .current_dir(kit)
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let output = tokio::time::timeout(FETCH_MAX, command.output()).await;
    let output = output.map_err(|_| KitError::Fetch(format!("it took over {} s", FETCH_MAX.as_secs())))?;
    let output = output.map_err(|e| KitError::Fetch(e.to_string()))?;
    if !output.status.success() {
        return Err(KitError::Fetch(last_words(&output.stderr)));
    }
    Ok(())
}

/// Compiles the placeholder with every combination of crates that changes what has to be compiled.
async fn compile(kit: &Path, toolchain: &Toolchain, sandbox: &Sandbox) -> Result<(), KitError> {
    let mut view = View::new();
    toolchain.show_with_system(&mut view);
    show_sources(kit, &mut view);
    view.writable(&kit.join("warm"), "/build");
    for (name, value) in toolchain.environment() {
        view.env(name, value);
    }
    let script = COMBINATIONS.map(build_command).join("; ");
    let finished = sandbox.run(&view, &script, &SandboxLimits::PREPARE).await?;
    match finished.ended {
        Ended::Exited(0) => Ok(()),
        _ => Err(KitError::Compile(last_words(&finished.stderr))),
    }
}

fn facts(toolchain: &Toolchain) -> std::io::Result<KitFacts> {
    let compiler = toolchain.driver().unwrap_or(toolchain.rustc());
    Ok(KitFacts {
        versions: toolchain.versions().clone(),
        compiler: Digest::of(&std::fs::read(compiler)?),
        cargo_component: Digest::of(&std::fs::read(toolchain.cargo_component())?),
        lock: sources::lock_digest(),
        sdk: sources::sdk_digest(),
    })
}

fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let text = text.trim();
    let skipped = text.chars().count().saturating_sub(WORDS_MAX);
    text.chars().skip(skipped).collect()
}
