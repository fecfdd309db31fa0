//! The gateway on its port: each route for who may have it, by the rows of the matrix.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

const MAY: &str = "[[row]]\nprincipal = \"client:looker\"\nhost = [\"read\"]\ntopics.read = [\"news\"]\n\
    [[row]]\nprincipal = \"client:caller\"\ntools = [\"text-metrics\"]\ntopics.write = [\"news\"]\n\
    [[row]]\nprincipal = \"client:operator\"\nhost = [\"operate\"]\n";

/// A host whose gateway listens on a port that the system chose.
pub struct Open {
    pub cli: Cli,
    pub up: Up,
    pub url: String,
}

impl Open {
    fn start(may: &str) -> Option<Self> {
        Self::with(may, &["text-metrics"])
    }

    pub fn with(may: &str, plugins: &[&str]) -> Option<Self> {
        Self::with_settings("", may, plugins)
    }

    /// The same with more in host.toml.
    pub fn with_settings(settings: &str, may: &str, plugins: &[&str]) -> Option<Self> {
        let cli = Cli::new();
        cli.write("home/host.toml", format!("[gateway]\nlisten = \"127.0.0.1:0\"\n{settings}"));
        cli.write("home/permissions.toml", format!("privileged = [\"http\"]\n{may}"));
        plugins.iter().try_for_each(|plugin| cli.install(plugin))?;
        for topic in ["news", "secret"] {
            cli.run(&["topic", "create", topic]).expect_code(0);
        }
        let up = Up::start(&cli);
        let url = up.greeting()["console"].as_str().unwrap().to_owned();
        Some(Self { cli, up, url })
    }

    pub fn token(&self, client: &str) -> String {
        self.cli.run(&["token", "new", client]).json()["token"].as_str().unwrap().to_owned()
    }

    pub fn connect(&self, request: &str, token: &str, body: &str) -> TcpStream {
        self.connect_with("", request, token, body)
    }

