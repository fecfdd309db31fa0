//! Tools of other MCP servers as tools of ours: real servers, made with the official library, and hostile ones.

mod faults;
mod hall;
mod hostile;
mod names;
mod walls;

use hall::{Hall, SECRET, port};
use serde_json::json;
use wasmill_registry::Digest;
use wasmill_tests::scratch::PATIENCE;
use wasmill_tests::server::until;
use wasmill_tests::up::Up;

use crate::mcp::Talk;

/// A server over HTTP and one in the sandbox, both the same program.
const BOTH: [&str; 2] = ["mcp.web", "mcp.local"];

#[test]
fn its_tools_are_listed_and_called_over_http_and_in_the_sandbox() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    hall.settings(&(Hall::web("web", port, "") + &hall.program("local", "other.py", &["stdio"], "")));
    let up = hall.up(&BOTH);
    for tool in BOTH {
        let shown = hall.cli.run(&["tool", "show", tool]).json();
        let echo = shown["functions"].as_array().unwrap().iter().find(|f| f["name"] == "echo").unwrap();
        assert_eq!((&shown["version"], &echo["description"]), (&"1.2.3".into(), &"Says what it is told.".into()));
        assert_eq!(echo["input_schema"]["required"], json!(["text"]));

        assert_eq!(hall.call(tool, "echo", json!({ "text": "hä?" })).json(), json!({ "result": "hä?" }));
        let wrong = hall.call(tool, "echo", json!({ "text": 7 })).problem(2);
        assert!(wrong.code == "tool.arguments" && wrong.message.contains("/text"), "{wrong:?}");
        assert_eq!(hall.call(tool, "nothing", json!({})).problem(4).code, "tool.function");
        let failed = hall.call(tool, "fail", json!({ "words": "no such city" })).problem(1);
        assert!(failed.code == "tool.said.error" && failed.message.contains("no such city"), "{failed:?}");
        assert!(failed.message.starts_with(&format!("{tool}@1.2.3 says: ")), "{failed:?}");
    }
    let audit = hall.cli.run(&["audit", "list", "--limit", "1000"]).expect_code(0).stdout;
    for tool in BOTH {
        assert!(
            audit.contains(&format!("call {tool} echo")) && audit.contains(&format!("load {tool}@1.2.3")),
            "{audit}"
        );
    }
    drop(up);

    // The same by a command on its own, without a host.
    for tool in BOTH {
        assert_eq!(hall.call(tool, "echo", json!({ "text": "alone" })).json(), json!({ "result": "alone" }));
    }
}

#[test]
fn nobody_calls_what_no_row_grants() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    hall.settings(&(Hall::web("web", port, "") + &Hall::web("forbidden", port, "")));
    if hall.cli.install("evil-calls").is_none() {
        return;
    }
    for caller in ["client:cli", "tool:evil-calls"] {
        hall.cli.allow(&format!("[[row]]\nprincipal = \"{caller}\"\ntools = [\"evil-calls\"]\n"));
    }
    let _up = hall.up(&["mcp.web", "mcp.forbidden", "evil-calls"]);
    let denied = hall.call("mcp.forbidden", "echo", json!({ "text": "x" })).problem(3);
    assert!(denied.code == "permission.denied" && denied.next.contains("mcp.forbidden"), "{denied:?}");
    // A component may call it no more for being called by somebody who may.
    let denied = hall.call("evil-calls", "ungranted", json!({ "tool": "mcp.web" })).problem(1);
    assert!(denied.message.contains("may not call tool mcp.web"), "{denied:?}");
}

