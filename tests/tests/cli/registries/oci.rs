//! Push and pull with the distribution registry of Debian's package.

use std::fs;
use std::time::Duration;

use wasmill_tests::binary::Cli;
use wasmill_tests::oci::OciRegistry;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use super::{customer, install, installed, layers, make, manifest, publisher, push, put_manifest};

#[test]
fn a_tool_is_pushed_removed_pulled_and_called() {
    let Some(registry) = OciRegistry::start() else { return };
    let cli = Cli::new();
    let Some(()) = cli.install("text-metrics") else { return };
    let address = format!("oci://{}/tools/text-metrics", registry.host());
    let pushed = push(&cli, "text-metrics@0.1.0", &address);
    assert_eq!((&pushed["new"], &pushed["blobs"]), (&true.into(), &4.into()), "{pushed}");
    assert_eq!(pushed["address"], format!("{address}:0.1.0"));
    assert_eq!(push(&cli, "text-metrics", &address)["new"], false);

    // What lies on disk is what the registry keeps, blob for blob.
    let digest = pushed["digest"].as_str().unwrap().to_owned();
    let image = layers(&cli, &digest);
    let named = image["layers"].as_array().unwrap().iter().chain([&image["config"]]);
    let named = named.map(|blob| blob["digest"].as_str().unwrap());
    for digest in named.chain([digest.as_str()]).map(|digest| digest.trim_start_matches("sha256:")) {
        let here = fs::read(cli.home().join("registry/blobs/sha256").join(digest)).unwrap();
        assert_eq!(fs::read(registry.blob(digest)).unwrap(), here);
    }

    cli.run(&["plugin", "remove", "text-metrics"]).json();
    let call = ["tool", "call", "text-metrics", "count", r#"{"text": "one two"}"#];
    cli.run(&call).expect_code(4);
    assert_eq!(install(&cli, &format!("{address}:0.1.0"))["new"], true);
    assert_eq!(cli.run(&call).json()["words"], 2);
    // By digest, and without either, the newest.
    cli.run(&["plugin", "remove", "text-metrics"]).json();
    install(&cli, &format!("{address}@{digest}"));
    assert_eq!(install(&cli, &address)["new"], false);
}

#[test]
fn two_hosts_that_run_pull_from_one_registry() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = Cli::new();
    let Some(()) = author.install("text-metrics") else { return };
    let address = format!("oci://{}/text-metrics", registry.host());
    push(&author, "text-metrics", &address);
    let homes = [customer(&author), customer(&author)];
    let _hosts = homes.each_ref().map(Up::start);
    std::thread::scope(|scope| {
        homes.iter().for_each(|cli| drop(scope.spawn(|| install(cli, &address))));
    });
    for cli in &homes {
        // A host that runs sees what was installed when it looks next.
        let is_seen = || cli.run(&["tool", "show", "text-metrics"]).code == 0;
        assert!(until(Duration::from_secs(60), is_seen), "the host does not see what was installed");
        let called = cli.run(&["tool", "call", "text-metrics", "count", r#"{"text": "one two three"}"#]).json();
        assert_eq!(called["words"], 3);
    }
}

#[test]
fn a_flipped_bit_in_the_registry_is_refused() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    let digest = push(&author, "upper", &address)["digest"].as_str().unwrap().to_owned();
    let image = layers(&author, &digest);
    let cli = customer(&author);
    for layer in image["layers"].as_array().unwrap() {
        let file = registry.blob(layer["digest"].as_str().unwrap().trim_start_matches("sha256:"));
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        *flipped.last_mut().unwrap() ^= 1;
        fs::write(&file, flipped).unwrap();
        let problem = cli.run(&["plugin", "install", &address]).problem(3);
        assert_eq!(problem.code, "registry.changed", "{layer}: {problem:?}");
        fs::write(&file, whole).unwrap();
    }
    // The OCI manifest too, for who asks for it by its digest.
    let file = registry.blob(digest.trim_start_matches("sha256:"));
    let whole = fs::read_to_string(&file).unwrap();
    fs::write(&file, whole.replace("component.wasm", "component.wasn")).unwrap();
    let refused = cli.run(&["plugin", "install", &format!("{address}@{digest}")]);
    assert_ne!(refused.code, 0, "{refused:?}");
    fs::write(&file, whole).unwrap();
    assert_eq!(installed(&cli), Vec::<String>::new());
    assert!(!cli.home().join("wasmill.lock").exists());
    install(&cli, &address);
}

#[test]
fn nothing_is_trusted_for_having_come_from_a_registry() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    push(&author, "upper", &address);
    // A home of somebody else, whose trust.toml does not know the author.
    let stranger = Cli::new();
    assert_eq!(stranger.run(&["plugin", "install", &address]).problem(3).code, "signature.unknown-key");
    // And one that has revoked the key since.
    let cli = customer(&author);
    let path = cli.home().join("trust.toml");
    let trust = fs::read_to_string(&path).unwrap();
    fs::write(&path, trust.replace("name = \"publisher\"", "name = \"publisher\"\nrevoked = true")).unwrap();
    assert_eq!(cli.run(&["plugin", "install", &address]).problem(3).code, "signature.revoked-key");
    assert!(installed(&stranger).is_empty() && installed(&cli).is_empty());
}

