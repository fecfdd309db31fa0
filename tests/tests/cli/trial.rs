//! `wasmill plugin test`: cases against a built component.

use std::path::Path;

use wasmill_tests::binary::Cli;
use wasmill_tests::parts::{plugin, require};

fn folder(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins").join(name).to_string_lossy().into_owned()
}

#[test]
fn the_plugins_of_this_repository_pass_their_own_cases() {
    let cli = Cli::empty();
    for name in ["courier", "json-query", "reminder", "text-metrics", "time-convert", "upper"] {
        if require(plugin(name)).is_none() {
            return;
        }
        let report = cli.run(&["plugin", "test", &folder(name)]).json();
        assert_eq!(report["failed"], 0, "{report}");
        assert!(report["passed"].as_u64().unwrap() >= 2, "{report}");
        assert!(!cli.home().exists(), "a trial needs no home and makes none");
    }
}

/// Ends with the report of these cases for a plugin.
fn try_cases(name: &str, cases: &str) -> Option<wasmill_tests::binary::Ended> {
    let component = require(plugin(name))?;
    let cli = Cli::empty();
    std::fs::create_dir_all(cli.folder().join("plugin/cases")).unwrap();
    std::fs::copy(Path::new(&folder(name)).join("wasmill.toml"), cli.folder().join("plugin/wasmill.toml")).unwrap();
    cli.write("plugin/cases/own.toml", cases);
    let component = component.to_string_lossy().into_owned();
    Some(cli.run(&["plugin", "test", "plugin", "--component", &component]))
}

#[test]
fn a_tool_that_answers_otherwise_fails_with_both_answers() {
    let cases = "[[case]]\nname = \"right\"\nfunction = \"count\"\narguments = { text = \"a b\" }\n\
        [[case]]\nname = \"wrong\"\nfunction = \"count\"\narguments = { text = \"a b\" }\nresult = { words = 3 }\n\
        [[case]]\nname = \"no error\"\nfunction = \"count\"\narguments = { text = \"a b\" }\nerror = { case = \"invalid\" }\n\
        [[case]]\nname = \"another error\"\nfunction = \"count\"\nerror = { code = \"x.y\" }\n";
    let Some(ended) = try_cases("text-metrics", cases) else { return };
    let ended = ended.expect_code(1);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let passed: Vec<bool> =
        report["cases"].as_array().unwrap().iter().map(|case| case["passed"].as_bool().unwrap()).collect();
    assert_eq!(passed, [true, false, false, false], "{report}");
    assert_eq!(report["cases"][1]["difference"]["expected"]["words"], 3);
    assert_eq!(report["cases"][1]["difference"]["got"]["words"], 2);
    assert_eq!(report["cases"][2]["difference"]["expected"]["error"]["case"], "invalid");
    assert_eq!(report["cases"][3]["difference"]["got"]["error"]["case"], "invalid");
    assert!(ended.stderr.contains("cases.failed"), "{}", ended.stderr);
}

#[test]
fn an_agent_must_send_exactly_what_the_case_says() {
    let given = "records = [{ topic = \"lower\", key = \"k\", value = \"a\" }]\n";
    let cases = format!(
        "[[case]]\nname = \"right\"\n{given}sent = [{{ topic = \"upper\", key = \"k\", value = \"A\" }}]\n\
         [[case]]\nname = \"nothing expected\"\n{given}\
         [[case]]\nname = \"more expected\"\n{given}sent = [{{ topic = \"upper\", key = \"k\", value = \"A\" }}, \
         {{ topic = \"upper\" }}]\n\
         [[case]]\nname = \"another key\"\n{given}sent = [{{ topic = \"upper\", value = \"A\" }}]\n\
         [[case]]\nname = \"a failure\"\n{given}failure = {{ case = \"failed\" }}\n\
         [[case]]\nname = \"state\"\n{given}sent = [{{ topic = \"upper\", key = \"k\", value = \"A\" }}]\nstate = {{ a = \"1\" }}\n\
         [[case]]\nname = \"no text\"\nrecords = [{{ topic = \"lower\", value = {{ base64 = \"/2E=\" }} }}]\n\
         sent = [{{ topic = \"upper\", value = {{ base64 = \"/0E=\" }} }}]\n"
    );
    let Some(ended) = try_cases("upper", &cases) else { return };
    let report: serde_json::Value = serde_json::from_str(&ended.expect_code(1).stdout).unwrap();
    let passed: Vec<bool> =
        report["cases"].as_array().unwrap().iter().map(|case| case["passed"].as_bool().unwrap()).collect();
    assert_eq!(passed, [true, false, false, false, false, false, true], "{report}");
    assert_eq!(report["cases"][5]["difference"]["got"]["state"], serde_json::json!({}));
}

#[test]
fn a_mistake_in_a_case_is_named_with_file_and_line() {
    let Some(ended) = try_cases("upper", "[[case]]\nname = \"a\"\nrecord = []\n") else { return };
    let problem = ended.problem(2);
    assert_eq!(problem.code, "cases.invalid");
    assert!(problem.message.contains("own.toml`, line 3"), "{problem:?}");
}

#[test]
fn what_is_missing_is_said_with_the_way_to_it() {
    let cli = Cli::empty();
    assert_eq!(cli.run(&["plugin", "test"]).problem(4).code, "manifest.missing");
    cli.write("wasmill.toml", "name = \"nothing-built\"\nversion = \"0.1.0\"\nkind = \"tool\"\n");
    let problem = cli.run(&["plugin", "test"]).problem(4);
    assert_eq!(problem.code, "component.missing");
    assert!(problem.next.contains("cargo component build"), "{problem:?}");
}
