//! Clients talk with an agent, over server-sent events and WebSocket, and nobody hears what is another's.

mod hosts;
mod slow;
mod socket;

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use wasmill_tests::binary::Cli;
use wasmill_tests::up::Up;

use crate::gateway::Open;

/// Who may what: two that talk, one that only looks, and the agent.
const MAY: &str = "[[row]]\nprincipal = \"client:ada\"\nhost = [\"talk\"]\n\
    [[row]]\nprincipal = \"client:bob\"\nhost = [\"talk\"]\n\
    [[row]]\nprincipal = \"client:looker\"\nhost = [\"read\"]\n\
    [[row]]\nprincipal = \"agent:concierge\"\ntools = [\"text-metrics\"]\n\
    topics.read = [\"conversation.inbound\", \"concierge.steps\"]\n\
    topics.write = [\"conversation.outbound\", \"concierge.steps\"]\n";

/// Topics of the conversations, and of the agent.
const TOPICS: [&str; 3] = ["conversation.inbound", "conversation.outbound", "concierge.steps"];

/// A host with settings of its own, its gateway on a port that the system chose; conversations run.
fn open(settings: &str, plugins: &[&str]) -> Option<Open> {
    let cli = Cli::new();
    cli.write("home/host.toml", format!("[gateway]\nlisten = \"127.0.0.1:0\"\n[conversations]\n{settings}"));
    cli.write("home/permissions.toml", format!("privileged = [\"http\"]\n{MAY}"));
    plugins.iter().try_for_each(|plugin| cli.install(plugin))?;
    let up = Up::start(&cli);
    let url = up.greeting()["console"].as_str().unwrap().to_owned();
    Some(Open { cli, up, url })
}

/// Makes the topics, and waits until clients can talk.
fn ready(open: &Open, partitions: &str) {
    for topic in TOPICS {
        open.cli.run(&["topic", "create", topic, "--partitions", partitions]).expect_code(0);
    }
    running(open);
}

fn running(open: &Open) {
    open.cli.status_until(|status| {
        let agents = status["agents"].as_array().unwrap();
        status["conversations"]["state"] == "running" && agents.iter().all(|agent| agent["state"] == "running")
    });
}

/// A host of one's own on the embedded log, with the agent.
fn concierge() -> Option<Open> {
    let open = open("", &["concierge", "text-metrics"])?;
    ready(&open, "2");
    Some(open)
}

/// Says something, and gives what is answered.
fn say(open: &Open, token: &str, session: &str, said: &Value) -> (u16, Value) {
    let request = format!("POST /v1/conversations/{session}/messages");
    let (code, _, body) = open.ask(&request, token, &said.to_string());
    (code, serde_json::from_str(&body).unwrap())
}

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// What a client hears.
struct Ears(Lines<BufReader<TcpStream>>);

impl Ears {
    /// Listens to a session; `headers` are whole lines.
    fn listen(open: &Open, token: &str, session: &str, headers: &str) -> Self {
        let address = open.url.strip_prefix("http://").unwrap().strip_suffix('/').unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "GET /v1/conversations/{session}/events HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{headers}\r\n"
        )
        .unwrap();
        let mut lines = BufReader::new(stream).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "HTTP/1.1 200 OK");
        Self(lines)
    }
}

impl Iterator for Ears {
    type Item = Event;

    fn next(&mut self) -> Option<Event> {
        let (mut name, mut id, mut data) = (String::new(), String::new(), Value::Null);
        loop {
            let line = self.0.next()?.ok()?;
            if let Some(text) = line.strip_prefix("event: ") {
                name = text.to_owned();
            } else if let Some(text) = line.strip_prefix("id: ") {
                id = text.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                data = serde_json::from_str(text).unwrap();
            } else if line.is_empty() && !name.is_empty() {
                return Some(Event { name, id, data });
            }
        }
    }
}

/// What an answer to one message is made of.
fn kinds(events: &[Event]) -> Vec<(&str, &str)> {
    events.iter().map(|event| (event.name.as_str(), event.data["type"].as_str().unwrap_or_default())).collect()
}

const ANSWER: [(&str, &str); 3] = [("tool", "tool.call"), ("tool", "tool.result"), ("message", "message")];

#[test]
fn a_client_is_answered_and_sees_the_tool_on_the_way() {
    let Some(open) = concierge() else { return };
    let ada = open.token("ada");
    let mut ears = Ears::listen(&open, &ada, "trip", "");
    let begun = ears.next().unwrap();
    assert_eq!((begun.name.as_str(), &begun.data["session_id"]), ("open", &json!("ada/trip")));
    let (code, sent) =
        say(&open, &ada, "trip", &json!({ "message": "one two", "persona_id": "p", "metadata": { "k": 1 } }));
    assert_eq!((code, &sent["after"]), (200, &json!(begun.id)), "{sent}");
    let events: Vec<Event> = ears.by_ref().take(3).collect();
    assert_eq!(kinds(&events), ANSWER);
    assert_eq!(events[0].data["metadata"], json!({ "tool_name": "text-metrics/count", "args": { "text": "one two" } }));
    assert_eq!(
        (&events[1].data["metadata"]["status"], &events[1].data["metadata"]["payload"]["words"]),
        (&json!("success"), &json!(2))
    );
    assert_eq!(events[2].data["message"], "That was 2 words in 7 characters.");
    assert_eq!((&events[2].data["persona_id"], &events[2].data["metadata"]), (&json!("p"), &json!({ "k": 1 })));
    for event in &events {
        assert_eq!(event.data["session_id"], "ada/trip");
    }

    // Who comes back hears what it missed, and nothing twice.
    let missed: Vec<Event> =
        Ears::listen(&open, &ada, "trip", &format!("Last-Event-ID: {}\r\n", events[0].id)).skip(1).take(2).collect();
    assert_eq!(missed, events[1..]);
    let after = sent["after"].as_str().unwrap();
    let all: Vec<Event> =
        Ears::listen(&open, &ada, "trip", &format!("Last-Event-ID: {after}\r\n")).skip(1).take(3).collect();
    assert_eq!(all, events);
    let status = open.cli.status_until(|status| status["conversations"]["listeners"] == 1);
    assert_eq!((&status["conversations"]["messages"], &status["conversations"]["events"]), (&json!(1), &json!(3)));
}

