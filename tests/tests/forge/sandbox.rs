//! The wall itself.

use std::time::Duration;

use wasmill::forge::{ALLOWED_CRATES, Compiled};
use wasmill::sandbox::{Ended, Finished, Sandbox, SandboxError, SandboxLimits, View};

use crate::harness::workshop;

/// A tool around some code.
fn tool(code: &str) -> String {
    format!(
        "use wasmill_sdk::{{Error, Function, Tool}};\nstruct T;\nimpl Tool for T {{\n fn describe() -> Vec<Function> {{ vec![] }}\n \
         fn call(_: &str, a: &str) -> Result<String, Error> {{ Ok(a.to_owned()) }}\n}}\nwasmill_sdk::tool!(T);\n{code}\n"
    )
}

/// A shell in the sandbox in which sources are compiled.
async fn shell(script: &str, limits: &SandboxLimits) -> Finished {
    let workshop = workshop().await;
    let mut view = View::new();
    workshop.toolchain.show(&mut view);
    workshop.kit.show(&mut view, limits.scratch_bytes);
    workshop.sandbox.run(&view, script, limits).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_builds_of_a_source_give_the_same_bytes_and_leave_the_kit_as_it_was() {
    let workshop = workshop().await;
    let facts = || std::fs::metadata(workshop.kit.folder().join("warm/target")).unwrap().modified().unwrap();
    let before = facts();
    let mut built = Vec::new();
    for _ in 0..2 {
        match workshop.compile(&tool(""), &["serde"]).await.unwrap() {
            Compiled::Component { bytes, .. } => built.push(bytes),
            Compiled::Failed { failure, diagnostics } => panic!("{failure}: {diagnostics:?}"),
        }
    }
    assert_eq!(built[0], built[1]);
    assert_eq!(before, facts());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crate_that_was_not_asked_for_is_not_there() {
    let workshop = workshop().await;
    let source = tool("pub fn f() -> serde_json::Value { serde_json::Value::Null }");
    assert!(matches!(workshop.compile(&source, &["serde_json"]).await.unwrap(), Compiled::Component { .. }));
    assert!(matches!(workshop.compile(&source, &["serde"]).await.unwrap(), Compiled::Failed { .. }));
}

/// Were anything missing, a build script or a procedural macro would have to be linked, and there is no linker for them
/// in the sandbox.
#[tokio::test(flavor = "multi_thread")]
async fn the_kit_is_complete_for_every_choice_of_crates() {
    let workshop = workshop().await;
    for choice in 0..1 << ALLOWED_CRATES.len() {
        let chosen = ALLOWED_CRATES.into_iter().enumerate().filter(|(bit, _)| choice & (1 << bit) != 0);
        let crates: Vec<&str> = chosen.map(|(_, name)| name).collect();
        if let Compiled::Failed { failure, .. } = workshop.compile(&tool(""), &crates).await.unwrap() {
            panic!("{crates:?}: {failure}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_host_can_be_included() {
    let workshop = workshop().await;
    let home = std::env::home_dir().unwrap();
    for file in [
        "/etc/passwd",
        "/etc/hostname",
        "/proc/self/environ",
        "/proc/1/environ",
        "/proc/version",
        "/sys/kernel/hostname",
        "/dev/zero",
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        &home.join(".cargo/env").to_string_lossy(),
    ] {
        let source = tool(&format!("pub const LOOT: &[u8] = include_bytes!({file:?});"));
        let Compiled::Failed { diagnostics, .. } = workshop.compile(&source, &[]).await.unwrap() else {
            panic!("{file} was included");
        };
        assert!(diagnostics.iter().any(|d| d.message.contains("couldn't read")), "{file}: {diagnostics:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_inside_sees_no_file_and_no_process_of_the_host() {
    let marker = tempfile::NamedTempFile::new().unwrap();
    let path = marker.path().display();
    // The shell's own means: there is no other program inside, which is part of what is tested.
    let script = format!(
        "for f in / /etc /root /home /var /proc /sys /tmp /run {path}; do [ -e $f ] && echo \"there: $f\"; done; \
         for f in /root/* /root/.* /home/*; do case $f in */.|*/..) ;; *) [ -e \"$f\" ] && echo \"hidden: $f\";; esac; done; \
         for f in /usr/bin/* /bin/* /usr/local/bin/*; do [ -e \"$f\" ] && echo \"program: $f\"; done; \
         (echo x > /x) 2>/dev/null && echo 'the root is writable'; \
         (echo x > /warm/x) 2>/dev/null && echo 'the kit is writable'; \
         (echo x > /vendor/x) 2>/dev/null && echo 'the crates are writable'; \
         (echo x > /dev/x) 2>/dev/null && echo '/dev is writable'; \
         kill -0 {host} 2>/dev/null && echo 'the host can be seen'; \
         set; true",
        host = std::process::id()
    );
    let finished = shell(&script, &SandboxLimits::BUILD).await;
    let said = String::from_utf8_lossy(&finished.stdout).into_owned();
    assert_eq!(finished.ended, Ended::Exited(0), "{said}");
    // A compiler in somebody's home folder is shown where it is; the folders above it hold nothing else.
    let toolchain = workshop().await.toolchain;
    let above = |folder: &str| [toolchain.rustc(), toolchain.cargo_component()].iter().any(|p| p.starts_with(folder));
    let there: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("there: ")).collect();
    assert!(there.iter().all(|folder| above(folder)), "{there:?}");
    let hidden: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("hidden: ")).collect();
    assert!(hidden.iter().all(|file| file.contains(".rustup") || file.contains(".cargo")), "{hidden:?}");
    let programs: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("program: ")).collect();
    let known = ["sh", "cp", "rustc", "cargo", "cargo-component", "rust-lld"];
    for program in programs {
        assert!(known.contains(&program.rsplit('/').next().unwrap()), "{program}");
    }
    assert!(!said.contains("writable") && !said.contains("can be seen"), "{said}");
    // What a shell sets by itself, and what the kit says; nothing of the environment that the tests run in.
    let known = [
        "CARGO",
        "CARGO_HOME",
        "HOME",
        "IFS",
        "OLDPWD",
        "OPTIND",
        "PATH",
        "PPID",
        "PS1",
        "PS2",
        "PS4",
        "PWD",
        "TMPDIR",
    ];
    let names = said.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name);
    let foreign: Vec<&str> = names.filter(|name| !known.contains(name) && name.len() > 1).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// With the whole system to try with, since a compiler alone brings no program that could connect.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_inside_reaches_no_port_of_the_host() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let knock = format!("exec 3<>/dev/tcp/127.0.0.1/{} && echo connected", listener.local_addr().unwrap().port());
    let outside = std::process::Command::new("bash").args(["-c", &knock]).output().unwrap();
    assert_eq!(outside.stdout, b"connected\n", "the same program outside");

    let workshop = workshop().await;
    let mut view = View::new();
    view.system();
    let inside = workshop.sandbox.run(&view, &format!("bash -c '{knock}'"), &SandboxLimits::BUILD).await.unwrap();
    let said = [inside.stdout, inside.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("/dev/tcp/127.0.0.1/"), "{said}");
    assert!(!said.contains("connected"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_of_the_sandbox_stops_what_exceeds_it() {
    let limits = SandboxLimits {
        wall_ms: 1_500,
        cpu_s: 1,
        file_bytes: 1024 * 1024,
        scratch_bytes: 2 * 1024 * 1024,
        output_bytes: 64 * 1024,
        ..SandboxLimits::BUILD
    };
    let flood = shell("while :; do echo 0123456789012345678901234567890123456789; done", &limits).await;
    assert_eq!(flood.ended, Ended::Output);
    assert!(flood.stdout.len() <= limits.output_bytes);

    let long = SandboxLimits { wall_ms: 60_000, ..limits.clone() };
    let spin = shell("while :; do :; done", &long).await;
    assert!(!matches!(spin.ended, Ended::Exited(0) | Ended::WallClock), "{:?}", spin.ended);

    // A text that is doubled until it is too large; without the limit it would have 64 MiB in the end.
    let little = SandboxLimits { memory_bytes: 32 * 1024 * 1024, ..SandboxLimits::BUILD };
    let double = "a=0123456789abcdef; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22; do a=$a$a; done; \
                  echo ${#a}";
    assert_eq!(shell(double, &SandboxLimits::BUILD).await.stdout, b"67108864\n");
    let greedy = shell(double, &little).await;
    assert!(!matches!(greedy.ended, Ended::Exited(0) | Ended::WallClock), "{:?}", greedy.ended);
    assert_eq!(greedy.stdout, b"");

    // Reading a pipe that nobody writes to costs no processor time.
    let asleep = shell("sh -c 'kill -STOP $$'", &limits).await;
    assert_eq!(asleep.ended, Ended::WallClock);

    for script in [
        // One file, doubled until it is too large.
        "echo 0123456789 > /build/a; while cp /build/a /build/b && cp /build/b /build/c; do \
         { while read -r l; do echo $l; done < /build/a; while read -r l; do echo $l; done < /build/b; } > /build/d; \
         cp /build/d /build/a; done; exit 7",
        // Many files, together larger than the scratch space.
        "i=0; while cp /bin/sh /build/$i; do i=$((i + 1)); [ $i -gt 1000 ] && exit 0; done; exit 7",
    ] {
        let full = shell(script, &long).await;
        assert_ne!(full.ended, Ended::Exited(0), "{script}");
        assert_ne!(full.ended, Ended::WallClock, "{script}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn giving_up_on_a_build_kills_it() {
    let workshop = workshop().await;
    let desk = tempfile::tempdir().unwrap();
    let file = desk.path().join("alive");
    std::fs::write(&file, "").unwrap();
    let mut view = View::new();
    workshop.toolchain.show(&mut view);
    view.writable(&file, "/alive");
    let run = workshop.sandbox.run(&view, "while :; do echo x >> /alive; done", &SandboxLimits::BUILD);
    assert!(tokio::time::timeout(Duration::from_millis(500), run).await.is_err());
    // It has been told to stop; from some moment on, the file stays as it is.
    let length = || std::fs::metadata(&file).unwrap().len();
    assert!(length() > 0, "it was at work");
    for _ in 0..100 {
        let before = length();
        tokio::time::sleep(Duration::from_millis(200)).await;
        if length() == before {
            return;
        }
    }
    panic!("it is still at work");
}

#[test]
fn without_bubblewrap_there_is_no_sandbox_and_the_error_says_how_to_get_one() {
    let error = Sandbox::with("/nowhere/bwrap".as_ref()).unwrap_err();
    assert!(matches!(error, SandboxError::Missing));
    assert!(error.next().contains("apt-get install bubblewrap"));

    // One that is there and can't make a sandbox, as where user namespaces are switched off.
    let error = Sandbox::with("/bin/false".as_ref()).unwrap_err();
    assert!(matches!(error, SandboxError::Unusable(_)), "{error}");
    assert_eq!(error.code(), "sandbox.unusable");
}
