//! Takes the head of a line off: time, level, what else stands before the message.

use std::borrow::Cow;

use serde_json::Value;

use super::atom::{Atom, atom, is_level, is_short_level, shape, tag};

/// One step through the head of a line, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'t> {
    /// Part of the time stamp: one of these shapes, see `shape`.
    Time(&'t [&'t str]),
    /// How serious the line is.
    Level,
    /// A number.
    Number,
    /// Something in square brackets.
    Group,
    /// Punctuation that stands alone.
    Mark,
    /// Any word.
    Word,
    /// A name that ends in a colon. Lines may do without it.
    Tag,
    /// Everything up to this lone mark.
    Until(&'t str),
}

/// How the lines of a source are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout<'t> {
    /// A head, then a message.
    Text {
        /// The head; may be empty.
        steps: &'t [Step<'t>],
        /// First and last step of the time stamp.
        time: Option<(usize, usize)>,
    },
    /// One JSON object per line, with the names of the fields that hold these.
    Json {
        /// Time stamp; empty: none.
        time: &'t str,
        /// Level; empty: none.
        level: &'t str,
        /// Message; empty: the whole object is the message.
        message: &'t str,
    },
}

/// A line without its head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts<'a> {
    /// False where the line does not have the layout's head: a line that continues the one before, for example.
    pub headed: bool,
    /// As written; empty where there is none.
    pub time: Cow<'a, str>,
    /// As written; empty where there is none.
    pub level: Cow<'a, str>,
    /// The other parts of the head, in order.
    pub fields: Vec<Cow<'a, str>>,
    /// What the line says.
    pub message: Cow<'a, str>,
}

/// Longest line that is looked at, in bytes; the rest is cut off.
pub const LINE_MAX: usize = 16 * 1024;

/// Cuts an over-long line, at a character.
pub fn clip(line: &str) -> &str {
    &line[..line.floor_char_boundary(LINE_MAX)]
}

impl Layout<'_> {
    /// Takes a line apart.
    pub fn apply<'a>(&self, line: &'a str) -> Parts<'a> {
        let line = clip(line);
        let parts = match self {
            Layout::Text { steps, time } => text(steps, *time, line),
            Layout::Json { time, level, message } => json(time, level, message, line),
        };
        parts.unwrap_or_else(|| Parts { message: Cow::Borrowed(line), ..Parts::default() })
    }
}

fn text<'a>(steps: &[Step<'_>], time: Option<(usize, usize)>, line: &'a str) -> Option<Parts<'a>> {
    let mut parts = Parts { headed: true, ..Parts::default() };
    let mut rest = line;
    let mut start = 0;
    for (at, step) in steps.iter().enumerate() {
        match step {
            Step::Tag => {
                if let Some((name, after)) = tag(rest) {
                    parts.fields.push(Cow::Borrowed(name));
                    rest = after;
                }
            }
            Step::Until(mark) => {
                let (before, after) = until(mark, rest)?;
                parts.fields.push(Cow::Borrowed(before));
                rest = after;
            }
            _ => {
                let found = atom(rest)?;
                if !fits(step, &found) {
                    return None;
                }
                let from = found.text.as_ptr() as usize - line.as_ptr() as usize;
                match time {
                    Some((first, last)) if (first..=last).contains(&at) => {
                        if at == first {
                            start = from;
                        }
                        parts.time = Cow::Borrowed(&line[start..from + found.text.len()]);
                    }
                    _ if *step == Step::Level => parts.level = Cow::Borrowed(found.text),
                    _ if *step == Step::Mark => {}
                    _ => parts.fields.push(Cow::Borrowed(found.text)),
                }
                rest = found.rest;
            }
        }
    }
    if !steps.is_empty() {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '|');
    }
    parts.message = Cow::Borrowed(rest);
    Some(parts)
}

fn fits(step: &Step<'_>, atom: &Atom<'_>) -> bool {
    match step {
        Step::Time(shapes) => shapes.contains(&shape(atom.text).as_str()),
        Step::Level => is_level(atom.text) || is_short_level(atom.text),
        Step::Number => atom.text.bytes().all(|b| b.is_ascii_digit()),
        Step::Group => atom.group,
        Step::Mark => !atom.whole.contains(char::is_alphanumeric),
        _ => true,
    }
}

/// What stands before and after a lone `mark` among the next few words.
pub fn until<'a>(mark: &str, rest: &'a str) -> Option<(&'a str, &'a str)> {
    let rest = rest.trim_start();
    let mut after = rest;
    for _ in 0..4 {
        let found = atom(after)?;
        if found.whole == mark {
            return Some((rest[..rest.len() - after.len()].trim_end(), found.rest));
        }
        after = found.rest;
    }
    None
}

fn json<'a>(time: &str, level: &str, message: &str, line: &str) -> Option<Parts<'a>> {
    let Ok(Value::Object(object)) = serde_json::from_str(line) else {
        return None;
    };
    let mut parts = Parts { headed: true, ..Parts::default() };
    let mut pairs = Vec::new();
    for (key, value) in object {
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match key {
            key if key == time => parts.time = Cow::Owned(text),
            key if key == level => parts.level = Cow::Owned(text),
            key if key == message => parts.message = Cow::Owned(text),
            // Blanks would make one value look like many words.
            key if message.is_empty() => pairs.push(format!("{key}={}", text.replace(char::is_whitespace, "_"))),
            key => parts.fields.push(Cow::Owned(format!("{key}={text}"))),
        }
    }
    if message.is_empty() {
        parts.message = Cow::Owned(pairs.join(" "));
    }
    Some(parts)
}
