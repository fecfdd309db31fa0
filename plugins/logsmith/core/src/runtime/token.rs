//! Cuts a message into words and hides what varies by its looks: numbers, addresses, paths.

use std::borrow::Cow;

/// Stands for a hidden part inside a word.
pub const HIDDEN: &str = "<*>";
/// Most words of a message; what follows is one variable.
pub const WORDS_MAX: usize = 256;

/// One word of a message, or a run of words that are all variable by their looks.
#[derive(Debug, Clone)]
pub struct Token<'a> {
    /// As it stands in the message.
    pub text: &'a str,
    /// With its variable parts replaced by `HIDDEN`.
    pub masked: Cow<'a, str>,
    /// True where nothing but variable parts and punctuation is left.
    pub variable: bool,
}

/// Cuts `message` into tokens. Neighbours that are variable by their looks become one, with the units and the names of
/// months and days beside them.
pub fn tokenise<'a>(message: &'a str, tokens: &mut Vec<Token<'a>>) {
    tokens.clear();
    let end = message.trim_end().len();
    let mut rest = message[..end].trim_start();
    while !rest.is_empty() {
        if tokens.len() + 1 == WORDS_MAX {
            tokens.push(Token { text: rest, masked: Cow::Borrowed(HIDDEN), variable: true });
            return;
        }
        let here = end - rest.len();
        let cut = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, after) = rest.split_at(cut);
        let (masked, variable) = mask(word);
        rest = after.trim_start();
        let mut start = here;
        if variable {
            while tokens.last().is_some_and(|last| is_calendar(last.text)) {
                start = tokens.pop().map_or(start, |name| offset(message, name.text));
            }
        }
        if let Some(last) = tokens.last_mut()
            && last.variable
            && if variable { frame(last.text) == frame(word) || start < here } else { is_unit(word) }
        {
            last.text = &message[offset(message, last.text)..here + cut];
            continue;
        }
        tokens.push(Token { text: &message[start..here + cut], masked, variable });
    }
}

/// Where `part`, a part of `message`, begins in it.
fn offset(message: &str, part: &str) -> usize {
    part.as_ptr() as usize - message.as_ptr() as usize
}

/// The bracket or quote that a word opens with: values with different ones are not of one list.
fn frame(word: &str) -> Option<u8> {
    word.bytes().next().filter(|b| matches!(b, b'(' | b'[' | b'{' | b'<' | b'"' | b'\''))
}

/// A unit of size or time, which belongs to the number before it.
fn is_unit(word: &str) -> bool {
    matches!(
        word.trim_end_matches([',', ';', '.', ')', ']']),
        "B" | "KB"
            | "MB"
            | "GB"
            | "TB"
            | "PB"
            | "KiB"
            | "MiB"
            | "GiB"
            | "TiB"
            | "kB"
            | "ns"
            | "us"
            | "ms"
            | "s"
            | "sec"
            | "secs"
    )
}

/// The short name of a month or a day of the week.
fn is_calendar(word: &str) -> bool {
    matches!(
        word,
        "Jan"
            | "Feb"
            | "Mar"
            | "Apr"
            | "May"
            | "Jun"
            | "Jul"
            | "Aug"
            | "Sep"
            | "Oct"
            | "Nov"
            | "Dec"
            | "Mon"
            | "Tue"
            | "Wed"
            | "Thu"
            | "Fri"
            | "Sat"
            | "Sun"
    )
}

/// Hides the variable parts of one word; the flag is `Token::variable`.
pub fn mask(word: &str) -> (Cow<'_, str>, bool) {
    if !word.bytes().any(|b| b.is_ascii_digit() || b == b'/' || b == b'\\') {
        return (Cow::Borrowed(word), false);
    }
    let mut masked = String::with_capacity(word.len());
    let (mut letters, mut hidden) = (false, false);
    for part in word.split_inclusive(is_separator) {
        let (body, separator) = match part.chars().next_back() {
            Some(last) if is_separator(last) => part.split_at(part.len() - last.len_utf8()),
            _ => (part, ""),
        };
        let bare = body.trim_end_matches('.');
        if looks_variable(bare) {
            // `10.0.0.1:80` and `1,2,3` are one value each: nothing but one separator stands between the parts.
            let joined = masked.strip_suffix([':', ',', ';', '|', '#', '@', '&']).map(str::len);
            match joined {
                Some(length) if masked[..length].ends_with(HIDDEN) => masked.truncate(length),
                _ => masked.push_str(HIDDEN),
            }
            hidden = true;
            masked.push_str(&body[bare.len()..]);
        } else {
            letters |= body.chars().any(char::is_alphabetic);
            masked.push_str(body);
        }
        masked.push_str(separator);
    }
    if hidden && !letters { (Cow::Borrowed(HIDDEN), true) } else { (Cow::Owned(masked), false) }
}

/// Characters that part a word, such as those of `key=value` or `host:port`.
fn is_separator(c: char) -> bool {
    matches!(
        c,
        '=' | ':'
            | ','
            | ';'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '"'
            | '\''
            | '`'
            | '|'
            | '&'
            | '#'
            | '@'
            | '!'
            | '?'
    )
}

/// A part with a digit, and a path.
fn looks_variable(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.iter().any(u8::is_ascii_digit)
        || (bytes.len() > 1 && matches!(bytes[0], b'/' | b'\\') && bytes.iter().any(u8::is_ascii_alphabetic))
        || bytes.iter().filter(|b| **b == b'/').count() > 1
}
