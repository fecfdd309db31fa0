//! The README's first plugin: from nothing to a tool that answers, with the real compiler.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;
use wasmill::forge::Toolchain;
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{Missing, require};

fn toolchain() -> Result<Toolchain, Missing> {
    let reason = |error: wasmill::forge::ToolchainError| format!("{error}; {}", error.next());
    Toolchain::find(None).map_err(|error| Missing { part: "compiler for guests", reason: reason(error) })
}

/// `cargo component build --release`, with the compiler that has the target.
fn cargo_component(toolchain: &Toolchain, project: &Path, more: &[&str]) -> Output {
    let mut build = Command::new(toolchain.cargo_component());
    build.args(["build", "--release"]).args(more).current_dir(project);
    // As xtask does it: with RUSTC set rustup is left alone, and the tests' own cargo must not lead it elsewhere.
    build.env("RUSTC", toolchain.rustc()).env("CARGO", toolchain.cargo());
    build.env_remove("LD_LIBRARY_PATH").env_remove("CARGO_TARGET_DIR").output().unwrap()
}

/// Builds a project, with the network only where the crates are not cached.
fn build(toolchain: &Toolchain, project: &Path) {
    let offline = cargo_component(toolchain, project, &["--offline"]);
    if !offline.status.success() {
        let online = cargo_component(toolchain, project, &[]);
        let said = [&offline, &online].map(|output| String::from_utf8_lossy(&output.stderr));
        assert!(online.status.success(), "offline: {}\nas a user: {}", said[0], said[1]);
    }
}

/// A new project, built, whose own cases pass. All projects of a folder share what they compile.
fn begin(cli: &Cli, toolchain: &Toolchain, name: &str, kind: &str) {
    cli.run(&["plugin", "new", name, "--kind", kind]).json();
    let (project, shared) = (cli.folder().join(name), cli.folder().join("target"));
    std::fs::create_dir_all(&shared).unwrap();
    std::os::unix::fs::symlink(&shared, project.join("target")).unwrap();
    build(toolchain, &project);
    let report = cli.run(&["plugin", "test", name]).json();
    assert_eq!(report["failed"], 0, "{report}");
    assert!(report["passed"].as_u64().unwrap() >= 1, "{report}");
}

#[test]
fn a_new_tool_is_built_tried_installed_and_called_and_a_new_agent_passes_its_cases() {
    let Some(toolchain) = require(toolchain()) else { return };
    let cli = Cli::new();
    begin(&cli, &toolchain, "greeter", "tool");
    let installed = cli.run(&["plugin", "install", "greeter"]).json();
    assert_eq!((&installed["plugin"]["name"], &installed["new"]), (&json!("greeter"), &json!(true)));
    let tools = cli.run(&["tool", "list"]).json();
    assert_eq!((&tools[0]["name"], &tools[0]["functions"][0]["name"]), (&json!("greeter"), &json!("slug")), "{tools}");
    let call = ["tool", "call", "greeter", "slug"];
    let answer = cli.run(&[&call[..], &[r#"{"title": "Hello, World!"}"#]].concat()).json();
    assert_eq!(answer, json!("hello-world"));
    let problem = cli.run(&[&call[..], &[r#"{"title": "?!"}"#]].concat()).problem(2);
    assert_eq!(problem.code, "tool.said.slug.empty");

    begin(&cli, &toolchain, "counter", "agent");
}

/// Where the compiler keeps what it knows of a target; none where it doesn't know it.
fn target(toolchain: &Toolchain, target: &str) -> Option<PathBuf> {
    let output = Command::new(toolchain.rustc()).args(["--print", "sysroot"]).output().unwrap();
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    Some(sysroot.join("lib/rustlib").join(target).join("lib")).filter(|lib| lib.is_dir())
}

#[test]
fn plain_cargo_builds_a_plugin_too_where_the_compiler_has_the_target() {
    let Some(toolchain) = require(toolchain()) else { return };
    if target(&toolchain, "wasm32-wasip2").is_none() {
        eprintln!("SKIPPED: the compiler has no wasm32-wasip2, for which a plugin needs cargo alone");
        return;
    }
    let cli = Cli::new();
    cli.run(&["plugin", "new", "plain", "--kind", "tool"]).json();
    let (project, targets) = (cli.folder().join("plain"), cli.folder().join("elsewhere"));
    let build = |more: &[&str]| {
        let mut build = Command::new(toolchain.cargo());
        build.args(["build", "--release", "--target", "wasm32-wasip2"]).args(more).current_dir(&project);
        build.env("RUSTC", toolchain.rustc()).env_remove("LD_LIBRARY_PATH").env("CARGO_TARGET_DIR", &targets);
        build.output().unwrap()
    };
    let offline = build(&["--offline"]);
    let built = if offline.status.success() { offline } else { build(&[]) };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let install = ["plugin", "install", "plain"];
    assert_eq!(cli.run(&install).problem(4).code, "component.not-built");
    let installed = cli.run_with(&install, &[("CARGO_TARGET_DIR", targets.to_str().unwrap())]).json();
    assert_eq!(installed["plugin"]["name"], "plain");
    let answer = cli.run(&["tool", "call", "plain", "slug", r#"{"title": "Hello, World!"}"#]).json();
    assert_eq!(answer, json!("hello-world"));
}
