//! The attacks of `plugins/evil-http`: requests to where no row leads, against a real server on this machine.

use serde_json::json;
use wasmill_tests::scratch::{Scratch, component, denials};

use super::ring::Ring;
use super::server::Server;

/// A host whose tool may send these requests, given as rules of the matrix, and use the secret `ALLOWED`.
async fn ring(rules: &str) -> Ring {
    let wishes = format!("http = [{rules}]\nsecrets = [\"*\"]\n");
    let manifest = format!("name = \"evil-http\"\nversion = \"0.1.0\"\nkind = \"tool\"\n[permissions]\n{wishes}");
    let rows =
        format!("[[row]]\nprincipal = \"tool:evil-http\"\nhttp = [{rules}]\nsecrets = [\"ALLOWED\", \"LOST\"]\n");
    let mut ring = Ring::with("evil-http", &manifest, "evil-http", &rows, &[]).await;
    ring.scratch.secrets =
        [("ALLOWED", "open sesame"), ("TOKEN", "hidden")].map(|(name, value)| (name.into(), value.into())).into();
    ring.host = ring.scratch.open().await.unwrap();
    ring
}

fn rule(host: &str) -> String {
    format!("{{ host = {host:?}, methods = [\"GET\"] }}")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_row_it_is_refused_at_load_with_the_import_named() {
    let scratch = Scratch::new("").await.unwrap();
    scratch.install("evil-http").unwrap();
    let snapshot = scratch.open().await.unwrap().catalog.snapshot();
    let [refused] = &snapshot.refused[..] else { panic!("{:?}", snapshot.refused) };
    assert_eq!(refused.code, "component.import");
    assert!(refused.reason.contains("`wasi:http/") && refused.reason.contains("column `http`"), "{}", refused.reason);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_address_is_reached_and_nothing_beside_it() {
    let (granted, other) = (Server::start().await, Server::start().await);
    let ring = ring(&rule(&granted.address.to_string())).await;
    let url = |server: &Server| format!("http://{}/", server.address);
    assert_eq!(ring.attack("fetch", json!({ "url": url(&granted) })).await.unwrap(), 200);
    assert_eq!(granted.seen().len(), 1);

    for (url, method, tried) in [
        (url(&other), "GET", format!("{}", other.address)),
        (url(&granted), "POST", "POST".to_owned()),
        ("http://allowed.example/".to_owned(), "GET", "allowed.example".to_owned()),
        (format!("http://{}@{}/", granted.address, other.address), "GET", String::new()),
    ] {
        let problem = ring.refused("fetch", json!({ "url": url, "method": method })).await;
        if !tried.is_empty() {
            assert_eq!(problem.code, "tool.said.permission.denied", "{method} {url}: {problem:?}");
            let said = problem.message.contains("tool:evil-http") && problem.message.contains(&tried);
            assert!(said && problem.next.contains("http = ["), "{method} {url}: {problem:?}");
        }
    }
    assert_eq!((granted.seen().len(), other.seen().len()), (1, 0));
    assert_eq!(denials(&ring.host).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_is_not_reached_by_any_name_for_it() {
    let server = Server::start().await;
    let port = server.address.port().to_string();
    let somewhere = ring(&rule("allowed.example")).await;
    assert_eq!(somewhere.attack("loopback", json!({ "port": port })).await.unwrap(), json!([]));
    // A name is no address, even where a row has that name.
    let named = ring(&rule(&format!("localhost:{port}"))).await;
    assert_eq!(named.attack("loopback", json!({ "port": port })).await.unwrap(), json!([]));
    let problem = named.refused("fetch", json!({ "url": format!("http://localhost:{port}/") })).await;
    assert_eq!(problem.code, "tool.said.http.private-address", "{problem:?}");
    assert!(server.seen().is_empty(), "{:?}", server.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_header_nor_a_redirect_leads_elsewhere() {
    let (granted, other) = (Server::start().await, Server::start().await);
    let ring = ring(&rule(&granted.address.to_string())).await;
    let lie = json!({ "url": format!("http://{}/", other.address), "allowed": granted.address.to_string() });
    ring.refused("host-header", lie).await;
    assert!(other.seen().is_empty());
    // The tool gets the redirect itself, and would have to ask again.
    let moved = json!({ "url": format!("http://{}/moved", granted.address) });
    assert_eq!(ring.attack("fetch", moved).await.unwrap(), 302);
    assert_eq!(granted.seen().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_granted_secret_is_sent_and_no_other_one() {
    let server = Server::start().await;
    let ring = ring(&rule(&server.address.to_string())).await;
    let ask = |name: &str| json!({ "url": format!("http://{}/", server.address), "name": name });
    assert_eq!(ring.attack("secret", ask("ALLOWED")).await.unwrap(), 200);
    let [head] = &server.seen()[..] else { panic!("{:?}", server.seen()) };
    assert!(head.contains("Bearer open sesame"), "{head}");
    for name in ["TOKEN", "LOST", "", "ALLOWED ", "*"] {
        let problem = ring.refused("secret", ask(name)).await;
        let text = format!("{problem:?}");
        assert!(!text.contains("hidden") && !text.contains("sesame"), "{text}");
    }
    let denied = ring.refused("secret", ask("TOKEN")).await;
    assert_eq!(denied.code, "tool.said.permission.denied", "{denied:?}");
    assert!(denied.next.contains("secrets = [\"TOKEN\"]"), "{denied:?}");
    assert_eq!(server.seen().len(), 1, "nothing was sent without the secret: {:?}", server.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_cannot_hide_a_second_one() {
    let server = Server::start().await;
    let ring = ring(&rule(&server.address.to_string())).await;
    let url = format!("http://{}/", server.address);
    assert_eq!(ring.attack("smuggle", json!({ "url": url })).await.unwrap(), 0);
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    assert!(component("evil-http").is_ok());
}
