//! Agentry's plugin index: read and verified, and nothing installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use wasmill_registry::Digest;
use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{self, require};
use wasmill_tests::web::Files;

use super::installed;

const KEY: &str = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
const SIGNATURE: &str = "2fe65db22115136ef8039ea180d612f0326a2418b2849ce7db08e17a169afc9d\
                         0e6a38c813c0f8a14f69cb1d65fca0d94db4af5a67a36c664605928f6a38130a";

fn signatures(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["signature"].as_str().unwrap()).collect()
}

#[test]
fn the_index_of_agentry_is_read_with_its_own_vector() {
    let cli = Cli::new();
    let plugin = |name: &str, signature: Value| json!({ "name": name, "url": "https://example.com/echo-plugin.zip", "sha256": "0".repeat(64), "sig": signature });
    let plugins =
        [plugin("example", SIGNATURE.into()), plugin("other", SIGNATURE.into()), plugin("example", Value::Null)];
    cli.write("index.json", json!({ "plugins": plugins }).to_string());
    let listed = cli.run(&["plugin", "import", "agentry", "index.json", "--key", KEY]).json();
    assert_eq!(signatures(&listed), ["signed", "wrong", "unsigned"]);
    // Without a key nothing counts as signed, and nothing is got.
    let listed = cli.run(&["plugin", "import", "agentry", "index.json"]).json();
    assert_eq!(signatures(&listed), ["unchecked"; 3]);
    cli.run(&["plugin", "import", "agentry", "index.json", "--download", "d"]).expect_code(2);
    let text = cli.run(&["plugin", "import", "agentry", "index.json", "--output", "human"]).expect_code(0).stdout;
    assert!(text.contains("Nothing is installed"), "{text}");

    assert_eq!(cli.run(&["plugin", "import", "agentry", "index.json", "--key", "00"]).problem(2).code, "agentry.key");
    cli.write("index.json", "[]");
    assert_eq!(cli.run(&["plugin", "import", "agentry", "index.json"]).problem(2).code, "agentry.index");
    assert!(installed(&cli).is_empty());
}

/// Runs openssl and gives what it wrote.
fn openssl(program: &Path, folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn archives_are_got_where_they_are_signed_and_what_was_signed() {
    let Some(program) = require(parts::openssl()) else { return };
    let cli = Cli::new();
    let served = cli.folder().join("served");
    fs::create_dir(&served).unwrap();
    let Some(web) = Files::serve(&served) else { return };
    openssl(&program, cli.folder(), &["genpkey", "-algorithm", "ed25519", "-out", "agentry.pem"]);
    let public = openssl(&program, cli.folder(), &["pkey", "-in", "agentry.pem", "-pubout", "-outform", "DER"]);
    let key = hex(&public[public.len() - 32..]);
    // A name that is a path is a name.
    let plugin = |name: &str, file: &str, content: &str, is_signed: bool| {
        fs::write(served.join(file), content).unwrap();
        let (url, sha256) = (format!("{}{file}", web.url()), Digest::of(content.as_bytes()).to_string());
        cli.write("message", format!("{name}|{url}|{sha256}"));
        let sign = ["pkeyutl", "-sign", "-inkey", "agentry.pem", "-rawin", "-in", "message"];
        let signature = is_signed.then(|| hex(&openssl(&program, cli.folder(), &sign)));
        json!({ "name": name, "url": url, "sha256": sha256, "sig": signature })
    };
    let plugins = [plugin("../../echo", "echo.zip", "an archive", true), plugin("b", "b.zip", "another", false)];
    fs::write(served.join("index.json"), json!({ "plugins": plugins }).to_string()).unwrap();

    let index = format!("{}index.json", web.url());
    let import = ["plugin", "import", "agentry", &index, "--key", &key, "--download", "archives"];
    let listed = cli.run(&import).json();
    assert_eq!(signatures(&listed), ["signed", "unsigned"]);
    let files: Vec<_> =
        fs::read_dir(cli.folder().join("archives")).unwrap().flatten().map(|file| file.path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!(fs::read(file).unwrap(), b"an archive");
    assert!(file.ends_with(format!("{}.zip", Digest::of(b"an archive"))), "{file:?}");

    fs::remove_file(file).unwrap();
    fs::write(served.join("echo.zip"), "an archivf").unwrap();
    assert_eq!(cli.run(&import).problem(3).code, "registry.changed");
    assert!(!file.exists());
}
