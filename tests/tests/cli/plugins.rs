use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use wasmill_tests::binary::{Cli, Problem};

const MANIFEST: &str =
    "name = \"upper\"\nversion = \"1.0.0\"\nkind = \"tool\"\ndescription = \"Writes in capitals.\"\n";

/// The smallest component of the tool world: it exports the interface, with nothing in it. `salt` makes another one.
pub fn component(salt: &str) -> Vec<u8> {
    let name = b"wasmill:plugin/tool@0.1.0";
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    // One instance without exports, exported under the name.
    bytes.extend([5, 3, 1, 1, 0]);
    bytes.extend([11, name.len() as u8 + 6, 1, 0, name.len() as u8]);
    bytes.extend(name);
    bytes.extend([5, 0, 0]);
    // A custom section.
    bytes.extend([0, salt.len() as u8 + 2, 1, b'x']);
    bytes.extend(salt.as_bytes());
    bytes
}

/// A home with a component and its manifest beside it.
fn project() -> Cli {
    let cli = Cli::new();
    cli.write("upper.wasm", component(""));
    cli.write("wasmill.toml", MANIFEST);
    cli
}

fn installed() -> Cli {
    let cli = project();
    cli.run(&["plugin", "sign", "upper.wasm"]).json();
    cli.run(&["plugin", "install", "upper.wasm"]).json();
    cli
}

fn list(cli: &Cli) -> Vec<Value> {
    cli.run(&["plugin", "list"]).json().as_array().unwrap().clone()
}

/// What `sign` says to another component and manifest.
fn refused_to_sign(component: &[u8], manifest: &str, code: i32) -> Problem {
    let cli = project();
    cli.write("upper.wasm", component);
    cli.write("wasmill.toml", manifest);
    let problem = cli.run(&["plugin", "sign", "upper.wasm"]).problem(code);
    assert!(!cli.folder().join("upper.dsse.json").exists());
    problem
}

#[test]
fn a_component_is_signed_verified_installed_listed_and_removed() {
    let cli = project();
    let signed = cli.run(&["plugin", "sign", "upper.wasm"]).json();
    assert_eq!(signed["component"], "upper@1.0.0");
    let verified = cli.run(&["plugin", "verify", "upper.wasm"]).json();
    assert_eq!((&verified["digest"], &verified["signer"]["role"]), (&signed["digest"], &"publisher".into()));

    assert_eq!(cli.run(&["plugin", "install", "upper.wasm"]).json()["new"], true);
    assert_eq!(cli.run(&["plugin", "install", "upper.wasm"]).json()["new"], false);
    let [plugin] = &list(&cli)[..] else { panic!("{:?}", list(&cli)) };
    assert_eq!(
        (&plugin["name"], &plugin["version"], &plugin["kind"]),
        (&"upper".into(), &"1.0.0".into(), &"tool".into())
    );
    assert_eq!((&plugin["digest"], &plugin["problem"]), (&signed["digest"], &Value::Null));
    assert_eq!(cli.run(&["plugin", "verify", "upper"]).json()["digest"], signed["digest"]);

    cli.run(&["plugin", "remove", "upper"]).json();
    assert_eq!(list(&cli), Vec::<Value>::new());
    assert_eq!(cli.run(&["plugin", "remove", "upper"]).problem(4).code, "component.unknown");
}

#[test]
fn the_manifest_is_found_above_the_component() {
    let cli = project();
    std::fs::create_dir_all(cli.folder().join("target/release")).unwrap();
    std::fs::rename(cli.folder().join("upper.wasm"), cli.folder().join("target/release/upper.wasm")).unwrap();
    cli.run(&["plugin", "sign", "target/release/upper.wasm"]).json();
    cli.run(&["plugin", "install", "target/release/upper.wasm"]).json();
}

#[test]
fn what_was_changed_after_signing_is_denied() {
    for file in ["upper.wasm", "wasmill.toml"] {
        let cli = project();
        cli.run(&["plugin", "sign", "upper.wasm"]).json();
        let changed =
            if file == "upper.wasm" { component("x") } else { MANIFEST.replace("capitals", "capital").into() };
        cli.write(file, changed);
        for verb in ["verify", "install"] {
            let problem = cli.run(&["plugin", verb, "upper.wasm"]).problem(3);
            assert_eq!(problem.code, "signature.mismatch");
            assert!(problem.message.contains(&file.replace("upper", "component")), "{problem:?}");
        }
        assert_eq!(list(&cli), Vec::<Value>::new());
    }
}

#[test]
fn what_cannot_be_a_component_is_not_even_signed() {
    assert_eq!(refused_to_sign(b"", MANIFEST, 2).code, "component.invalid");
    assert_eq!(refused_to_sign(b"#!/bin/sh\n", MANIFEST, 2).code, "component.invalid");
    assert_eq!(refused_to_sign(&component("")[..20], MANIFEST, 2).code, "component.invalid");
    assert_eq!(refused_to_sign(b"\0asm\x01\0\0\0", MANIFEST, 2).code, "component.invalid");
    let agent = MANIFEST.replace("\"tool\"", "\"agent\"\nagent = { reads = [\"words\"] }");
    assert_eq!(refused_to_sign(&component(""), &agent, 2).code, "component.world");
}

#[test]
fn a_wrong_manifest_is_named_with_its_line() {
    let problem = refused_to_sign(&component(""), &MANIFEST.replace("description", "descripton"), 2);
    assert_eq!(problem.code, "manifest.invalid");
    assert!(problem.message.contains("wasmill.toml: line 4") && problem.message.contains("descripton"), "{problem:?}");
}