#[test]
fn agents_and_mcp_clients_call_them_like_all_others() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    hall.settings(&("[mcp]\nlisten = \"127.0.0.1:0\"\n".to_owned() + &Hall::web("web", port, "")));
    hall.cli.allow(
        "[[row]]\nprincipal = \"agent:stepper\"\ntopics.read = [\"steps\"]\ntopics.write = [\"steps.done\"]\n\
         tools = [\"mcp.web\"]\nmodel = [\"*\"]\nstate = true\nhttp = [{ host = \"127.0.0.1\", methods = [\"GET\"] }]\n[[row]]\nprincipal = \"client:desk\"\ntools = [\"mcp.*\"]\n",
    );
    if hall.cli.install("stepper").is_none() {
        return;
    }
    for topic in ["steps", "steps.done"] {
        hall.cli.run(&["topic", "create", topic]).expect_code(0);
    }
    let up = hall.up(&["mcp.web"]);
    let steps = json!([{ "call": ["mcp.web", "echo", { "text": "from an agent" }] }]);
    hall.cli.run(&["record", "send", "steps", &steps.to_string()]).expect_code(0);
    let done = || hall.cli.run(&["record", "tail", "steps.done", "--no-follow"]).expect_code(0).stdout;
    assert!(until(PATIENCE, || done().contains("from an agent")), "{}", up.log());

    let [desk, other] = ["desk", "other"]
        .map(|name| hall.cli.run(&["token", "new", name]).json()["token"].as_str().unwrap().to_owned());
    let url = up.greeting()["mcp"].clone();
    let mut talk = Talk::start(&hall.python, "auto", &json!({ "url": url, "token": desk }));
    assert_eq!(talk.step(json!({ "do": "list" }))["mcp_web__echo"]["type"], "object");
    let called = talk.step(json!({ "do": "call", "tool": "mcp_web__echo", "arguments": { "text": "through" } }));
    assert_eq!(called["value"], json!({ "result": "through" }), "{called}");
    let mut talk = Talk::start(&hall.python, "auto", &json!({ "url": url, "token": other }));
    assert_eq!(talk.step(json!({ "do": "list" })), json!({}));
    let denied = talk.step(json!({ "do": "call", "tool": "mcp_web__echo", "arguments": { "text": "through" } }));
    assert!(denied["text"].as_str().unwrap().contains("(permission.denied)"), "{denied}");
}

#[test]
fn a_secret_reaches_the_server_and_nobody_else() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    hall.settings(&(Hall::web("web", port, "") + &hall.program("local", "other.py", &["stdio"], "")));
    let up = Up::spawn_with(&hall.cli, &[("RUST_LOG", "trace".to_owned())]);
    assert!(until(PATIENCE, || hall.cli.home().join("host.sock").exists()));
    hall.has(&up, &BOTH);
    for tool in BOTH {
        let told = hall.call(tool, "secret", json!({})).json();
        // It has the true one, and what it repeats of it comes through to nobody.
        assert_eq!(told["sha256"], Digest::of(SECRET.as_bytes()).to_string(), "{tool}");
        assert_eq!(told["said"], "[secret]", "{tool}");
        let failed = hall.call(tool, "leak", json!({})).problem(1);
        assert!(failed.message.contains("[secret]") && !failed.message.contains(SECRET), "{failed:?}");
    }
    // Everybody on a machine can read how programs were started.
    let commands: Vec<u8> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .flatten()
        .collect();
    let commands = String::from_utf8_lossy(&commands).into_owned();
    assert!(commands.contains("other.py") && !commands.contains(SECRET));
    let told = hall.told(&up);
    assert!(told.contains("mcp.local"), "{told}");
    assert_eq!(told.lines().find(|line| line.contains(SECRET)), None);
}

#[test]
fn a_list_that_changes_is_read_again() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    let settings = [
        Hall::web("web", port, ""),
        hall.program("local", "other.py", &["stdio"], ""),
        hall.program("hostile", "hostile.py", &["stdio", "grow"], ""),
    ];
    hall.settings(&settings.concat());
    let _up = hall.up(&[BOTH[0], BOTH[1], "mcp.hostile"]);
    // The older way, in which servers tell without being asked.
    hall.call("mcp.hostile", "harm", json!({})).expect_code(0);
    assert!(until(PATIENCE, || hall.functions("mcp.hostile").contains(&"more".to_owned())));
    for tool in BOTH {
        assert!(!hall.functions(tool).contains(&"juggle".to_owned()));
        hall.call(tool, "learn", json!({ "name": "juggle" })).expect_code(0);
        assert!(until(PATIENCE, || hall.functions(tool).contains(&"juggle".to_owned())), "{tool}");
        // It says no more than a text, and that is the result.
        assert_eq!(hall.call(tool, "juggle", json!({})).json(), "juggle");
    }
}

#[test]
fn each_host_has_its_own_connection() {
    let Some(hall) = Hall::new() else { return };
    hall.settings(&hall.program("local", "other.py", &["stdio"], ""));
    let second = Hall { cli: hall.cli.copy().unwrap(), python: hall.python.clone() };
    let _ups = [hall.up(&["mcp.local"]), second.up(&["mcp.local"])];
    let born = |hall: &Hall| hall.call("mcp.local", "born", json!({})).json();
    assert_eq!(born(&hall), born(&hall));
    assert_ne!(born(&hall), born(&second));
}