    fn connect_with(&self, headers: &str, request: &str, token: &str, body: &str) -> TcpStream {
        let address = self.url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let kind = if headers.contains("Content-Type:") { "" } else { "Content-Type: application/json\r\n" };
        let bearer = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        write!(
            stream,
            "{request} HTTP/1.1\r\nHost: h\r\n{bearer}{headers}{kind}Content-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream
    }

    /// Status, head and body of an answer.
    pub fn ask(&self, request: &str, token: &str, body: &str) -> (u16, String, String) {
        self.ask_with("", request, token, body)
    }

    /// The same with a body of another type.
    pub fn ask_as(&self, request: &str, token: &str, kind: &str, body: &str) -> (u16, String, String) {
        self.ask_with(&format!("Content-Type: {kind}\r\n"), request, token, body)
    }

    /// The same with more headers, each with its end of line.
    pub fn ask_with(&self, headers: &str, request: &str, token: &str, body: &str) -> (u16, String, String) {
        let mut answer = String::new();
        self.connect_with(headers, request, token, body).read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
    }

    pub fn status(&self, request: &str, token: &str, body: &str) -> u16 {
        self.ask(request, token, body).0
    }
}

#[test]
fn nobody_comes_in_without_a_token_and_without_a_row_nobody_may_anything() {
    let Some(open) = Open::start(MAY) else { return };
    for request in ["GET /v1/status", "GET /v1/topics/news/records?offset=0", "POST /v1/tools/text-metrics/calls"] {
        assert_eq!(open.status(request, "", "{}"), 401, "{request}");
        assert_eq!(open.status(request, "wasmill_0000", "{}"), 401, "{request}");
    }
    let stranger = open.token("stranger");
    let (code, _, body) = open.ask("GET /v1/status", &stranger, "");
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((code, &said["code"]), (403, &"permission.denied".into()));
    assert!(said["next"].as_str().unwrap().contains("host = [\"read\"]"), "{said}");
    open.cli.run(&["token", "remove", "stranger"]).expect_code(0);
    assert_eq!(open.status("GET /v1/status", &stranger, ""), 401);
}

#[test]
fn each_route_is_for_who_has_its_row() {
    let Some(open) = Open::start(MAY) else { return };
    let [looker, caller, operator] = ["looker", "caller", "operator"].map(|client| open.token(client));
    let record = r#"{"records":[{"value":"hello"}]}"#;
    let call = r#"{"function":"count","arguments":{"text":"two words"}}"#;
    // Who may: a request, its body, and what the three are answered.
    for (request, body, expected) in [
        ("GET /v1/status", "", [200, 403, 403]),
        ("GET /v1/tools/text-metrics", "", [200, 403, 403]),
        ("GET /v1/runs", "", [200, 403, 403]),
        ("POST /v1/topics/news/records", record, [403, 200, 403]),
        ("POST /v1/topics/secret/records", record, [403, 403, 403]),
        ("GET /v1/topics/news/records?offset=0", "", [200, 403, 403]),
        ("GET /v1/topics/secret/records?offset=0", "", [403, 403, 403]),
        ("POST /v1/tools/text-metrics/calls", call, [403, 200, 403]),
        ("POST /v1/topics", r#"{"name":"made","partitions":1,"compacted":false}"#, [403, 403, 200]),
        ("GET /v1/dlq", "", [403, 403, 200]),
        ("POST /v1/runs/00000000/cancel", "", [403, 403, 404]),
        ("DELETE /v1/plugins/text-metrics", "", [403, 403, 403]),
        ("POST /v1/approvals", r#"{"envelope":""}"#, [403, 403, 403]),
        ("POST /v1/builds", r#"{"name":"a","language":"rust","source":""}"#, [403, 403, 403]),
        ("GET /v1/mcp/cli", "", [404, 404, 404]),
        ("GET /v1/nothing", "", [404, 404, 404]),
    ] {
        let answered = [&looker, &caller, &operator].map(|token| open.status(request, token, body));
        // Without a forge key `builds` would answer 503 before anybody is asked.
        assert_eq!(answered, expected, "{request}");
    }
    assert!(open.cli.run(&["plugin", "list"]).json().to_string().contains("text-metrics"));
}

#[test]
fn a_call_is_that_of_the_tokens_client() {
    let Some(open) = Open::start(MAY) else { return };
    let operator = open.token("operator");
    let call = r#"{"function":"count","arguments":{"text":"two words"}}"#;
    let (_, _, body) = open.ask("POST /v1/tools/text-metrics/calls", &operator, call);
    assert!(body.contains("client:operator may not call tool text-metrics"), "{body}");
}

#[test]
fn a_page_elsewhere_can_do_nothing_with_a_browser_that_has_the_console_open() {
    let Some(open) = Open::start(MAY) else { return };
    let operator = open.token("operator");
    let topic = r#"{"name":"made","partitions":1,"compacted":false}"#;
    // What a browser sends by itself counts for nothing: the token comes with a header that no other page may set.
    let cookie =
        format!("Cookie: token={operator}; Authorization=Bearer {operator}\r\nOrigin: http://evil.example\r\n");
    assert_eq!(open.ask_with(&cookie, "POST /v1/topics", "", topic).0, 401);
    // And no other page is told that it may.
    let asked = "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\
        Access-Control-Request-Headers: authorization\r\n";
    let (code, head, _) = open.ask_with(asked, "OPTIONS /v1/topics", "", "");
    assert!(code >= 400 && !head.contains("access-control"), "{head}");
    let (_, head, _) = open.ask_with("Origin: http://evil.example\r\n", "GET /v1/topics", &open.token("looker"), "");
    assert!(!head.contains("access-control") && !head.contains("set-cookie"), "{head}");
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let Some(open) = Open::start(MAY) else { return };
    let looker = open.token("looker");
    let mut lines = BufReader::new(open.connect("GET /v1/events", &looker, "")).lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "event: figures"));
    open.cli.run(&["plugin", "remove", "text-metrics"]).expect_code(0);
    assert!(lines.any(|line| line == "event: changed"));
    assert_eq!(open.status("GET /v1/events", &open.token("caller"), ""), 403);
}

#[test]
fn the_consoles_files_are_for_everybody_and_run_nothing_but_themselves() {
    let Some(open) = Open::start(MAY) else { return };
    for (path, kind) in [("/", "text/html"), ("/console.js", "text/javascript"), ("/console.css", "text/css")] {
        let (code, head, body) = open.ask(&format!("GET {path}"), "", "");
        assert!(code == 200 && head.contains(&format!("content-type: {kind}")), "{path}: {head}");
        assert!(head.contains("nosniff") && !head.contains("set-cookie") && !body.is_empty(), "{path}: {head}");
        let policy = head.lines().find_map(|line| line.strip_prefix("content-security-policy: ")).unwrap();
        let directives: Vec<&str> = policy.split("; ").collect();
        // Nothing in a page runs, is styled or is fetched but what this host serves; no page may hold this one.
        for needed in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
            assert!(directives.contains(&needed), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{path}: {policy}");
    }
    assert_eq!(open.status("GET /../home/tokens.toml", "", ""), 404);
}

#[test]
fn a_client_that_calls_too_often_is_told_when_to_come_back() {
    let may = "[[row]]\nprincipal = \"client:caller\"\ntools = [\"text-metrics\"]\ntopics.write = [\"news\"]\n\
        limits = { tool_calls_per_minute = 2, records_per_minute = 3 }\n";
    let Some(open) = Open::start(may) else { return };
    let caller = open.token("caller");
    let call = r#"{"function":"count","arguments":{"text":"two words"}}"#;
    let ask = || open.ask("POST /v1/tools/text-metrics/calls", &caller, call);
    assert_eq!((ask().0, ask().0), (200, 200));
    let (code, head, body) = ask();
    let said: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((code, &said["code"]), (429, &"limit.rate".into()), "{body}");
    let after: u64 = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap().parse().unwrap();
    let after_ms = said["retry_after_ms"].as_u64().unwrap();
    assert!(after > 0 && after <= 30 && after == after_ms.div_ceil(1000), "{head}\n{body}");
    let message = said["detail"].as_str().unwrap();
    assert!(message.contains("tool_calls_per_minute = 2 (row for \"client:caller\", permissions.toml line"), "{body}");

    let records = |count: usize| serde_json::json!({ "records": vec![serde_json::json!({ "value": "x" }); count] });
    let send = |count: usize| open.ask("POST /v1/topics/news/records", &caller, &records(count).to_string());
    let (code, head, _) = send(4);
    assert!(code == 429 && !head.contains("retry-after"), "more than a minute's worth never passes: {head}");
    assert_eq!(send(3).0, 200);
    let (code, head, _) = send(1);
    assert!(code == 429 && head.contains("retry-after"), "{head}");
}
