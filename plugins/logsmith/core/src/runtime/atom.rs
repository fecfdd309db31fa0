//! Cuts the head of a line into atoms: words and bracketed groups.

/// One piece of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Atom<'a> {
    /// Without brackets, without a closing comma or colon; of `key=value`, the value.
    pub text: &'a str,
    /// As it stands in the line.
    pub whole: &'a str,
    /// True for `[...]`.
    pub group: bool,
    /// True where a `|` follows.
    pub bar: bool,
    /// What follows in the line.
    pub rest: &'a str,
}

/// Longest group, in bytes: a bracket that is open for longer is an ordinary character.
const GROUP_MAX: usize = 256;

/// The next atom of `rest`; none at its end. Atoms are parted by white space or `|`.
pub fn atom(rest: &str) -> Option<Atom<'_>> {
    let rest = rest.trim_start_matches(is_gap);
    if rest.is_empty() {
        return None;
    }
    if let Some(length) = group_length(rest) {
        let (whole, after) = rest.split_at(length);
        let after = after.strip_prefix([':', ',']).unwrap_or(after);
        return Some(Atom {
            text: whole[1..length - 1].trim(),
            whole,
            group: true,
            bar: after.starts_with('|'),
            rest: after,
        });
    }
    let cut = rest.find(is_gap).unwrap_or(rest.len());
    let (whole, after) = rest.split_at(cut);
    let text = whole.trim_end_matches([',', ':', ';']);
    let text = if text.is_empty() { whole } else { text };
    Some(Atom { text: value(text), whole, group: false, bar: after.starts_with('|'), rest: after })
}

/// The key of `key=value`, where the key is a plain name.
pub fn key(text: &str) -> Option<&str> {
    let (key, _) = text.split_once('=')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@');
    (key.as_bytes().first()?.is_ascii_alphabetic() && key.bytes().all(plain)).then_some(key)
}

/// The value of `key=value` without its quotes; anything else as it is.
fn value(text: &str) -> &str {
    match key(text) {
        Some(key) => text[key.len() + 1..].trim_matches('"'),
        None => text,
    }
}

/// A tag such as `sshd[42]:` or `kernel[0] (driver):`, with what follows it.
pub fn tag(rest: &str) -> Option<(&str, &str)> {
    let rest = rest.trim_start();
    let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    if let Some(name) = word.strip_suffix(':') {
        return name.contains(char::is_alphanumeric).then_some((name, after));
    }
    let next = after.trim_start();
    let (second, last) = next.split_at(next.find(char::is_whitespace).unwrap_or(next.len()));
    let pair = (word.ends_with(']') && second.starts_with('(')) || !word.contains(char::is_alphanumeric);
    let length = rest.len() - last.len();
    (pair && second.ends_with(':') && second.len() > 1).then(|| (&rest[..length - 1], last))
}

/// Digits as `0`, letters as `a`, runs of either and of blanks as one: `2015-07-29` has the shape `0-0-0`.
pub fn shape(text: &str) -> String {
    let mut shape = String::with_capacity(16);
    for c in text.chars() {
        let class = match c {
            _ if c.is_ascii_digit() => '0',
            _ if c.is_alphabetic() => 'a',
            _ if c.is_whitespace() => ' ',
            other => other,
        };
        if !(matches!(class, '0' | 'a' | ' ') && shape.ends_with(class)) {
            shape.push(class);
        }
    }
    shape
}

/// True where `text` names how serious a line is.
pub fn is_level(text: &str) -> bool {
    const LEVELS: [&str; 23] = [
        "trace",
        "debug",
        "info",
        "information",
        "notice",
        "warn",
        "warning",
        "error",
        "err",
        "severe",
        "critical",
        "crit",
        "alert",
        "emerg",
        "emergency",
        "fatal",
        "failure",
        "panic",
        "verbose",
        "fine",
        "finer",
        "finest",
        "log",
    ];
    text.len() <= 11 && LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text))
}

/// True for a level that is written as one capital letter.
pub fn is_short_level(text: &str) -> bool {
    matches!(text, "V" | "D" | "I" | "N" | "W" | "E" | "F" | "C")
}

fn is_gap(c: char) -> bool {
    c.is_whitespace() || c == '|'
}

fn group_length(rest: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in rest.bytes().enumerate().take(GROUP_MAX) {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return (at > 0).then_some(at + 1);
        }
    }
    None
}