#[test]
fn a_tag_that_says_another_version_is_refused() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    let digest = push(&author, "upper", &address)["digest"].as_str().unwrap().to_owned();
    assert_eq!(
        author.run(&["plugin", "push", "upper", &format!("{address}:3.0.0")]).problem(2).code,
        "registry.location"
    );
    put_manifest(&registry, "upper", "3.0.0", &manifest(&author, &digest));
    let cli = customer(&author);
    let problem = cli.run(&["plugin", "install", &format!("{address}:3.0.0")]).problem(3);
    assert_eq!(problem.code, "registry.mislabelled");
    assert!(problem.message.contains("upper@3.0.0") && problem.message.contains("upper@1.0.0"), "{problem:?}");
}

#[test]
fn a_pushed_version_is_never_replaced() {
    let Some(registry) = OciRegistry::start() else { return };
    let author = publisher(&["1.0.0"]);
    let address = format!("oci://{}/upper", registry.host());
    push(&author, "upper", &address);
    push(&author, "upper", &format!("{address}:latest"));
    // The same version of another home, with other bytes.
    let other = Cli::new();
    make(&other, "1.0.0", "other");
    let problem = other.run(&["plugin", "push", "upper", &address]).problem(1);
    assert_eq!(problem.code, "registry.tag-taken");
    assert_eq!(push(&other, "upper", &format!("{address}:latest"))["new"], true);
}

#[test]
fn what_is_not_there_is_said_so() {
    let Some(registry) = OciRegistry::start() else { return };
    let cli = publisher(&["1.0.0"]);
    let at = |rest: &str| format!("oci://{}{rest}", registry.host());
    push(&cli, "upper", &at("/upper"));
    for rest in ["/nothing", "/nothing:1.0.0", "/upper:9.9.9"] {
        let problem = cli.run(&["plugin", "install", &at(rest)]).problem(4);
        assert_eq!(problem.code, "registry.not-found", "{rest}");
    }
    for rest in ["", "/Upper", "/../x", "/upper@sha256:00"] {
        assert_eq!(cli.run(&["plugin", "install", &at(rest)]).problem(2).code, "registry.location", "{rest}");
    }
    assert_eq!(cli.run(&["plugin", "push", "nothing", &at("/nothing")]).problem(4).code, "component.unknown");
    assert_eq!(cli.run(&["plugin", "push", "upper", "https://localhost/x/"]).problem(2).code, "registry.location");
    let host = registry.host();
    drop(registry);
    let problem = cli.run(&["plugin", "install", &format!("oci://{host}/upper")]).problem(5);
    assert_eq!(problem.code, "registry.unreachable");
}
