//! What a single entry of a row may look like. An entry that could never match, or that would match more than it seems
//! to, is refused where it is written.

use wasmill_registry::HttpRule;

use super::column::Column;
use super::duty::Duty;
use super::nearest::{hint, nearest};
use super::pattern::{PATTERN_BYTES_MAX, Pattern};
use super::tool_name::{check_version, name_of};

/// Languages that a forge can build.
const LANGUAGES: [&str; 2] = ["rust", "javascript"];

/// Checks one pattern of a column of names.
pub(super) fn name(column: Column, text: &str) -> Result<(), String> {
    length(column.word(), text)?;
    let (allowed, words): (fn(u8) -> bool, &str) = match column {
        Column::TopicsRead | Column::TopicsWrite | Column::TopicsCreate => {
            (|b| b.is_ascii_alphanumeric() || b"._-*".contains(&b), "`a-z`, `A-Z`, `0-9`, `.`, `_`, `-` and `*`")
        }
        Column::Tools | Column::Agents => {
            (|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-*".contains(&b), "`a-z`, `0-9`, `.`, `-` and `*`")
        }
        _ => (|b| b.is_ascii_graphic(), "visible characters without spaces"),
    };
    let name = if column == Column::Tools { name_of(text) } else { text };
    if !name.bytes().all(allowed) {
        return Err(format!("{column}: {text:?} can't be a name; names here are made of {words}"));
    }
    if column == Column::Tools {
        check_version(text)?;
    }
    if column == Column::Host && !Duty::ALL.iter().any(|duty| Pattern::new(text).matches(duty.word())) {
        let words = Duty::ALL.map(Duty::word);
        let near = hint(nearest(text, words));
        return Err(format!("{column}: there is no {text:?} (only {}){near}", words.join(", ")));
    }
    if column == Column::Forge && !LANGUAGES.iter().any(|language| Pattern::new(text).matches(language)) {
        let near = hint(nearest(text, LANGUAGES));
        return Err(format!("{column}: the forge builds no {text:?} (only {}){near}", LANGUAGES.join(", ")));
    }
    Ok(())
}

/// Checks one entry of `http`.
pub(super) fn http(rule: &HttpRule) -> Result<(), String> {
    let host = rule.host.as_str();
    length("http", host)?;
    if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]*".contains(&b)) {
        return Err(format!("http: {host:?} can't be a host; write the host name alone, with `:port` if it has one"));
    }
    // `api.example.com*` would also stand for api.example.com.attacker.net, `*example.com` for attackerexample.com.
    if host.len() > 1 && host.ends_with('*') && !host.ends_with(":*") {
        return Err(format!("http: a host may not end in `*`, anybody could own what comes there ({host:?})"));
    }
    if host.len() > 1 && host.starts_with('*') && !host.starts_with("*.") && !host.starts_with("*:") {
        return Err(format!("http: write `*.` before a domain, not `*` alone ({host:?})"));
    }
    if rule.methods.is_empty() {
        return Err(format!("http: {host:?} needs methods, for example methods = [\"GET\"]"));
    }
    match rule.methods.iter().find(|m| *m != "*" && (m.is_empty() || !m.bytes().all(|b| b.is_ascii_uppercase()))) {
        Some(method) => Err(format!("http: {method:?} is no method; methods are written in capitals, `*` for all")),
        None => Ok(()),
    }
}

fn length(column: &str, text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(format!("{column}: an empty name allows nothing; take it out"));
    }
    if text.len() > PATTERN_BYTES_MAX {
        return Err(format!("{column}: a name of {} bytes is over the limit of {PATTERN_BYTES_MAX}", text.len()));
    }
    Ok(())
}
