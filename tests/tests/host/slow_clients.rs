//! Clients that only hold on: none keeps its connection, and nobody waits for them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::gateway::Open;

/// Longer than any of them may stay.
const LONG: Duration = Duration::from_secs(90);

fn connect(open: &Open) -> TcpStream {
    let address = open.url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

/// Sends a byte now and then, until the other side has enough; says what it said.
fn drip(stream: &mut TcpStream, byte: &[u8]) -> String {
    let begun = Instant::now();
    let mut answer = Vec::new();
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    while begun.elapsed() < LONG {
        if stream.write_all(byte).is_err() {
            break;
        }
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(0) => return String::from_utf8_lossy(&answer).into_owned(),
            Ok(read) => answer.extend_from_slice(&part[..read]),
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {}
            Err(_) => return String::from_utf8_lossy(&answer).into_owned(),
        }
    }
    assert!(begun.elapsed() < LONG, "it was let drip on");
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn who_does_not_finish_a_request_is_left_and_others_are_served_meanwhile() {
    let may = "[[row]]\nprincipal = \"client:looker\"\nhost = [\"read\", \"operate\"]\n";
    let Some(open) = Open::with(may, &[]) else { return };
    let token = open.token("looker");

    // Half open: the head never ends, or never begins.
    let mut half: Vec<TcpStream> = ["", "GET /v1/status HTTP/1.1\r\nHost: h\r\n"]
        .into_iter()
        .map(|begun| {
            let mut stream = connect(&open);
            stream.write_all(begun.as_bytes()).unwrap();
            stream
        })
        .collect();

    let dripping_head = std::thread::spawn({
        let mut stream = connect(&open);
        move || {
            stream.write_all(b"GET /v1/status HTTP/1.1\r\nX-Drip: ").unwrap();
            drip(&mut stream, b"x")
        }
    });
    let dripping_body = std::thread::spawn({
        let mut stream = connect(&open);
        let head = format!(
            "POST /v1/topics HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: 100000\r\n\r\n{{"
        );
        move || {
            stream.write_all(head.as_bytes()).unwrap();
            drip(&mut stream, b" ")
        }
    });

    // Others don't notice.
    assert_eq!(open.ask("GET /v1/status", &token, "").0, 200);

    for stream in &mut half {
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap_or_else(|error| panic!("it was let wait: {error}"));
        assert!(!rest.contains("200 OK"), "{rest}");
    }
    assert!(!dripping_head.join().unwrap().contains("200 OK"));
    let said = dripping_body.join().unwrap();
    assert!(said.contains("408") && said.contains("request.slow"), "{said}");
    assert_eq!(open.ask("GET /v1/status", &token, "").0, 200);
}
