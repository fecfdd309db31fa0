//! Who may come in at the port, told by plain HTTP.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;

use super::Mill;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;

/// Head and body of the answer to a message with these headers.
fn post(mill: &Mill, headers: &str, body: &str) -> String {
    let address = mill.url.strip_prefix("http://").unwrap().strip_suffix("/mcp").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let host = if headers.contains("Host:") { String::new() } else { format!("Host: {address}\r\n") };
    write!(
        stream,
        "POST /mcp HTTP/1.1\r\n{host}{headers}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn status(mill: &Mill, headers: &str) -> u16 {
    post(mill, headers, INITIALIZE)[9..12].parse().unwrap()
}

#[test]
fn nobody_comes_in_without_a_token_that_counts_now() {
    let Some(mill) = Mill::start("") else { return };
    let token = mill.token("desk");
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(status(&mill, &bearer), 200);
    // No page is named in the settings: none comes in.
    assert_eq!(status(&mill, &format!("{bearer}Origin: https://chat.example.com\r\n")), 403);
    assert_eq!(status(&mill, ""), 401);
    assert_eq!(status(&mill, "Authorization: Bearer wasmill_0000\r\n"), 401);
    assert_eq!(status(&mill, &format!("Authorization: Basic {token}\r\n")), 401);
    let said = post(&mill, "", INITIALIZE);
    assert!(
        said.contains("request.token")
            && said.contains("wasmill token new")
            && said.contains("www-authenticate: Bearer")
    );
    assert!(said.contains("application/problem+json") && said.contains("\"status\":401"), "{said}");
    // Neither what the file holds, nor a token that has expired, opens anything.
    let listed = mill.cli.run(&["token", "list"]).json();
    let digest = listed[0]["sha256"].as_str().unwrap();
    assert!(listed.to_string().contains("desk") && !listed.to_string().contains(&token));
    assert_eq!(status(&mill, &format!("Authorization: Bearer {digest}\r\n")), 401);
    let old = mill.cli.run(&["token", "new", "old", "--expires", "2020-01-01T00:00:00Z"]).json();
    assert_eq!(status(&mill, &format!("Authorization: Bearer {}\r\n", old["token"].as_str().unwrap())), 401);
    mill.cli.run(&["token", "remove", "desk"]).expect_code(0);
    assert_eq!(status(&mill, &bearer), 401);
    assert_eq!(mill.cli.run(&["token", "remove", "desk"]).problem(4).code, "token.unknown");
}

#[test]
fn a_web_page_does_not_come_in_by_name_or_by_origin() {
    let Some(mill) = Mill::start("origins = [\"https://chat.example.com:443\"]\n") else { return };
    let bearer = format!("Authorization: Bearer {}\r\n", mill.token("desk"));
    assert_eq!(status(&mill, &format!("{bearer}Origin: https://chat.example.com\r\n")), 200);
    assert_eq!(status(&mill, &format!("{bearer}Origin: https://evil.example.com\r\n")), 403);
    assert_eq!(status(&mill, &format!("{bearer}Origin: null\r\n")), 403);
    let said = post(&mill, &format!("{bearer}Host: evil.example.com\r\n"), INITIALIZE);
    assert!(said.starts_with("HTTP/1.1 403") && said.contains("application/problem+json"), "{said}");
    assert!(said.contains("\"code\":\"mcp.request\"") && said.contains("\"status\":403"), "{said}");
}

#[test]
fn a_session_of_one_client_is_unknown_to_another() {
    let Some(mill) = Mill::start("") else { return };
    let [desk, other] = ["desk", "other"].map(|client| format!("Authorization: Bearer {}\r\n", mill.token(client)));
    let opened = post(&mill, &desk, INITIALIZE);
    let session = opened.lines().find_map(|line| line.strip_prefix("mcp-session-id: ")).unwrap();
    let with = |who: &str| {
        let list = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;
        let answer =
            post(&mill, &format!("{who}Mcp-Session-Id: {session}\r\nMcp-Protocol-Version: 2025-11-25\r\n"), list);
        answer[9..12].to_owned()
    };
    assert_eq!((with(&desk).as_str(), with(&other).as_str()), ("200", "404"));
}

#[test]
fn anonymous_clients_come_in_where_the_settings_say_so_and_a_warning_is_given() {
    let Some(mill) = Mill::start("anonymous = \"desk\"\n") else { return };
    assert!(mill.up.log().contains("without a token acts as client:desk"), "{}", mill.up.log());
    assert_eq!(status(&mill, ""), 200);
    // A wrong token is no less wrong for that.
    assert_eq!(status(&mill, "Authorization: Bearer wasmill_0000\r\n"), 401);
}

#[test]
fn what_is_no_message_is_answered_and_harms_nothing() {
    let Some(mill) = Mill::start("") else { return };
    let bearer = format!("Authorization: Bearer {}\r\n", mill.token("desk"));
    let code = |body: &str| -> u16 { post(&mill, &bearer, body)[9..12].parse().unwrap() };
    for body in ["", "{", "[]", "null", r#"{"jsonrpc":"2.0"}"#, &"[".repeat(100_000)] {
        assert!((400..500).contains(&code(body)), "{} for {}", code(body), &body[..body.len().min(40)]);
    }
    assert_eq!(code(&"x".repeat(5 * 1024 * 1024)), 413);
    assert_eq!(status(&mill, &bearer), 200);
}

#[test]
fn a_client_opens_no_more_sessions_than_it_may_and_takes_none_from_others() {
    let Some(mill) = Mill::start("") else { return };
    let [desk, other] = ["desk", "other"].map(|client| format!("Authorization: Bearer {}\r\n", mill.token(client)));
    for _ in 0..128 {
        assert_eq!(status(&mill, &desk), 200);
    }
    let said = post(&mill, &desk, INITIALIZE);
    assert!(said.starts_with("HTTP/1.1 429") && said.contains("mcp.busy") && said.contains("128 sessions"), "{said}");
    assert_eq!(status(&mill, &other), 200);
}

#[test]
fn tokens_that_others_could_read_let_nobody_in_and_their_path_stays_here() {
    let Some(mill) = Mill::start("") else { return };
    let bearer = format!("Authorization: Bearer {}\r\n", mill.token("desk"));
    let tokens = mill.cli.home().join("tokens.toml");
    std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o644)).unwrap();
    let said = post(&mill, &bearer, INITIALIZE);
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("request.tokens"), "{said}");
    assert!(!said.contains("tokens.toml") && mill.up.log().contains("tokens.toml"), "{said}");
    std::fs::set_permissions(&tokens, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(status(&mill, &bearer), 200);
}
