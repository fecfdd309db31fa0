//! What a server that is a program can't do, each beside the same program outside, which can.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::hall::{Hall, port};

#[test]
fn a_program_reads_no_file_and_reaches_no_network_that_it_could_outside() {
    let Some(hall) = Hall::new() else { return };
    let planted = hall.file("planted.txt");
    std::fs::write(&planted, "planted").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap().port();
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    hall.settings(&(Hall::web("web", port, "") + &hall.program("local", "other.py", &["stdio"], "")));
    let up = hall.up(&["mcp.web", "mcp.local"]);
    let free = |function: &str, arguments: Value| hall.call("mcp.web", function, arguments).json()["result"].clone();
    let walled = |function: &str, arguments: Value| {
        let problem = hall.call("mcp.local", function, arguments).problem(1);
        assert_eq!(problem.code, "tool.said.error", "{problem:?}");
        problem.message
    };

    assert_eq!(free("read", json!({ "path": planted })), "planted");
    assert!(walled("read", json!({ "path": planted })).contains("No such file"));
    let home = hall.cli.home();
    for file in [home.join("secrets.toml"), home.join("keys/forge.key"), "/etc/passwd".into(), "/proc/1/environ".into()]
    {
        assert!(std::fs::metadata(&file).is_ok(), "{}", file.display());
        assert!(walled("read", json!({ "path": file })).contains("No such file"), "{}", file.display());
    }
    assert_eq!(free("dial", json!({ "port": open })), "connected");
    let refused = walled("dial", json!({ "port": open }));
    assert!(["refused", "unreachable"].iter().any(|word| refused.contains(word)), "{refused}");

    // What it may read it may not write; its own folder it may, and that is not the machine's.
    let script = hall.file("other.py");
    assert!(hall.call("mcp.local", "read", json!({ "path": script })).json()["result"].is_string());
    assert!(walled("write", json!({ "path": script })).contains("Read-only"));
    assert!(walled("write", json!({ "path": "/new" })).contains("Read-only"));
    assert_eq!(hall.call("mcp.local", "write", json!({ "path": "/tmp/own" })).json()["result"], "1");
    assert!(!std::path::Path::new("/tmp/own").exists());

    let seen = hall.call("mcp.local", "surroundings", json!({})).json();
    let variables = seen["environment"].as_array().unwrap();
    let known = ["HOME", "LC_CTYPE", "OTHER_KEY", "PATH", "PLAIN", "PWD", "TMPDIR"];
    assert!(variables.iter().all(|name| known.contains(&name.as_str().unwrap())), "{variables:?}");
    let roots = seen["root"].as_array().unwrap();
    assert!(!roots.contains(&"etc".into()) && !roots.contains(&"proc".into()), "{roots:?} {}", up.log());
}

#[test]
fn a_program_that_would_see_the_home_is_not_started() {
    let Some(hall) = Hall::new() else { return };
    let program = |path: &str| {
        let (python, script) = (hall.python.display().to_string(), hall.file("other.py"));
        let paths = ["/usr", &python, path];
        format!(
            "[[mcp.servers]]\nname = \"local\"\ncommand = {:?}\npaths = {paths:?}\n",
            [python.as_str(), &script, "stdio"]
        )
    };
    let link = hall.file("link");
    std::os::unix::fs::symlink(hall.cli.home(), &link).unwrap();
    for path in [hall.cli.folder().display().to_string(), hall.file("home"), hall.file("home/keys"), link] {
        hall.settings(&program(&path));
        let refused = hall.cli.run(&["tool", "list"]).problem(2);
        assert!(refused.code == "mcp.paths" && refused.message.contains(&path), "{refused:?}");
    }
}

#[test]
fn without_bubblewrap_a_program_is_refused_and_the_rest_works() {
    let Some(hall) = Hall::new() else { return };
    let port = port();
    let _server = hall.serve("other.py", port, &[]);
    hall.settings(&(Hall::web("web", port, "") + &hall.program("local", "other.py", &["stdio"], "")));
    let empty = hall.file("bin");
    std::fs::create_dir(&empty).unwrap();
    // One that can't make sandboxes, as where user namespaces are forbidden.
    let bwrap = std::path::Path::new(&empty).join("bwrap");
    std::fs::copy("/bin/false", &bwrap).unwrap();
    let path = [("PATH", empty.as_str())];
    let call = |tool| hall.cli.run_with(&["tool", "call", tool, "echo", r#"{"text": "x"}"#], &path);
    assert_eq!(call("mcp.web").json(), json!({ "result": "x" }));
    let refused = call("mcp.local").problem(5);
    assert!(refused.code == "tool.refused" && refused.message.contains("bubblewrap"), "{refused:?}");
}
