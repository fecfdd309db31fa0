//! `cargo xtask fuzz`: libFuzzer on everything that reads bytes which nobody vouches for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::machine::Machine;
use crate::shell;

/// As tests/fuzz/src/parsers.rs has them.
const PARSERS: [&str; 14] = [
    "agents",
    "columns",
    "component",
    "conversation",
    "envelope",
    "http",
    "layout",
    "manifest",
    "mcp",
    "permissions",
    "schema",
    "settings",
    "source",
    "tool-request",
];

/// Longest input, bytes.
const LENGTH_MAX: u32 = 16 * 1024;
/// What one input may take, seconds; on a machine that does other things too.
const INPUT_SECONDS_MAX: u32 = 20;
/// Memory of one run, MiB: about ten times what one needs.
const MEMORY_MAX: u32 = 4096;
/// What it may take longer than it was told to, for reading the kept inputs.
const MORE: Duration = Duration::from_secs(300);

/// Makes up inputs for each parser of untrusted bytes, led by what they make it do.
///
/// Ends with a failure where one made it panic, overflow, take too long or too much memory, and says where that input lies.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long each parser is fed.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Only these parsers, by name, with commas between; all where it isn't given.
    #[arg(long, value_delimiter = ',', value_parser = PARSERS)]
    only: Vec<String>,
    /// Keeps the inputs that found something new, for all later runs.
    #[arg(long)]
    keep: bool,
}

/// Builds the program, then feeds one parser after the other.
///
/// # Errors
/// When it can't be built, and with the first parser that did not stand it.
pub fn command(machine: &Machine, args: &Args) -> Result<ExitCode> {
    let each = Duration::from_secs_f64(args.minutes * 60.0);
    let chosen = PARSERS.into_iter().filter(|name| args.only.is_empty() || args.only.iter().any(|only| only == name));
    run(machine, &chosen.collect::<Vec<_>>(), each, args.keep)?;
    Ok(ExitCode::SUCCESS)
}

/// Feeds all parsers, all together for so long.
///
/// # Errors
/// As [`command`].
pub fn all_within(machine: &Machine, time: Duration) -> Result<()> {
    run(machine, &PARSERS, time / PARSERS.len() as u32, false)
}

fn run(machine: &Machine, parsers: &[&str], each: Duration, keep: bool) -> Result<()> {
    let program = build(machine)?;
    for parser in parsers {
        let kept = machine.root.join("tests/fuzz/corpus").join(format!("{parser}.tar.gz"));
        let inputs = Inputs::unpack(&kept)?;
        let failed = machine.root.join("target/fuzz").join(parser);
        fs::create_dir_all(&failed)?;
        let mut fuzz = Command::new(&program);
        fuzz.env("WASMILL_PARSER", parser).arg(inputs.found()).arg(inputs.known()).args(seeds(machine, parser));
        fuzz.arg(format!("-max_total_time={}", each.as_secs().max(1)));
        fuzz.args([format!("-max_len={LENGTH_MAX}"), format!("-timeout={INPUT_SECONDS_MAX}")]);
        fuzz.args([format!("-rss_limit_mb={MEMORY_MAX}"), format!("-artifact_prefix={}/", failed.display())]);
        fuzz.args(["-print_final_stats=1", "-verbosity=0"]);
        let words = machine.root.join("tests/fuzz/dictionaries").join(format!("{parser}.dict"));
        if words.is_file() {
            fuzz.arg(format!("-dict={}", words.display()));
        }
        shell::run_within(&mut fuzz, each + MORE)
            .with_context(|| format!("parser `{parser}`; the input is in {}", failed.display()))?;
        if keep {
            let mut merge = Command::new(&program);
            merge.env("WASMILL_PARSER", parser).args(["-set_cover_merge=1", "-verbosity=0"]);
            shell::run(merge.arg(inputs.merged()).arg(inputs.known()).arg(inputs.found()))?;
            inputs.pack(&kept)?;
        }
    }
    Ok(())
}

/// Compiles our own crates to be watched. All others are those of an ordinary build: to compile the engine once more
/// would take longer than a run.
fn build(machine: &Machine) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked", "--package", "wasmill-fuzz"]).current_dir(&machine.root);
    cargo.env("RUSTC_WORKSPACE_WRAPPER", machine.root.join("tests/fuzz/watched-rustc"));
    shell::run(&mut cargo)?;
    let program = machine.root.join("target/debug/wasmill-fuzz");
    ensure!(program.is_file(), "{} was not built; is CARGO_TARGET_DIR set?", program.display());
    Ok(program)
}

/// Folders of this repository whose files are inputs too.
fn seeds(machine: &Machine, parser: &str) -> Vec<PathBuf> {
    let folders: &[&str] = match parser {
        "source" => &["tests/forge/hostile", "tests/forge/tools"],
        _ => &[],
    };
    folders.iter().map(|folder| machine.root.join(folder)).collect()
}

/// What a parser was fed with before, what is new, and what of both is worth keeping.
struct Inputs(TempDir);

impl Inputs {
    fn unpack(kept: &Path) -> Result<Self> {
        let inputs = Self(tempfile::tempdir()?);
        for folder in [inputs.known(), inputs.found(), inputs.merged()] {
            fs::create_dir(folder)?;
        }
        if !kept.is_file() {
            bail!("{} is not there; begin it with an archive of one input", kept.display());
        }
        shell::capture(Command::new("tar").arg("-xzf").arg(kept).arg("-C").arg(inputs.known()))?;
        Ok(inputs)
    }

    fn known(&self) -> PathBuf {
        self.0.path().join("known")
    }

    fn found(&self) -> PathBuf {
        self.0.path().join("found")
    }

    fn merged(&self) -> PathBuf {
        self.0.path().join("merged")
    }

    /// Writes the same bytes for the same inputs.
    fn pack(&self, kept: &Path) -> Result<()> {
        let tar = kept.with_extension("");
        let mut pack = Command::new("tar");
        pack.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--mode=u=rwX,go=rX"]);
        shell::capture(pack.arg("-cf").arg(&tar).arg("-C").arg(self.merged()).arg("."))?;
        shell::capture(Command::new("gzip").arg("-9nf").arg(&tar)).map(drop)
    }
}
