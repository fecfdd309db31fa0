//! Servers that lie about how much they have, or never end.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasmill_tests::binary::Cli;
use wasmill_tests::web::answering;

use super::{layers, make, manifest, publisher};

/// One chunk of an answer that never ends, in bytes.
const CHUNK: usize = 64 * 1024;

#[test]
fn an_answer_without_end_is_cut_off() {
    let written = Arc::new(AtomicUsize::new(0));
    let counting = written.clone();
    let port = answering(move |_, connection| {
        let chunk = [format!("{CHUNK:x}\r\n").as_bytes(), &vec![b' '; CHUNK], b"\r\n"].concat();
        let mut send = |bytes: &[u8]| connection.write_all(bytes).is_ok();
        if send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n") {
            // Whoever reads on would read 1 GiB, so the test ends where nothing is bounded.
            while counting.load(Ordering::Relaxed) < 1024 * 1024 * 1024 && send(&chunk) {
                counting.fetch_add(CHUNK, Ordering::Relaxed);
            }
        }
    });
    let cli = Cli::new();
    for (address, limit) in [
        (format!("http://127.0.0.1:{port}/"), 16 * 1024 * 1024),
        (format!("oci://127.0.0.1:{port}/upper:1.0.0"), 64 * 1024),
        (format!("oci://127.0.0.1:{port}/upper"), 1024 * 1024),
    ] {
        written.store(0, Ordering::Relaxed);
        let problem = cli.run(&["plugin", "install", &address]).problem(6);
        assert_eq!(problem.code, "registry.too-large", "{address}: {problem:?}");
        assert!(problem.message.contains(&limit.to_string()), "{problem:?}");
        // What the sockets hold on the way is more than the limit, and far from all.
        assert!(written.load(Ordering::Relaxed) < limit + 64 * 1024 * 1024, "{address}: {written:?}");
    }
}

#[test]
fn a_length_that_is_claimed_is_believed_for_refusing_only() {
    let cli = Cli::new();
    let claiming = |head: &'static str, body: &'static str| {
        let port = answering(move |_, connection| {
            let _ = connection.write_all(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}").as_bytes());
        });
        cli.run(&["plugin", "install", &format!("http://127.0.0.1:{port}/")])
    };
    assert_eq!(claiming("Content-Length: 1099511627776", "{").problem(6).code, "registry.too-large");
    assert_eq!(claiming("Content-Length: 16777217", "{").problem(6).code, "registry.too-large");
    // More than comes, and less.
    assert_eq!(claiming("Content-Length: 100", "{}").problem(5).code, "registry.unreachable");
    assert_eq!(claiming("Content-Length: 2", "{}{}{}").problem(1).code, "registry.answer");
    assert_eq!(claiming("Content-Length: -1", "{}").problem(5).code, "registry.unreachable");
    assert_eq!(claiming("X: y", "not JSON").problem(1).code, "registry.answer");
}

#[test]
fn a_blob_of_more_bytes_than_its_manifest_says_is_cut_off() {
    let author = Cli::new();
    make(&author, "1.0.0", "");
    let index: serde_json::Value =
        serde_json::from_slice(&std::fs::read(author.home().join("registry/index.json")).unwrap()).unwrap();
    let digest = index["manifests"][0]["digest"].as_str().unwrap().to_owned();
    let component = layers(&author, &digest)["layers"][0]["digest"].as_str().unwrap().to_owned();
    let (image, blobs) = (manifest(&author, &digest), author.home().join("registry/blobs/sha256"));
    let port = answering(move |request, connection| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let blob = path.rsplit('/').next().unwrap_or_default();
        let mut body = match path.contains("/manifests/") {
            true => image.clone(),
            false => std::fs::read(blobs.join(blob.trim_start_matches("sha256:"))).unwrap_or_default(),
        };
        if blob == component {
            body.push(0);
        }
        let _ = connection
            .write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
            .and_then(|()| connection.write_all(&body));
    });
    let problem = author.run(&["plugin", "install", &format!("oci://127.0.0.1:{port}/upper:1.0.0")]).problem(6);
    assert_eq!(problem.code, "registry.too-large");
}

#[test]
fn nothing_leads_out_of_what_was_asked() {
    let cli = publisher(&["1.0.0"]);
    let elsewhere = answering(|_, connection| {
        let _ = connection
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n{\"schemaVersion\": 2, \"manifests\": []}");
    });
    let sending = |to: String| {
        let port = answering(move |_, connection| {
            let head = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nConnection: close\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
            );
            let _ = connection.write_all(head.as_bytes());
        });
        cli.run(&["plugin", "install", &format!("http://127.0.0.1:{port}/")])
    };
    // Without encryption only within the host that was asked; and not for ever.
    let problem = sending(format!("http://localhost:{elsewhere}/")).problem(5);
    assert!(problem.message.contains("nothing is encrypted"), "{problem:?}");
    let problem = sending("/again".to_owned()).problem(5);
    assert!(problem.message.contains("too many redirects"), "{problem:?}");
    // An upload that a registry sends to another server is not sent there.
    let port = answering(move |request, connection| {
        let head = match request.starts_with("POST") {
            true => format!("202 Accepted\r\nLocation: http://127.0.0.1:{elsewhere}/upload"),
            false => "404 Not Found".to_owned(),
        };
        let _ = connection
            .write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").as_bytes());
    });
    let problem = cli.run(&["plugin", "push", "upper", &format!("oci://127.0.0.1:{port}/upper")]).problem(1);
    assert!(problem.message.contains("another server"), "{problem:?}");
}

#[test]
fn another_machine_is_not_asked_without_encryption() {
    let cli = Cli::new();
    // An address for documentation, which nobody has: nothing is sent there.
    let problem = cli.run(&["plugin", "install", "http://192.0.2.1/plugins/"]).problem(3);
    assert_eq!(problem.code, "registry.plain-http");
    assert!(problem.next.contains("--plain-http"), "{problem:?}");
}
