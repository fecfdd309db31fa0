//! wasmill.lock: a version is the same bytes for ever, and no older one comes in by itself.

use std::fs;

use wasmill_tests::binary::Cli;
use wasmill_tests::oci::OciRegistry;

use super::{customer, install, installed, make, publisher, push};

fn lock(cli: &Cli) -> String {
    fs::read_to_string(cli.home().join("wasmill.lock")).unwrap()
}

#[test]
fn what_is_installed_is_written_down_with_where_it_came_from() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    let digest = push(&author, "upper", &address)["digest"].as_str().unwrap().to_owned();
    assert!(lock(&author).contains(&digest) && !lock(&author).contains("source"), "{}", lock(&author));
    let cli = customer(&author);
    install(&cli, &address);
    let row = format!(
        "[[plugin]]\nname = \"upper\"\nversion = \"1.0.0\"\ndigest = \"{digest}\"\nsource = \"{address}:1.0.0\"\n"
    );
    assert!(lock(&cli).contains(&row), "{}", lock(&cli));
    // The row stays when the component goes.
    cli.run(&["plugin", "remove", "upper"]).json();
    assert!(lock(&cli).contains(&row));
}

#[test]
fn a_locked_version_with_another_digest_is_refused_until_it_is_accepted() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0"]);
    let first = format!("oci://{}/upper", registry.host());
    push(&author, "upper", &first);
    let cli = customer(&author);
    install(&cli, &first);
    cli.run(&["plugin", "remove", "upper"]).json();

    // The same key signs something else under the same version.
    author.run(&["plugin", "remove", "upper"]).json();
    author.write("upper.wasm", super::component("other"));
    author.run(&["plugin", "sign", "upper.wasm"]).json();
    let problem = author.run(&["plugin", "install", "upper.wasm"]).problem(3);
    assert_eq!(problem.code, "lock.changed", "of files it holds too");
    fs::remove_file(author.home().join("wasmill.lock")).unwrap();
    author.run(&["plugin", "install", "upper.wasm"]).json();
    let second = format!("oci://{}/other", registry.host());
    let digest = push(&author, "upper", &second)["digest"].as_str().unwrap().to_owned();

    let problem = cli.run(&["plugin", "install", &second]).problem(3);
    assert_eq!(problem.code, "lock.changed");
    assert!(problem.message.contains(&format!("{first}:1.0.0")) && problem.message.contains(&digest), "{problem:?}");
    assert!(problem.next.contains(&format!("--accept-digest {digest}")), "{problem:?}");
    assert!(installed(&cli).is_empty());
    let other = format!("sha256:{}", "0".repeat(64));
    assert_eq!(cli.run(&["plugin", "install", &second, "--accept-digest", &other]).problem(3).code, "lock.changed");
    assert_eq!(cli.run(&["plugin", "install", &second, "--accept-digest", "x"]).problem(2).code, "lock.digest");
    cli.run(&["plugin", "install", &second, "--accept-digest", &digest]).json();
    assert!(lock(&cli).contains(&digest) && lock(&cli).contains(&second));
}

#[test]
fn a_lock_file_of_another_machine_pins_what_is_installed_here() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    push(&author, "upper", &address);
    let cli = customer(&author);
    let pinned = format!("sha256:{}", "1".repeat(64));
    let row = format!("[[plugin]]\nname = \"upper\"\nversion = \"1.0.0\"\ndigest = \"{pinned}\"\n");
    fs::write(cli.home().join("wasmill.lock"), row).unwrap();
    let problem = cli.run(&["plugin", "install", &address]).problem(3);
    assert!(problem.code == "lock.changed" && problem.message.contains(&pinned), "{problem:?}");
    // One that can't be read lets nothing in.
    fs::write(cli.home().join("wasmill.lock"), "nonsense").unwrap();
    let problem = cli.run(&["plugin", "install", &address]).problem(2);
    assert!(problem.code == "home.document" && problem.message.contains("wasmill.lock"), "{problem:?}");
    fs::copy(author.home().join("wasmill.lock"), cli.home().join("wasmill.lock")).unwrap();
    install(&cli, &address);
}

#[test]
fn an_older_signed_version_is_refused_until_it_is_allowed() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0", "2.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    push(&author, "upper@1.0.0", &address);
    push(&author, "upper@2.0.0", &address);
    // An old version under a new tag, which says nothing of a version.
    push(&author, "upper@1.0.0", &format!("{address}:latest"));
    let cli = customer(&author);
    install(&cli, &format!("{address}:2.0.0"));
    // Also when the new one was removed meanwhile.
    for removed in [false, true] {
        if removed {
            cli.run(&["plugin", "remove", "upper"]).json();
        }
        for tag in ["1.0.0", "latest"] {
            let problem = cli.run(&["plugin", "install", &format!("{address}:{tag}")]).problem(3);
            assert_eq!(problem.code, "lock.older");
            assert!(problem.message.contains("2.0.0") && problem.next.contains("--allow-downgrade"), "{problem:?}");
        }
    }
    assert!(installed(&cli).is_empty());
    cli.run(&["plugin", "install", &format!("{address}:1.0.0"), "--allow-downgrade"]).json();
    assert_eq!(installed(&cli), ["upper@1.0.0"]);
}

#[test]
fn files_are_held_to_it_too_but_for_an_author_s_own_attempts() {
    let cli = publisher(&["2.0.0"]);
    cli.write("wasmill.toml", super::MANIFEST);
    cli.run(&["plugin", "sign", "upper.wasm"]).json();
    assert_eq!(cli.run(&["plugin", "install", "upper.wasm"]).problem(3).code, "lock.older");
    cli.run(&["plugin", "install", "upper.wasm", "--allow-downgrade"]).json();

    let built = cli.folder().join("upper/target/wasm32-wasip1/release");
    fs::create_dir_all(&built).unwrap();
    fs::write(cli.folder().join("upper/wasmill.toml"), super::MANIFEST.replace("1.0.0", "3.0.0")).unwrap();
    for attempt in ["first", "second"] {
        fs::write(built.join("upper.wasm"), super::component(attempt)).unwrap();
        cli.run(&["plugin", "install", "upper"]).json();
        cli.run(&["plugin", "remove", "upper@3.0.0"]).json();
    }
    make(&cli, "4.0.0", "4");
    assert_eq!(cli.run(&["plugin", "install", "upper"]).problem(3).code, "lock.older");
}
