//! Components that can't be used: the host says which and why, and everything else goes on.

use std::path::PathBuf;

use wasmill::catalog::{Refused, Snapshot};
use wasmill_registry::{Bundle, Claim, Role, SecretKey, sign, trust_entry};
use wasmill_tests::scratch::{Scratch, component, manifest};

const TOOL: &str = "name = \"bad\"\nversion = \"1.0.0\"\nkind = \"tool\"\n";

/// What a host makes of these bytes as a tool; a good one beside it must be callable.
async fn refusal(bytes: &[u8], manifest: &str) -> Refused {
    let scratch = Scratch::new("").await.unwrap();
    scratch.install_bytes(bytes, manifest).unwrap();
    the_only_refusal(&scratch).await
}

async fn the_only_refusal(scratch: &Scratch) -> Refused {
    scratch.install("text-metrics").unwrap();
    let snapshot = scratch.open().await.unwrap().catalog.snapshot();
    only(&snapshot)
}

fn only(snapshot: &Snapshot) -> Refused {
    assert!(snapshot.tool("text-metrics").is_some(), "the good one is refused too");
    let [refused] = &snapshot.refused[..] else { panic!("{:?}", snapshot.refused) };
    refused.clone()
}

fn assert_says(refused: &Refused, code: &str, parts: &[&str]) {
    assert_eq!(refused.code, code, "{}", refused.reason);
    for part in parts {
        assert!(refused.reason.contains(part), "{} does not say {part}", refused.reason);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_component_is_refused_with_the_reason() {
    let whole = component("text-metrics").unwrap();
    for (bytes, reason) in [
        (&whole[..whole.len() / 2], ""),
        (&whole[..whole.len() - 1], ""),
        (&b"#!/bin/sh\nrm -rf /\n"[..], "magic number"),
        (b"\0asm\x01\0\0\0", "core module"),
    ] {
        let refused = refusal(bytes, TOOL).await;
        assert_says(&refused, "component.invalid", &["not a WebAssembly component", reason]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_another_world_or_version_is_refused_with_what_it_exports() {
    let agent = component("upper").unwrap();
    assert_says(
        &refusal(&agent, TOOL).await,
        "component.world",
        &["wasmill:plugin/agent@0.1.0", "wasmill:plugin/tool"],
    );
    let empty = wat::parse_str("(component)").unwrap();
    assert_says(&refusal(&empty, TOOL).await, "component.world", &["exports nothing"]);
    let other = wat::parse_str(r#"(component (instance $i) (export "wasi:cli/run@0.2.0" (instance $i)))"#).unwrap();
    assert_says(&refusal(&other, TOOL).await, "component.world", &["wasi:cli/run@0.2.0"]);
    let next =
        wat::parse_str(r#"(component (instance $i) (export "wasmill:plugin/tool@9.0.0" (instance $i)))"#).unwrap();
    assert_says(&refusal(&next, TOOL).await, "component.world", &["wasmill:plugin/tool@9.0.0", "wasmill:plugin@0.1.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_of_100_mb_is_not_even_signed_or_installed() {
    let scratch = Scratch::new("").await.unwrap();
    let mut large = component("text-metrics").unwrap();
    large.resize(100 * 1024 * 1024, 0);
    let error = scratch.install_bytes(&large, TOOL).unwrap_err().to_string();
    assert!(error.contains("104857600 bytes, over the limit of 33554432"), "{error}");
    // Somebody who writes into the registry's folder gets no further.
    scratch.install_bytes(&component("evil").unwrap(), &manifest("evil").unwrap()).unwrap();
    std::fs::write(blob(&scratch, &component("evil").unwrap()), &large).unwrap();
    let refused = the_only_refusal(&scratch).await;
    assert_eq!(refused.component, "evil@0.1.0");
    assert!(refused.code.starts_with("registry."), "{refused:?}");
}

/// The file of the registry that holds these bytes.
fn blob(scratch: &Scratch, bytes: &[u8]) -> PathBuf {
    let blobs = scratch.dir.path().join("registry/blobs/sha256");
    blobs.join(wasmill_registry::Digest::of(bytes).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_flipped_bit_anywhere_is_seen() {
    let (bytes, text) = (component("json-query").unwrap(), manifest("json-query").unwrap());
    for file in 0..3 {
        let scratch = Scratch::new("").await.unwrap();
        let envelope = sign(&bytes, text.as_bytes(), &Claim::Published, &scratch.publisher).unwrap().to_json();
        let mut files = [bytes.clone(), text.clone().into_bytes(), envelope.clone()];
        let bundle = Bundle {
            component: files[0].clone(),
            manifest: files[1].clone(),
            envelope: envelope.clone(),
            source: None,
        };
        let verified = bundle.verify(&scratch.trust().unwrap(), time::OffsetDateTime::now_utc()).unwrap();
        scratch.registry().unwrap().install(&verified).unwrap();
        let path = blob(&scratch, &files[file]);
        let middle = files[file].len() / 2;
        files[file][middle] ^= 1;
        std::fs::write(path, &files[file]).unwrap();
        assert_says(&the_only_refusal(&scratch).await, "registry.changed", &["the file was changed"]);
    }
}

fn write_trust(scratch: &Scratch, text: &str) {
    std::fs::write(scratch.dir.path().join("trust.toml"), text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_no_longer_trusted_takes_its_components_with_it() {
    let scratch = Scratch::new("").await.unwrap();
    scratch.install("text-metrics").unwrap();
    let host = scratch.open().await.unwrap();
    assert!(host.catalog.snapshot().tool("text-metrics").is_some());
    let key = |expires| trust_entry("publisher", &scratch.publisher.public(), &[Role::Publisher], expires);
    let past = time::OffsetDateTime::now_utc() - time::Duration::hours(1);
    let other = trust_entry("other", &SecretKey::generate().unwrap().public(), &[Role::Publisher], None);
    let admin = trust_entry("publisher", &scratch.publisher.public(), &[Role::Admin], None);
    for (trust, reason) in [
        (other, "not in trust.toml"),
        (key(Some(past)), "expired on"),
        (format!("{}revoked = true\n", key(None)), "revoked"),
        (admin, "not trusted as publisher"),
    ] {
        write_trust(&scratch, &trust);
        let snapshot = host.catalog.refresh().await.unwrap();
        assert!(snapshot.tool("text-metrics").is_none(), "{reason}");
        let [refused] = &snapshot.refused[..] else { panic!("{:?}", snapshot.refused) };
        assert!(refused.reason.contains(reason), "{} does not say {reason}", refused.reason);
    }
    write_trust(&scratch, &key(None));
    assert!(host.catalog.refresh().await.unwrap().tool("text-metrics").is_some());
}
