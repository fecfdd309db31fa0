//! The attacks of `plugins/evil-sockets` (connect, listen, datagram, resolve): none gets as far as being started.

use wasmill_tests::scratch::Scratch;

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_asks_for_sockets_is_refused_at_load_whatever_a_row_says() {
    let everything = "privileged = []\n[[row]]\nprincipal = \"*\"\ntools = [\"*\"]\nmodel = [\"*\"]\nclock = true\n\
        state = true\nhttp = [{ host = \"*\", methods = [\"*\"] }]\n";
    let scratch = Scratch::new(everything).await.unwrap();
    scratch.install("evil-sockets").unwrap();
    scratch.install("text-metrics").unwrap();
    let snapshot = scratch.open().await.unwrap().catalog.snapshot();
    assert!(snapshot.tool("text-metrics").is_some());
    let [refused] = &snapshot.refused[..] else { panic!("{:?}", snapshot.refused) };
    assert_eq!((refused.component.as_str(), refused.code), ("evil-sockets@0.1.0", "component.import"));
    assert!(refused.reason.contains("`wasi:sockets/"), "{}", refused.reason);
}
