//! What is read from `[[mcp.servers]]`, and what is refused.

use serde::Deserialize;

use super::config::*;

fn read(text: &str) -> Result<Vec<ServerConfig>, (usize, &'static str, String)> {
    #[derive(Deserialize)]
    struct File {
        servers: Vec<ServerSection>,
    }
    servers(toml::from_str::<File>(&text.replace("[[s]]", "[[servers]]")).unwrap().servers)
}

#[test]
fn both_ways_are_read() {
    let text = "[[s]]\nname = 'a'\nurl = 'https://h/mcp'\nheaders = { Authorization = 'Bearer ${secret:A}' }\n\
        [[s]]\nname = 'b'\ncommand = ['/opt/b/run', '-v']\npaths = ['/opt/b']\nenv = { KEY = '${secret:B}' }\n";
    let [a, b] = read(text).unwrap().try_into().unwrap();
    assert!(matches!(a.reach, Reach::Http { ref url, .. } if url.as_str() == "https://h/mcp"));
    let Reach::Program(program) = b.reach else { panic!("no program") };
    assert_eq!((program.command.len(), program.scratch_bytes), (2, 64 * MIB));
}

#[test]
fn what_is_wrong_is_named() {
    let program = "[[s]]\nname = 'a'\ncommand = ['/p/run']\n";
    for (text, field, word) in [
        ("[[s]]\nname = 'A b'\nurl = 'https://h'\n".to_owned(), "name", "not a name"),
        ("[[s]]\nname = 'a.b'\nurl = 'https://h'\n".to_owned(), "name", "no dot"),
        ("[[s]]\nname = 'a'\n".to_owned(), "name", "either"),
        (format!("{program}url = 'https://h'\n"), "name", "either"),
        ("[[s]]\nname = 'a'\nurl = 'ftp://h'\n".to_owned(), "url", "http or https"),
        ("[[s]]\nname = 'a'\nurl = 'https://me:pass@h'\n".to_owned(), "url", "headers"),
        ("[[s]]\nname = 'a'\nurl = 'https://h/${secret:A}'\n".to_owned(), "url", "headers"),
        ("[[s]]\nname = 'a'\nurl = 'http://h'\nheaders = { X = '${secret:A}' }\n".to_owned(), "url", "not encrypted"),
        ("[[s]]\nname = 'a'\nurl = 'https://h'\nheaders = { Host = 'x' }\n".to_owned(), "headers", "protocol"),
        ("[[s]]\nname = 'a'\nurl = 'https://h'\npaths = ['/x']\n".to_owned(), "paths", "command"),
        (program.to_owned(), "command", "none of `paths`"),
        ("[[s]]\nname = 'a'\ncommand = ['run']\npaths = ['/p']\n".to_owned(), "command", "absolute"),
        ("[[s]]\nname = 'a'\ncommand = []\npaths = ['/p']\n".to_owned(), "command", "absolute"),
        (format!("{program}paths = ['/']\n"), "paths", "below `/`"),
        (format!("{program}paths = ['/p/../etc']\n"), "paths", "absolute"),
        (format!("{program}paths = ['/p']\nheaders = {{ X = 'y' }}\n"), "headers", "url"),
        (format!("{program}paths = ['/p']\nenv = {{ 'A=B' = 'y' }}\n"), "env", "no name"),
        (format!("{program}paths = ['/p']\nenv = {{ LD_PRELOAD = '${{secret:A}}' }}\n"), "env", "loader"),
        ("[[s]]\nname = 'a'\ncommand = ['/p/run', '${secret:A}']\npaths = ['/p']\n".to_owned(), "command", "env"),
        ("[[s]]\nname = 'a'\nurl = 'https://h'\ntimeout_ms = 0\n".to_owned(), "timeout_ms", "between"),
        ("[[s]]\nname = 'a'\nurl = 'https://h'\ntools_max = 513\n".to_owned(), "tools_max", "between"),
        ("[[s]]\nname = 'a'\nurl = 'https://h'\nanswer_kib = 0\n".to_owned(), "answer_kib", "between"),
    ] {
        let (_, found, message) = read(&text).unwrap_err();
        assert_eq!(found, field, "{text}: {message}");
        assert!(message.contains(word), "{text}: {message}");
    }
    let twice = "[[s]]\nname = 'a'\nurl = 'https://h'\n".repeat(2);
    assert_eq!(read(&twice).unwrap_err().0, 1);
}

#[test]
fn loopback_is_an_address_and_not_a_name() {
    let text = |url: &str| format!("[[s]]\nname = 'a'\nurl = '{url}'\nheaders = {{ X = '${{secret:A}}' }}\n");
    assert!(read(&text("http://127.0.0.1:1/mcp")).is_ok());
    assert!(read(&text("http://[::1]:1/mcp")).is_ok());
    assert!(read(&text("http://localhost/mcp")).is_err());
}
