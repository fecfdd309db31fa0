//! Puts the Rust SDK's sources into the binary, so that the forge can build against exactly the SDK that this host was
//! made with, wherever the binary is; and makes Rust of what is answered over gRPC.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    embed_sdk()?;
    let proto = protox::compile([PROTO], ["proto"])?;
    tonic_prost_build::configure().build_client(false).build_transport(false).compile_fds(proto)?;
    println!("cargo::rerun-if-changed={PROTO}");
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// What is answered over gRPC.
const PROTO: &str = "proto/wasmill.proto";

fn embed_sdk() -> Result<(), Box<dyn Error>> {
    let sdk = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../sdk/rust").canonicalize()?;
    let mut files = vec![sdk.join("Cargo.toml")];
    collect(&sdk.join("src"), &mut files)?;
    files.sort();

    let mut table = String::from("&[\n");
    for file in &files {
        let name = file.strip_prefix(&sdk)?.to_string_lossy().replace('\\', "/");
        table += &format!("    ({name:?}, include_bytes!({:?})),\n", file.to_string_lossy());
        println!("cargo::rerun-if-changed={}", file.display());
    }
    table += "]\n";
    fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("sdk_files.rs"), table)?;
    // A file that is added changes its folder.
    println!("cargo::rerun-if-changed={}", sdk.join("src").display());
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