#[test]
fn a_component_of_a_hundred_megabytes_is_over_the_limit() {
    let cli = project();
    let file = std::fs::File::create(cli.folder().join("upper.wasm")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    assert_eq!(cli.run(&["plugin", "sign", "upper.wasm"]).problem(6).code, "component.too-large");
}

#[test]
fn an_unsigned_component_is_not_installed() {
    let cli = project();
    let problem = cli.run(&["plugin", "install", "upper.wasm"]).problem(4);
    assert_eq!(problem.code, "signature.missing");
    assert!(problem.next.contains("wasmill plugin sign upper.wasm"), "{problem:?}");
    cli.write("upper.dsse.json", "{}");
    assert_eq!(cli.run(&["plugin", "install", "upper.wasm"]).problem(2).code, "signature.envelope");
}

#[test]
fn only_publishers_keys_publish() {
    let cli = project();
    cli.run(&["plugin", "sign", "upper.wasm", "--key", "admin"]).json();
    assert_eq!(cli.run(&["plugin", "install", "upper.wasm"]).problem(3).code, "signature.wrong-role");
    cli.run(&["key", "new", "stranger", "--role", "publisher", "--no-trust"]).json();
    cli.run(&["plugin", "sign", "upper.wasm", "--key", "stranger"]).json();
    assert_eq!(cli.run(&["plugin", "install", "upper.wasm"]).problem(3).code, "signature.unknown-key");
    assert_eq!(cli.run(&["plugin", "sign", "upper.wasm", "--key", "nobody"]).problem(4).code, "key.missing");
}

#[test]
fn a_key_that_others_can_read_does_not_sign() {
    let cli = project();
    let key = cli.home().join("keys/publisher.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let problem = cli.run(&["plugin", "sign", "upper.wasm"]).problem(3);
    assert_eq!(problem.code, "key.exposed");
    assert!(problem.next.contains("chmod 600"), "{problem:?}");
}

#[test]
fn a_revoked_key_makes_what_it_signed_unusable() {
    let cli = installed();
    let path = cli.home().join("trust.toml");
    let trust = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, trust.replace("name = \"publisher\"", "name = \"publisher\"\nrevoked = true")).unwrap();
    assert_eq!(list(&cli)[0]["problem"]["code"], "signature.revoked-key");
    assert_eq!(cli.run(&["plugin", "verify", "upper"]).problem(3).code, "signature.revoked-key");
    // It can still be removed.
    cli.run(&["plugin", "remove", "upper@1.0.0"]).json();
}

#[test]
fn a_version_is_never_replaced() {
    let cli = installed();
    cli.write("upper.wasm", component("another"));
    cli.run(&["plugin", "sign", "upper.wasm"]).json();
    let problem = cli.run(&["plugin", "install", "upper.wasm"]).problem(1);
    assert_eq!(problem.code, "component.exists");
    cli.write("wasmill.toml", MANIFEST.replace("1.0.0", "1.1.0"));
    cli.run(&["plugin", "sign", "upper.wasm"]).json();
    cli.run(&["plugin", "install", "upper.wasm"]).json();
    assert_eq!(list(&cli).len(), 2);
    assert_eq!(cli.run(&["plugin", "remove", "upper"]).problem(1).code, "component.ambiguous");
    cli.run(&["plugin", "remove", "upper@1.0.0"]).json();
    assert_eq!(list(&cli)[0]["version"], "1.1.0");
}

#[test]
fn a_changed_file_in_the_registry_is_found() {
    let cli = installed();
    let digest = list(&cli)[0]["digest"].as_str().unwrap().to_owned();
    cli.write(&format!("home/registry/blobs/sha256/{digest}"), component("changed"));
    assert_eq!(list(&cli)[0]["problem"]["code"], "registry.changed");
    assert_eq!(cli.run(&["plugin", "verify", "upper"]).problem(3).code, "registry.changed");
}

#[test]
fn a_new_project_is_whole_and_nothing_is_written_over() {
    let cli = Cli::new();
    for kind in ["tool", "agent"] {
        let written = cli.run(&["plugin", "new", "my-plugin", "--kind", kind, "--dir", kind]).json();
        for file in written["files"].as_array().unwrap() {
            let text = std::fs::read_to_string(cli.folder().join(kind).join(file.as_str().unwrap())).unwrap();
            assert!(!text.contains("{{"), "{file}");
        }
        let manifest = std::fs::read(cli.folder().join(kind).join("wasmill.toml")).unwrap();
        let manifest = wasmill_registry::Manifest::parse(&manifest).unwrap();
        assert_eq!((manifest.name.as_str(), manifest.agent.is_some()), ("my-plugin", kind == "agent"));
        let again = cli.run(&["plugin", "new", "other", "--kind", kind, "--dir", kind]).problem(1);
        assert_eq!(again.code, "plugin.exists");
    }
    for name in ["../x", "9lives", "a.b", "-x-"] {
        cli.run(&["plugin", "new", "--kind", "tool", "--", name]).expect_code(2);
    }
}

#[test]
fn a_project_is_signed_and_installed_by_its_folder() {
    let cli = Cli::new();
    cli.run(&["plugin", "new", "my-tool", "--kind", "tool"]).json();
    let problem = cli.run(&["plugin", "install", "my-tool"]).problem(4);
    assert_eq!(problem.code, "component.not-built");
    let built = cli.folder().join("my-tool/target/wasm32-wasip1/release");
    std::fs::create_dir_all(&built).unwrap();
    std::fs::write(built.join("my_tool.wasm"), component("")).unwrap();
    assert_eq!(cli.run(&["plugin", "install", "my-tool"]).json()["plugin"]["name"], "my-tool");
}