#[test]
fn a_session_is_its_clients_own() {
    let Some(open) = concierge() else { return };
    let [ada, bob, looker] = ["ada", "bob", "looker"].map(|client| open.token(client));
    let mut adas = Ears::listen(&open, &ada, "trip", "");
    let mut bobs = Ears::listen(&open, &bob, "trip", "");
    let begun = (adas.next().unwrap(), bobs.next().unwrap());
    say(&open, &ada, "trip", &json!({ "message": "secret" }));
    assert_eq!(kinds(&adas.by_ref().take(3).collect::<Vec<_>>()), ANSWER);
    say(&open, &bob, "trip", &json!({ "message": "mine" }));
    let heard: Vec<Event> = bobs.by_ref().take(3).collect();
    assert!(heard.iter().all(|event| event.data["session_id"] == "bob/trip"), "{heard:?}");
    // Not from the log either.
    let id = format!("Last-Event-ID: {}\r\n", begun.0.id);
    let missed = Ears::listen(&open, &bob, "trip", &id).skip(1).take(3).collect::<Vec<_>>();
    assert!(missed.iter().all(|event| event.data["session_id"] == "bob/trip"), "{missed:?}");
    for name in ["ada%2Ftrip", "..%2Fada%2Ftrip", "a%20b", &"x".repeat(129)] {
        let (code, said) = say(&open, &bob, name, &json!({ "message": "hi" }));
        assert_eq!((code, &said["code"]), (422, &json!("conversation.session")), "{name}");
    }
    for token in ["", "wasmill_0000"] {
        assert_eq!(say(&open, token, "trip", &json!({ "message": "hi" })).0, 401);
    }
    let (code, said) = say(&open, &looker, "trip", &json!({ "message": "hi" }));
    assert_eq!(code, 403, "{said}");
    assert!(said["next"].as_str().unwrap().contains("host = [\"talk\"]"), "{said}");
    for route in ["trip", "trip/events"] {
        assert_eq!(open.ask(&format!("GET /v1/conversations/{route}"), &looker, "").0, 403, "{route}");
    }
}

#[test]
fn what_cannot_be_said_or_heard_says_why() {
    let Some(open) = concierge() else { return };
    let ada = open.token("ada");
    for (said, code) in [
        (json!({}), "request.body"),
        (json!({ "message": "a", "role": "system" }), "request.body"),
        (json!({ "message": "" }), "conversation.length"),
        (json!({ "message": "a", "event_id": "" }), "conversation.length"),
        (json!({ "message": "a", "metadata": { "k": "x".repeat(70_000) } }), "conversation.length"),
    ] {
        assert_eq!(say(&open, &ada, "s", &said).1["code"], code, "{said:.60}");
    }
    for (after, code) in [("x", "conversation.place"), ("9-0", "conversation.place")] {
        let (status, _, body) = open.ask(&format!("GET /v1/conversations/s/events?after={after}"), &ada, "");
        assert!(status == 422 && body.contains(code), "{after}: {body}");
    }
    // What is no event of a session is told to nobody, and stops nobody.
    let mut ears = Ears::listen(&open, &ada, "s", "");
    let end = ears.next().unwrap().id;
    for value in ["hello", r#"{"session_id":"ada/s"}"#] {
        open.cli.run(&["record", "send", "conversation.outbound", "--key", "ada/s", value]).expect_code(0);
    }
    say(&open, &ada, "s", &json!({ "message": "hi" }));
    assert_eq!(kinds(&ears.by_ref().take(3).collect::<Vec<_>>()), ANSWER);
    open.cli.status_until(|status| status["conversations"]["skipped"] == 2);
    assert_eq!(
        kinds(
            &Ears::listen(&open, &ada, "s", &format!("Last-Event-ID: {end}\r\n")).skip(1).take(3).collect::<Vec<_>>()
        ),
        ANSWER
    );
}

#[test]
fn who_may_no_longer_talk_hears_no_more() {
    let Some(open) = concierge() else { return };
    let ada = open.token("ada");
    let ears = Ears::listen(&open, &ada, "s", "");
    open.cli.write("home/permissions.toml", "privileged = []\n");
    let last = ears.last().unwrap();
    assert_eq!((last.name.as_str(), &last.data["code"]), ("closed", &json!("permission.denied")));
}

#[test]
fn a_host_without_conversations_says_so_and_one_without_topics_waits() {
    let Some(open) = crate::gateway::Open::with(MAY, &[]) else { return };
    let ada = open.token("ada");
    let (code, said) = say(&open, &ada, "s", &json!({ "message": "hi" }));
    assert_eq!((code, &said["code"]), (404, &json!("conversation.off")));
    let Some(open) = self::open("", &[]) else { return };
    let ada = open.token("ada");
    open.cli
        .status_until(|s| s["conversations"]["reason"].as_str().is_some_and(|r| r.contains("conversation.inbound")));
    let (code, said) = say(&open, &ada, "s", &json!({ "message": "hi" }));
    assert_eq!((code, &said["code"]), (503, &json!("conversation.waiting")));
    ready(&open, "1");
    assert_eq!(say(&open, &ada, "s", &json!({ "message": "hi" })).0, 200);
}
