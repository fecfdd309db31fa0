//! What a file may say, and what is said about one that may not.

use super::*;

fn refusal(text: &str) -> String {
    Matrix::parse(text).unwrap_err().to_string()
}

#[test]
fn a_whole_file_reads_with_its_lines() {
    let matrix = matrix(
        r#"# comment
privileged = ["http", "secrets", "topics.create"]

[[row]]
principal = "agent:logsmith"
topics.read = ["logs.raw"]
topics.write = ["logs.parsed"]
tools = ["logsmith.*"]
forge = ["rust"]
state = true
limits = { memory_mib = 64 }

[[row]]
principal = "*"
http = [{ host = "*.example.com", methods = ["GET", "POST"] }]
"#,
    );
    assert_eq!(matrix.rows().iter().map(|row| row.line).collect::<Vec<_>>(), [4, 13]);
    assert_eq!(matrix.rows()[0].limits.memory_mib, Some(64));
    assert!(matrix.privileged().contains(Column::TopicsCreate));
    assert!(!matrix.privileged().contains(Column::Forge));
    assert_eq!(matrix.revision().len(), 12);
}

#[test]
fn an_empty_file_is_a_matrix_that_denies_everything() {
    let grant = matrix("").grant(&Principal::client("cli"), None, None, None);
    assert!(!grant.check(Action::TopicRead("logs")).is_allowed());
}

#[test]
fn a_typo_is_refused_with_its_line_and_the_nearest_word() {
    let head = "[[row]]\nprincipal = \"agent:a\"\n";
    for (line, message) in [
        ("topcis.read = [\"x\"]", "line 3: unknown key `topcis` in a row; did you mean `topics`?"),
        ("topics.raed = [\"x\"]", "line 3: unknown key `raed` in `topics`; did you mean `read`?"),
        ("read = [\"x\"]", "line 3: unknown key `read` in a row; did you mean `topics.read`?"),
        ("limits = { memory_mb = 3 }", "line 3: unknown key `memory_mb` in `limits`; did you mean `memory_mib`?"),
        ("http = [{ hots = \"x\" }]", "line 3: unknown key `hots` in `http`; did you mean `host`?"),
    ] {
        let refusal = refusal(&format!("{head}{line}\n"));
        assert!(refusal.ends_with(message), "{refusal}");
    }
    assert!(
        refusal("[[rows]]\nprincipal = \"*\"").contains("line 1: unknown key `rows` in the file; did you mean `row`?")
    );
    assert!(refusal("privileged = [\"secret\"]").contains("line 1: `secret` is no column; did you mean `secrets`?"));
    assert!(refusal("\n[[row]]\nprincipal = \"agnet:a\"\n").contains("line 3: principal \"agnet:a\""));
}

#[test]
fn a_value_that_can_not_be_is_refused_with_its_line() {
    let head = "[[row]]\nprincipal = \"agent:a\"\n\n";
    for (line, part) in [
        ("state = \"yes\"", "boolean"),
        ("tools = \"x\"", "sequence"),
        ("tools = [\"\"]", "empty name"),
        ("tools = [\"Upper\"]", "can't be a name"),
        ("topics.read = [\"a b\"]", "can't be a name"),
        ("forge = [\"rst\"]", "did you mean `rust`"),
        ("host = [\"reed\"]", "did you mean `read`"),
        ("limits.memory_mib = 9999", "not between 2 and 1024"),
        ("limits.memory_mib = -1", "u32"),
        ("http = [{ host = \"https://a.com/\", methods = [\"GET\"] }]", "host name alone"),
        ("http = [{ host = \"a.com\", methods = [] }]", "needs methods"),
        ("http = [{ host = \"a.com\", methods = [\"get\"] }]", "capitals"),
        ("http = [{ host = \"a.com*\", methods = [\"GET\"] }]", "may not end in `*`"),
        ("http = [{ host = \"*a.com\", methods = [\"GET\"] }]", "write `*.`"),
        ("tools = [", ""),
    ] {
        let refusal = refusal(&format!("{head}{line}\n"));
        assert!(refusal.contains("permissions.toml line 4") && refusal.contains(part), "{line}: {refusal}");
    }
    assert!(refusal("[[row]]\nstate = true").contains("line 1: a row needs `principal"));
    assert!(refusal("[row]\nprincipal = \"*\"").contains("[[row]]"));
}

#[test]
fn every_permission_can_be_written_in_a_row() {
    let all = wasmill_registry::Permissions {
        topics: wasmill_registry::Topics { read: vec!["a".into()], write: vec!["a".into()], create: vec!["a".into()] },
        tools: vec!["a".into()],
        http: vec![wasmill_registry::HttpRule { host: "a".into(), methods: vec!["GET".into()] }],
        model: vec!["a".into()],
        secrets: vec!["a".into()],
        forge: vec!["rust".into()],
        agents: vec!["a".into()],
        host: vec!["read".into()],
        state: true,
        clock: true,
        timers: true,
    };
    let mut row = toml::Table::try_from(&all).unwrap();
    row.insert("principal".into(), "agent:a".into());
    let mut file = toml::Table::new();
    file.insert("row".into(), toml::Value::Array(vec![toml::Value::Table(row)]));
    let matrix = matrix(&toml::to_string(&file).unwrap());
    assert_eq!(matrix.rows()[0].permissions, all);
    assert_eq!(Columns::touched_by(&all).iter().count(), Column::ALL.len());
}

#[test]
fn the_grid_marks_privileged_columns() {
    let matrix = matrix(
        "privileged = [\"http\"]\n[[row]]\nprincipal = \"agent:a\"\nstate = true\nhttp = [{ host = \"a.com\", methods = [\"GET\"] }]\n",
    );
    let text = matrix.grid().render(100);
    assert!(text.contains("http *") && text.contains("state ") && !text.contains("state *"), "{text}");
    assert!(text.contains("GET a.com") && !text.contains("topics.read"), "{text}");
}
