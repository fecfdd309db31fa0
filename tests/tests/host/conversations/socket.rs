//! The same over WebSocket.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::{ANSWER, concierge};
use crate::gateway::Open;

/// The head of the answer, and the connection after it.
fn connect(open: &Open, path: &str, headers: &str) -> (String, WebSocket<TcpStream>) {
    let address = open.url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
    .unwrap();
    let mut head = String::new();
    // Without a buffer: what comes behind the head is the socket's.
    let mut reader = BufReader::with_capacity(1, stream.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    (head.to_lowercase(), WebSocket::from_raw_socket(stream, Role::Client, None))
}

fn next(socket: &mut WebSocket<TcpStream>) -> Value {
    loop {
        if let Message::Text(text) = socket.read().unwrap() {
            return serde_json::from_str(text.as_str()).unwrap();
        }
    }
}

/// The code that a connection is closed with, and what was told last.
fn end(mut socket: WebSocket<TcpStream>) -> (u16, Value) {
    let mut last = Value::Null;
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => last = serde_json::from_str(text.as_str()).unwrap(),
            Message::Close(frame) => return (frame.unwrap().code.into(), last),
            _ => {}
        }
    }
}

#[test]
fn a_client_says_and_hears_over_one_connection() {
    let Some(open) = concierge() else { return };
    let ada = open.token("ada");
    // As a page in a browser must: its token is a protocol.
    let protocols = format!("Sec-WebSocket-Protocol: wasmill, wasmill.bearer.{ada}\r\n");
    let (head, mut socket) = connect(&open, "/v1/conversations/s", &protocols);
    assert!(
        head.starts_with("http/1.1 101") && head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    assert!(head.contains("sec-websocket-protocol: wasmill\r\n") && !head.contains(&ada), "{head}");
    assert_eq!(next(&mut socket)["event"], "open");
    socket.send(Message::text(json!({ "message": "one two", "event_id": "mine" }).to_string())).unwrap();
    let mut told: Vec<Value> = (0..4).map(|_| next(&mut socket)).collect();
    // The answer may be there before it is said that the message is.
    let sent = told.remove(told.iter().position(|told| told["event"] == "sent").unwrap());
    assert_eq!(sent["data"]["event_id"], "mine");
    let kinds =
        |told: &[Value]| told.iter().map(|t| (t["event"].clone(), t["data"]["type"].clone())).collect::<Vec<_>>();
    assert_eq!(kinds(&told), ANSWER.map(|(event, kind)| (json!(event), json!(kind))));

    socket.send(Message::text("hello")).unwrap();
    let refused = next(&mut socket);
    assert_eq!((&refused["event"], &refused["data"]["code"]), (&json!("refused"), &json!("conversation.message")));
    socket.send(Message::text(json!({ "message": "" }).to_string())).unwrap();
    assert_eq!(next(&mut socket)["data"]["code"], "conversation.length");

    let bearer = format!("Authorization: Bearer {ada}\r\n");
    let path = format!("/v1/conversations/s?after={}", told[0]["id"].as_str().unwrap());
    let (_, mut again) = connect(&open, &path, &bearer);
    let missed: Vec<Value> = (0..3).map(|_| next(&mut again)).skip(1).collect();
    assert_eq!(missed, told[1..]);
}

#[test]
fn what_no_socket_takes_ends_it_and_says_why() {
    let Some(open) = concierge() else { return };
    let bearer = format!("Authorization: Bearer {}\r\n", open.token("ada"));
    let (_, mut socket) = connect(&open, "/v1/conversations/s", &bearer);
    socket.send(Message::Binary(Bytes::from_static(b"x"))).unwrap();
    let (code, last) = end(socket);
    assert_eq!((code, &last["event"], &last["data"]["code"]), (1007, &json!("closed"), &json!("socket.message")));
    // Of what is too large the host takes no more than the beginning: its last word may be lost with the connection.
    let (_, mut socket) = connect(&open, "/v1/conversations/s", &bearer);
    let large = json!({ "message": "x", "metadata": {}, "event_id": "x".repeat(600 * 1024) });
    let sent = socket.send(Message::text(large.to_string()));
    let mut told = Vec::new();
    while let Ok(Message::Text(text)) = socket.read() {
        told.push(serde_json::from_str::<Value>(text.as_str()).unwrap());
    }
    let answered = told.iter().any(|told| told["event"] == "sent" || told["event"] == "refused");
    assert!(!answered, "{sent:?}: {told:?}");
    for (headers, status) in [("", "401"), ("Sec-WebSocket-Protocol: wasmill.bearer.wasmill_0\r\n", "401")] {
        let (head, _) = connect(&open, "/v1/conversations/s", headers);
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
    }
    let ada = open.token("ada");
    let (status, _, body) = open.ask("GET /v1/conversations/s", &ada, "");
    assert!(status == 400 && body.contains("request.socket"), "{body}");
}

#[test]
fn what_happens_is_told_over_a_socket_too() {
    let Some(open) = concierge() else { return };
    let bearer = |client: &str| format!("Authorization: Bearer {}\r\n", open.token(client));
    let (_, mut socket) = connect(&open, "/v1/events/socket", &bearer("looker"));
    for _ in 0..2 {
        let told = next(&mut socket);
        assert_eq!(told["event"], "figures", "{told}");
        assert!(told["data"]["host"]["instance"].is_string(), "{told}");
    }
    open.cli.run(&["plugin", "remove", "text-metrics"]).expect_code(0);
    while next(&mut socket)["event"] != "changed" {}
    let (head, _) = connect(&open, "/v1/events/socket", &bearer("ada"));
    assert!(head.starts_with("http/1.1 403"), "{head}");
}
