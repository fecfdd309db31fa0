//! Components from elsewhere: a real distribution registry, an ordinary web server, and servers that lie.

mod agentry;
mod layouts;
mod lies;
mod lock;
mod login;
mod oci;
mod versions;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::oci::OciRegistry;

use super::plugins::component;

const MANIFEST: &str = "name = \"upper\"\nversion = \"1.0.0\"\nkind = \"tool\"\n";

/// Writes, signs and installs a version; another `salt` makes another component.
fn make(cli: &Cli, version: &str, salt: &str) {
    cli.write("upper.wasm", component(salt));
    cli.write("wasmill.toml", MANIFEST.replace("1.0.0", version));
    cli.run(&["plugin", "sign", "upper.wasm"]).json();
    cli.run(&["plugin", "install", "upper.wasm"]).json();
}

/// A publisher's home with these versions installed.
fn publisher(versions: &[&str]) -> Cli {
    let cli = Cli::new();
    versions.iter().for_each(|version| make(&cli, version, version));
    cli
}

/// A home that trusts whom another one trusts, and has nothing installed.
fn customer(of: &Cli) -> Cli {
    let cli = Cli::new();
    std::fs::copy(of.home().join("trust.toml"), cli.home().join("trust.toml")).unwrap();
    cli
}

fn push(cli: &Cli, component: &str, address: &str) -> Value {
    cli.run(&["plugin", "push", component, address]).json()
}

fn install(cli: &Cli, address: &str) -> Value {
    cli.run(&["plugin", "install", address]).json()
}

/// Names and versions of what is installed and usable.
fn installed(cli: &Cli) -> Vec<String> {
    let list = cli.run(&["plugin", "list"]).json();
    let name = |plugin: &Value| format!("{}@{}", plugin["name"].as_str().unwrap(), plugin["version"].as_str().unwrap());
    list.as_array().unwrap().iter().filter(|plugin| plugin["problem"].is_null()).map(name).collect()
}

/// The files of one version under `registry/`, by their media types.
fn layers(cli: &Cli, digest: &str) -> Value {
    let file = cli.home().join("registry/blobs/sha256").join(digest.trim_start_matches("sha256:"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

/// Moves a tag by hand, as whoever runs the registry, or has broken into it, can.
fn put_manifest(registry: &OciRegistry, repository: &str, tag: &str, manifest: &[u8]) {
    let mut connection = TcpStream::connect(registry.host()).unwrap();
    let head = format!(
        "PUT /v2/{repository}/manifests/{tag} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        registry.host(),
        manifest.len()
    );
    connection.write_all(head.as_bytes()).unwrap();
    connection.write_all(manifest).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
}

/// The OCI manifest of an installed version.
fn manifest(cli: &Cli, digest: &str) -> Vec<u8> {
    std::fs::read(cli.home().join("registry/blobs/sha256").join(digest.trim_start_matches("sha256:"))).unwrap()
}

/// Names registries in host.toml.
fn name_registry(cli: &Cli, name: &str, url: &str, more: &str) {
    let path = cli.home().join("host.toml");
    let old = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{old}\n[[registry]]\nname = \"{name}\"\nurl = \"{url}\"\n{more}\n")).unwrap();
}
