//! Agents on streams.

use wasmill_tests::scratch::{Scratch, component, manifest};

const UPPER_MAY: &str = "[[row]]\nprincipal = \"agent:upper\"\ntopics.read = [\"lower\"]\ntopics.write = [\"upper\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_turns_records_into_records_with_the_hosts_headers() {
    let scratch = Scratch::new(UPPER_MAY).await.unwrap();
    scratch.install("upper").unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    scratch.send("lower", &["a", "b", "c"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("upper", 3).await.unwrap();
    assert_eq!((0..3).map(|i| out.value(i).unwrap()).collect::<Vec<_>>(), [b"A", b"B", b"C"]);
    let headers: Vec<String> =
        out.headers.as_ref().unwrap().of(0).map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect();
    for name in ["ce_id", "ce_source", "ce_specversion", "ce_type", "traceparent", "wasmill-digest", "wasmill-policy"] {
        assert!(headers.iter().any(|h| h == name), "{name} is missing in {headers:?}");
    }
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_wants_no_headers_sends_none() {
    let scratch = Scratch::new(UPPER_MAY).await.unwrap();
    let manifest = manifest("upper").unwrap().replace("[agent]", "[agent]\nheaders = \"none\"");
    scratch.install_bytes(&component("upper").unwrap(), &manifest).unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    scratch.send("lower", &["a"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    let out = scratch.wait_for("upper", 1).await.unwrap();
    assert_eq!((out.value(0), &out.headers), (Some(&b"A"[..]), &None));
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_starts_again_goes_on_where_it_stopped() {
    let scratch = Scratch::new(UPPER_MAY).await.unwrap();
    scratch.install("upper").unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    for round in 0..3 {
        scratch.send("lower", &["a", "b"]).await.unwrap();
        let running = scratch.run().await.unwrap();
        let out = scratch.wait_for("upper", 2 * (round + 1)).await.unwrap();
        assert_eq!(out.len(), 2 * (round + 1));
        running.stop().await.unwrap();
    }
    assert_eq!(scratch.streams().watermarks("upper", 0).await.unwrap().next, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_works_only_as_long_as_the_matrix_says_so() {
    let scratch = Scratch::new("").await.unwrap();
    scratch.install("upper").unwrap();
    scratch.topics(&["lower", "upper"]).await.unwrap();
    scratch.send("lower", &["a"]).await.unwrap();
    let running = scratch.run().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    let status = running.host.supervisor.status();
    let shown = format!("{status:?}");
    assert!(shown.contains("may not read topic lower"), "{shown}");

    std::fs::write(scratch.dir.path().join("permissions.toml"), UPPER_MAY).unwrap();
    scratch.wait_for("upper", 1).await.unwrap();
    running.stop().await.unwrap();
}
