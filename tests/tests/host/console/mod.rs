//! The console, in a real browser over a real host.

use std::process::Command;

use serde_json::json;
use wasmill_tests::parts::{self, require};

use super::gateway::Open;

const BROWSE: &str = include_str!("browse.py");
const LOOK: &str = "// <img src=x onerror=document.title='taken'>\n\
    export const look = { call() { return wasmill.send({ url: 'https://api.example.com/' }).status; } };\n";
const MAY: &str = "[[row]]\nprincipal = \"client:ops\"\nhost = [\"*\"]\ntools = [\"*\"]\nforge = [\"*\"]\n\
    topics.read = [\"*\"]\ntopics.write = [\"*\"]\nhttp = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n\
    [[row]]\nprincipal = \"tool:ops.*\"\nhttp = [{ host = \"api.example.com\", methods = [\"GET\"] }]\n";

/// Something that waits for an admin.
fn make_something_that_waits(open: &Open, token: &str) {
    let request = json!({ "name": "look", "language": "javascript", "source": LOOK,
        "permissions": "http = [{ host = \"api.example.com\", methods = [\"GET\"] }]" });
    let (code, _, body) = open.ask("POST /v1/builds", token, &request.to_string());
    assert!(code == 200 && body.contains("\"waiting\""), "{code}: {body}");
}

#[test]
fn a_person_walks_through_every_page_and_approves_with_a_key_that_stays() {
    let (Some(python), Some(chromium)) = (require(parts::browser_python()), require(parts::chromium())) else { return };
    let Some(open) = Open::with(MAY, &["text-metrics", "javascript"]) else { return };
    let token = open.token("ops");
    make_something_that_waits(&open, &token);
    let keys = open.cli.home().join("keys");
    let given = json!({
        "url": open.url, "token": token, "chromium": chromium,
        "key": keys.join("admin.key"), "wrong_key": keys.join("publisher.key"),
        "shots": std::env::var("WASMILL_SHOTS").ok(),
    });
    let walked = Command::new(python).args(["-c", BROWSE, &given.to_string()]).output().unwrap();
    let said = String::from_utf8_lossy(&walked.stderr);
    assert!(walked.status.success(), "{said}\n{}", open.up.log());
    // The approval is one as every other: by its signature.
    let approvals = open.cli.run(&["approval", "list"]).json();
    assert_eq!(approvals[0]["state"], "granted", "{approvals}");
}
