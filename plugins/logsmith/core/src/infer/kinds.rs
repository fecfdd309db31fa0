//! What one atom of a head looks like.

use crate::runtime::atom::{Atom, is_level, is_short_level, shape};

/// What an atom looks like on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A date, a time of day or both.
    Time,
    /// Two numbers with a separator, such as `03-17`: a date only beside a time.
    Pair,
    /// Name of a month or a day of the week.
    Calendar,
    /// A number whose length and digits suit a date, a time of day or seconds since 1970.
    Stamp,
    /// Any other number.
    Number,
    /// A level.
    Level,
    /// Punctuation alone.
    Mark,
    /// Something in square brackets.
    Group,
    /// Anything else.
    Word,
}

/// What an atom looks like.
pub fn kind(atom: &Atom<'_>) -> Kind {
    let text = atom.text;
    if text.is_empty() {
        return Kind::Word;
    }
    if is_level(text) || (!atom.group && is_short_level(text)) {
        return Kind::Level;
    }
    if is_calendar(text) {
        return Kind::Calendar;
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return if is_stamp(text) { Kind::Stamp } else { Kind::Number };
    }
    match time_kind(text, atom.group) {
        Some(kind) => kind,
        None if atom.group => Kind::Group,
        None if !text.contains(char::is_alphanumeric) => Kind::Mark,
        None => Kind::Word,
    }
}

fn time_kind(text: &str, group: bool) -> Option<Kind> {
    if !text.as_bytes().first()?.is_ascii_alphanumeric() || text.len() > 48 {
        return None;
    }
    let form = shape(text);
    let numbers = form.matches('0').count();
    let separators_fit = form.chars().all(|c| matches!(c, '0' | 'a' | ' ' | '-' | '/' | ':' | '.' | ',' | '_' | '+'));
    let names_fit = text.split(|c: char| !c.is_ascii_alphabetic()).all(|name| {
        is_calendar(name)
            || matches!(
                name,
                "" | "T"
                    | "Z"
                    | "t"
                    | "z"
                    | "UTC"
                    | "GMT"
                    | "AM"
                    | "PM"
                    | "CET"
                    | "CEST"
                    | "EST"
                    | "EDT"
                    | "PST"
                    | "PDT"
            )
    });
    if !separators_fit || !names_fit || numbers < 2 {
        return None;
    }
    match form.as_str() {
        // An address, or a version.
        "0.0.0.0" => None,
        "0.0" if group => Some(Kind::Time),
        "0-0" | "0.0" | "0/0" | "0:0" => Some(Kind::Pair),
        _ if numbers >= 3 => Some(Kind::Time),
        _ => None,
    }
}

fn is_calendar(text: &str) -> bool {
    const NAMES: [&str; 19] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed", "thu",
        "fri", "sat", "sun",
    ];
    text.len() == 3 && NAMES.iter().any(|name| name.eq_ignore_ascii_case(text))
}

fn is_stamp(digits: &str) -> bool {
    let two = |at: usize| digits.get(at..at + 2).and_then(|d| d.parse::<u32>().ok()).unwrap_or(99);
    let date = |at: usize| (1..=12).contains(&two(at)) && (1..=31).contains(&two(at + 2));
    match digits.len() {
        6 => date(2) || (two(0) < 24 && two(2) < 60 && two(4) < 61),
        8 => matches!(two(0), 19 | 20) && date(4),
        // From 2001 to 2033, in seconds and milliseconds.
        10 | 13 => digits.starts_with('1'),
        _ => false,
    }
}
