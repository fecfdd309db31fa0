//! What stands around the data of every parser.

use super::literal::literal;

/// Before the data.
pub fn opening(name: &str) -> String {
    let about =
        literal(&format!("Parses lines of the log source {name}: time, level, template and what varies in it."));
    format!(
        r##"//! Parser for one log source, written by logsmith from a sample of its lines.
//!
//! First what was learned, as data; then how a call is answered; then the code that every such parser shares.

// Each parser uses some of the shared code only.
#![allow(dead_code, unused_imports)]

use head::{{Layout, Step}};
use parse::Parser;
use tree::Template;
use tree::Slot::{{Any as A, Value as V, Word as W}};
use wasmill_sdk::{{Error, Function, Tool}};

/// What `describe` says.
const ABOUT: &str = {about};

"##
    )
}

/// After the data.
pub fn closing() -> String {
    let mut text = CALLS.to_owned();
    for (name, source) in SHARED {
        text.push_str("\nmod ");
        text.push_str(name);
        text.push_str(" {\n");
        text.push_str(source);
        text.push_str("}\n");
    }
    text
}

/// How calls are answered.
const CALLS: &str = r##"/// The tool.
struct LogParser;

impl Tool for LogParser {
    fn describe() -> Vec<Function> {
        vec![
            Function::new(
                "parse",
                ABOUT,
                r#"{"type":"object","properties":{"lines":{"type":"array","items":{"type":"string"}}},"required":["lines"]}"#,
                r#"{"type":"object","description":"One row per line: template number or null, time, level, other fields of the head, variables.","properties":{"rows":{"type":"array","items":{"type":"array"}}},"required":["rows"]}"#,
            ),
            Function::new(
                "templates",
                "Lists the templates: number and text, with <*> for what varies.",
                r#"{"type":"object","properties":{}}"#,
                r#"{"type":"object","properties":{"templates":{"type":"array","items":{"type":"array"}}},"required":["templates"]}"#,
            ),
        ]
    }

    fn call(function: &str, arguments: &str) -> Result<String, Error> {
        match function {
            "parse" => answer::parse(&Parser::new(LAYOUT, TEMPLATES), arguments)
                .map_err(|why| Error::invalid("lines.malformed", why)),
            "templates" => answer::templates(TEMPLATES).map_err(|why| Error::failed("templates.print", why)),
            other => Err(Error::no_function(other)),
        }
    }
}

wasmill_sdk::tool!(LogParser);
"##;

/// The files that every parser shares, as they are.
const SHARED: [(&str, &str); 6] = [
    ("answer", include_str!("../runtime/answer.rs")),
    ("parse", include_str!("../runtime/parse.rs")),
    ("head", include_str!("../runtime/head.rs")),
    ("atom", include_str!("../runtime/atom.rs")),
    ("token", include_str!("../runtime/token.rs")),
    ("tree", include_str!("../runtime/tree.rs")),
];
