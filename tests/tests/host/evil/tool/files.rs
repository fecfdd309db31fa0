use serde_json::json;

use super::ring;

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_host_is_read_listed_linked_or_climbed_to() {
    let ring = ring().await;
    let own = ring.scratch.dir.path().join("trust.toml");
    for (name, arguments) in [
        ("read-file", json!({})),
        ("read-file", json!({ "path": own })),
        ("read-file", json!({ "path": "trust.toml" })),
        ("read-file", json!({ "path": "/proc/self/environ" })),
        ("list-folder", json!({})),
        ("list-folder", json!({ "path": "." })),
        ("climb", json!({})),
        ("link", json!({})),
    ] {
        let problem = ring.refused(name, arguments).await;
        assert_eq!(problem.code, "tool.said.evil.refused", "{name}: {problem:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_is_written_anywhere() {
    let ring = ring().await;
    let paths = [ring.scratch.dir.path().join("evil-was-here"), std::env::temp_dir().join("evil-was-here")];
    for path in &paths {
        let problem = ring.refused("write-file", json!({ "path": path })).await;
        assert_eq!(problem.code, "tool.said.evil.refused", "{problem:?}");
        assert!(!path.exists(), "{} is there", path.display());
    }
    let relative = ring.attack("write-file", json!({ "path": "evil-was-here" })).await.unwrap_err();
    assert_eq!(relative.code, "tool.said.evil.refused");
    assert_eq!(ring.attack("echo", json!({ "still": "here" })).await.unwrap(), json!({ "still": "here" }));
}
