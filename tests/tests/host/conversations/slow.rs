//! A client that takes nothing hurts nobody else.

use serde_json::json;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;

use super::{Ears, concierge, say};

#[test]
fn who_takes_nothing_is_let_go_and_goes_on_where_it_was() {
    let Some(open) = concierge() else { return };
    let ada = open.token("ada");
    let mut slow = Ears::listen(&open, &ada, "slow", "");
    let mut quick = Ears::listen(&open, &ada, "quick", "");
    assert_eq!((slow.next().unwrap().name, quick.next().unwrap().name), ("open".to_owned(), "open".to_owned()));

    // More than the two ends of a connection, and what may wait, hold.
    let text = "x".repeat(200_000);
    let event =
        |n: usize| json!({ "event_id": n.to_string(), "session_id": "ada/slow", "role": "assistant", "message": text });
    let mut sent = 0;
    let let_go = until(PATIENCE, || {
        let lines: String = (sent..sent + 10).map(|n| format!("{}\n", event(n))).collect();
        sent += 10;
        let send = ["record", "send", "conversation.outbound", "--key", "ada/slow"];
        open.cli.run_with_input(&send, lines.as_bytes()).expect_code(0);
        open.cli.run(&["status"]).json()["conversations"]["slow"] == 1
    });
    assert!(let_go, "{sent} events did not make it slow");
    say(&open, &ada, "quick", &json!({ "message": "hi" }));
    assert_eq!(quick.by_ref().take(3).count(), 3);

    // It hears what waited, then why no more comes, and later the rest.
    let heard: Vec<_> = slow.collect();
    let closed = heard.last().unwrap();
    assert_eq!((closed.name.as_str(), &closed.data["code"]), ("closed", &json!("conversation.slow")));
    let last = &heard[heard.len() - 2];
    let rest = Ears::listen(&open, &ada, "slow", &format!("Last-Event-ID: {}\r\n", last.id)).skip(1);
    let told = heard.len() - 1;
    let all = heard[..told].iter().cloned().chain(rest.take(sent - told));
    let ids: Vec<String> = all.map(|event| event.data["event_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (0..sent).map(|n| n.to_string()).collect::<Vec<_>>());
}
