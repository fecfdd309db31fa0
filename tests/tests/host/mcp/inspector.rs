//! The inspector of the protocol, which is a client with the official TypeScript library, and strict.

use std::process::{Command, Output};

use serde_json::{Value, json};
use wasmill_tests::parts::{self, require};

use super::{COUNT, Mill};

/// What it says of a server, and its exit code.
fn inspect(mill: &Mill, target: &[String], method: &[&str]) -> (i32, Value, String) {
    let [node, script] = parts::mcp_inspector().unwrap();
    let mut command = Command::new(node);
    command.arg(script).arg("--cli").args(target).arg("--method").args(method);
    // It keeps a list of servers in its user's home.
    let Output { status, stdout, stderr } = command.env("HOME", mill.cli.folder()).output().unwrap();
    let said = serde_json::from_slice(&stdout).unwrap_or(Value::Null);
    (status.code().unwrap_or(-1), said, String::from_utf8_lossy(&stderr).into_owned())
}

#[test]
fn the_inspector_finds_nothing_wrong_and_does_what_a_client_does() {
    let (Some(_), Some(mill)) = (require(parts::mcp_inspector()), Mill::start("")) else { return };
    mill.cli.run_with_input(&["record", "send", "news"], b"first\n").expect_code(0);
    let over_stdio = mill.command(&["mcp", "--client", "desk"]);
    let header = format!("Authorization: Bearer {}", mill.token("desk"));
    let over_http = [mill.url.as_str(), "--transport", "http", "--header", &header].map(str::to_owned).to_vec();
    for target in [over_stdio, over_http] {
        let inspect = |method: &[&str]| inspect(&mill, &target, method);
        let (code, listed, said) = inspect(&["tools/list", "--strict"]);
        assert_eq!(code, 0, "{said}");
        let names: Vec<&str> = listed["tools"].as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
        assert!(names.contains(&COUNT) && names.contains(&"forge_build"), "{names:?}");

        let (code, called, said) = inspect(&["tools/call", "--tool-name", COUNT, "--tool-arg", "text=two words"]);
        assert_eq!((code, &called["structuredContent"]["words"]), (0, &2.into()), "{called} {said}");

        let (code, listed, said) = inspect(&["resources/list"]);
        assert_eq!((code, &listed["resources"][0]["uri"]), (0, &"topic://news".into()), "{said}");
        let (code, read, said) = inspect(&["resources/read", "--uri", "topic://news"]);
        assert!(code == 0 && read["contents"][0]["text"].as_str().unwrap().contains("first"), "{read} {said}");

        let (code, _, said) = inspect(&["resources/read", "--uri", "topic://secret"]);
        assert!(code != 0 && said.contains("may not read topic secret"), "{said}");
    }
}

/// What it would find: a server that says something wrong is not let through.
#[test]
fn the_inspector_does_find_what_is_wrong() {
    let (Some(_), Some(python), Some(mill)) =
        (require(parts::mcp_inspector()), require(parts::mcp_python()), Mill::start(""))
    else {
        return;
    };
    let script = "import json, sys\n\
        for line in sys.stdin:\n    asked = json.loads(line)\n    if 'id' not in asked: continue\n    \
        info = {'protocolVersion': '2025-06-18', 'capabilities': {'tools': {}}, 'serverInfo': {'name': 'x', 'version': '1'}}\n    \
        tools = {'tools': [{'name': 'x', 'inputSchema': {'type': 'array'}}]}\n    \
        answer = info if asked['method'] == 'initialize' else tools\n    \
        print(json.dumps({'jsonrpc': '2.0', 'id': asked['id'], 'result': answer}), flush=True)\n";
    mill.cli.write("wrong.py", script);
    let target = [python, mill.cli.folder().join("wrong.py")].map(|path| path.display().to_string());
    let (code, said, _) = inspect(&mill, &target, &["tools/list", "--strict"]);
    assert_ne!((code, &said["tools"][0]["inputSchema"]), (0, &json!({ "type": "array" })));
}
