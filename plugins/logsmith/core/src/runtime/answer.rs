//! Answers calls in JSON.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::{Value, to_writer};

use super::parse::Parser;
use super::tree::{Slot, Template};

/// Answers `parse`: arguments `{"lines": ["..."]}`, result `{"rows": [[template, time, level, [field], [variable]]]}`, one row
/// per line. The template is its number, or null where none fits.
pub fn parse(parser: &Parser<'_>, arguments: &str) -> Result<String, String> {
    let arguments: Value = serde_json::from_str(arguments).map_err(|e| e.to_string())?;
    let lines = arguments["lines"].as_array().ok_or("`lines` must be a list of texts")?;
    let mut out = Vec::with_capacity(64 + lines.len() * 96);
    out.extend_from_slice(b"{\"rows\":[");
    for (at, line) in lines.iter().enumerate() {
        let line = line.as_str().ok_or_else(|| format!("line {at} is not a text"))?;
        if at > 0 {
            out.push(b',');
        }
        parser.parse(line, |parts, template, variables| {
            match template {
                Some(template) => write!(out, "[{},", template.id).map_err(|e| e.to_string())?,
                None => out.extend_from_slice(b"[null,"),
            }
            text(&mut out, &parts.time)?;
            out.push(b',');
            text(&mut out, &parts.level)?;
            out.push(b',');
            list(&mut out, parts.fields.iter().map(AsRef::as_ref))?;
            out.push(b',');
            list(&mut out, variables.iter().copied())?;
            out.push(b']');
            Ok::<(), String>(())
        })?;
    }
    out.extend_from_slice(b"]}");
    String::from_utf8(out).map_err(|e| e.to_string())
}

/// Answers `templates`: `{"templates": [[number, text]]}`.
pub fn templates(templates: &[Template<'_>]) -> Result<String, String> {
    let mut out = b"{\"templates\":[".to_vec();
    let mut listed = BTreeSet::new();
    for template in templates {
        let comma = if listed.is_empty() { "" } else { "," };
        // Where patterns share a number, the first is the most frequent.
        if !listed.insert(template.id) {
            continue;
        }
        write!(out, "{comma}[{},", template.id).map_err(|e| e.to_string())?;
        let words: Vec<String> = template.slots.iter().map(show).collect();
        text(&mut out, &words.join(" "))?;
        out.push(b']');
    }
    out.extend_from_slice(b"]}");
    String::from_utf8(out).map_err(|e| e.to_string())
}

/// A place as a person reads it, with `<*>` for what varies.
fn show(slot: &Slot<'_>) -> String {
    match slot {
        Slot::Word(word) => (*word).to_owned(),
        Slot::Value(prefix, suffix) | Slot::Any(prefix, suffix) => format!("{prefix}<*>{suffix}"),
    }
}

fn text(out: &mut Vec<u8>, text: &str) -> Result<(), String> {
    to_writer(out, text).map_err(|e| e.to_string())
}

fn list<'a>(out: &mut Vec<u8>, texts: impl Iterator<Item = &'a str>) -> Result<(), String> {
    out.push(b'[');
    for (at, item) in texts.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        text(out, item)?;
    }
    out.push(b']');
    Ok(())
}
